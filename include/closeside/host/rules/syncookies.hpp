// SPDX-License-Identifier: BSL-1.0
#ifndef CLOSESIDE_HOST_RULES_SYNCOOKIES_HPP
#define CLOSESIDE_HOST_RULES_SYNCOOKIES_HPP

#include <closeside/host/remedy.hpp>
#include <closeside/host/rule.hpp>

#include <optional>

namespace closeside::host::rules {

inline constexpr rule syncookies_off{
    "CS201",
    "tcp_syncookies is off",
    [](const circumstances& c) -> std::optional<verdict> {
        if (!c.is_off(key::tcp_syncookies)) return std::nullopt;
        return verdict{c.program.peers == exposure::loopback ? severity::note : severity::warning,
                       {key::tcp_syncookies},
                       "tcp_syncookies is 0: when the SYN queue is full, further SYNs are dropped",
                       "During a SYN flood, or a burst of clients, nobody new can connect; TCPReqQFullDrop in "
                       "/proc/net/netstat counts the drops",
                       set_key(c.host, key::tcp_syncookies, "1"),
                       "Linux net/ipv4/tcp_input.c: tcp_conn_request"};
    },
    {counter::req_q_full_drop}};

inline constexpr rule syncookies_without_timestamps{
    "CS202",
    "SYN cookies lose TCP options without tcp_timestamps",
    [](const circumstances& c) -> std::optional<verdict> {
        if (!c.is_on(key::tcp_syncookies) || !c.is_off(key::tcp_timestamps)) return std::nullopt;
        const bool recycles = c.is_on(key::tcp_tw_recycle);
        return verdict{c.program.peers == exposure::loopback ? severity::note : severity::warning,
                       {key::tcp_syncookies, key::tcp_timestamps},
                       "A SYN cookie keeps window scaling and SACK in the timestamp, and tcp_timestamps is 0",
                       c.number(key::tcp_syncookies) == 2
                           ? "tcp_syncookies is 2, so every accepted connection is limited to 64 KiB in flight and is "
                             "slow to recover from loss"
                           : "Connections accepted while the SYN queue is full are limited to 64 KiB in flight and are "
                             "slow to recover from loss, for as long as they live",
                       (recycles ? set_key(c.host, key::tcp_tw_recycle, "0") + ", and only then: " : remedy()) +
                           set_key(c.host, key::tcp_timestamps, "1"),
                       "Linux net/ipv4/syncookies.c: cookie_init_timestamp, cookie_timestamp_decode"};
    },
    {counter::syncookies_sent}};

} // namespace closeside::host::rules

#endif
