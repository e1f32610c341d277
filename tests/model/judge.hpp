// SPDX-License-Identifier: BSL-1.0
#ifndef CLOSESIDE_TESTS_MODEL_JUDGE_HPP
#define CLOSESIDE_TESTS_MODEL_JUDGE_HPP

#include "modelled_kernel.hpp"
#include "properties.hpp"
#include "world.hpp"

#include <algorithm>
#include <cstdint>
#include <optional>
#include <string>

namespace model {

using closeside::close_limit;
using closeside::ending;
using closeside::fin_sender;

/// Judges what a report says of the moment of release. `before` is the world just before close(2), `after` just after.
class release_judge {
public:
    release_judge(const setting& s, const world& before, const world& after)
        : setting_(s), before_(before), after_(after) {}

    template <class Excuse>
    verdict operator()(const closeside::close_report& r, Excuse&& excuse) const {
        const auto wrong = [&](property p, std::string what, std::optional<exception> e) -> verdict {
            if (!e) return broken(p, what + "; reported " + to_string(r));
            excuse(*e);
            return {};
        };
        const auto raced =
            before_.past.raced ? std::optional(exception::between_look_and_close) : std::optional<exception>();
        verdict v;
        if (const auto n = unacknowledged_bytes(); r.unacknowledged != n)
            v = wrong(property::unacknowledged, std::to_string(n) + " bytes were unacknowledged", raced);
        if (v.broken) return v;
        if (const auto ended = ended_by(); r.ended_by != ended)
            v = wrong(property::ended_by, std::string("ended by ") + to_string(ended),
                      r.ended_by == ending::unknown ? taken_by_program() : raced);
        if (v.broken) return v;
        if (const auto first = first_fin(); r.first_fin != first)
            v = wrong(property::first_fin, std::string("the first FIN: ") + to_string(first), no_first_fin(r, raced));
        if (v.broken) return v;
        if (left_to_kernel() != (r.time_wait == time_wait_holder::left_to_kernel))
            v = wrong(property::time_wait, "left_to_kernel says that our FIN was first and the peer's had not come",
                      raced);
        if (!v.broken && r.time_wait == time_wait_holder::unknown && r.ended_by != ending::unknown)
            v = wrong(property::time_wait, "the end is known, and who holds TIME-WAIT is not", in_half_close());
        if (v.broken) return v;
        if (r.limit != close_limit::none && setting_.policy.on_limit == closeside::limit_action::abort &&
            after_.ours.on_the_wire() && after_.ours.state != tcp_state::time_wait)
            return broken(property::action_at_limit,
                          "an orphan is left in " + std::string(to_string(after_.ours.state)));
        if (after_.past.we_reset && !may_reset())
            return broken(property::abort_only, "close(2) over input that had come in time; reported " + to_string(r));
        return last_bytes(r);
    }

    /// Of a close that nobody waits for: unknown is always right.
    template <class Excuse>
    verdict unattended(const closeside::close_report& r, Excuse&& excuse) const {
        const history& past = before_.past;
        const auto excused = [&](bool holds, exception e) { return holds && (excuse(e), true); };
        const auto unless_raced = [&](property p, std::string what) {
            if (excused(past.raced, exception::between_look_and_close)) return verdict{};
            return broken(p, what + "; reported " + to_string(r));
        };
        const bool dead = past.reset_by_peer || past.gave_up;
        const bool behind_fin = dead && before_.ours.fin_received && r.ended_by == ending::fin;
        if (excused(behind_fin, exception::died_behind_the_fin)) return {};
        if (r.ended_by != ending::unknown && r.ended_by != ended_by())
            if (verdict v = unless_raced(property::ended_by, std::string("ended by ") + to_string(ended_by()));
                v.broken)
                return v;
        const bool reset_first = past.reset_by_peer && !before_.ours.fin_written && r.first_fin == fin_sender::none;
        if (r.first_fin != fin_sender::unknown && r.first_fin != first_fin() &&
            !excused(past.gone_in_half_close, exception::fin_before_ours) &&
            !excused(reset_first, exception::reset_hid_the_fin))
            if (verdict v = unless_raced(property::first_fin, std::string("the first FIN: ") + to_string(first_fin()));
                v.broken)
                return v;
        if (r.time_wait == time_wait_holder::left_to_kernel && !left_to_kernel() &&
            !excused(past.gone_in_half_close, exception::fin_before_ours))
            return unless_raced(property::time_wait, "nothing is left to the kernel");
        if (r.unacknowledged != 0) return broken(property::unacknowledged, "never looked at; reported " + to_string(r));
        return last_bytes(r);
    }

private:
    /// By the policy, or over input that came as the connection was let go.
    bool may_reset() const {
        const closeside::close_policy& p = setting_.policy;
        const bool cut = before_.over || before_.cancelled;
        return before_.past.input_raced || p.drain_time.count == 0 || p.linger == closeside::lingering::abort ||
               (cut && (p.on_limit == closeside::limit_action::abort || p.linger2 == closeside::fin_wait2::skip));
    }

    std::uint64_t unacknowledged_bytes() const {
        const auto& s = before_.ours;
        const auto left = s.written - std::min(s.acknowledged, s.written);
        return static_cast<std::uint64_t>(left) * modelled_kernel::reply_unit;
    }

    bool left_to_kernel() const {
        return after_.ours.state == tcp_state::fin_wait1 || after_.ours.state == tcp_state::fin_wait2;
    }

    ending ended_by() const {
        if (before_.past.gave_up) return ending::failed;
        if (before_.past.reset_by_peer) return ending::reset_by_peer;
        return after_.past.we_reset ? ending::reset_by_us : ending::fin;
    }

