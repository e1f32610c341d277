// SPDX-License-Identifier: BSL-1.0
#ifndef CLOSESIDE_DETAIL_CLOSE_MACHINE_HPP
#define CLOSESIDE_DETAIL_CLOSE_MACHINE_HPP

#include <closeside/detail/close/event.hpp>
#include <closeside/detail/close/intake.hpp>
#include <closeside/detail/close/state.hpp>
#include <closeside/detail/close/terms.hpp>
#include <closeside/detail/kernel/answers.hpp>

#include <cerrno>
#include <cstdint>
#include <utility>

namespace closeside::detail {

/// The closing algorithm: event in, action out; no I/O, no clock, no allocation, a literal type.
/** `now` is the time since start(). Limits are checked when an event comes in, so one is exceeded by one wake-up at most.
 *  On each wake-up at most `quota` bytes are discarded, and once more what has arrived when nobody waits any more, so that
 *  a flooding peer cannot hold the thread. */
class close_machine : public close_state {
public:
    static constexpr std::uint32_t quota = close_intake::quota;
    /// What the last look asks for at once: more than a receive queue holds (tcp_rmem).
    static constexpr std::uint32_t last_look = 64 * 1024 * 1024;
    /// A goodbye's FIN comes so soon behind it, a request's does not.
    static constexpr close_duration goodbye{200};

    constexpr explicit close_machine(const close_policy& policy, const close_manner& manner = {}) noexcept
        : close_state(policy, manner) {}

    constexpr close_action start() noexcept {
        if (terms_.aborts) return release(action::abort);
        if (to_send_ != 0) {
            phase_ = phase::sending;
            return {action::send, to_send_};
        }
        return begin({});
    }

    [[gnu::always_inline]] constexpr close_action step(close_event e, close_duration now) noexcept {
        switch (e.what) {
        case event::half_closed: return half_closed(e, now);
        case event::received: return received(e.bytes, now);
        case event::end_of_file: return end_of_file();
        case event::would_block: return nothing_there(now);
        case event::sent: return sent(e.bytes, now);
        case event::cannot_send: return begin(now);
        case event::state: return state_is(e.after, now);
        case event::unacknowledged: return input_while(e.bytes, now);
        case event::readable: woken(); return receive_next(now);
        case event::writable: return {action::send, to_send_};
        case event::timer: woken(); return limit_due(now);
        case event::cancelled: return stop(close_limit::cancelled);
        case event::shed: return stop(close_limit::shed);
        case event::acked: return acked();
        case event::reset: facts_.reset(e.error == EPIPE); return gone();
        case event::failed: facts_.failure = e.error; return gone();
        case event::not_connected: facts_.not_connected = true; return gone();
        case event::gone: return gone();
        }
        return {action::done};
    }

    /// In answer to action::look.
    [[gnu::noinline]] constexpr close_action looked(const connection_look& l, close_duration now) noexcept {
        if (l.state == tcp_state::syn_sent) return state_is(l.state, now);
        first_look_unseen(l.state);
        looked_ = true;
        clock_.looked(l, now);
        if (clock_.over(now)) return time_over(clock_.limit_over(now));
        // A flood that has thinned out wakes nobody: what has come of it is read now.
        if (!intake_.flooded() || intake_.took_any()) return wait(now);
        intake_.thinned_out();
        return receive_next(now);
    }

    /// The descriptor is closed.
    constexpr close_action released() noexcept {
        phase_ = phase::released;
        return {};
    }

private:
    using action = close_action::kind;
    using event = close_event::kind;

