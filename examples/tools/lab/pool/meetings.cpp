// SPDX-License-Identifier: BSL-1.0
#include "meetings.hpp"

#include "../nat/flows.hpp"

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <set>

namespace lab::pool {

namespace {

constexpr std::uint32_t takeover_distance = 65535 + 2;

/// What would come next of the server's; nothing: it sent no FIN.
std::optional<std::uint32_t> next_of(const nat::flow& f) {
    for (const observation::segment& s : f.segments)
        if (s.outgoing && s.fin) return s.end() + 1;
    return std::nullopt;
}

std::optional<std::uint32_t> first_sequence_of(const nat::flow& f) {
    for (const observation::segment& s : f.segments)
        if (s.outgoing && s.syn && s.ack) return s.sequence;
    return std::nullopt;
}

double between(const observation::segment& a, const observation::segment& b) {
    return std::chrono::duration<double>(b.when - a.when).count();
}

} // namespace

meetings meetings_of(const std::vector<observation::segment>& segments) {
    meetings found;
    std::map<std::uint16_t, std::uint32_t> next; // of the last connection of a port
    std::set<std::uint32_t>
        begun; // the clients' sequence numbers: a SYN that comes again, from another port, is not a new connect
    std::vector<double> open;
    const std::vector<nat::flow> flows = nat::flows_of(segments);
    for (const nat::flow& f : flows) {
        const auto first = first_sequence_of(f);
        const auto before = next.find(f.port);
        const bool taken_over = first && before != next.end() && *first == before->second + takeover_distance;
        const bool challenged = f.challenged();
        if (begun.insert(f.segments.front().sequence).second)
            found.all.push_back(
                {between(flows.front().segments.front(), f.segments.front()), taken_over || challenged, challenged});
        if (const auto after = next_of(f)) next[f.port] = *after;
        for (const observation::segment& s : f.segments)
            if (s.outgoing && s.fin) {
                open.push_back(between(f.segments.front(), s));
                break;
            }
    }
    if (!open.empty()) {
        const auto middle = open.begin() + static_cast<std::ptrdiff_t>(open.size() / 2);
        std::nth_element(open.begin(), middle, open.end());
        found.open_seconds = *middle;
    }
    return found;
}

} // namespace lab::pool