    fin_sender first_fin() const {
        if (before_.past.our_fin_first) return fin_sender::local;
        if (before_.ours.fin_received) return fin_sender::peer;
        return after_.ours.fin_written ? fin_sender::local : fin_sender::none;
    }

    std::optional<exception> no_first_fin(const closeside::close_report& r, std::optional<exception> raced) const {
        const history& past = before_.past;
        if (r.first_fin == fin_sender::unknown) return past.gone_in_half_close ? in_half_close() : taken_by_program();
        if (past.reset_by_peer && !before_.ours.fin_written && r.first_fin == fin_sender::none)
            return exception::reset_hid_the_fin;
        return raced;
    }

    std::optional<exception> in_half_close() const {
        if (before_.past.gone_in_half_close) return exception::gone_inside_half_close;
        return std::nullopt;
    }

    std::optional<exception> taken_by_program() const {
        if (before_.past.told_before) return exception::program_took_the_error;
        return std::nullopt;
    }

    verdict last_bytes(const closeside::close_report& r) const {
        using fate = closeside::last_bytes_fate;
        const bool all = before_.ours.written == setting_.all();
        if (r.last_bytes != (setting_.last == 0 ? fate::none : all ? fate::sent : fate::not_sent))
            return broken(property::last_bytes,
                          std::to_string(before_.ours.written) + " segments were queued; reported " + to_string(r));
        const bool may_give_up = setting_.policy.linger == closeside::lingering::abort || before_.over ||
                                 before_.cancelled || before_.ours.dead || before_.ours.fin_written ||
                                 releases_at_once();
        if (r.last_bytes == fate::not_sent && !may_give_up)
            return broken(property::last_bytes, "not sent, though there was time");
        return {};
    }

    bool releases_at_once() const { return closeside::detail::close_terms(setting_.policy).releases_at_once(); }

    const setting& setting_;
    const world& before_;
    const world& after_;
};

inline time_wait_holder holder(const world& w) {
    const bool here = w.ours.state == tcp_state::time_wait;
    const bool there = w.theirs.state == tcp_state::time_wait;
    return here && there ? time_wait_holder::both
           : here        ? time_wait_holder::local
           : there       ? time_wait_holder::peer
                         : time_wait_holder::nobody;
}

/// The exception that makes the prediction `said` and the truth `is` both right; each is bound to its own pair.
inline std::optional<exception> excuse(const world& w, time_wait_holder said, time_wait_holder is) {
    using holder = time_wait_holder;
    const history& past = w.past;
    const bool fewer = is == holder::nobody || (said == holder::both && is != holder::both);
    if (past.raced) return exception::between_look_and_close;
    if (past.gone_in_half_close && said == holder::local) return exception::fin_before_ours;
    if ((past.reset_by_peer || past.gave_up) && is == holder::nobody) return exception::died_behind_the_fin;
    if (said == holder::local && is == holder::both && w.ours.passed_closing) return exception::closing_unseen;
    if (said == holder::local && is == holder::both && w.theirs.passed_closing) return exception::crossed_out_of_order;
    if (past.time_wait_killed && fewer) return exception::time_wait_killed;
    if (past.forgotten && said == holder::peer && is == holder::nobody) return exception::forgotten_connection;
    if (past.peer_forgot && said == holder::both && is == holder::local) return exception::peer_forgot_connection;
    if (past.peer_orphan_timed_out && fewer) return exception::peer_orphan_timed_out;
    if (past.reset_after_release && fewer) return exception::peer_reset_later;
    return std::nullopt;
}

/// Has the peer, if it goes on reading, all that was queued?
inline verdict judge_reply(const setting& s, const world& w) {
    const closeside::close_policy& p = s.policy;
    const bool drains = p.drain_time.count != 0;
    const bool cut = w.over || w.cancelled;
    if (p.linger == closeside::lingering::abort || (p.on_limit == closeside::limit_action::abort && cut)) return {};
    if (!s.peer.reads || w.peer.has_reset || w.peer.closed_early || w.past.gave_up) return {};

    // What comes after close(2), or as it runs, the kernel answers with RST; and all that is unread, where none drains.
    const bool skips = p.linger2 == closeside::fin_wait2::skip;
    const bool kernel_reset = w.past.refused_input || (w.past.we_reset && (w.past.input_raced || !drains || skips));
    const bool excused = (kernel_reset && (cut || !drains)) || w.past.peer_orphan_timed_out;
    if (!excused && w.peer.got != w.ours.written)
        return broken(property::reply_kept,
                      "the peer read " + std::to_string(w.peer.got) + " of " + std::to_string(w.ours.written));
    if (!excused && !w.peer.got_eof && !w.peer.closed)
        return broken(property::reply_kept, "the peer never saw the end");
    const bool waits = drains || p.closes_first == closeside::side::peer;
    if (waits && !excused && !cut && w.limit == close_limit::none && !w.kept)
        return broken(property::reply_kept, "the close reports an error");
    return {};
}

/// Judges the very end: the close has completed and nothing moves any more.
template <class Excuse>
verdict judge_end(const setting& s, const world& w, Excuse&& excused) {
    if (!w.finished) return broken(property::ends, "nothing can happen any more and the close has not completed");
    if (!can_hold_time_wait(s.policy) && w.ours.passed_time_wait)
        return broken(property::time_wait_side, "TIME-WAIT landed here");
    if (verdict v = judge_reply(s, w); v.broken) return v;
    const time_wait_holder said = w.predicted;
    const time_wait_holder is = holder(w);
    if (said == time_wait_holder::left_to_kernel || said == time_wait_holder::unknown || said == is) return {};
    const auto exception = excuse(w, said, is);
    if (!exception)
        return broken(property::time_wait, std::string("predicted ") + to_string(said) + ", in truth " + to_string(is));
    excused(*exception);
    return {};
}

} // namespace model

#endif
