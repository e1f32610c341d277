// SPDX-License-Identifier: BSL-1.0
#ifndef CLOSESIDE_DETAIL_CLOSE_MACHINE_HPP
#define CLOSESIDE_DETAIL_CLOSE_MACHINE_HPP

#include <closeside/detail/close/clock.hpp>
#include <closeside/detail/close/event.hpp>
#include <closeside/detail/close/intake.hpp>
#include <closeside/detail/close/terms.hpp>
#include <closeside/detail/close/verdict.hpp>

#include <cstdint>
#include <utility>

namespace closeside::detail {

/// The closing algorithm: event in, action out; no I/O, no clock, no allocation, a literal type.
/** `now` is the time since start(). Limits are checked when an event comes in, so one is exceeded by one wake-up at most.
 *  On each wake-up at most `quota` bytes are discarded, and once more what has arrived when nobody waits any more, so that
 *  a flooding peer cannot hold the thread. */
class close_machine {
public:
    static constexpr std::uint32_t quota = close_intake::quota;
    /// What the last look asks for at once: more than a receive queue holds (tcp_rmem).
    static constexpr std::uint32_t last_look = 64 * 1024 * 1024;
    /// A goodbye's FIN comes so soon behind it, a request's does not.
    static constexpr milliseconds goodbye{200};

    constexpr explicit close_machine(const close_policy& policy, const close_manner& manner = {}) noexcept
        : terms_(policy), clock_(policy), intake_(policy.drain_bytes), to_send_(manner.last_bytes), told_(manner.told) {
        terms_.close_aborts = terms_.aborts && manner.linger_is_set;
        if (to_send_ != 0) verdict_.last_bytes = last_bytes_fate::not_sent;
    }

    constexpr close_action start() noexcept {
        if (terms_.aborts) return release(action::abort);
        if (to_send_ != 0) {
            phase_ = phase::sending;
            return {action::send, to_send_};
        }
        return begin({});
    }

    constexpr close_action step(const close_event& e, milliseconds now) noexcept {
        switch (e.what) {
        case event::half_closed: return half_closed(e, now);
        case event::received: return received(e.bytes, now);
        case event::end_of_file: return end_of_file();
        case event::would_block: return nothing_there(now);
        case event::sent: return sent(e.bytes, now);
        case event::cannot_send: return begin(now);
        case event::state: return state_is(e.after, now);
        case event::looked: return looked(e, now);
        case event::unacknowledged: return input_while(e.bytes, now);
        case event::readable: woken(); return receive_next(now);
        case event::writable: return {action::send, to_send_};
        case event::timer: woken(); return limit_due(now);
        case event::cancelled: return stop(close_limit::cancelled);
        case event::shed: return stop(close_limit::shed);
        case event::acked: return acked();
        case event::reset: verdict_.reset_by_peer = true; return gone();
        case event::failed: verdict_.failed = true; return gone();
        case event::not_connected: verdict_.not_connected = true; return gone();
        case event::gone: return gone();
        case event::released:
            phase_ = phase::done;
            last_ = e.last;
            break;
        }
        return {action::done};
    }

    constexpr bool finished() const noexcept { return phase_ == phase::done; }

    /// Meaningful once finished; `elapsed` is the caller's to fill in.
    constexpr close_report report() const noexcept { return conclude(verdict_, terms_, last_); }

    /// The limit decides between the codes; a reset is told by report().ended_by.
    constexpr close_outcome outcome() const noexcept { return outcome_of(report(), terms_, verdict_, last_); }

private:
    using action = close_action::kind;
    using event = close_event::kind;
    enum class phase : std::uint8_t {
        start,
        sending,
        first_look,
        patience,
        half_closing,
        draining,
        last_look,
        acking,
        releasing,
        done
    };

    /// With nothing (more) to send.
    constexpr close_action begin(milliseconds now) noexcept {
        if (terms_.releases_at_once()) return release(action::close);
        if (terms_.peer_first) {
            phase_ = phase::patience;
            return receive_next(now);
        }
        if (!terms_.drains) return half_close();
        // Takes what is there before our FIN goes out: often the peer's FIN is, and there is nothing left to wait for.
        phase_ = phase::first_look;
        return receive_next(now);
    }

    constexpr close_action sent(std::uint64_t bytes, milliseconds now) noexcept {
        to_send_ -= static_cast<std::uint32_t>(bytes);
        if (waits_for_room_) clock_.room_won(now);
        if (to_send_ != 0) return {action::send, to_send_};
        verdict_.last_bytes = last_bytes_fate::sent;
        return begin(now);
    }

