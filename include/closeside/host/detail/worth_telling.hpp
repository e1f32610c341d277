// SPDX-License-Identifier: BSL-1.0
#ifndef CLOSESIDE_HOST_DETAIL_WORTH_TELLING_HPP
#define CLOSESIDE_HOST_DETAIL_WORTH_TELLING_HPP

#include <closeside/host/counter.hpp>
#include <closeside/host/detail/counter_list.hpp>
#include <closeside/host/snapshot.hpp>

#include <chrono>
#include <cstdint>
#include <optional>

namespace closeside::host::detail {

/// When events are so many, among the connections of the same time, that somebody should be told that it is happening.
struct telling_rate {
    /// What counts the connections that could have met the event.
    counter_list among;
    /// The part of them from which on it matters; a judgement.
    double share;
};

/// One connection in a thousand; one in a hundred where the event is also part of a healthy host's day: peers that vanish
/// (TCPAbortOnTimeout), late segments of live connections (PAWSEstab), a burst of clients (SyncookiesSent).
constexpr telling_rate rate_worth_telling(counter c) noexcept {
    constexpr double usual = 0.001, often_harmless = 0.01;
    switch (c) {
    case counter::abort_on_timeout: return {{counter::passive_opens, counter::active_opens}, often_harmless};
    case counter::tw_overflow:
    case counter::abort_on_memory: return {{counter::passive_opens, counter::active_opens}, usual};
    case counter::paws_estab: return {{counter::passive_opens, counter::active_opens}, often_harmless};
    case counter::syncookies_sent: return {{counter::passive_opens}, often_harmless};
    default: return {{counter::passive_opens}, usual};
    }
}

/// Events of one kind between two looks; nothing if one look has no count, or the counter went back.
[[gnu::cold]] inline std::optional<std::uint64_t> rise(const snapshot& before, const snapshot& after,
                                                       counter c) noexcept {
    const auto from = before.count(c), to = after.count(c);
    if (!from || !to || *to < *from) return std::nullopt;
    return *to - *from;
}

/// Connections opened between two looks; nothing if they are not counted.
[[gnu::cold]] inline std::optional<std::uint64_t> connections_between(const snapshot& before, const snapshot& after,
                                                                      const counter_list& opens) noexcept {
    std::optional<std::uint64_t> sum;
    for (const counter c : opens)
        if (const auto more = rise(before, after, c)) sum = sum.value_or(0) + *more;
    return sum;
}

/// Whether so many events are more than what a busy host has anyway. Where connections are not counted: one a second.
[[gnu::cold]] inline bool is_worth_telling(const snapshot& before, const snapshot& after, counter c,
                                           std::uint64_t events) noexcept {
    const telling_rate worth = rate_worth_telling(c);
    const auto connections = connections_between(before, after, worth.among);
    const auto counted = static_cast<double>(events);
    if (!connections)
        return events != 0 && counted >= std::chrono::duration<double>(after.taken - before.taken).count();
    // One or two among many may be a client that was switched off and on again.
    constexpr std::uint64_t many_connections = 100, few_events = 3;
    if (*connections > many_connections && events < few_events) return false;
    return events != 0 && counted >= worth.share * static_cast<double>(*connections);
}

} // namespace closeside::host::detail

#endif
