// SPDX-License-Identifier: BSL-1.0
#ifndef CLOSESIDE_HOST_DETAIL_RULES_TW_BUCKETS_HPP
#define CLOSESIDE_HOST_DETAIL_RULES_TW_BUCKETS_HPP

#include <closeside/host/capacity.hpp>
#include <closeside/host/counter.hpp>
#include <closeside/host/detail/compose.hpp>
#include <closeside/host/detail/meaning_by_release.hpp>
#include <closeside/host/detail/remedy.hpp>
#include <closeside/host/detail/rule.hpp>

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstdint>
#include <limits>
#include <optional>
#include <string>
#include <string_view>

namespace closeside::host::detail::rules {

inline constexpr std::string_view tw_buckets_source = "Linux net/ipv4/inet_timewait_sock.c: inet_twsk_alloc";

/// Room for 100 closes a second, 60 s each; a judgement: tutorials copy 5000.
inline constexpr std::int64_t few_tw_buckets = 6000;

/// Half of the hash table. A child namespace that shares the host's table prints its size as a negative number.
constexpr std::int64_t half_of_table(std::int64_t entries) noexcept {
    return entries < 0 ? -(entries / 2) : entries / 2;
}

/// The kernel chooses that half, a power of two. On a small machine that can be few; nobody lowered it.
[[gnu::cold]] inline bool is_kernel_default(const snapshot& s, std::int64_t buckets) noexcept {
    if (const auto entries = s.number(key::tcp_ehash_entries)) return buckets >= half_of_table(*entries);
    return may_be_half_of_table(s, buckets);
}

/// What becomes of a program without room for TIME-WAIT.
[[gnu::cold]] inline std::string effect_without_time_wait(const rule_input& in, std::string_view where_closing_first) {
    if (!in.can_hold_time_wait()) return "None from the program, whose policies leave no TIME-WAIT here";
    if (!in.closes_first())
        return "None while the peers close first; a connection that this side closes because its peer did not may be "
               "left without TIME-WAIT";
    return std::string(where_closing_first);
}

/// Connections that the program states it closes in a second, by either side; nothing if it states none.
[[gnu::cold]] inline std::optional<double> stated_closes_per_second(const rule_input& in) noexcept {
    const auto counted = [](std::optional<double> rate) { return rate && *rate > 0 ? *rate : 0; };
    const double closes = counted(in.program.accepts_per_second) + counted(in.program.connects_per_second);
    return closes > 0 ? std::optional(closes) : std::nullopt;
}

/// Whether tcp_max_tw_buckets has room for them all, 60 s each; nothing if one of the two is not known.
[[gnu::cold]] inline std::optional<bool> rate_has_room(const rule_input& in) {
    const auto rate = stated_closes_per_second(in);
    const auto room = capacity_of(in.host).closes_per_second;
    return rate && room ? std::optional(*rate <= *room) : std::nullopt;
}

inline constexpr std::string_view without_time_wait =
    "Connections that this host closed vanish at once: a peer that sends its FIN again gets RST, a late segment can "
    "hit a new connection; TCPTimeWaitOverflow in /proc/net/netstat counts them";

/// A judgement; the rest of the table fills within seconds when the peers all leave at once.
inline constexpr double mostly_taken = 0.8;

[[gnu::cold]] inline bool nearly_full(const rule_input& in) {
    const auto used = capacity_of(in.host).time_wait_used;
    return used && *used > mostly_taken;
}

/// The power of two that holds the TIME-WAITs of the stated rate and those of now, no fewer than the kernel chooses and
/// never fewer than there are; twice as many as there are where they were, or nearly are, all taken: one value, whichever
/// rule proposes it. At most what the key takes.
[[gnu::cold]] inline std::int64_t wanted_buckets(const rule_input& in) {
    constexpr auto most = std::numeric_limits<std::int32_t>::max();
    double wanted = static_cast<double>(half_of_table(in.number(key::tcp_ehash_entries).value_or(0)));
    if (const auto rate = stated_closes_per_second(in))
        wanted = std::max(wanted, std::ceil(*rate * static_cast<double>(time_wait_seconds)));
    if (in.host.sockets.time_wait)
        wanted = std::max(wanted, std::ceil(static_cast<double>(*in.host.sockets.time_wait) / mostly_taken));
    if (const auto buckets = in.number(key::tcp_max_tw_buckets)) {
        const bool taken = nearly_full(in) || in.host.count(counter::tw_overflow).value_or(0) != 0;
        wanted = std::max(wanted, static_cast<double>(*buckets) * (taken ? 2 : 1));
    }
    if (!(wanted < static_cast<double>(most) / 2)) return most;
    return static_cast<std::int64_t>(std::bit_ceil(static_cast<std::uint64_t>(wanted)));
}

[[gnu::cold]] inline remedy restore_buckets(const rule_input& in) {
    const auto entries = in.number(key::tcp_ehash_entries);
    if (!entries || *entries == 0)
        return "Remove net.ipv4.tcp_max_tw_buckets from the configuration and restart the host or the container: the "
               "default goes by its memory";
    const std::int64_t wanted = wanted_buckets(in);
    return wanted == half_of_table(*entries) ? stop_setting(in.host, key::tcp_max_tw_buckets, std::to_string(wanted))
                                             : set_key(in.host, key::tcp_max_tw_buckets, std::to_string(wanted));
}

inline constexpr rule tw_buckets_few{
    "CS120",
    "tcp_max_tw_buckets leaves little or no room for TIME-WAIT",
    [](const rule_input& in) -> std::optional<judgement> {
        const auto buckets = in.number(key::tcp_max_tw_buckets);
        if (!buckets || *buckets < 0 || *buckets >= few_tw_buckets) return std::nullopt;
        if (*buckets > 0 && is_kernel_default(in.host, *buckets)) return std::nullopt;
        // By a stated rate it can be told exactly: enough of them, or too few, of which CS122 speaks.
        const auto room = rate_has_room(in);
        if (*buckets > 0 && in.can_hold_time_wait() && room == false) return std::nullopt;
        return found(in.closes_first() && room != true ? severity::warning : severity::note, {key::tcp_max_tw_buckets},
                     *buckets == 0 ? std::string("tcp_max_tw_buckets is 0: no connection gets its TIME-WAIT")
                                   : compose("tcp_max_tw_buckets is {}: room for {} closes a second by this host "
                                             "(60 s each); those beyond get no TIME-WAIT",
                                             {*buckets, *buckets / 60}),
                     effect_without_time_wait(
                         in, room == true ? "None at the rate that the program states; beyond it, closed connections "
                                            "get no TIME-WAIT"
                                          : without_time_wait),
                     restore_buckets(in), tw_buckets_source);
    },
    {counter::tw_overflow}};

inline constexpr rule tw_buckets_negative{
    "CS121",
    "a negative tcp_max_tw_buckets means opposite things by kernel",
    [](const rule_input& in) -> std::optional<judgement> {
        const auto buckets = in.number(key::tcp_max_tw_buckets);
        if (!buckets || *buckets >= 0) return std::nullopt;
        return found(
            in.closes_first() ? severity::warning : severity::note, {key::tcp_max_tw_buckets},
            compose("tcp_max_tw_buckets is {}: up to Linux 5.17 that allows no TIME-WAIT at all, since 5.19 any number "
                    "of them",
                    {*buckets}),
            effect_without_time_wait(
                in,
                compose("Up to 5.17: {}. Since 5.19: a flood of short connections takes kernel memory without limit",
                        {without_time_wait})),
            restore_buckets(in), tw_buckets_source);
    },
    {counter::tw_overflow}};

} // namespace closeside::host::detail::rules

#endif
