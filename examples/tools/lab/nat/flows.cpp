// SPDX-License-Identifier: BSL-1.0
#include "flows.hpp"

#include <algorithm>
#include <map>

namespace lab::nat {

bool flow::answered() const {
    return std::any_of(segments.begin(), segments.end(),
                       [](const observation::segment& s) { return s.outgoing && s.syn && s.ack; });
}

bool flow::challenged() const {
    for (const observation::segment& s : segments)
        if (s.outgoing) return !s.syn && !s.rst; // the first answer
    return false;
}

std::vector<flow> flows_of(const std::vector<observation::segment>& segments) {
    std::vector<flow> flows;
    std::map<std::uint16_t, std::size_t> current; // port -> index
    for (const observation::segment& s : segments) {
        const std::uint16_t port = s.outgoing ? s.to.port : s.from.port;
        const auto known = current.find(port);
        const bool begins = !s.outgoing && s.syn &&
                            (known == current.end() || flows[known->second].segments.front().sequence != s.sequence);
        if (begins) {
            current[port] = flows.size();
            flows.push_back({port, {s}});
        } else if (known != current.end()) {
            flows[known->second].segments.push_back(s);
        }
    }
    return flows;
}

std::optional<std::uint32_t> timestamp_behind(const flow& before, const flow& after) {
    const std::optional<std::uint32_t> now = after.segments.front().timestamp;
    for (auto s = before.segments.rbegin(); s != before.segments.rend(); ++s) {
        if (s->outgoing || !s->timestamp || !now) continue;
        const std::uint32_t distance = *s->timestamp - *now;
        return distance != 0 && distance < 0x80000000u ? std::optional(distance) : std::nullopt;
    }
    return std::nullopt;
}

} // namespace lab::nat
