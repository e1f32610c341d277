// SPDX-License-Identifier: BSL-1.0
#ifndef CLOSESIDE_HOST_DETAIL_RULES_TW_REUSE_HPP
#define CLOSESIDE_HOST_DETAIL_RULES_TW_REUSE_HPP

#include <closeside/host/capacity.hpp>
#include <closeside/host/detail/compose.hpp>
#include <closeside/host/detail/meaning_by_release.hpp>
#include <closeside/host/detail/remedy.hpp>
#include <closeside/host/detail/rule.hpp>

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace closeside::host::detail::rules {

inline constexpr std::string_view tw_reuse_source = "Linux net/ipv4/tcp_ipv4.c: tcp_twsk_unique";

/// What one destination can take for good while a closed connection keeps its port for the 60 s of TIME-WAIT.
[[gnu::cold]] inline std::string connects_per_second(const snapshot& s) {
    constexpr std::int64_t default_ports = 60999 - 32768 + 1;
    const std::int64_t ports = capacity_of(s).local_ports.value_or(default_ports);
    return compose("{} a second ({} local ports / 60 s)", {ports / time_wait_seconds, ports});
}

/// `1`, or `2 (before Linux 4.18 the same as 1)`.
[[gnu::cold]] inline std::string tw_reuse_in_words(const snapshot& s) {
    const std::int64_t number = s.number(key::tcp_tw_reuse).value_or(0);
    return compose("{}{}", {number, number == 1 ? "" : " (before Linux 4.18 the same as 1)"});
}

/// Not for 2, which nobody chose: it is the kernel's default.
inline constexpr rule tw_reuse_without_timestamps{
    "CS104", "tcp_tw_reuse has no effect without tcp_timestamps", [](const rule_input& in) -> std::optional<judgement> {
        if (tw_reuse_of(in.host) != 1 || !in.is_off(key::tcp_timestamps)) return std::nullopt;
        return found(
            severity::warning, {key::tcp_tw_reuse, key::tcp_timestamps},
            compose("tcp_tw_reuse is {}, but only connections with timestamps can be re-used, and tcp_timestamps is 0",
                    {tw_reuse_in_words(in.host)}),
            compose("Outgoing connections to one address and port run out of local ports (EADDRNOTAVAIL) beyond {}, as "
                    "if tcp_tw_reuse were 0",
                    {connects_per_second(in.host)}),
            (in.is_on(key::tcp_tw_recycle) ? set_key(in.host, key::tcp_tw_recycle, "0") + ", and only then: "
                                           : remedy()) +
                set_key(in.host, key::tcp_timestamps, "1"),
            tw_reuse_source);
    }};

inline constexpr rule tw_reuse_loopback_only{
    "CS105", "tcp_tw_reuse = 2 works on loopback only", [](const rule_input& in) -> std::optional<judgement> {
        // A stated rate has a rule of its own.
        if (tw_reuse_of(in.host) != 2 || in.program.peers == exposure::loopback || in.program.connects_per_second)
            return std::nullopt;
        return found(
            severity::note, {key::tcp_tw_reuse},
            "tcp_tw_reuse is 2, the default since Linux 4.18: it lets connects to 127.0.0.0/8 and ::1 take "
            "over a local TIME-WAIT, and none to other addresses, this host's own included",
            compose("None for accepted connections; outgoing ones to one address and port run out of local ports "
                    "(EADDRNOTAVAIL) beyond {}",
                    {connects_per_second(in.host)}),
            compose("Nothing, unless the program connects out at such a rate: then keep connections open, or: {}",
                    {set_key(in.host, key::tcp_tw_reuse, "1").text}),
            tw_reuse_source);
    }};

/// For a program that does not say that it connects out; CS108 speaks to the others.
inline constexpr rule tw_reuse_not_for_servers{
    "CS106", "tcp_tw_reuse does nothing for accepted connections",
    [](const rule_input& in) -> std::optional<judgement> {
        if (tw_reuse_of(in.host) != 1 || in.is_off(key::tcp_timestamps) || in.program.connects_per_second)
            return std::nullopt;
        return found(
            severity::note, {key::tcp_tw_reuse},
            compose("tcp_tw_reuse is {}: only connect() consults it; the TIME-WAITs of accepted connections stay "
                    "60 s",
                    {tw_reuse_in_words(in.host)}),
            "None; the number of TIME-WAITs that a server holds does not change by it",
            compose("Nothing, if it was set for connects{}",
                    {in.closes_first() ? "; to keep TIME-WAIT off this host, let the peer close first" : ""}),
            tw_reuse_source);
    }};

/// The peer's timestamp clock may tick but once a second (RFC 7323 section 5.4).
inline constexpr std::int64_t shortest_safe_reuse_delay_ms = 1000;

inline constexpr rule tw_reuse_delay_short{
    "CS107", "tcp_tw_reuse_delay is shorter than a tick of some peers' timestamp clocks",
    [](const rule_input& in) -> std::optional<judgement> {
        const auto delay = in.number(key::tcp_tw_reuse_delay);
        const auto reuse = tw_reuse_of(in.host).value_or(0);
        if (!delay || *delay >= shortest_safe_reuse_delay_ms || reuse == 0 || in.is_off(key::tcp_timestamps))
            return std::nullopt;
        // On loopback both ends have the same clock, which ticks every millisecond.
        const bool leaves_host = reuse == 1 && in.program.peers != exposure::loopback;
        return found(
            leaves_host ? severity::warning : severity::note, {key::tcp_tw_reuse_delay, key::tcp_tw_reuse},
            compose("tcp_tw_reuse_delay is {} ms: connect() takes over a TIME-WAIT of its own that old, although the "
                    "peer's timestamp clock may not have ticked since",
                    {*delay}),
            leaves_host ? "A late segment of the old connection can carry the same timestamp as the new "
                          "one, so PAWS lets it pass; sequence numbers alone then keep it out of the data"
                        : "None on loopback, where both ends have the same clock, of 1 ms",
            stop_setting(in.host, key::tcp_tw_reuse_delay, "1000"),
            "Linux commit ca6a6f93867a (6.14), net/ipv4/tcp_ipv4.c: tcp_twsk_unique; RFC 7323 section 5.4");
    }};

/// Not confirmed by TWRecycled, which counts the takeovers, not those that a firewall drops.
inline constexpr rule tw_reuse_through_firewalls{
    "CS108", "tcp_tw_reuse = 1 sends SYNs on flows that firewalls may hold for closed",
    [](const rule_input& in) -> std::optional<judgement> {
        if (tw_reuse_of(in.host) != 1 || in.is_off(key::tcp_timestamps) || !in.program.connects_per_second ||
            in.program.peers == exposure::loopback)
            return std::nullopt;
        return found(
            severity::note, {key::tcp_tw_reuse},
            compose("tcp_tw_reuse is {} and the program connects out: a connect may use the same ports as a "
                    "connection that has just been closed",
                    {tw_reuse_in_words(in.host)}),
            "None for the server, nor through Linux's own NAT and filter, which open the flow anew; if "
            "another firewall on the way drops such a SYN, the connect waits a second or more",
            compose(
                "Nothing, unless connects stall now and then: keep connections open instead, or {}",
                {set_key(in.host, key::tcp_tw_reuse, is_before(in.host, tw_reuse_knows_loopback) ? "0" : "2").text}),
            "Linux net/ipv4/tcp_ipv4.c: tcp_twsk_unique, net/netfilter/nf_conntrack_proto_tcp.c: "
            "nf_conntrack_tcp_packet");
    }};

} // namespace closeside::host::detail::rules

#endif
