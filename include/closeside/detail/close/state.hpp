// SPDX-License-Identifier: BSL-1.0
#ifndef CLOSESIDE_DETAIL_CLOSE_STATE_HPP
#define CLOSESIDE_DETAIL_CLOSE_STATE_HPP

#include <closeside/detail/close/acting_limit.hpp>
#include <closeside/detail/close/clock.hpp>
#include <closeside/detail/close/conclude.hpp>
#include <closeside/detail/close/facts.hpp>
#include <closeside/detail/close/intake.hpp>
#include <closeside/detail/close/terms.hpp>
#include <closeside/detail/kernel/last_sample.hpp>

#include <cstdint>
#include <utility>

namespace closeside::detail {

/// How far a close has come, what it has learnt, and what is said of it in the end.
class close_state {
public:
    constexpr bool finished() const noexcept { return phase_ == phase::released; }

    /// The connection just before the release, for the report.
    constexpr void sampled(const last_sample& last) noexcept { last_ = last; }

    /// Behind the peer's FIN, as a look shows that waits for it: of a FIN that came first this is CLOSING.
    constexpr void fin_unacknowledged() noexcept {
        if (facts_.our_fin && facts_.first_fin == fin_sender::local) facts_.crossed = true;
    }

    /// Meaningful once finished; `elapsed` is the caller's to fill in.
    constexpr close_report report() const noexcept { return conclude(facts_, terms_, last_); }

    /// The same if nobody waits for it, so that sampled() has not been called.
    constexpr close_report report_unseen(bool may_be_multipath) const noexcept {
        const bool connected = facts_.discarded != 0 || looked_;
        return conclude_unseen(facts_, terms_, {state_, connected, can_read_ || fin_is_in_, quiet_, may_be_multipath});
    }

    /// `r`: report().
    constexpr close_error error(const close_report& r) const noexcept { return error_of(r, terms_, facts_, last_); }

protected:
    enum class phase : std::uint8_t { sending, first_look, patience, closing, last_look, acking, released };

    constexpr explicit close_state(const close_policy& policy, const close_manner& manner) noexcept
        : terms_(policy), clock_(policy), intake_(policy.drain_bytes), to_send_(manner.last_bytes),
          wants_report_(manner.wants_report) {
        terms_.close_aborts = terms_.aborts && manner.linger_is_set;
        if (to_send_ != 0) facts_.last_bytes = last_bytes_fate::not_sent;
        if (manner.says_goodbye) facts_.goodbye = to_send_;
        facts_.heard_goodbye = manner.heard_goodbye;
    }

    // What a close that has no report to make learns from calls that it makes anyway.
    constexpr void first_look_unseen(tcp_state s) noexcept {
        if (!wants_report_ && !looked_) state_ = s;
    }
    constexpr void nothing_there_unseen() noexcept {
        quiet_ = !wants_report_ && phase_ != phase::sending;
        if (facts_.our_fin) was_first_unless(!quiet_);
    }
    constexpr void half_closed_unseen() noexcept { was_first_unless(!std::exchange(quiet_, false)); }
    /// `s`: a state behind the peer's FIN.
    constexpr void saw_fin(tcp_state s) noexcept {
        fin_is_in_ = !wants_report_ && s != tcp_state::unknown;
        facts_.peer_closed(s);
    }

    close_terms terms_;
    close_clock clock_;
    close_facts facts_{};
    last_sample last_{};
    close_intake intake_;
    std::uint32_t to_send_;
    acting_limit limit_;
    phase phase_ = phase::closing;
    bool wants_report_;
    bool can_read_ = false;                ///< a read has found nothing, so that reading is not shut down
    tcp_state state_ = tcp_state::unknown; ///< without a report: as the first look has shown it
    bool fin_is_in_ = false;               ///< … the peer's, as a look has shown
    bool quiet_ = false;                   ///< … the last read has found nothing, and our FIN was out then if it is
    bool woken_ = false;                   ///< at least once
    bool looked_ = false;                  ///< at what is unacknowledged
    bool drain_follows_ = false;
    bool waits_for_room_ = false;
    bool acked_ = false; ///< all, and our FIN

private:
    /// No look tells who was first, but a read that has found no FIN just before ours, or finds none after it.
    constexpr void was_first_unless(bool there_may_be_a_fin) noexcept {
        if (!there_may_be_a_fin && facts_.first_fin == fin_sender::unknown) facts_.first_fin = fin_sender::local;
    }
};

} // namespace closeside::detail

#endif
