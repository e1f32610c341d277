// SPDX-License-Identifier: BSL-1.0
#ifndef CLOSESIDE_DETAIL_CLOSE_CLOCK_HPP
#define CLOSESIDE_DETAIL_CLOSE_CLOCK_HPP

#include <closeside/close_policy.hpp>
#include <closeside/detail/kernel/answers.hpp>
#include <closeside/report.hpp>

#include <algorithm>
#include <cstdint>
#include <limits>

namespace closeside::detail {

/// When the limits of a close run out. All times are since its start.
/** Patience and drain_time run from the last acknowledgement of more, drain_idle from that or from the last byte of the
 *  peer's; all from the start of their phase if that is later. What the peer has acknowledged is seen at looks alone:
 *  after one that shows all of it the deadline is final. At a first look nothing is there to compare with: then more has
 *  been acknowledged if an acknowledgement has come in the phase and nothing is left, or data was sent in it; a peer with
 *  a closed window acknowledges our probes, but takes no data. */
class close_clock {
public:
    constexpr explicit close_clock(const close_policy& p) noexcept
        : patience_(p.patience), drain_time_(p.drain_time), drain_idle_(p.drain_idle), linger_(p.linger.time),
          phase_(p.closes_first == side::peer ? phase::patience
                 : p.drain_time.count != 0    ? phase::draining
                                              : phase::lingering) {}

    constexpr close_duration deadline() const noexcept { return std::min(cut_, std::min(longest(), idle())); }
    constexpr bool over(close_duration now) const noexcept { return now >= deadline(); }

    constexpr close_limit limit_over(close_duration now) const noexcept {
        if (now >= cut_) return close_limit::input;
        if (phase_ == phase::patience) return close_limit::patience;
        return now >= longest() ? close_limit::drain_time : close_limit::drain_idle;
    }

    constexpr close_duration linger_deadline() const noexcept { return after(half_closed_, linger_); }

    /// Nothing but our FIN, if that is out, can be under way.
    constexpr bool all_acknowledged() const noexcept { return unacknowledged_ == 0; }

    constexpr void half_closed(close_duration now) noexcept {
        // Waiting for room has spent some of it already.
        const bool begun = room_ && phase_ != phase::patience;
        phase_ = phase::draining;
        cut_ = never;
        stalled_ = false;
        last_byte_ = std::max(last_byte_, now);
        if (begun) return;
        half_closed_ = now;
        from_ = std::max(from_, now);
    }

    constexpr void byte(close_duration now) noexcept { last_byte_ = now; }

    /// The peer sends on instead of its FIN: it has so long from the first time that this is seen.
    constexpr void cut(close_duration rest, close_duration now) noexcept { cut_ = std::min(cut_, after(now, rest)); }

    constexpr void all_acknowledged_by(close_duration now) noexcept {
        if (all_acknowledged()) return;
        unacknowledged_ = 0;
        stalled_ = false;
        from_ = std::max(from_, now);
    }

    constexpr void looked(const connection_look& l, close_duration now) noexcept {
        const close_duration acked = before(now, l.acked_ago);
        const close_duration since = after(from_, resolution);
        const bool more = unacknowledged_ != not_looked
                              ? l.unacknowledged < unacknowledged_
                              : acked > since && (l.unacknowledged == 0 || before(now, l.sent_ago) > since);
        if (more) from_ = std::max(from_, acked);
        unacknowledged_ = l.unacknowledged;
        last_byte_ = std::max(last_byte_, before(now, l.input_ago));
        // While something is under way drain_idle does not run: then the next look is due when drain_time is over.
        stalled_ = false;
        stalled_ = l.unacknowledged != 0 && now >= idle();
    }

    /// There is no room for the last bytes: the phase that they delay begins to run.
    constexpr void wait_for_room(close_duration now) noexcept {
        room_ = true;
        stalled_ = true;
        if (phase_ == phase::patience) return;
        from_ = half_closed_ = now;
        if (linger_.count != 0) cut_ = linger_deadline(); // never extended
    }
    constexpr void room_won(close_duration now) noexcept { from_ = std::max(from_, now); }
    constexpr close_limit limit_of_room(close_duration now) const noexcept {
        if (phase_ == phase::patience) return close_limit::patience;
        return now >= cut_ ? close_limit::linger : close_limit::drain_time;
    }

private:
    enum class phase : std::uint8_t { patience, draining, lingering };
    static constexpr close_duration never{std::numeric_limits<std::int64_t>::max()};
    static constexpr std::uint64_t not_looked = std::numeric_limits<std::uint64_t>::max();
    /// Of the kernel's times: a jiffy.
    static constexpr close_duration resolution{10};

    constexpr close_duration longest() const noexcept {
        if (phase_ == phase::lingering) return never;
        return after(from_, phase_ == phase::patience ? patience_ : drain_time_);
    }
    constexpr close_duration idle() const noexcept {
        if (phase_ != phase::draining || stalled_) return never;
        return after(std::max(from_, last_byte_), drain_idle_);
    }

    static constexpr close_duration after(close_duration t, close_duration wait) noexcept {
        return close_duration{wait.count > never.count - t.count ? never.count : t.count + wait.count};
    }
    /// Never before the start.
    static constexpr close_duration before(close_duration t, std::uint32_t ago) noexcept {
        return close_duration{t.count > ago ? t.count - ago : 0};
    }

    close_duration patience_;
    close_duration drain_time_;
    close_duration drain_idle_;
    close_duration linger_;
    close_duration from_{};        ///< the last progress, or the start of the phase
    close_duration last_byte_{};   ///< of the peer's
    close_duration half_closed_{}; ///< when until_acked began
    close_duration cut_ = never;
    std::uint64_t unacknowledged_ = not_looked; ///< at the last look
    phase phase_;
    bool stalled_ = false; ///< drain_idle does not run
    bool room_ = false;    ///< was waited for
};

} // namespace closeside::detail

#endif