    /// No room in the send queue: waiting for it spends the limit of the phase that it delays.
    constexpr close_action no_room(milliseconds now) noexcept {
        if (terms_.releases_at_once()) return begin(now);
        if (!std::exchange(waits_for_room_, true)) clock_.wait_for_room(now);
        if (clock_.over(now)) return time_over(clock_.limit_of_room(now));
        return {action::wait_writable, 0, clock_.deadline()};
    }

    constexpr close_action half_close() noexcept {
        phase_ = phase::half_closing;
        return {action::half_close};
    }

    constexpr close_action half_closed(const close_event& e, milliseconds now) noexcept {
        verdict_.half_closed(e.before, e.after);
        if (e.reading_shut) verdict_.blind = true;
        clock_.half_closed(now);
        const bool drains = terms_.drains && (verdict_.limit == close_limit::none || drain_follows_);
        if (verdict_.peer_fin || !drains) return close_when_acked();
        phase_ = phase::draining;
        return wait(now);
    }

    constexpr void woken() noexcept {
        woken_ = true;
        intake_.woken();
    }

    constexpr close_action receive_next(milliseconds now) noexcept {
        return verdict_.blind ? wait(now) : intake_.next();
    }

    constexpr close_action received(std::uint64_t bytes, milliseconds now) noexcept {
        if (phase_ == phase::last_look) {
            verdict_.discarded += bytes;
            intake_.took_beyond(bytes);
            return ++last_looks_ < most_last_looks ? close_action{action::receive, last_look} : act_on_limit();
        }
        const bool emptied = intake_.empties(bytes);
        if (!intake_.peeks()) {
            verdict_.discarded += bytes;
            intake_.took(bytes);
        }
        if (phase_ == phase::first_look) return half_close();
        if (intake_.peeks()) return time_over(close_limit::drain_bytes);
        clock_.byte(now);
        return intake_.tired() || emptied ? pause(now) : receive_next(now);
    }

    constexpr close_action nothing_there(milliseconds now) noexcept {
        if (phase_ != phase::sending) can_read_ = true;
        switch (phase_) {
        case phase::sending: return no_room(now);
        case phase::first_look: return half_close();
        case phase::last_look: return act_on_limit();
        default: return pause(now);
        }
    }

    /// Nothing more is to be read for now. Was there input while nothing of ours was under way?
    constexpr close_action pause(milliseconds now) noexcept {
        if (phase_ == phase::patience && !looked_) return {action::look}; // what is there already does not count
        if (!intake_.took_any() || !woken_) return wait(now);
        if (clock_.all_acknowledged()) return input_while(0, now);
        return {action::look_unacknowledged};
    }

    constexpr close_action input_while(std::uint64_t unacknowledged, milliseconds now) noexcept {
        if (unacknowledged == 0) clock_.all_acknowledged_by(now);
        if (unacknowledged == 0 && phase_ == phase::patience) clock_.cut(goodbye, now);
        return wait(now);
    }

    constexpr close_action wait(milliseconds now) noexcept {
        const milliseconds until = clock_.deadline();
        if (now >= until) return limit_due(now);
        if (verdict_.blind) return {action::wait_fin, 0, until};
        return {action::wait_readable, intake_.wake_for(), until};
    }

    constexpr close_action end_of_file() noexcept {
        // Until a read has found nothing it may come from the program's own shutdown(SHUT_RD), or the socket is dead.
        const bool sure = can_read_ || verdict_.our_fin || !(told_ || terms_.peer_first);
        if (verdict_.blind || !sure) return {action::look_state};
        return peer_closed();
    }

    constexpr close_action state_is(tcp_state s, milliseconds now) noexcept {
        switch (s) {
        case tcp_state::close: return gone();
        case tcp_state::syn_sent: verdict_.not_connected = true; return gone();
        case tcp_state::fin_wait1:
        case tcp_state::fin_wait2: verdict_.half_closed_before(); return blind(now);
        case tcp_state::established:
        case tcp_state::syn_received: return blind(now);
        default: verdict_.peer_closed(s); return peer_closed();
        }
    }

    /// Reading has been shut down by the program.
    constexpr close_action blind(milliseconds now) noexcept {
        const bool known = std::exchange(verdict_.blind, true);
        if (phase_ == phase::last_look) return act_on_limit();
        if (phase_ == phase::first_look) return half_close();
        return known || looked_ ? wait(now) : close_action{action::look};
    }

    constexpr close_action peer_closed() noexcept {
        verdict_.peer_closed();
        if (phase_ == phase::last_look) {
            const bool stopped = stops(acting_on_);
            forget_limit();
            // A cancelled close does not wait, so it cannot linger either.
            if (stopped && terms_.lingers) {
                verdict_.limit = acting_on_;
                return release(on_limit());
            }
        }
        return close_when_acked();
    }

