// SPDX-License-Identifier: BSL-1.0
#ifndef CLOSESIDE_HOST_DETAIL_RULES_SYNCOOKIES_HPP
#define CLOSESIDE_HOST_DETAIL_RULES_SYNCOOKIES_HPP

#include <closeside/host/detail/compose.hpp>
#include <closeside/host/detail/remedy.hpp>
#include <closeside/host/detail/rule.hpp>

#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <optional>
#include <string>

namespace closeside::host::detail::rules {

inline constexpr rule syncookies_off{
    "CS201",
    "tcp_syncookies is off",
    [](const rule_input& in) -> std::optional<judgement> {
        if (!in.is_off(key::tcp_syncookies)) return std::nullopt;
        return found(in.program.peers == exposure::loopback ? severity::note : severity::warning, {key::tcp_syncookies},
                     "tcp_syncookies is 0: when the SYN queue is full, further SYNs are dropped",
                     "During a SYN flood, or a burst of clients, nobody new can connect; TCPReqQFullDrop in "
                     "/proc/net/netstat counts the drops",
                     set_key(in.host, key::tcp_syncookies, "1"), "Linux net/ipv4/tcp_input.c: tcp_conn_request");
    },
    {counter::req_q_full_drop}};

inline constexpr rule syncookies_without_timestamps{
    "CS202",
    "SYN cookies lose TCP options without tcp_timestamps",
    [](const rule_input& in) -> std::optional<judgement> {
        if (!in.is_on(key::tcp_syncookies) || !in.is_off(key::tcp_timestamps)) return std::nullopt;
        const bool recycles = in.is_on(key::tcp_tw_recycle);
        return found(in.program.peers == exposure::loopback ? severity::note : severity::warning,
                     {key::tcp_syncookies, key::tcp_timestamps},
                     "A SYN cookie keeps window scaling and SACK in the timestamp, and tcp_timestamps is 0",
                     in.number(key::tcp_syncookies) == 2
                         ? "tcp_syncookies is 2, so every accepted connection is limited to 64 KiB in flight and is "
                           "slow to recover from loss"
                         : "Connections accepted while the SYN queue is full are limited to 64 KiB in flight and are "
                           "slow to recover from loss, for as long as they live",
                     (recycles ? set_key(in.host, key::tcp_tw_recycle, "0") + ", and only then: " : remedy()) +
                         set_key(in.host, key::tcp_timestamps, "1"),
                     "Linux net/ipv4/syncookies.c: cookie_init_timestamp, cookie_timestamp_decode");
    },
    {counter::syncookies_sent}};

/// Only 2 is special: tcp_conn_request compares with it, all else asks for "not 0".
inline constexpr rule syncookies_always{
    "CS203",
    "tcp_syncookies answers every SYN with a cookie, or was meant to",
    [](const rule_input& in) -> std::optional<judgement> {
        const auto cookies = in.number(key::tcp_syncookies);
        if (!cookies || *cookies < 2) return std::nullopt;
        const bool always = *cookies == 2;
        return found(
            always && in.program.peers != exposure::loopback ? severity::warning : severity::note,
            {key::tcp_syncookies},
            always ? std::string("tcp_syncookies is 2, a value for tests: every connection begins with a SYN cookie, "
                                 "also while the SYN queue is empty")
                   : compose("tcp_syncookies is {}, which does what 1 does; only 2 is special", {*cookies}),
            always
                ? "A lost SYN-ACK is not sent again, so that clients wait a second for their own SYN; clients without "
                  "timestamps get neither window scaling nor SACK"
                : "None",
            set_key(in.host, key::tcp_syncookies, "1"),
            "Linux net/ipv4/tcp_input.c: tcp_conn_request; Documentation/networking/ip-sysctl.rst: tcp_syncookies");
    },
    {counter::syncookies_sent, counter::syncookies_failed}};

/// By the size of the hash table: a 128th since 5.7, a 256th up to 4.19, and 128 at least (tcp_sk_init).
/** If the kernel does not show that size, a default cannot be told from a choice. */
[[gnu::cold]] inline bool chose_syn_backlog(const snapshot& s) noexcept {
    const auto backlog = s.number(key::tcp_max_syn_backlog), entries = s.number(key::tcp_ehash_entries);
    if (!backlog || !entries || *entries == 0) return false;
    constexpr std::int64_t least = 128;
    // A child namespace that shares the host's table prints its size as a negative number.
    return *backlog != std::max(least, std::abs(*entries / 128)) &&
           *backlog != std::max(least, std::abs(*entries / 256));
}

inline constexpr rule syn_backlog_inert{
    "CS204", "tcp_max_syn_backlog has no effect while SYN cookies are on",
    [](const rule_input& in) -> std::optional<judgement> {
        if (!in.is_on(key::tcp_syncookies) || !chose_syn_backlog(in.host)) return std::nullopt;
        return found(
            severity::note, {key::tcp_max_syn_backlog, key::tcp_syncookies},
            compose("tcp_max_syn_backlog is {}, and since Linux 4.4 it is looked at only if tcp_syncookies is 0; the "
                    "SYN queue is as long as the accept queue",
                    {in.host[key::tcp_max_syn_backlog].text}),
            "None; the SYN queue did not change by it",
            "Nothing; for a longer SYN queue, give listen(2) a larger backlog, which net.core.somaxconn must "
            "allow",
            "Linux net/ipv4/tcp_input.c: tcp_conn_request; listen(2)");
    }};

/// By the counters alone: a note while they stand still, which audit() raises when they move.
inline constexpr rule syn_queue_full{
    "CS209",
    "the SYN queue of a listener was full",
    [](const rule_input& in) -> std::optional<judgement> {
        // With 2 the kernel counts every SYN there, whether or not the queue is full.
        const bool always_cookies = in.number(key::tcp_syncookies) == 2;
        const auto cookies = always_cookies ? 0 : in.host.count(counter::req_q_full_do_cookies).value_or(0);
        const auto drops = in.host.count(counter::req_q_full_drop).value_or(0);
        if (cookies == 0 && drops == 0) return std::nullopt;
        return found(
            severity::note, {key::tcp_syncookies, key::somaxconn},
            compose("Since this network namespace was made, a SYN queue was full for {} SYNs: {} were answered with "
                    "cookies, {} dropped",
                    {cookies + drops, cookies, drops}),
            drops > cookies ? "Clients whose SYN is dropped connect a second or more late, or time out"
                            : "A lost SYN-ACK is not sent again, so that such clients wait a second for their "
                              "own SYN; those without timestamps get neither window scaling nor SACK",
            "If these were clients and no flood: accept faster, and give listen(2) a larger backlog, which "
            "net.core.somaxconn must allow; it limits the SYN queue too",
            "Linux net/ipv4/tcp_input.c: tcp_syn_flood_action; include/net/inet_connection_sock.h: "
            "inet_csk_reqsk_queue_is_full");
    },
    {counter::req_q_full_do_cookies, counter::req_q_full_drop}};

} // namespace closeside::host::detail::rules

#endif
