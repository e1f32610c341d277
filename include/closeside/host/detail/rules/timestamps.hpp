// SPDX-License-Identifier: BSL-1.0
#ifndef CLOSESIDE_HOST_DETAIL_RULES_TIMESTAMPS_HPP
#define CLOSESIDE_HOST_DETAIL_RULES_TIMESTAMPS_HPP

#include <closeside/host/detail/compose.hpp>
#include <closeside/host/detail/meaning_by_release.hpp>
#include <closeside/host/detail/remedy.hpp>
#include <closeside/host/detail/rule.hpp>

#include <optional>

namespace closeside::host::detail::rules {

inline constexpr rule timestamps_off{
    "CS130", "tcp_timestamps is off", [](const rule_input& in) -> std::optional<judgement> {
        if (!in.is_off(key::tcp_timestamps)) return std::nullopt;
        // Turning timestamps on is what makes tcp_tw_recycle bite.
        const bool recycles = in.is_on(key::tcp_tw_recycle);
        const remedy first = recycles ? set_key(in.host, key::tcp_tw_recycle, "0") + ", and only then: " : remedy();
        return found(in.program.peers == exposure::loopback ? severity::note : severity::warning, {key::tcp_timestamps},
                     "tcp_timestamps is 0: no PAWS against old segments, no re-use of TIME-WAIT ports by peers or by "
                     "this host; clients behind NAT gain nothing by it, unless tcp_tw_recycle is on",
                     "Peers that connect often run out of ports sooner; fast connections lose their protection "
                     "against wrapped sequence numbers",
                     first + set_key(in.host, key::tcp_timestamps, "1"),
                     "RFC 7323; Linux net/ipv4/tcp_ipv4.c: tcp_twsk_unique, net/ipv4/tcp_minisocks.c");
    }};

/// Any number but 0 and 1: the kernel adds its random offset for 1 alone.
inline constexpr rule timestamps_without_offset{
    "CS131", "tcp_timestamps above 1 shows the uptime of the host",
    [](const rule_input& in) -> std::optional<judgement> {
        const auto mode = in.number(key::tcp_timestamps);
        if (!mode || *mode == 0 || *mode == 1 || in.program.peers == exposure::loopback) return std::nullopt;
        if (is_before(in.host, {4, 10})) return std::nullopt; // there 1 adds none either
        return found(severity::note, {key::tcp_timestamps},
                     compose("tcp_timestamps is {}: timestamps are on, but without the random offset that 1 adds "
                             "to them (since Linux 4.10)",
                             {*mode}),
                     "Whoever exchanges a packet with this host learns how long it has been up, and can tell which "
                     "connections behind a NAT come from it",
                     stop_setting(in.host, key::tcp_timestamps, "1"),
                     "Linux net/core/secure_seq.c: secure_tcp_ts_off (since 6.18.19: secure_tcp_seq_and_ts_off)");
    }};

} // namespace closeside::host::detail::rules

#endif
