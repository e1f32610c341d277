// SPDX-License-Identifier: BSL-1.0
#ifndef CLOSESIDE_HOST_DETAIL_RULES_ORPHANS_HPP
#define CLOSESIDE_HOST_DETAIL_RULES_ORPHANS_HPP

#include <closeside/host/capacity.hpp>
#include <closeside/host/detail/compose.hpp>
#include <closeside/host/detail/evidence.hpp>
#include <closeside/host/detail/meaning_by_release.hpp>
#include <closeside/host/detail/remedy.hpp>
#include <closeside/host/detail/retry_time.hpp>
#include <closeside/host/detail/rule.hpp>

#include <algorithm>
#include <bit>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace closeside::host::detail::rules {

/// Some connection can be closed by the program before the peer has acknowledged everything.
[[gnu::cold]] inline bool can_leave_orphans(const rule_input& in) {
    return std::any_of(in.program.policies.begin(), in.program.policies.end(),
                       [](const close_policy& p) { return p.linger != lingering::abort; });
}

/// Some policy closes the descriptor with our last data and FIN still under way. Not so one that drains until the peer's
/// FIN, or waits for acknowledgement: there the orphan is the exception.
[[gnu::cold]] inline bool leaves_orphans(const rule_input& in) {
    return std::any_of(in.program.policies.begin(), in.program.policies.end(), [](const close_policy& p) {
        return p.linger == lingering::background && (p.closes_first == side::peer || p.drain_time.count == 0);
    });
}

inline constexpr std::string_view orphans_source = "Linux net/ipv4/tcp.c: tcp_check_oom, __tcp_close, "
                                                   "net/ipv4/tcp_timer.c: tcp_out_of_resources";

/// 3 already gives 3 s; a judgement where "too few" begins.
inline constexpr std::int64_t too_few_orphan_retries = 2;

inline constexpr rule orphan_retries_few{
    "CS116",
    "tcp_orphan_retries gives up early on data that was still under way at the close",
    [](const rule_input& in) -> std::optional<judgement> { // 0 stands for 8.
        const auto retries = in.number(key::tcp_orphan_retries);
        if (!retries || *retries < 1 || *retries > too_few_orphan_retries) return std::nullopt;
        const bool often = leaves_orphans(in) && in.program.peers != exposure::loopback;
        const std::string time =
            compose("{} s", {host::detail::plain_number(static_cast<double>(retry_time_ms(*retries)) / 1000)});
        return found(
            often ? severity::warning : severity::note, {key::tcp_orphan_retries},
            compose("tcp_orphan_retries is {}: a connection that the program has closed is dropped when the peer has "
                    "acknowledged nothing for {}; the default, 0, stands for 8, which is 102.2 s",
                    {*retries, time}),
            !can_leave_orphans(in) ? "None from the program, which leaves nothing under way"
            : often ? "On a lossy path, as of mobile phones, the end of a reply is lost although close() "
                      "reported nothing"
                    : compose("None while the close waits for the peer; if it stops waiting, "
                              "what is still under way is dropped {} after its first retransmission",
                              {time}),
            stop_setting(in.host, key::tcp_orphan_retries, "0"),
            "Linux net/ipv4/tcp_timer.c: tcp_orphan_retries, tcp_model_timeout");
    },
    {counter::abort_on_timeout}};

/// From there on the kernel drops orphans that make no progress: it counts each of these twice (tcp_out_of_resources).
inline constexpr double many_orphans = 0.5;

inline constexpr rule orphans_near_limit{
    "CS117",
    "orphans are near tcp_max_orphans, or were dropped",
    [](const rule_input& in) -> std::optional<judgement> {
        const auto used = capacity_of(in.host).orphans_used;
        const bool near = used && *used > many_orphans;
        const std::uint64_t dropped = in.host.count(counter::abort_on_memory).value_or(0);
        if (!near && dropped == 0) return std::nullopt;
        std::string message;
        if (near)
            message =
                compose("{} of {} allowed orphans (closed by their program, not yet by TCP) exist on the whole host",
                        {*in.host.sockets.orphans, *in.number(key::tcp_max_orphans)});
        if (dropped != 0)
            message +=
                compose("{}{} connections of this network namespace were dropped for tcp_max_orphans or tcp_mem so far",
                        {near ? "; " : "", dropped});
        return found(
            near && can_leave_orphans(in) ? severity::warning : severity::note, {key::tcp_max_orphans, key::tcp_mem},
            message,
            "Above the limit a close with data or a FIN under way becomes a RST: peers lose the end of a "
            "reply; above half of it, orphans whose peer does not answer are dropped already",
            compose("{}; a higher limit costs up to 64 KiB of kernel memory for each orphan",
                    {near ? "Find out what closes without waiting for its peers (`ss -tan state fin-wait-1 state "
                            "last-ack`); have programs read until their peers close, before they close"
                          : "Look into the kernel's log: \"too many orphaned sockets\" speaks of tcp_max_orphans, "
                            "\"consider tuning tcp_mem\" of tcp_mem"}),
            orphans_source);
    },
    {counter::abort_on_memory}};

inline constexpr rule max_orphans_lowered{
    "CS118",
    "tcp_max_orphans is lowered",
    [](const rule_input& in) -> std::optional<judgement> {
        const auto limit = in.number(key::tcp_max_orphans);
        const auto entries = in.number(key::tcp_ehash_entries);
        if (!limit) return std::nullopt;
        // The kernel takes half of the hash table. Up to 6.0 that is not shown.
        constexpr std::int64_t few_anywhere = 4096;
        const bool lowered = entries && *entries > 0 ? *limit < *entries / 8
                                                     : *limit < few_anywhere && !may_be_half_of_table(in.host, *limit);
        if (*limit > 0 && !lowered) return std::nullopt;
        const std::string usual = entries && *entries > 0 ? std::to_string(*entries / 2) : "";
        // Room for those that there are, by CS117's measure.
        const std::int64_t needed = static_cast<std::int64_t>(std::bit_ceil(
            static_cast<std::uint64_t>(std::max<std::int64_t>(in.host.sockets.orphans.value_or(0), 0)) * 2));
        return found(
            can_leave_orphans(in) && in.program.peers != exposure::loopback ? severity::warning : severity::note,
            {key::tcp_max_orphans, key::tcp_ehash_entries},
            compose("tcp_max_orphans is {}{}: a limit against floods, for the whole host, which its documentation says "
                    "must not be lowered",
                    {*limit, usual.empty() ? std::string()
                                           : compose("; the kernel's own choice for this host is {}", {usual})}),
            *limit > 0 ? "When that many connections at a time are closed and not yet acknowledged, further closes "
                         "become RST: peers lose the end of a reply"
                       : "Every close with data or a FIN under way becomes a RST: peers lose the end of a reply",
            usual.empty() ? remedy("Remove net.ipv4.tcp_max_orphans from the configuration and restart the host: the "
                                   "default goes by its memory")
            : needed > *entries / 2 ? set_key(in.host, key::tcp_max_orphans, std::to_string(needed))
                                    : stop_setting(in.host, key::tcp_max_orphans, usual),
            "Linux net/ipv4/tcp.c: tcp_init, tcp_check_oom; Documentation/networking/ip-sysctl.rst");
    },
    {counter::abort_on_memory}};

} // namespace closeside::host::detail::rules

#endif
