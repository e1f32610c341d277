// SPDX-License-Identifier: BSL-1.0
#include "follow_event.hpp"

#include <cstring>

#include <netinet/in.h>

namespace check::follow {

namespace {

tcp_state state_of(std::optional<std::uint64_t> number) {
    return number && *number <= static_cast<std::uint64_t>(tcp_state::new_syn_received)
               ? static_cast<tcp_state>(*number)
               : tcp_state::unknown;
}

/// Most events have a family, ports in this machine's order, and addresses in both forms.
std::optional<connection> ends_by_fields(const event_format& f, bytes record) {
    const auto family = f.number("family", record), sport = f.number("sport", record),
               dport = f.number("dport", record);
    if (!family || !sport || !dport) return std::nullopt;
    const bool v6 = *family == AF_INET6;
    if (!v6 && *family != AF_INET) return std::nullopt;
    const auto local = make_end_point(f.raw(v6 ? "saddr_v6" : "saddr", record), static_cast<std::uint16_t>(*sport));
    const auto peer = make_end_point(f.raw(v6 ? "daddr_v6" : "daddr", record), static_cast<std::uint16_t>(*dport));
    if (!local || !peer) return std::nullopt;
    return connection{*local, *peer};
}

/// A struct sockaddr_in or sockaddr_in6.
std::optional<end_point> end_by_sockaddr(bytes at) {
    std::uint16_t family = 0;
    if (at.size() < sizeof(::sockaddr_in)) return std::nullopt;
    std::memcpy(&family, at.data(), sizeof family);
    const auto port = static_cast<std::uint16_t>(at[2] << 8 | at[3]);
    if (family == AF_INET) return make_end_point(at.subspan(offsetof(::sockaddr_in, sin_addr), 4), port);
    if (family == AF_INET6 && at.size() >= sizeof(::sockaddr_in6))
        return make_end_point(at.subspan(offsetof(::sockaddr_in6, sin6_addr), 16), port);
    return std::nullopt;
}

/// tcp_send_reset has had two whole socket addresses since Linux 6.10.
std::optional<connection> ends_of(const event_format& f, bytes record) {
    if (f.has("sport")) return ends_by_fields(f, record);
    const auto local = end_by_sockaddr(f.raw("saddr", record)), peer = end_by_sockaddr(f.raw("daddr", record));
    if (!local || !peer) return std::nullopt;
    return connection{*local, *peer};
}

} // namespace

bool event_reader::gives_reasons() const {
    for (const known& k : formats_)
        if (k.kind == event_kind::reset_sent) return k.format.has("reason") && !k.format.reasons.empty();
    return false;
}

std::optional<trace_event> event_reader::read(std::uint64_t time, bytes record) const {
    std::uint16_t id = 0;
    if (record.size() < sizeof id) return std::nullopt;
    std::memcpy(&id, record.data(), sizeof id);
    const known* of = nullptr;
    for (const known& k : formats_)
        if (k.format.id == id) of = &k;
    if (!of) return std::nullopt;
    const event_format& f = of->format;

    if (const auto protocol = f.number("protocol", record); protocol && *protocol != IPPROTO_TCP) return std::nullopt;
    const auto ends = ends_of(f, record);
    if (!ends) return std::nullopt;
    trace_event e{.kind = of->kind, .time = time, .ends = *ends};
    const auto socket = f.number("skaddr", record);
    if (!socket && of->kind != event_kind::error_reported) return std::nullopt;
    e.socket = socket.value_or(0);
    e.thread = static_cast<int>(f.number("common_pid", record).value_or(0));
    switch (of->kind) {
    case event_kind::state:
        e.before = state_of(f.number("oldstate", record));
        e.after = state_of(f.number("newstate", record));
        if (e.before == tcp_state::unknown || e.after == tcp_state::unknown) return std::nullopt;
        break;
    case event_kind::reset_sent:
        e.after = state_of(f.number("state", record));
        if (const auto reason = f.number("reason", record)) {
            const auto named = f.reasons.find(*reason);
            if (named != f.reasons.end()) e.reason = named->second;
        }
        break;
    case event_kind::reset_taken:
    case event_kind::destroyed: e.cookie = f.number("sock_cookie", record).value_or(0); break;
    case event_kind::sent_again: e.after = state_of(f.number("state", record)); break;
    case event_kind::error_reported:
        e.error = static_cast<int>(static_cast<std::int32_t>(f.number("error", record).value_or(0)));
        break;
    }
    return e;
}

} // namespace check::follow
