// SPDX-License-Identifier: BSL-1.0
#ifndef CLOSESIDE_HOST_DETAIL_RULES_FIN_TIMEOUT_HPP
#define CLOSESIDE_HOST_DETAIL_RULES_FIN_TIMEOUT_HPP

#include <closeside/host/capacity.hpp>
#include <closeside/host/detail/compose.hpp>
#include <closeside/host/detail/remedy.hpp>
#include <closeside/host/detail/rule.hpp>

#include <algorithm>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace closeside::host::detail::rules {

inline constexpr std::string_view fin_timeout_source =
    "Linux net/ipv4/tcp.c: __tcp_close, net/ipv4/tcp_timer.c: tcp_keepalive_timer, include/net/tcp.h: TCP_TIMEWAIT_LEN";

inline constexpr rule fin_timeout_lowered{
    "CS110", "tcp_fin_timeout does not shorten TIME-WAIT", [](const rule_input& in) -> std::optional<judgement> {
        const auto seconds = in.number(key::tcp_fin_timeout);
        if (!seconds || *seconds >= time_wait_seconds) return std::nullopt;
        return found(
            severity::note, {key::tcp_fin_timeout},
            compose(
                "tcp_fin_timeout is {}: it limits orphans in FIN-WAIT-2 only; TIME-WAIT stays 60 s whatever it says",
                {*seconds}),
            "None; the number of TIME-WAITs does not change by it",
            compose("Nothing, if it was meant for FIN-WAIT-2{}",
                    {in.closes_first() ? "; to keep TIME-WAIT off this host, let the peer close first" : ""}),
            fin_timeout_source);
    }};

inline constexpr rule fin_timeout_folded{
    "CS111", "a tcp_fin_timeout between 60 and 120 means something else",
    [](const rule_input& in) -> std::optional<judgement> {
        const auto seconds = in.number(key::tcp_fin_timeout);
        if (!seconds || *seconds <= time_wait_seconds || *seconds >= 2 * time_wait_seconds) return std::nullopt;
        const std::int64_t effective = 2 * (*seconds - time_wait_seconds);
        const bool shorter_than_default = effective < time_wait_seconds;
        return found(
            shorter_than_default && in.closes_first_and_depends_on_fin_timeout() ? severity::warning : severity::note,
            {key::tcp_fin_timeout},
            compose("tcp_fin_timeout is {}, but above 60 the kernel gives 2*(n-60) = {} s", {*seconds, effective}),
            !in.depends_on_fin_timeout()
                ? std::string("None from the program, which leaves no orphan in FIN-WAIT-2 to it")
            : shorter_than_default ? compose("A peer that is slow to finish gets RST {} s after this host's FIN, "
                                             "sooner than with the default of 60",
                                             {effective})
                                   : "Orphans leave FIN-WAIT-2 sooner than configured",
            set_key(in.host, key::tcp_fin_timeout, "60") + "; 120 is the only higher value up to there that "
                                                           "gives what it says",
            fin_timeout_source);
    }};

/// Below it, a peer across a slow network often has no chance to answer; a judgement, not a constant of the kernel.
inline constexpr std::int64_t shortest_sensible_fin_timeout = 10;

inline constexpr rule fin_timeout_tiny{
    "CS112", "tcp_fin_timeout is very short", [](const rule_input& in) -> std::optional<judgement> {
        const auto seconds = in.number(key::tcp_fin_timeout);
        if (!seconds || *seconds >= shortest_sensible_fin_timeout) return std::nullopt;
        // Draining keeps the descriptor until the peer's FIN; without it every close leaves an orphan at once.
        const bool leaves_orphans =
            std::any_of(in.program.policies.begin(), in.program.policies.end(), [](const close_policy& p) {
                return p.closes_first == side::local && p.linger != lingering::abort &&
                       p.linger2 == fin_wait2::system && p.drain_time.count == 0;
            });
        const std::string limit = *seconds > 0 ? compose("{} s", {*seconds}) : "3.5 retransmission time-outs";
        return found(
            leaves_orphans ? severity::warning : severity::note, {key::tcp_fin_timeout},
            compose("tcp_fin_timeout is {}: an orphan leaves FIN-WAIT-2 after {}", {*seconds, limit}),
            leaves_orphans ? "Peers that take longer than that to finish get RST for their last data and their FIN"
            : in.depends_on_fin_timeout()
                ? "None while the close waits for the peer's FIN; a peer that outlasts its limits gets RST"
                : "None from the program, which leaves no orphan in FIN-WAIT-2 to it",
            set_key(in.host, key::tcp_fin_timeout, "60") + "; a program can be stricter by itself with TCP_LINGER2",
            fin_timeout_source);
    }};

/// No key tells which of the two the kernel does, and vendors kept the old way (RHEL 8), hence a note with both.
inline constexpr rule linger2_above_fin_timeout{
    "CS113", "TCP_LINGER2 above tcp_fin_timeout may not be honoured",
    [](const rule_input& in) -> std::optional<judgement> {
        const auto seconds = in.number(key::tcp_fin_timeout);
        if (!seconds) return std::nullopt;
        std::int64_t longest = 0;
        for (const close_policy& p : in.program.policies)
            if (p.linger2.how == fin_wait2::mode::timed) longest = std::max(longest, p.linger2.time.count / 1000);
        if (longest <= *seconds) return std::nullopt;
        return found(
            severity::note, {key::tcp_fin_timeout},
            compose("The program sets TCP_LINGER2 to {} s and tcp_fin_timeout is {}: up to Linux 5.7 (and on RHEL 8) "
                    "TCP_LINGER2 above tcp_fin_timeout silently becomes tcp_fin_timeout; since 5.8 it is honoured",
                    {longest, *seconds}),
            compose("On an old kernel orphans leave FIN-WAIT-2 after {} s instead of {} s", {*seconds, longest}),
            (*seconds > 0 ? compose("Lower it to {} s in the program, or: ", {*seconds}) : "") +
                set_key(in.host, key::tcp_fin_timeout, std::to_string(std::max(longest, time_wait_seconds))).text,
            "Linux net/ipv4/tcp.c: do_tcp_setsockopt, TCP_LINGER2");
    }};

} // namespace closeside::host::detail::rules

#endif
