// SPDX-License-Identifier: BSL-1.0
#include "meetings.hpp"

#include "../nat/flows.hpp"

#include <chrono>
#include <cstdint>
#include <map>
#include <optional>

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
    double open = 0;
    std::size_t closed = 0;
    const std::vector<nat::flow> flows = nat::flows_of(segments);
    for (const nat::flow& f : flows) {
        const auto first = first_sequence_of(f);
        const auto before = next.find(f.port);
        const bool taken_over = first && before != next.end() && *first == before->second + takeover_distance;
        const bool challenged = f.challenged();
        found.all.push_back(
            {between(flows.front().segments.front(), f.segments.front()), taken_over || challenged, challenged});
        if (const auto after = next_of(f)) next[f.port] = *after;
        for (const observation::segment& s : f.segments)
            if (s.outgoing && s.fin) {
                open += between(f.segments.front(), s);
                ++closed;
                break;
            }
    }
    if (closed != 0) found.open_seconds = open / static_cast<double>(closed);
    return found;
}

} // namespace lab::pool
