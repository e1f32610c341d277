// SPDX-License-Identifier: BSL-1.0
#ifndef CLOSESIDE_HOST_DETAIL_RULES_RETRIES_HPP
#define CLOSESIDE_HOST_DETAIL_RULES_RETRIES_HPP

#include <closeside/host/detail/compose.hpp>
#include <closeside/host/detail/evidence.hpp>
#include <closeside/host/detail/remedy.hpp>
#include <closeside/host/detail/retry_time.hpp>
#include <closeside/host/detail/rule.hpp>

#include <algorithm>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace closeside::host::detail::rules {

inline constexpr std::string_view retries_source =
    "RFC 9293 section 3.8.3 (R2, at least 100 s); Linux net/ipv4/tcp_timer.c: tcp_write_timeout, tcp_model_timeout";

/// RFC 9293 section 3.8.3, as RFC 1122 before it.
inline constexpr std::int64_t least_retry_time_ms = 100'000;
inline constexpr std::int64_t default_retries2 = 15;
/// The fewest retries that reach it at the default tcp_rto_max_ms: 102.2 s.
inline constexpr std::int64_t least_retries2 = 8;
static_assert(retry_time_ms(least_retries2) >= least_retry_time_ms &&
              retry_time_ms(least_retries2 - 1) < least_retry_time_ms);

[[gnu::cold]] inline std::string seconds_text(std::int64_t ms) {
    return compose("{} s", {host::detail::plain_number(static_cast<double>(ms) / 1000)});
}

[[gnu::cold]] inline std::int64_t longest_until_acked_ms(const rule_input& in) noexcept {
    std::int64_t longest = 0;
    for (const close_policy& p : in.program.policies)
        if (p.linger.how == lingering::mode::until_acked) longest = std::max(longest, p.linger.time.count);
    return longest;
}

/// The fewest retries that take that long, which a u8 can hold.
constexpr std::int64_t retries_for(std::int64_t ms, std::int64_t longest_rto) noexcept {
    std::int64_t retries = 0;
    while (retries < 255 && retry_time_ms(retries, shortest_rto_ms, longest_rto) < ms) ++retries;
    return retries;
}

/// Without a counter: TCPAbortOnTimeout counts every vanished peer, which says little while the time is merely shorter.
inline constexpr rule rto_max_lowered{
    "CS119", "tcp_rto_max_ms is lowered and tcp_retries2 is not raised",
    [](const rule_input& in) -> std::optional<judgement> {
        const auto longest = in.number(key::tcp_rto_max_ms);
        const auto retries = in.number(key::tcp_retries2);
        if (!longest || !retries || *longest <= 0 || *longest >= longest_rto_ms) return std::nullopt;
        const std::int64_t time = retry_time_ms(*retries, shortest_rto_ms, *longest), usual = retry_time_ms(*retries);
        if (time >= usual || usual < least_retry_time_ms) return std::nullopt; // the latter is CS140's
        const bool short_lived = time < least_retry_time_ms;
        // Somebody has chosen another number of retries, and it is enough.
        if (!short_lived && *retries != default_retries2) return std::nullopt;
        const std::int64_t reaching = retries_for(least_retry_time_ms, *longest);
        return found(
            short_lived && in.program.peers != exposure::loopback ? severity::warning : severity::note,
            {key::tcp_rto_max_ms, key::tcp_retries2},
            compose("With tcp_rto_max_ms = {}, the {} retries of tcp_retries2 take {} and not {}",
                    {*longest, *retries, seconds_text(time), seconds_text(usual)}),
            short_lived ? compose("Connections whose path is interrupted for longer than {} end with ETIMEDOUT, while "
                                  "others live on",
                                  {seconds_text(time)})
                        : std::string("Connections whose path is interrupted end with ETIMEDOUT sooner than usual"),
            short_lived
                ? "Give it " + std::to_string(reaching) + " retries or more, which is the 100 s of RFC 9293: " +
                      set_key(in.host, key::tcp_retries2, std::to_string(reaching)) + "; or " +
                      stop_setting(in.host, key::tcp_rto_max_ms, "120000").text
                : remedy(compose(
                      "Nothing, if that is wanted; otherwise {}",
                      {set_key(in.host, key::tcp_retries2, std::to_string(retries_for(usual, *longest))).text})),
            retries_source);
    }};

