// SPDX-License-Identifier: BSL-1.0
#ifndef CLOSESIDE_HOST_DETAIL_RULES_IDLE_HPP
#define CLOSESIDE_HOST_DETAIL_RULES_IDLE_HPP

#include <closeside/host/detail/compose.hpp>
#include <closeside/host/detail/remedy.hpp>
#include <closeside/host/detail/rule.hpp>

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace closeside::host::detail::rules {

/// What a NAT that keeps RFC 5382 (REQ-5) grants a silent connection: 2 hours 4 minutes.
inline constexpr std::int64_t nat_idle_seconds = 7440;

/// What AWS Network Load Balancers grant by default (60 to 6000 s on request); stands for balancers at large.
inline constexpr std::int64_t balancer_idle_seconds = 350;

/// Rounded up, so that a limit of as many seconds is not taken for enough.
[[gnu::cold]] inline std::int64_t whole_seconds(close_duration d) noexcept {
    return d.count / 1000 + (d.count % 1000 > 0 ? 1 : 0);
}

inline constexpr rule keepalive_after_nat{
    "CS420", "keep-alive starts after NATs and balancers have forgotten the connection",
    [](const rule_input& in) -> std::optional<judgement> {
        const auto first_probe = in.number(key::tcp_keepalive_time);
        if (!first_probe || !in.program.idle_time || !shares_addresses(in.program.peers)) return std::nullopt;
        const std::int64_t idle = whole_seconds(*in.program.idle_time);
        const auto outlasts = [&](std::int64_t limit) { return idle > limit && *first_probe >= limit; };
        if (!outlasts(balancer_idle_seconds)) return std::nullopt;
        const bool balanced = in.program.peers == exposure::balancer;
        return found(
            balanced || outlasts(nat_idle_seconds) ? severity::warning : severity::note, {key::tcp_keepalive_time},
            compose("Connections of the program may be silent for {} s, and tcp_keepalive_time lets the first "
                    "keep-alive wait for {} s: {}",
                    {idle, *first_probe,
                     balanced ? "balancers forget them sooner, AWS Network Load Balancers after 350 s by default"
                              : "a NAT that keeps RFC 5382 remembers them for 7440 s, others for some minutes"}),
            "Connections die in silence: the next write to one ends in ECONNRESET, or in ETIMEDOUT after many minutes",
            compose("Let the program set SO_KEEPALIVE, and TCP_KEEPIDLE below the shortest limit on the way (300 s is "
                    "a good start); as the default for every program: {}",
                    {set_key(in.host, key::tcp_keepalive_time, "300").text}),
            "RFC 5382, REQ-5; AWS, Network Load Balancer, TCP idle timeout; tcp(7)");
    }};

/// An outage that connections should survive; a judgement.
inline constexpr double shortest_sensible_probing = 10; // seconds

inline constexpr rule keepalive_gives_up_early{
    "CS421", "keep-alive gives connections up too soon", [](const rule_input& in) -> std::optional<judgement> {
        const auto probes = in.number(key::tcp_keepalive_probes);
        const auto interval = in.number(key::tcp_keepalive_intvl);
        if (!probes) return std::nullopt;
        const bool unasked = *probes <= 0;
        const double outage = static_cast<double>(interval.value_or(0)) * static_cast<double>(*probes);
        if (!unasked && (!interval || outage >= shortest_sensible_probing)) return std::nullopt;
        const auto first_probe = in.number(key::tcp_keepalive_time);
        return found(
            unasked && in.program.peers != exposure::loopback ? severity::warning : severity::note,
            {key::tcp_keepalive_time, key::tcp_keepalive_intvl, key::tcp_keepalive_probes},
            unasked
                ? compose("tcp_keepalive_probes is {}: after {} silence a connection with SO_KEEPALIVE is reset "
                          "without a single probe",
                          {*probes, first_probe ? compose("{} s of", {*first_probe}) : std::string("some")})
                : compose("Keep-alive sends {}{}{} s apart, and then resets the connection: a short outage is enough",
                          {*probes, *probes == 1 ? " probe, " : " probes, ", *interval}),
            unasked ? "Healthy connections that are silent for that long break: this side gets ETIMEDOUT, the peer "
                      "ECONNRESET"
                    : "Silent connections do not survive the reboot of a switch, or a phone's change of cell",
            unasked && interval.value_or(75) >= 2
                ? stop_setting(in.host, key::tcp_keepalive_probes, "9")
                : "leave both at the kernel's defaults: " + set_key(in.host, key::tcp_keepalive_probes, "9") +
                      "; and " + set_key(in.host, key::tcp_keepalive_intvl, "75") +
                      "; a program that must notice sooner sets TCP_KEEPINTVL and TCP_KEEPCNT itself",
            "Linux net/ipv4/tcp_timer.c: tcp_keepalive_timer; measured on Linux 6.18 with tcp_keepalive_time = 1: "
            "reset "
            "after 1.0 s");
    }};

} // namespace closeside::host::detail::rules

#endif
