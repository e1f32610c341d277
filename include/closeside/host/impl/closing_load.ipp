// SPDX-License-Identifier: BSL-1.0
#ifndef CLOSESIDE_HOST_IMPL_CLOSING_LOAD_IPP
#define CLOSESIDE_HOST_IMPL_CLOSING_LOAD_IPP

#include <closeside/detail/separate_compilation.hpp>
#include <closeside/host/capacity.hpp>
#include <closeside/host/closing_load.hpp>
#include <closeside/host/detail/kernel_version.hpp>
#include <closeside/host/key.hpp>
#include <closeside/host/snapshot.hpp>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <limits>
#include <optional>

namespace closeside::host {

namespace detail {

CLOSESIDE_DECL double erlang_loss(double offered, std::int64_t places) noexcept {
    if (!(offered > 0)) return 0;
    // The reciprocal: it grows beyond all bounds where nothing is lost, and nothing else goes wrong with it.
    double reciprocal = 1;
    for (std::int64_t k = 1; k <= places; ++k) reciprocal = 1 + static_cast<double>(k) / offered * reciprocal;
    return 1 / reciprocal;
}

/// How long until a port that has become free is taken, in relation to the time that its TIME-WAIT has left by then.
struct taking {
    double in_time; ///< the probability that it is taken while its TIME-WAIT is there
    double seconds; ///< for how long TIME-WAIT lasts, from the close, on average
};

/// `each`: connects a second from one address; `offered`: how many ports these would hold if there were no end of them.
inline taking take_port(const accepted_load& load, double each, double offered, double refused) noexcept {
    constexpr auto lasts = static_cast<double>(time_wait_seconds);
    const auto ports = static_cast<double>(load.ports);
    const double left = lasts - load.reuse_seconds;
    if (left <= 0 || each <= 0) return {0, lasts};
    const double held = offered * (1 - refused);
    const double spare = std::max(ports - held, 1.0); // one is free when somebody takes it
    if (load.choice == port_choice::random) {
        // Each is taken at the same rate.
        const double taken = each / spare;
        const double in_time = -std::expm1(-taken * left);
        return {in_time, load.reuse_seconds + in_time / taken};
    }
    // Those that were free before it are taken first. How many come is Poisson's, how many are free what Erlang's leaves.
    const double coming = each * left;
    const double spread = coming + std::max(held - offered * refused * (ports - held), 0.0);
    const double in_time = std::erfc((spare - 0.5 - coming) / std::sqrt(2 * spread)) / 2;
    return {in_time, in_time * std::min(load.reuse_seconds + spare / each, lasts) + (1 - in_time) * lasts};
}

} // namespace detail

CLOSESIDE_DECL std::optional<time_wait_limits> time_wait_limits_of(const snapshot& s) {
    const auto buckets = s.number(key::tcp_max_tw_buckets), ignored = s.number(key::tcp_rfc1337);
    if (!buckets || !ignored) return std::nullopt;
    time_wait_limits limits{static_cast<double>(*buckets), *ignored != 0};
    if (*buckets >= 0) return limits;
    // A negative number allows none up to 5.17, and any number later (inet_twsk_alloc).
    const auto version = detail::parse_kernel_version(s.kernel);
    if (!version) return std::nullopt;
    if (*version <= detail::kernel_version{5, 17})
        limits.buckets = 0;
    else
        limits.buckets.reset();
    return limits;
}

CLOSESIDE_DECL std::optional<double> port_hold_seconds_of(const snapshot& s, bool to_loopback) noexcept {
    if (!s.number(key::tcp_tw_reuse) || !s.number(key::tcp_timestamps)) return std::nullopt;
    return detail::port_hold_seconds(s, to_loopback);
}

CLOSESIDE_DECL accepted_forecast forecast(const accepted_load& load, const time_wait_limits& limits) {
    accepted_forecast f;
    const double each = load.per_second / static_cast<double>(load.addresses);
    const double closed_hold = load.open_seconds + load.reuse_seconds;
    const double given_up_hold = client_persists_seconds + load.reuse_seconds;
    f.address_per_second =
        closed_hold > 0 ? static_cast<double>(load.ports) / closed_hold : std::numeric_limits<double>::infinity();
    double got = 1; // of the closes that would leave a TIME-WAIT, those for which there is room
    // What is met decides how long ports are held and how many TIME-WAITs there are, and these what is met.
    for (int step = 0; step < 200; ++step) {
        const double hold = (1 - f.timed_out) * closed_hold + f.timed_out * given_up_hold;
        f.refused = detail::erlang_loss(each * hold, load.ports);
        f.ports_held = each * hold * (1 - f.refused);
        const detail::taking next = detail::take_port(load, each, each * hold, f.refused);
        const double left = (1 - f.timed_out) * load.time_wait_share;
        const double meet = (left * got + f.timed_out) * next.in_time;
        // One that is locked out keeps the TIME-WAIT that it has met: each of its SYNs makes it last 60 s from then.
        const double made = load.per_second * (1 - f.refused);
        const double wanted = made * left * next.seconds;
        const double kept = made * f.timed_out * (client_persists_seconds + next.seconds);
        const double room =
            !limits.buckets || wanted + kept <= *limits.buckets ? 1 : std::max(*limits.buckets - kept, 0.0) / wanted;
        f.time_waits = wanted * room + kept;
        const double timed_out = limits.ignores_resets ? meet * older_share : 0;
        const double change = std::abs(meet - f.meet) + std::abs(room - got) + std::abs(timed_out - f.timed_out);
        f.meet = meet;
        // Half-way: where ports are short, whole steps overshoot.
        got = (got + room) / 2;
        f.timed_out = (f.timed_out + timed_out) / 2;
        if (change < 1e-9) break;
    }
    f.challenged = f.meet * older_share;
    if (limits.ignores_resets) f.timed_out = f.challenged;
    f.without_time_wait = load.time_wait_share > 0 ? 1 - got : 0;
    return f;
}

CLOSESIDE_DECL std::optional<double> rate_at_meet(const accepted_load& load, double share) noexcept {
    constexpr auto lasts = static_cast<double>(time_wait_seconds);
    const auto ports = static_cast<double>(load.ports);
    const double left = lasts - load.reuse_seconds;
    if (left <= 0 || !(share > 0) || share >= load.time_wait_share) return std::nullopt;
    // In turn it is none up to a rate, and from there on all.
    if (load.choice == port_choice::sequential) return ports / (lasts + load.open_seconds);
    const double each = -std::log1p(-share / load.time_wait_share) / left;
    return each * ports / (1 + each * (load.open_seconds + load.reuse_seconds));
}

CLOSESIDE_DECL opened_forecast forecast(const opened_load& load, const time_wait_limits& limits) {
    constexpr auto lasts = static_cast<double>(time_wait_seconds);
    opened_forecast f;
    const auto ports = static_cast<double>(load.ports), destinations = static_cast<double>(load.destinations);
    const double each = load.per_second / destinations;
    const double hold = load.open_seconds + load.time_wait_share * load.hold_seconds;
    f.per_second = hold > 0 ? destinations * ports / hold : std::numeric_limits<double>::infinity();
    f.refused = detail::erlang_loss(each * hold, load.ports);
    const double rate = each * (1 - f.refused);
    f.ports_held = rate * hold;
    // Where tcp_tw_reuse lets a TIME-WAIT's port be taken anew, that ends it: once those that were free before it are taken.
    const double spare = std::max(ports - f.ports_held, 0.0);
    const double again = rate > 0 ? std::min(load.hold_seconds + spare / rate, lasts) : lasts;
    f.time_waits = rate * destinations * load.time_wait_share * again;
    if (limits.buckets) f.time_waits = std::min(f.time_waits, *limits.buckets);
    return f;
}

} // namespace closeside::host

#endif