    /// With nothing (more) to send.
    constexpr close_action begin(close_duration now) noexcept {
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

    [[gnu::noinline]] constexpr close_action sent(std::uint64_t bytes, close_duration now) noexcept {
        to_send_ -= static_cast<std::uint32_t>(bytes);
        if (waits_for_room_) clock_.room_won(now);
        if (to_send_ != 0) return {action::send, to_send_};
        facts_.last_bytes = last_bytes_fate::sent;
        return begin(now);
    }

    /// No room in the send queue: waiting for it spends the limit of the phase that it delays.
    constexpr close_action no_room(close_duration now) noexcept {
        if (terms_.releases_at_once()) return begin(now);
        if (!std::exchange(waits_for_room_, true)) clock_.wait_for_room(now);
        if (clock_.over(now)) return time_over(clock_.limit_of_room(now));
        return {action::wait_writable, 0, clock_.deadline()};
    }

    constexpr close_action half_close() noexcept {
        phase_ = phase::closing;
        return {action::half_close};
    }

    [[gnu::noinline]] constexpr close_action half_closed(close_event e, close_duration now) noexcept {
        facts_.half_closed(e.before, e.after);
        half_closed_unseen();
        if (e.reading_shut) facts_.blind = true;
        clock_.half_closed(now);
        const bool drains = terms_.drains && (facts_.limit == close_limit::none || drain_follows_);
        if (facts_.peer_fin || !drains) return close_when_acked();
        return wait(now);
    }

    constexpr void woken() noexcept {
        woken_ = true;
        intake_.woken();
    }

    constexpr close_action receive_next(close_duration now) noexcept {
        return facts_.blind ? wait(now) : intake_.next();
    }

    [[gnu::noinline]] constexpr close_action received(std::uint64_t bytes, close_duration now) noexcept {
        quiet_ = false;
        if (phase_ == phase::last_look) {
            facts_.discarded += bytes;
            intake_.took_beyond(bytes);
            return limit_.looks_again() ? close_action{action::receive, last_look} : act_on_limit();
        }
        const bool emptied = intake_.empties(bytes);
        if (!intake_.peeks()) {
            facts_.discarded += bytes;
            intake_.took(bytes);
        }
        if (phase_ == phase::first_look) return half_close();
        if (intake_.peeks()) return time_over(close_limit::drain_bytes);
        clock_.byte(now);
        return intake_.tired() || emptied ? pause(now) : receive_next(now);
    }

    [[gnu::noinline]] constexpr close_action nothing_there(close_duration now) noexcept {
        if (phase_ != phase::sending) can_read_ = true;
        nothing_there_unseen();
        switch (phase_) {
        case phase::sending: return no_room(now);
        case phase::first_look: return half_close();
        case phase::last_look: return act_on_limit();
        default: return pause(now);
        }
    }

    /// Nothing more is to be read for now. Was there input while nothing of ours was under way?
    constexpr close_action pause(close_duration now) noexcept {
        if (phase_ == phase::patience && !looked_) return {action::look}; // what is there already does not count
        if (!intake_.took_any() || !woken_) return wait(now);
        if (clock_.all_acknowledged()) return input_while(0, now);
        return {action::look_unacknowledged};
    }

    [[gnu::noinline]] constexpr close_action input_while(std::uint64_t unacknowledged, close_duration now) noexcept {
        if (unacknowledged == 0) clock_.all_acknowledged_by(now);
        if (unacknowledged == 0 && phase_ == phase::patience) clock_.cut(goodbye, now);
        return wait(now);
    }

    constexpr close_action wait(close_duration now) noexcept {
        const close_duration until = clock_.deadline();
        if (now >= until) return limit_due(now);
        if (facts_.blind) return {action::wait_fin, 0, until};
        return {action::wait_readable, intake_.wake_for(), until};
    }

    [[gnu::noinline]] constexpr close_action end_of_file() noexcept {
        // Until a read has found nothing it may come from the program's own shutdown(SHUT_RD), or the socket is dead.
        const bool sure = can_read_ || facts_.our_fin || !(wants_report_ || terms_.peer_first);
        if (facts_.blind || !sure) return {action::look_state};
        return peer_closed();
    }

    [[gnu::noinline]] constexpr close_action state_is(tcp_state s, close_duration now) noexcept {
        switch (s) {
        case tcp_state::close: return gone();
        case tcp_state::syn_sent: facts_.not_connected = true; return gone();
        case tcp_state::fin_wait1:
        case tcp_state::fin_wait2: facts_.half_closed_before(); return blind(now);
        case tcp_state::established:
        case tcp_state::syn_received: return blind(now);
        default: saw_fin(s); return peer_closed();
        }
    }

    /// Reading has been shut down by the program.
    constexpr close_action blind(close_duration now) noexcept {
        const bool known = std::exchange(facts_.blind, true);
        if (phase_ == phase::last_look) return act_on_limit();
        if (phase_ == phase::first_look) return half_close();
        return known || looked_ ? wait(now) : close_action{action::look};
    }

    constexpr close_action peer_closed() noexcept {
        facts_.peer_closed();
        if (phase_ == phase::last_look) {
            limit_.forget(facts_.limit);
            // A cancelled close does not wait, so it cannot linger either.
            if (limit_.stops() && terms_.lingers) {
                facts_.limit = limit_.limit();
                return release(terms_.aborts_at_limit ? action::abort : action::close);
            }
        }
        return close_when_acked();
    }

    /// A deadline has come. If more may have been acknowledged meanwhile, that is looked up first.
    [[gnu::noinline]] constexpr close_action limit_due(close_duration now) noexcept {
        switch (phase_) {
        case phase::acking: return time_over(close_limit::linger);
        case phase::sending: return time_over(clock_.limit_of_room(now));
        default: break;
        }
        const bool knows = clock_.all_acknowledged() && !intake_.flooded();
        return knows ? time_over(clock_.limit_over(now)) : close_action{action::look, compared};
    }

    [[gnu::noinline]] constexpr close_action stop(close_limit why) noexcept {
        drain_follows_ = false;
        return time_over(why);
    }

    /// Nobody waits any more. One more look at the receive queue: a late thread may find the peer's FIN there, and
    /// close(2) over unread input would reset what is still to be delivered.
    [[gnu::noinline]] constexpr close_action time_over(close_limit limit) noexcept {
        limit_.ran_out(limit, facts_.limit);
        return facts_.peer_fin ? act_on_limit() : look_for_the_last_time();
    }

    constexpr close_action look_for_the_last_time() noexcept {
        phase_ = phase::last_look;
        return {action::receive, last_look};
    }

    [[gnu::noinline]] constexpr close_action act_on_limit() noexcept {
        if (terms_.aborts_at_limit) return release(action::abort);
        if (limit_.ends_waiting()) return release(action::close);
        if (!limit_.ends_patience() || !terms_.drains) return close_when_acked();
        drain_follows_ = true;
        return half_close();
    }

    static constexpr std::uint32_t compared = 1;

    /// The last step of every orderly close; lingering::until_acked waits here, with our FIN sent.
    constexpr close_action close_when_acked() noexcept {
        if (!terms_.lingers || acked_ || acting_limit::stops(facts_.limit)) return release(action::close);
        if (!facts_.our_fin) return half_close();
        phase_ = phase::acking;
        return {action::wait_acked, 0, clock_.linger_deadline()};
    }

    /// What has come since the drain would have close(2) reset.
    [[gnu::noinline]] constexpr close_action acked() noexcept {
        acked_ = true;
        if (facts_.peer_fin || !terms_.drains) return release(action::close);
        limit_.acknowledged();
        return look_for_the_last_time();
    }

    [[gnu::noinline]] constexpr close_action gone() noexcept {
        quiet_ = false;
        if (phase_ == phase::last_look) limit_.forget(facts_.limit);
        return release(action::close);
    }

    constexpr close_action release(action how) noexcept {
        facts_.aborting = how == action::abort;
        return {how};
    }
};

} // namespace closeside::detail

#endif
