// SPDX-License-Identifier: BSL-1.0
#ifndef CLOSESIDE_HOST_DETAIL_RULES_TW_CAPACITY_HPP
#define CLOSESIDE_HOST_DETAIL_RULES_TW_CAPACITY_HPP

#include <closeside/host/capacity.hpp>
#include <closeside/host/detail/compose.hpp>
#include <closeside/host/detail/evidence.hpp>
#include <closeside/host/detail/remedy.hpp>
#include <closeside/host/detail/rule.hpp>
#include <closeside/host/detail/rules/tw_buckets.hpp>

#include <cstdint>
#include <optional>
#include <string>

namespace closeside::host::detail::rules {

inline constexpr rule tw_buckets_below_rate{
    "CS122",
    "tcp_max_tw_buckets is too small for the stated rate",
    [](const rule_input& in) -> std::optional<judgement> {
        const auto buckets = in.number(key::tcp_max_tw_buckets);
        // CS120 speaks of 0, CS121 of a negative number.
        if (!buckets || *buckets <= 0 || !in.can_hold_time_wait() || rate_has_room(in).value_or(true))
            return std::nullopt;
        const double rate = stated_closes_per_second(in).value_or(0);
        const bool each = in.closes_first();
        return found(each ? severity::warning : severity::note, {key::tcp_max_tw_buckets},
                     compose("tcp_max_tw_buckets is {}: room for {} closes a second by this host (60 s each), and "
                             "the program states {} connections a second",
                             {*buckets, *buckets / time_wait_seconds, host::detail::plain_number(rate)}),
                     each ? std::string(without_time_wait)
                          : "None while peers close first; those connections that this side closes after all can be "
                            "left without TIME-WAIT",
                     set_key(in.host, key::tcp_max_tw_buckets, std::to_string(wanted_buckets(in))) +
                         (each ? "; or let the peer close first" : ""),
                     tw_buckets_source);
    },
    {counter::tw_overflow}};

inline constexpr rule tw_buckets_nearly_full{
    "CS123",
    "the TIME-WAIT table is nearly full, or was",
    [](const rule_input& in) -> std::optional<judgement> {
        const auto buckets = in.number(key::tcp_max_tw_buckets);
        if (!buckets || *buckets <= 0) return std::nullopt;
        const bool full = nearly_full(in);
        const std::uint64_t lost = in.host.count(counter::tw_overflow).value_or(0);
        if (!full && lost == 0) return std::nullopt;
        std::string message;
        if (full)
            message = compose("{} of tcp_max_tw_buckets = {} are taken by TIME-WAITs and orphans in FIN-WAIT-2",
                              {*in.host.sockets.time_wait, *buckets});
        if (lost != 0)
            message += compose("{}{} connections of this network namespace have got no TIME-WAIT so far",
                               {full ? "; " : "", lost});
        // "In case it goes on" is nothing to set at once.
        const remedy enlarge = set_key(in.host, key::tcp_max_tw_buckets, std::to_string(wanted_buckets(in)));
        return found(full && in.closes_first() ? severity::warning : severity::note, {key::tcp_max_tw_buckets}, message,
                     effect_without_time_wait(in, without_time_wait),
                     (full ? enlarge : remedy(compose("If that goes on, {}", {enlarge.text}))) +
                         "; or let the peers of the busiest program close first",
                     "Linux net/ipv4/inet_timewait_sock.c: inet_twsk_alloc, net/ipv4/proc.c: sockstat_seq_show");
    },
    {counter::tw_overflow}};

} // namespace closeside::host::detail::rules

#endif
