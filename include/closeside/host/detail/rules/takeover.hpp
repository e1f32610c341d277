// SPDX-License-Identifier: BSL-1.0
#ifndef CLOSESIDE_HOST_DETAIL_RULES_TAKEOVER_HPP
#define CLOSESIDE_HOST_DETAIL_RULES_TAKEOVER_HPP

#include <closeside/host/capacity.hpp>
#include <closeside/host/detail/compose.hpp>
#include <closeside/host/detail/evidence.hpp>
#include <closeside/host/detail/remedy.hpp>
#include <closeside/host/detail/rule.hpp>

#include <cstdint>
#include <optional>
#include <string>

namespace closeside::host::detail::rules {

/// The local ports of a Linux balancer at its default, 32768 to 60999.
inline constexpr double default_local_ports = 60999 - 32768 + 1;

/// After how many seconds one address of the peers has used up its ports and begins anew, at the stated rate.
[[gnu::cold]] inline std::optional<double> ports_come_round(const rule_input& in) noexcept {
    const auto rate = in.program.accepts_per_second;
    if (!rate || !(*rate > 0)) return std::nullopt;
    return default_local_ports / *rate;
}

/// What no setting of this host cures. No warning by itself: whether ports are re-used soon takes a rate to tell, and
/// what has been counted makes it one anyway. PAWSEstab, which counts it before 6.16, counts much else besides.
inline constexpr rule time_wait_meets_shared_addresses{
    "CS109",
    "peers that share an address meet the TIME-WAIT that others left here",
    [](const rule_input& in) -> std::optional<judgement> {
        // With tcp_rfc1337 it is worse, which CS101 says; without buckets there is no TIME-WAIT to meet.
        if (!shares_addresses(in.program.peers) || !in.can_hold_time_wait() || !in.is_off(key::tcp_rfc1337) ||
            in.is_off(key::tcp_max_tw_buckets))
            return std::nullopt;
        const bool first = in.closes_first();
        const bool balancer = in.program.peers == exposure::balancer;
        const auto round = ports_come_round(in);
        const bool soon = balancer && first && round && *round < static_cast<double>(time_wait_seconds);
        std::string message =
            compose("{}, and a peer that comes from the same address and port within that time meets it",
                    {first ? "The program closes first, so TIME-WAIT stays here for 60 s"
                           : "The program can close first, where a peer does not do so in time; TIME-WAIT then "
                             "stays here for 60 s"});
        if (balancer && first && round)
            message += compose(
                "; at the stated {} connections a second, a balancer with one address and Linux's 28232 local ports "
                "comes back to a port after {} s",
                {host::detail::plain_number(*in.program.accepts_per_second), host::detail::plain_number(*round)});
        return found(
            soon ? severity::warning : severity::note, {key::tcp_rfc1337}, message,
            compose(
                "{} of these connects {} and take one round trip more, or 1 s more from a client as old as Linux "
                "5.4; they time out if a firewall drops the client's RST",
                {first ? "About half" : "None while the peers close first; else about half",
                 in.is_off(key::tcp_timestamps) ? "begin with an older sequence number" : "find an older timestamp"}),
            !first     ? "Nothing, while peers that do not close in time are few; no setting of this host "
                         "changes it"
            : balancer ? "Let the peer close first, so that TIME-WAIT stays with the balancer, "
                         "which knows its own ports; or give the balancer more source addresses, or "
                         "connections that it keeps"
                       : "Let the peer close first; no setting of this host changes it",
            "Linux net/ipv4/tcp_minisocks.c: tcp_timewait_state_process, net/core/secure_seq.c; measured on "
            "Linux 6.18: 34 of 60 connects through a NAT that re-used a port were challenged");
    },
    {counter::paws_timewait, counter::ack_skipped_time_wait}};

/// A SYN is sent again after 1 s: with a longer silence the second one goes unanswered too.
inline constexpr std::int64_t longest_useful_ratelimit_ms = 1000;

inline constexpr rule invalid_ratelimit_long{
    "CS115",
    "tcp_invalid_ratelimit keeps TIME-WAIT silent for long",
    [](const rule_input& in) -> std::optional<judgement> {
        const auto gap = in.number(key::tcp_invalid_ratelimit);
        if (!gap || *gap <= longest_useful_ratelimit_ms) return std::nullopt;
        const bool shared = shares_addresses(in.program.peers);
        const bool met = in.closes_first() && shared;
        return found(
            met ? severity::warning : severity::note, {key::tcp_invalid_ratelimit},
            compose("tcp_invalid_ratelimit is {} ms: a TIME-WAIT that has answered one SYN ignores the next for that "
                    "long, also the SYN that a client sends again after 1 s",
                    {*gap}),
            met ? "Where the answer or the client's RST to it is lost, a client behind NAT or a load "
                  "balancer waits for some seconds until it is connected"
            : in.can_hold_time_wait() && shared
                ? "None while the peers close first; a client behind NAT or a load balancer that did not, "
                  "and comes back at once, may wait for some seconds until it is connected"
                : "None from the program's TIME-WAITs; any connection answers at most one segment outside "
                  "of its window in that time",
            stop_setting(in.host, key::tcp_invalid_ratelimit, "500"),
            "Linux net/ipv4/tcp_minisocks.c: tcp_timewait_check_oow_rate_limit, net/ipv4/tcp_input.c: "
            "tcp_oow_rate_limited");
    },
    {counter::ack_skipped_time_wait}};

} // namespace closeside::host::detail::rules

#endif
