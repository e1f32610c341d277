// SPDX-License-Identifier: BSL-1.0
#include "evidence.hpp"

#include <algorithm>
#include <initializer_list>

namespace lab::policy {

namespace {

bool contains_any(const std::vector<tcp_state>& trail, std::initializer_list<tcp_state> wanted) {
    return std::any_of(wanted.begin(), wanted.end(),
                       [&](tcp_state s) { return std::find(trail.begin(), trail.end(), s) != trail.end(); });
}

} // namespace

const char* to_string(holder h) noexcept {
    switch (h) {
    case holder::nobody: return "nobody";
    case holder::server: return "server";
    case holder::peer: return "peer";
    case holder::both: return "both";
    }
    return "?";
}

std::optional<bool> evidence::first_fin_from_server() const {
    for (const wire_event& e : wire) {
        if (e.what != signal::fin) return std::nullopt;
        return e.from_server;
    }
    return std::nullopt;
}

const wire_event* evidence::first_reset() const {
    const auto found =
        std::find_if(wire.begin(), wire.end(), [](const wire_event& e) { return e.what != signal::fin; });
    return found == wire.end() ? nullptr : &*found;
}

bool evidence::has(bool from_server, signal what) const {
    return std::any_of(wire.begin(), wire.end(),
                       [&](const wire_event& e) { return e.from_server == from_server && e.what == what; });
}

holder evidence::time_wait() const noexcept {
    const bool server = server_settled == tcp_state::time_wait;
    const bool peer = peer_settled == tcp_state::time_wait;
    return server && peer ? holder::both : server ? holder::server : peer ? holder::peer : holder::nobody;
}

std::vector<wire_event> read_off(const std::vector<observation::segment>& segments, std::uint16_t server_port) {
    std::vector<wire_event> events;
    const auto add = [&](bool from_server, signal what, auto when) {
        const bool known = std::any_of(events.begin(), events.end(), [&](const wire_event& e) {
            return e.from_server == from_server && e.what == what;
        });
        if (!known) events.push_back({from_server, what, when});
    };
    for (const observation::segment& s : segments) {
        const bool from_server = s.from.port == server_port;
        if (s.fin) add(from_server, signal::fin, s.when);
        if (s.rst) add(from_server, s.ack ? signal::reset : signal::reset_answer, s.when);
    }
    return events;
}

std::vector<wire_event> inferred_from(const evidence& sampled, const peer_view& got) {
    using enum tcp_state;
    const bool server_fin = got.end_of_file ||
                            contains_any(sampled.server_states, {fin_wait2, closing, time_wait, last_ack}) ||
                            contains_any(sampled.peer_states, {close_wait, last_ack, closing, time_wait});
    const bool peer_fin = contains_any(sampled.server_states, {close_wait, last_ack, closing, time_wait}) ||
                          contains_any(sampled.peer_states, {fin_wait2, closing, time_wait});
    const bool peer_first = contains_any(sampled.server_states, {close_wait, last_ack}) ||
                            contains_any(sampled.peer_states, {fin_wait1, fin_wait2}) ||
                            sampled.time_wait() == holder::peer;
    std::vector<wire_event> events;
    if (server_fin && !(peer_fin && peer_first)) events.push_back({true, signal::fin, {}});
    if (peer_fin) events.push_back({false, signal::fin, {}});
    if (server_fin && peer_fin && peer_first) events.push_back({true, signal::fin, {}});
    if (got.sent_reset)
        events.push_back({false, signal::reset, {}});
    else if (got.error != 0)
        events.push_back({true, signal::reset, {}});
    return events;
}

} // namespace lab::policy