inline constexpr rule retries2_few{
    "CS140",
    "tcp_retries2 gives connections up early",
    [](const rule_input& in) -> std::optional<judgement> {
        const auto retries = in.number(key::tcp_retries2);
        if (!retries) return std::nullopt;
        const std::int64_t time = retry_time_ms(*retries);
        const std::int64_t wanted = longest_until_acked_ms(in);
        const bool below_rfc = time < least_retry_time_ms, below_policy = time < wanted;
        if (!below_rfc && !below_policy) return std::nullopt;
        const std::int64_t longest = in.number(key::tcp_rto_max_ms).value_or(longest_rto_ms);
        const std::string reaching = std::to_string(retries_for(std::max(wanted, least_retry_time_ms), longest));
        return found(
            below_rfc && in.program.peers != exposure::loopback ? severity::warning : severity::note,
            {key::tcp_retries2},
            compose("tcp_retries2 is {}: a connection whose peer acknowledges nothing is given up after {}{}",
                    {*retries, seconds_text(time),
                     below_policy ? compose(", before the {} are over for which the program waits for acknowledgement",
                                            {seconds_text(wanted)})
                                  : ""}),
            compose("A client whose path is interrupted for that long (a handover, a route that moves) loses its "
                    "connection{}",
                    {below_policy ? ", and closes that wait for acknowledgement end with ETIMEDOUT" : ""}),
            below_rfc ? "Give it " + reaching +
                            " or more (the default is 15, 924.6 s): " + set_key(in.host, key::tcp_retries2, reaching) +
                            "; to notice dead peers sooner, a program can set TCP_USER_TIMEOUT for its own connections"
                      : remedy(compose("Have the program wait for {} at most, or {}",
                                       {seconds_text(time), set_key(in.host, key::tcp_retries2, reaching).text})),
            retries_source);
    },
    {counter::abort_on_timeout}};

/// What a SYN's retries take; since 6.5, four waits of 1 s come before (tcp_syn_linear_timeouts at its default).
[[gnu::cold]] inline std::string connect_time(std::int64_t retries, std::int64_t longest) {
    const std::int64_t time = retry_time_ms(retries, first_syn_rto_ms, longest);
    return compose("{} (since Linux 6.5: {})", {seconds_text(time), seconds_text(time + 4 * first_syn_rto_ms)});
}

/// More than five minutes: 8 retries take 367 s; a judgement.
inline constexpr std::int64_t many_syn_retries = 8;

inline constexpr rule syn_retries_extreme{
    "CS307", "tcp_syn_retries makes connects give up early, or hang for long",
    [](const rule_input& in) -> std::optional<judgement> {
        const auto retries = in.number(key::tcp_syn_retries);
        if (!retries || (*retries > 1 && *retries < many_syn_retries)) return std::nullopt;
        const bool few = *retries <= 1;
        // Who says nothing of connecting out may well do so: to a database, a resolver, another service.
        const bool connects = in.program.connects_per_second.value_or(1) > 0;
        const std::int64_t longest = in.number(key::tcp_rto_max_ms).value_or(longest_rto_ms);
        return found(
            few && connects && in.program.peers != exposure::loopback ? severity::warning : severity::note,
            {key::tcp_syn_retries},
            compose("tcp_syn_retries is {}: a connect that nobody answers fails after {}",
                    {*retries, connect_time(*retries, longest)}),
            few ? "Outgoing connects fail (ETIMEDOUT) if a packet or two are lost, or the other end is slow"
                : "Outgoing connects without a time limit of their own hang that long if a firewall drops them "
                  "silently",
            stop_setting(in.host, key::tcp_syn_retries, "6") + "; for other limits a program has TCP_SYNCNT",
            "RFC 9293 section 3.8.3 (at least 3 minutes for a SYN); Linux net/ipv4/tcp_timer.c: tcp_write_timeout");
    }};

} // namespace closeside::host::detail::rules

#endif
