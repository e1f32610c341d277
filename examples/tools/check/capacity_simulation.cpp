// SPDX-License-Identifier: BSL-1.0
#include "capacity_simulation.hpp"

#include "capacity_dice.hpp"
#include "capacity_ports.hpp"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <deque>
#include <vector>

namespace check {

namespace {

namespace host = closeside::host;

/// Moments are ticks of 0.1 ms, so that one of two days fits beside a flag; arrivals are drawn in nanoseconds.
constexpr std::uint64_t tick_ns = 100'000;

std::uint32_t ticks(double seconds) { return static_cast<std::uint32_t>(std::llround(seconds * 1e4)); }

class world {
public:
    explicit world(const simulated_load& load)
        : load_(load), dice_(load.seed), holds_{ticks(load.hold_with), ticks(load.hold_without), ticks(load.hold_with)},
          taken_{{load.spaces, load.ports}, {load.spaces, load.ports}, {load.locks_out ? load.spaces : 0, load.ports}},
          free_(load.spaces, load.ports), last_(std::size_t{load.spaces} * load.ports) {
        for (std::uint32_t space = 0; space != load.spaces; ++space)
            for (std::uint32_t port = 0; port != load.ports; ++port)
                free_.push(space, static_cast<std::uint16_t>(port));
        begin_as_if_it_had_always_run();
    }

    simulated run() {
        constexpr double longest_mean = 4e12; // of dice::exponential()
        const auto mean = static_cast<std::uint64_t>(std::llround(std::min(1e9 / load_.per_second, longest_mean)));
        const std::uint32_t begin = start_ + ticks(load_.warm_up_seconds), end = begin + ticks(load_.measured_seconds);
        std::uint64_t ns = start_ * tick_ns, seen = 0;
        for (;;) {
            ns += dice_.exponential(mean);
            const auto arrival = static_cast<std::uint32_t>(ns / tick_ns);
            if (arrival >= end) break;
            counts_ = arrival >= begin;
            close_until(arrival);
            now_ = arrival;
            expire(ordinary_);
            expire(renewed_);
            if (counts_) {
                ++found_.connects;
                seen += time_waits_; // arrivals at random see the average
            }
            connect();
        }
        if (found_.connects != 0) found_.time_waits = static_cast<double>(seen) / static_cast<double>(found_.connects);
        return found_;
    }

private:
    /// What keeps a port from being chosen.
    enum hold : std::uint8_t { with_time_wait, without_time_wait, attempt };

    struct time_wait {
        std::size_t at; ///< in last_
        std::uint32_t since;
    };

    // TIME-WAIT is a flag beside the moment from which it lasts: the port's last close, or a SYN that renews it.
    static constexpr std::uint32_t flagged(std::uint32_t moment) { return moment << 1 | 1; }
    bool in_time_wait(std::size_t at) const { return (last_[at] & 1) != 0; }

