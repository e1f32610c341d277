// SPDX-License-Identifier: BSL-1.0
#ifndef CLOSESIDE_DETAIL_CLOSE_MACHINE_HPP
#define CLOSESIDE_DETAIL_CLOSE_MACHINE_HPP

#include <closeside/close_policy.hpp>
#include <closeside/detail/close_terms.hpp>
#include <closeside/detail/close_verdict.hpp>
#include <closeside/detail/tcp_state.hpp>
#include <closeside/report.hpp>

#include <algorithm>
#include <cstdint>
#include <limits>

namespace closeside::detail {

/// What the caller is to do next. It answers every action with one event.
struct close_action {
    enum class kind : std::uint8_t {
        half_close,    ///< shutdown(SHUT_WR)                     -> half_closed, reset, failed
        receive,       ///< read and discard up to `bytes`        -> received, end_of_file, would_block, reset, failed
        peek,          ///< is there a byte beyond the limit?     -> the same; received means there is
        wait_readable, ///< until `bytes` wait, FIN, RST, `until` -> readable, timer, cancelled, terminated
        wait_acked,    ///< until all is acknowledged or `until`  -> acked, timer, reset, failed, cancelled, terminated
        close,         ///< sample the connection, close(2)       -> released
        abort,         ///< sample, SO_LINGER{on,0}, close(2)     -> released
        done           ///< nothing: report() and outcome() are final
    };

    kind what = kind::done;
    std::uint64_t bytes = 0;
    milliseconds until{};

    friend constexpr bool operator==(const close_action&, const close_action&) noexcept = default;
};

/// What happened.
struct close_event {
    enum class kind : std::uint8_t {
        half_closed, ///< with the state just before and just after shutdown(SHUT_WR)
        received,    ///< `bytes` were discarded
        end_of_file, ///< the peer's FIN
        reset,       ///< the peer's RST
        failed,      ///< the connection is gone for another reason
        would_block,
        readable,
        timer,
        cancelled,  ///< stop waiting, do what on_limit says
        terminated, ///< abort now
        acked,      ///< the peer has acknowledged every byte and our FIN
        released    ///< the descriptor is closed; `last` was sampled just before
    };

    kind what;
    std::uint64_t bytes = 0;
    tcp_state before = tcp_state::unknown;
    tcp_state after = tcp_state::unknown;
    last_sample last{};
};

/// The closing algorithm: event in, action out; no I/O, no clock, no allocation, a literal type.
/** `now` is the time since start(); a limit is checked whenever an event comes in, so it is exceeded by one wake-up at
 *  most. On each wake-up at most `quota` bytes are discarded, and once more as many when a limit calls for a last look, so
 *  that a flooding peer cannot hold the thread. */
class close_machine {
public:
    static constexpr std::uint32_t quota = 256 * 1024;

    constexpr explicit close_machine(const close_policy& policy) noexcept
        : terms_(policy), deadline_(policy.patience), linger_(policy.linger.time) {}

    constexpr close_action start() noexcept {
        if (terms_.releases_at_once()) return release(terms_.aborts ? action::abort : action::close);
        if (terms_.peer_first) {
            phase_ = phase::patience;
            return receive_next();
        }
        if (!terms_.drains()) return half_close();
        // Takes what is there before our FIN goes out: often the peer's FIN is, and there is nothing left to wait for.
        phase_ = phase::first_look;
        return receive_next();
    }

