// SPDX-License-Identifier: BSL-1.0
#ifndef CLOSESIDE_HOST_DETAIL_RULES_RFC1337_HPP
#define CLOSESIDE_HOST_DETAIL_RULES_RFC1337_HPP

#include <closeside/host/detail/compose.hpp>
#include <closeside/host/detail/meaning_by_release.hpp>
#include <closeside/host/detail/remedy.hpp>
#include <closeside/host/detail/rule.hpp>

#include <optional>
#include <string>
#include <string_view>

namespace closeside::host::detail::rules {

/// Only this program's policies tell how bad it is: a policy that closes first leaves TIME-WAIT at every close, one that
/// lets the peer close first leaves it now and then, and without TIME-WAIT nobody is locked out.
inline constexpr rule rfc1337_on{
    "CS101",
    "tcp_rfc1337 keeps TIME-WAIT against new connections from the same address and port",
    [](const rule_input& in) -> std::optional<judgement> {
        if (!in.is_on(key::tcp_rfc1337)) return std::nullopt;
        const bool holds = in.can_hold_time_wait(), first = in.closes_first();
        // Without timestamps PAWS refuses no SYN, and since 4.19 an RST that is ignored does not start the time anew.
        const bool starts_anew = !in.is_off(key::tcp_timestamps) || is_before(in.host, {4, 19});
        const std::string_view how_long = starts_anew ? "for over two minutes (ETIMEDOUT)" : "for up to a minute";
        const severity level = !first || in.program.peers == exposure::loopback ? severity::note
                               : shares_addresses(in.program.peers)             ? severity::critical
                                                                                : severity::warning;
        std::string consequence =
            !holds ? "None from the program, whose policies leave no TIME-WAIT here; other programs on this host can "
                     "be hit"
            : !first
                ? compose(
                      "None while the peers close first, as they are told to; a client that did not, and comes back "
                      "from the same address and port, may not connect {}",
                      {how_long})
            : shares_addresses(in.program.peers)
                ? compose(
                      "Some clients behind NAT or a load balancer cannot connect {} while others can: about half of "
                      "those whose address and port are still in TIME-WAIT here",
                      {how_long})
                : compose("A client that re-uses a port which is still in TIME-WAIT here, {}, cannot connect {}",
                          {in.is_off(key::tcp_timestamps) ? "and begins with an older sequence number"
                                                          : "with an older timestamp",
                           how_long});
        return found(
            level, {key::tcp_rfc1337},
            compose("The RST with which a client clears an old TIME-WAIT is ignored{}{}",
                    {starts_anew ? ", and each rejected SYN starts its 60 s anew" : "",
                     first ? "; the program closes first, so TIME-WAIT lands here"
                     : holds
                         ? "; the program lets the peer close first, and TIME-WAIT lands here only where the peer did "
                           "not do so in time"
                         : ""}),
            consequence, set_key(in.host, key::tcp_rfc1337, "0") + (first ? "; or let the peer close first" : ""),
            "Linux net/ipv4/tcp_minisocks.c: tcp_timewait_state_process; measured on Linux 6.18: ETIMEDOUT after 132 "
            "s");
    },
    {counter::paws_timewait, counter::ack_skipped_time_wait}};

/// Where tcp_tw_recycle is hidden as well, CS103 names both while nothing has been counted.
inline constexpr rule rfc1337_hidden{
    "CS114",
    "tcp_rfc1337 of the host applies here and cannot be seen",
    [](const rule_input& in) -> std::optional<judgement> {
        if (in.host[key::tcp_rfc1337].status != key_status::hidden || !in.can_hold_time_wait() ||
            in.program.peers == exposure::loopback)
            return std::nullopt;
        const std::uint64_t refused =
            in.host.count(counter::ack_skipped_time_wait).value_or(0) + in.host.count(counter::paws_estab).value_or(0);
        if (in.host[key::tcp_tw_recycle].status == key_status::hidden && refused == 0) return std::nullopt;
        return found(
            severity::note, {key::tcp_rfc1337},
            compose("Linux {} shows tcp_rfc1337 in the initial network namespace only, and applies it here",
                    {in.host.kernel}),
            "If it is on, clients whose address and port are still in TIME-WAIT here cannot connect for over "
            "two minutes (ETIMEDOUT)",
            "On the host, outside of this container, run `sysctl net.ipv4.tcp_rfc1337` and, if it is not 0, "
            "`sysctl -w net.ipv4.tcp_rfc1337=0`; it cannot be done from here",
            "Linux net/ipv4/tcp_minisocks.c: tcp_timewait_state_process; per namespace since commit 625357aa175c "
            "(4.15)");
    },
    {counter::paws_timewait, counter::ack_skipped_time_wait}};

} // namespace closeside::host::detail::rules

#endif