    void expire(std::deque<time_wait>& queue) {
        static constexpr auto lasts = static_cast<std::uint32_t>(host::time_wait_seconds * 10'000);
        while (!queue.empty() && queue.front().since + lasts <= now_) {
            // Not one that has been taken over, or renewed, since.
            if (last_[queue.front().at] == flagged(queue.front().since)) end_time_wait(queue.front().at);
            queue.pop_front();
        }
    }

    void end_time_wait(std::size_t at) {
        last_[at] &= ~std::uint32_t{1};
        --time_waits_;
    }

    void free_ports(std::uint32_t space) {
        for (const hold h : {with_time_wait, without_time_wait, attempt}) {
            if (h == attempt && !load_.locks_out) break;
            port_queues& taken = taken_[h];
            while (taken.size(space) != 0 && (last_[index(space, taken.front(space))] >> 1) + holds_[h] <= now_)
                free_.push(space, taken.pop(space));
        }
    }

    std::size_t index(std::uint32_t space, std::uint16_t port) const { return std::size_t{space} * load_.ports + port; }

    /// Closes spread evenly over the time for which they hold a port: beginning with none of them, and so with all of them at
    /// once, brings waves that last for long.
    void begin_as_if_it_had_always_run() {
        if (load_.held_at_start == 0) return;
        const double closed =
            load_.time_wait_share * load_.hold_with + (1 - load_.time_wait_share) * load_.hold_without;
        const auto ports = static_cast<std::uint32_t>(load_.held_at_start * closed / (closed + load_.open_seconds));
        for (std::uint32_t i = 0; i != ports; ++i) {
            now_ = static_cast<std::uint32_t>(std::uint64_t{start_} * (i + 1) / ports);
            expire(ordinary_);
            for (std::uint32_t space = 0; space != load_.spaces; ++space) {
                free_ports(space);
                if (free_.size(space) != 0) close({space, free_.pop(space), dice_.chance(closes_first_)});
            }
        }
    }

    struct connection {
        std::uint32_t space;
        std::uint16_t port;
        bool closes_first; ///< this host: it is to leave a TIME-WAIT
        std::uint32_t closes = 0;
    };

    /// Those that end next are at the front of one of the two.
    std::deque<connection>& next_to_close() {
        if (waiting_.empty()) return open_connections_;
        if (open_connections_.empty()) return waiting_;
        return waiting_.front().closes < open_connections_.front().closes ? waiting_ : open_connections_;
    }

    void close_until(std::uint32_t moment) {
        for (;;) {
            std::deque<connection>& next = next_to_close();
            if (next.empty() || next.front().closes > moment) return;
            now_ = next.front().closes;
            expire(ordinary_);
            expire(renewed_);
            close(next.front());
            next.pop_front();
        }
    }

    void close(const connection& c) {
        const std::size_t at = index(c.space, c.port);
        last_[at] = now_ << 1;
        bool leaves = c.closes_first;
        if (leaves) {
            const bool full = load_.max_time_waits && static_cast<double>(time_waits_ + 1) > *load_.max_time_waits;
            found_.closed_first += counts_;
            found_.without_time_wait += counts_ && full;
            leaves = !full;
        }
        taken_[leaves ? with_time_wait : without_time_wait].push(c.space, c.port);
        if (!leaves) return;
        ++time_waits_;
        last_[at] = flagged(now_);
        ordinary_.push_back({at, now_});
    }

    void connect() {
        const std::uint32_t space = dice_.below(load_.spaces);
        free_ports(space);
        for (bool first = counts_;; first = false) {
            if (free_.size(space) == 0) {
                found_.refused += first;
                return;
            }
            const std::uint16_t port = load_.choice == host::port_choice::random
                                           ? free_.take(space, dice_.below(free_.size(space)))
                                           : free_.pop(space);
            const std::size_t at = index(space, port);
            const bool met = in_time_wait(at), older = met && dice_.chance(older_);
            found_.met += first && met;
            found_.challenged += first && older;
            if (older && load_.locks_out) {
                found_.timed_out += first;
                const std::uint32_t last_syn = now_ + persists_;
                last_[at] = flagged(last_syn);
                renewed_.push_back({at, last_syn});
                taken_[attempt].push(space, port);
                return;
            }
            if (met) end_time_wait(at);
            if (!older || !load_.retries_elsewhere) return open({space, port, dice_.chance(closes_first_)});
            free_.push(space, port);
        }
    }

    void open(connection c) {
        const std::uint32_t lasts = open_ + (c.closes_first ? patience_ : 0);
        if (lasts == 0) return close(c);
        c.closes = now_ + lasts;
        (c.closes_first && patience_ != 0 ? waiting_ : open_connections_).push_back(c);
    }

    const simulated_load& load_;
    dice dice_;
    const std::uint32_t open_ = ticks(load_.open_seconds), patience_ = ticks(load_.patience_seconds);
    const std::uint32_t persists_ = ticks(host::client_persists_seconds);
    const std::uint64_t closes_first_ = dice::odds(load_.time_wait_share), older_ = dice::odds(host::older_share);
    const std::uint32_t holds_[3];
    port_queues taken_[3];
    port_queues free_;
    std::vector<std::uint32_t> last_;
    std::deque<time_wait> ordinary_, renewed_;          ///< each in the order in which they end
    std::deque<connection> open_connections_, waiting_; ///< for the peer to close; each in the order in which they end
    std::uint64_t time_waits_ = 0;
    const std::uint32_t start_ = ticks(std::max(load_.hold_with, load_.hold_without));
    std::uint32_t now_ = 0;
    bool counts_ = false;
    simulated found_;
};

/// Shrinks what is too large for it, and decides for how long.
void fit(simulated_load& s, std::int64_t spaces, std::int64_t ports, double most_held_seconds, double held,
         const simulation_size& size) {
    // A state is forgotten once all that it consists of has ended; twice that long is safe.
    s.warm_up_seconds = 2 * (most_held_seconds + static_cast<double>(host::time_wait_seconds));
    constexpr double longest = 1e5, shortest = 60;
    const double busiest = 2 * size.connects / (s.warm_up_seconds + shortest);
    const auto all = static_cast<double>(spaces);
    const double wanted = std::min({all, std::floor(static_cast<double>(size.ports) / static_cast<double>(ports)),
                                    std::max(std::floor(all * busiest / s.per_second), 1.0)});
    s.spaces = static_cast<std::uint32_t>(std::max(wanted, 1.0));
    double part = static_cast<double>(s.spaces) / all;
    s.ports = static_cast<std::uint32_t>(ports);
    // Ports and rate can shrink together: what counts is how soon a port comes round.
    if (s.per_second * part > busiest) {
        const double fewer = std::max(std::floor(static_cast<double>(ports) * busiest / (s.per_second * part)), 1.0);
        part *= fewer / static_cast<double>(ports);
        s.ports = static_cast<std::uint32_t>(fewer);
    }
    s.scale = part;
    s.per_second *= part;
    if (s.max_time_waits) *s.max_time_waits *= part;
    s.held_at_start = std::min(held * part / static_cast<double>(s.spaces), static_cast<double>(s.ports));
    s.measured_seconds = std::clamp(size.connects / s.per_second, shortest, longest);
}

} // namespace

simulated simulate(const simulated_load& load) { return world(load).run(); }

simulated_load simulation_of(const host::accepted_load& load, const host::time_wait_limits& limits,
                             const simulation_size& size, std::uint64_t seed) {
    simulated_load s{.per_second = load.per_second,
                     .open_seconds = load.open_seconds,
                     .time_wait_share = load.time_wait_share,
                     .hold_with = load.reuse_seconds,
                     .hold_without = load.reuse_seconds,
                     .locks_out = limits.ignores_resets,
                     .choice = load.choice,
                     .max_time_waits = limits.buckets,
                     .seed = seed};
    const double attempts = limits.ignores_resets ? host::client_persists_seconds : 0;
    const double hold = load.open_seconds + load.reuse_seconds;
    fit(s, load.addresses, load.ports, hold + attempts, load.per_second * hold, size);
    return s;
}

simulated_load simulation_of(const host::opened_load& load, const host::time_wait_limits& limits,
                             const simulation_size& size, std::uint64_t seed) {
    simulated_load s{.per_second = load.per_second,
                     .open_seconds = load.open_seconds,
                     .time_wait_share = load.time_wait_share,
                     .hold_with = load.hold_seconds,
                     .hold_without = 0,
                     .choice = host::port_choice::sequential,
                     .max_time_waits = limits.buckets,
                     .seed = seed};
    const double held = load.per_second * (load.open_seconds + load.time_wait_share * load.hold_seconds);
    fit(s, load.destinations, load.ports, load.open_seconds + load.hold_seconds, held, size);
    return s;
}

} // namespace check