    constexpr close_action step(const close_event& e, milliseconds now) noexcept {
        switch (e.what) {
        case event::half_closed: return half_closed(e, now);
        case event::received: return received(e.bytes, now);
        case event::end_of_file: return end_of_file(now);
        case event::would_block: return nothing_to_read(now);
        case event::readable: this_wake_up_ = 0; return now >= deadline_ ? time_over(limit_of_phase()) : receive_next();
        case event::timer: return time_over(limit_of_phase());
        case event::cancelled: return time_over(close_limit::cancelled);
        case event::terminated: verdict_.limit = close_limit::cancelled; return release(action::abort);
        case event::acked: return release(action::close);
        case event::reset: verdict_.reset_by_peer = true; return gone();
        case event::failed: verdict_.failed = true; return gone();
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
    constexpr close_outcome outcome() const noexcept { return outcome_of(report(), terms_); }

private:
    using action = close_action::kind;
    using event = close_event::kind;
    enum class phase : std::uint8_t {
        start,
        first_look,
        patience,
        half_closing,
        draining,
        last_look,
        acking,
        releasing,
        done
    };

    constexpr close_action half_close() noexcept {
        phase_ = phase::half_closing;
        return {action::half_close};
    }

    constexpr close_action half_closed(const close_event& e, milliseconds now) noexcept {
        verdict_.half_closed(e.before, e.after);
        linger_ = after(now, linger_);
        if (verdict_.peer_fin || verdict_.limit != close_limit::none || !terms_.drains()) return close_when_acked(now);
        phase_ = phase::draining;
        deadline_ = after(now, terms_.drain_time);
        return now >= deadline_ ? time_over(close_limit::drain_time) : wait_readable();
    }

    constexpr close_action receive_next() noexcept {
        const std::uint64_t left = terms_.drain_bytes - verdict_.discarded;
        peeking_ = left == 0;
        if (peeking_) return {action::peek};
        return {action::receive, next_size()};
    }

    constexpr std::uint64_t next_size() const noexcept {
        return std::min<std::uint64_t>(terms_.drain_bytes - verdict_.discarded, quota - this_wake_up_);
    }

    constexpr close_action received(std::uint64_t bytes, milliseconds now) noexcept {
        const bool emptied = !peeking_ && bytes < next_size();
        if (!peeking_) {
            verdict_.discarded += bytes;
            this_wake_up_ += static_cast<std::uint32_t>(bytes); // no more than the quota was asked for
        }
        if (phase_ == phase::first_look) return half_close();
        const bool tired = this_wake_up_ >= quota;
        if (phase_ == phase::last_look) return tired || peeking_ ? act_on_limit(now) : receive_next();
        if (peeking_) {
            // That byte stays unread, so the kernel answers the close with a reset.
            verdict_.limit = close_limit::drain_bytes;
            return act_on_limit(now);
        }
        if (now >= deadline_) return time_over(limit_of_phase());
        return tired || emptied ? wait_readable() : receive_next();
    }

    constexpr close_action nothing_to_read(milliseconds now) noexcept {
        if (phase_ == phase::first_look) return half_close();
        if (phase_ == phase::last_look) return act_on_limit(now);
        return now >= deadline_ ? time_over(limit_of_phase()) : wait_readable();
    }

    /// Who has filled one quota will fill the next: to wake for all of it saves a wake-up for every few segments.
    constexpr close_action wait_readable() const noexcept {
        const bool flood = verdict_.discarded >= quota && terms_.drain_bytes - verdict_.discarded >= quota;
        return {action::wait_readable, flood ? quota : 1, deadline_};
    }

    constexpr close_action end_of_file(milliseconds now) noexcept {
        verdict_.peer_closed();
        if (phase_ == phase::last_look) {
            // A cancelled close does not wait, so it cannot linger either.
            if (verdict_.limit == close_limit::cancelled && terms_.lingers) return release(on_limit());
            // The FIN had come before the limit was acted upon: the promise is kept.
            verdict_.limit = close_limit::none;
        }
        return close_when_acked(now);
    }

    /// A wait is over. One more look at the receive queue, since a late thread may find the peer's FIN there.
    constexpr close_action time_over(close_limit limit) noexcept {
        if (phase_ == phase::acking) {
            // An earlier limit, told already, stays the reason.
            if (verdict_.limit == close_limit::none) verdict_.limit = limit;
            return release(on_limit());
        }
        verdict_.limit = limit;
        phase_ = phase::last_look;
        this_wake_up_ = 0;
        return receive_next();
    }

    constexpr close_action act_on_limit(milliseconds now) noexcept {
        return on_limit() == action::abort ? release(action::abort) : close_when_acked(now);
    }

    constexpr action on_limit() const noexcept { return terms_.aborts_at_limit ? action::abort : action::close; }

    /// The last step of every orderly close; lingering::until_acked waits here, with our FIN sent.
    constexpr close_action close_when_acked(milliseconds now) noexcept {
        if (!terms_.lingers || verdict_.limit == close_limit::cancelled) return release(action::close);
        if (!verdict_.our_fin) return half_close();
        phase_ = phase::acking;
        deadline_ = linger_;
        if (now >= deadline_) return time_over(close_limit::linger);
        return {action::wait_acked, 0, deadline_};
    }

    constexpr close_limit limit_of_phase() const noexcept {
        return phase_ == phase::patience ? close_limit::patience
               : phase_ == phase::acking ? close_limit::linger
                                         : close_limit::drain_time;
    }

    constexpr close_action gone() noexcept {
        if (phase_ == phase::last_look) verdict_.limit = close_limit::none;
        return release(action::close);
    }

    constexpr close_action release(action how) noexcept {
        phase_ = phase::releasing;
        verdict_.aborting = how == action::abort;
        return {how};
    }

    static constexpr milliseconds after(milliseconds now, milliseconds wait) noexcept {
        constexpr auto end = std::numeric_limits<std::int64_t>::max();
        return milliseconds{wait.count > end - now.count ? end : now.count + wait.count};
    }

    close_terms terms_;
    milliseconds deadline_; ///< of the phase; patience's from the start
    milliseconds linger_;   ///< how long, and from our FIN on until when
    close_verdict verdict_{};
    last_sample last_{};
    std::uint32_t this_wake_up_ = 0;
    phase phase_ = phase::start;
    bool peeking_ = false;
};

} // namespace closeside::detail

#endif
