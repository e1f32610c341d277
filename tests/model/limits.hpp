// SPDX-License-Identifier: BSL-1.0
#ifndef CLOSESIDE_TESTS_MODEL_LIMITS_HPP
#define CLOSESIDE_TESTS_MODEL_LIMITS_HPP

#include "properties.hpp"
#include "world.hpp"

#include <closeside/detail/close/event.hpp>

#include <algorithm>
#include <cstdint>
#include <string>

namespace model {

/// The limits of a close as the contract words them: until when it may wait, and from when on it may take one for over.
/** It goes by what has happened, and not by what the machine has seen of it. A thread that is slow between two calls has
 *  its slowness to spare, since it looks up the time once a wake-up. */
class limits {
public:
    using close_action = closeside::detail::close_action;
    using close_limit = closeside::close_limit;
    using ms = std::int64_t;

    limits(const setting& s, const world& w)
        : policy_(s.policy), tick_(s.tick), slow_(s.slow_ticks * s.tick), late_((s.late_ticks + s.slow_ticks) * s.tick),
          w_(w) {}

    verdict wait(const close_action& a) const {
        const ms last = latest(a);
        const bool asks_first = a.what == close_action::kind::wait_acked; // so it may be over already
        if ((a.until.count + slow_ <= now() && !asks_first) || a.until.count > last + late_)
            return broken(property::limit, "waits until " + std::to_string(a.until.count) + " ms at " +
                                               std::to_string(now()) + " ms; at most until " + std::to_string(last));
        // A first look may take the acknowledgement of our FIN for progress.
        if (!asks_first && w_.time.idle_wake_ups > (silent() ? 1 : 2))
            return broken(property::limit, "wakes up for nothing again");
        return {};
    }

    /// A limit is taken for over, by time. `named`: the first one of this close; none for a later one.
    verdict over(close_limit named) const {
        if (named == close_limit::none ? any_over() : is_over(named)) return {};
        return broken(property::limit, std::string("takes for over: ") +
                                           (named == close_limit::none ? "a later limit" : to_string(named)) + ", at " +
                                           std::to_string(now()) + " ms, the last progress at " +
                                           std::to_string(at(w_.time.progress)) + " ms");
    }

    /// The peer's FIN is waited for, with none of ours out.
    bool patient() const { return policy_.closes_first == closeside::side::peer && !half_closed(); }

    /// When the phase began that is under way.
    std::uint8_t phase_start() const {
        if (patient()) return 0;
        return room_spends_the_drain() ? w_.time.room_since : half_closed() ? w_.time.half_closed : std::uint8_t{0};
    }
    std::uint8_t progress() const { return std::max(phase_start(), w_.time.progress); }

private:
    /// For a goodbye's FIN to follow, once input has been found.
    static constexpr ms goodbye = 200;

    static constexpr std::uint8_t never = time_line::never;

    ms at(std::uint8_t tick) const { return tick * tick_; }
    ms whole_ticks(ms t) const { return (t + tick_ - 1) / tick_ * tick_; }
    ms now() const { return at(w_.time.now); }
    bool half_closed() const { return w_.time.half_closed != never; }
    bool room_spends_the_drain() const {
        return policy_.closes_first == closeside::side::local && w_.time.room_since != never;
    }

    bool silent() const { return w_.ours.last_ack <= phase_start() && w_.ours.taken == w_.taken_before; }

    ms latest(const close_action& a) const {
        if (a.what == close_action::kind::wait_acked) return at(phase_start()) + policy_.linger.time.count;
        const ms limit = patient() ? policy_.patience.count : policy_.drain_time.count;
        // The look comes when the limit is over, and the time goes by ticks.
        ms last = silent() ? at(phase_start()) + limit
                           : whole_ticks(at(std::max(phase_start(), w_.time.acked)) + limit) + limit;
        if (patient() && w_.time.asked != never) last = std::min(last, at(w_.time.asked) + goodbye);
        if (a.what == close_action::kind::wait_writable) {
            if (!patient() && lingers()) last = std::min(last, at(w_.time.room_since) + policy_.linger.time.count);
        } else if (!patient() && w_.time.all_seen) {
            const auto from = std::max({phase_start(), w_.ours.last_ack, w_.ours.last_input});
            last = std::min(last, at(from) + policy_.drain_idle.count);
        }
        return last;
    }

    bool lingers() const { return policy_.linger.how == closeside::lingering::mode::until_acked; }

    /// What came at the deadline or later came too late.
    bool has_run(std::uint8_t since, ms limit) const {
        return at(since) + limit <= now() + slow_ || (w_.time.waited && since >= w_.time.deadline);
    }

    bool is_over(close_limit l) const {
        const std::uint8_t input = std::max(progress(), w_.ours.last_input);
        switch (l) {
        case close_limit::patience: return patient() && has_run(progress(), policy_.patience.count);
        case close_limit::input:
            return patient() && w_.time.asked != never && at(w_.time.asked) + goodbye <= now() + slow_;
        case close_limit::drain_time: return !patient() && has_run(progress(), policy_.drain_time.count);
        case close_limit::drain_idle:
            return half_closed() && w_.ours.all_acknowledged() && has_run(input, policy_.drain_idle.count);
        case close_limit::linger: return lingers() && at(phase_start()) + policy_.linger.time.count <= now() + slow_;
        default: return false;
        }
    }
    bool any_over() const {
        return is_over(close_limit::drain_time) || is_over(close_limit::drain_idle) || is_over(close_limit::linger);
    }

    const closeside::close_policy& policy_;
    ms tick_;
    ms slow_;
    ms late_;
    const world& w_;
};

} // namespace model

#endif