    /// A deadline has come. Where more may have been acknowledged meanwhile, that is looked up first.
    constexpr close_action limit_due(milliseconds now) noexcept {
        switch (phase_) {
        case phase::acking: return time_over(close_limit::linger);
        case phase::sending: return time_over(clock_.limit_of_room(now));
        default: break;
        }
        const bool knows = clock_.all_acknowledged() && !intake_.flooded();
        return knows ? time_over(clock_.limit_over(now)) : close_action{action::look, compared};
    }

    constexpr close_action looked(const close_event& e, milliseconds now) noexcept {
        if (e.after == tcp_state::syn_sent) return state_is(e.after, now);
        looked_ = true;
        clock_.looked(e, now);
        if (clock_.over(now)) return time_over(clock_.limit_over(now));
        // A flood that has thinned out wakes nobody: what has come of it is read now.
        if (!intake_.flooded() || intake_.took_any()) return wait(now);
        intake_.thinned_out();
        return receive_next(now);
    }

    constexpr close_action stop(close_limit why) noexcept {
        drain_follows_ = false;
        return time_over(why);
    }

    /// Nobody waits any more. One more look at the receive queue: a late thread may find the peer's FIN there, and
    /// close(2) over unread input would reset what is still to be delivered.
    constexpr close_action time_over(close_limit limit) noexcept {
        names_limit_ = verdict_.limit == close_limit::none;
        if (names_limit_) verdict_.limit = limit;
        if (!verdict_.peer_fin) return look_for_the_last_time(limit);
        acting_on_ = limit;
        return act_on_limit();
    }

    constexpr close_action look_for_the_last_time(close_limit limit) noexcept {
        acting_on_ = limit;
        phase_ = phase::last_look;
        last_looks_ = 0;
        return {action::receive, last_look};
    }

    constexpr close_action act_on_limit() noexcept {
        if (terms_.aborts_at_limit) return release(action::abort);
        if (acting_on_ == close_limit::linger || stops(acting_on_)) return release(action::close);
        const bool waited_for_peer = acting_on_ == close_limit::patience || acting_on_ == close_limit::input;
        if (waited_for_peer && terms_.drains) {
            drain_follows_ = true;
            return half_close();
        }
        return close_when_acked();
    }

    static constexpr std::uint64_t compared = 1;

    constexpr action on_limit() const noexcept { return terms_.aborts_at_limit ? action::abort : action::close; }
    static constexpr bool stops(close_limit l) noexcept {
        return l == close_limit::cancelled || l == close_limit::shed;
    }

    /// The last step of every orderly close; lingering::until_acked waits here, with our FIN sent.
    constexpr close_action close_when_acked() noexcept {
        if (!terms_.lingers || acked_ || stops(verdict_.limit)) return release(action::close);
        if (!verdict_.our_fin) return half_close();
        phase_ = phase::acking;
        return {action::wait_acked, 0, clock_.linger_deadline()};
    }

    /// What has come since the drain would have close(2) reset.
    constexpr close_action acked() noexcept {
        acked_ = true;
        if (verdict_.peer_fin || !terms_.drains) return release(action::close);
        names_limit_ = false;
        return look_for_the_last_time(close_limit::linger);
    }

    constexpr close_action gone() noexcept {
        if (phase_ == phase::last_look) forget_limit();
        return release(action::close);
    }

    /// The end had come before the limit was acted upon.
    constexpr void forget_limit() noexcept {
        if (names_limit_) verdict_.limit = close_limit::none;
    }

    constexpr close_action release(action how) noexcept {
        phase_ = phase::releasing;
        verdict_.aborting = how == action::abort;
        return {how};
    }

    /// The receive queue, and twice more for what has come meanwhile.
    static constexpr std::uint8_t most_last_looks = 3;

    close_terms terms_;
    close_clock clock_;
    close_verdict verdict_{};
    last_sample last_{};
    close_intake intake_;
    std::uint32_t to_send_;
    close_limit acting_on_ = close_limit::none;
    phase phase_ = phase::start;
    std::uint8_t last_looks_ = 0;
    bool told_;
    bool can_read_ = false;    ///< a read has found nothing, so that reading is not shut down
    bool woken_ = false;       ///< at least once
    bool looked_ = false;      ///< at what is unacknowledged
    bool names_limit_ = false; ///< the last limit is the first that has run out
    bool drain_follows_ = false;
    bool waits_for_room_ = false;
    bool acked_ = false; ///< all, and our FIN
};

} // namespace closeside::detail

#endif
