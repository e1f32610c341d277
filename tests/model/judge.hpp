// SPDX-License-Identifier: BSL-1.0
#ifndef CLOSESIDE_TESTS_MODEL_JUDGE_HPP
#define CLOSESIDE_TESTS_MODEL_JUDGE_HPP

#include "kernel_calls.hpp"
#include "world.hpp"

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>

namespace model {

enum class property : std::uint8_t {
    ends,                ///< no deadlock, no livelock, no wait that nothing can end but a limit
    one_event_an_action, ///< each action is legal where it stands; nothing follows completion
    reply_kept,          ///< no byte of the reply is lost to a peer that reads, while limits allow
    time_wait,           ///< the predicted holder is right
    time_wait_side,      ///< a policy that cannot hold TIME-WAIT never does
    first_fin,
    ended_by,
    limit,           ///< never exceeded by more than one wake-up
    action_at_limit, ///< an abort leaves no orphan behind
    discard_limit,
    quota,
    unacknowledged,
    cancel ///< a cancelled close does not wait any more
};
inline constexpr std::array property_names{
    "ends",  "one event an action", "reply kept",    "time_wait", "time_wait side", "first_fin", "ended_by",
    "limit", "action at limit",     "discard limit", "quota",     "unacknowledged", "cancel"};

/// Where a report cannot be right, since what decides happens where no system call sees it.
enum class exception : std::uint8_t {
    between_look_and_close,
    gone_inside_half_close,
    closing_unseen,
    crossed_out_of_order,
    reset_hid_the_fin,
    peer_reset_later,
    peer_orphan_timed_out,
    forgotten_connection,
    peer_forgot_connection,
    time_wait_killed
};
inline constexpr std::array exception_reasons{
    "a segment was sent or came between the last looks at the socket and close(2)",
    "the peer's FIN came after the look before shutdown(2), and its acknowledgement of ours before the look after it",
    "the FINs crossed, but CLOSING was over before anyone looked: its socket reads CLOSE like one from FIN-WAIT-2",
    "the FINs crossed, but the acknowledgement of ours overtook the peer's FIN, which hides the crossing from our "
    "kernel",
    "a reset took the peer's FIN with it before it could be read",
    "the peer reset the connection after the release",
    "the peer's orphan left FIN-WAIT-2 by its timeout, before our FIN reached it",
    "an abort in CLOSING or LAST-ACK sends nothing and repairs no loss",
    "the peer's program aborted in CLOSING, of which nothing is heard",
    "an RST ended TIME-WAIT (RFC 1337)"};
inline constexpr std::size_t exceptions = exception_reasons.size();
static_assert(static_cast<std::size_t>(exception::time_wait_killed) + 1 == exceptions);
static_assert(static_cast<std::size_t>(property::cancel) + 1 == property_names.size());

struct verdict {
    std::optional<property> broken{};
    std::string detail{};
};

inline verdict broken(property p, std::string detail) { return {p, std::move(detail)}; }

inline const char* side_name(std::optional<closeside::side> s) { return s ? to_string(*s) : "none"; }

/// Judges what a report says of the moment of release. `before` is the world just before close(2), `after` just after.
class release_judge {
public:
    release_judge(const setting& s, const world& before, const world& after, bool sent_reset)
        : setting_(s), before_(before), after_(after), sent_reset_(sent_reset) {}

    template <class Excuse>
    verdict operator()(const closeside::close_report& r, Excuse&& excuse) const {
        const bool raced = before_.past.raced;
        const auto wrong = [&](property p, std::string what, bool excused, exception e) -> verdict {
            if (!excused) return broken(p, what + "; reported " + to_string(r));
            excuse(e);
            return {};
        };
        verdict v;
        const auto unacknowledged = unacknowledged_bytes();
        if (r.unacknowledged != unacknowledged)
            v = wrong(property::unacknowledged, std::to_string(unacknowledged) + " bytes were unacknowledged", raced,
                      exception::between_look_and_close);
        if (v.broken) return v;
        if (const auto ended = ended_by(); r.ended_by != ended)
            v = wrong(property::ended_by, std::string("ended by ") + to_string(ended), raced,
                      exception::between_look_and_close);
        if (v.broken) return v;
        if (const auto first = first_fin(); r.first_fin != first) {
            const std::string what = std::string("the first FIN: ") + side_name(first);
            if (before_.past.gone_in_half_close)
                v = wrong(property::first_fin, what, true, exception::gone_inside_half_close);
            else if (before_.past.reset_by_peer && !before_.our_fin && (!r.first_fin || before_.past.told_before))
                v = wrong(property::first_fin, what, true, exception::reset_hid_the_fin);
            else
                v = wrong(property::first_fin, what, raced, exception::between_look_and_close);
        }
        if (v.broken) return v;
        if (left_to_kernel() != (r.time_wait == time_wait_holder::left_to_kernel))
            return wrong(property::time_wait, "left_to_kernel says that our FIN was first and the peer's had not come",
                         raced, exception::between_look_and_close);
        if (r.limit != closeside::close_limit::none && must_abort() && after_.ours.on_the_wire() &&
            after_.ours.state != tcp_state::time_wait)
            return broken(property::action_at_limit, "an orphan is left in " + std::string(name(after_.ours.state)));
        return v;
    }

private:
    std::uint64_t unacknowledged_bytes() const {
        const auto& s = before_.ours;
        const auto left = s.written - std::min(s.acknowledged, s.written);
        return static_cast<std::uint64_t>(left) * modelled_kernel::reply_unit;
    }

    bool left_to_kernel() const {
        return after_.ours.state == tcp_state::fin_wait1 || after_.ours.state == tcp_state::fin_wait2;
    }

    closeside::ending ended_by() const {
        if (before_.past.gave_up) return closeside::ending::failed;
        if (before_.past.reset_by_peer) return closeside::ending::reset_by_peer;
        return sent_reset_ ? closeside::ending::reset_by_us : closeside::ending::fin;
    }

    std::optional<closeside::side> first_fin() const {
        if (before_.past.our_fin_first) return closeside::side::local;
        if (before_.ours.fin_received) return closeside::side::peer;
        if (after_.ours.fin_written) return closeside::side::local;
        return std::nullopt;
    }

    bool must_abort() const { return resolved_on_limit(setting_.policy) == closeside::limit_action::abort; }

    const setting& setting_;
    const world& before_;
    const world& after_;
    bool sent_reset_;
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
    if (past.gone_in_half_close && said == holder::local && is == holder::peer)
        return exception::gone_inside_half_close;
    if (said == holder::local && is == holder::both && w.ours.passed_closing) return exception::closing_unseen;
    if (said == holder::local && is == holder::both && w.theirs.passed_closing) return exception::crossed_out_of_order;
    if (past.time_wait_killed && fewer) return exception::time_wait_killed;
    if (past.forgotten && said == holder::peer && is == holder::nobody) return exception::forgotten_connection;
    if (past.peer_forgot && said == holder::both && is == holder::local) return exception::peer_forgot_connection;
    if (past.peer_orphan_timed_out && fewer) return exception::peer_orphan_timed_out;
    if (past.reset_after_release && fewer) return exception::peer_reset_later;
    return std::nullopt;
}

/// Judges the very end: the close has completed and nothing moves any more.
template <class Excuse>
verdict judge_end(const setting& s, const world& w, Excuse&& excused) {
    using closeside::detail::close_outcome;
    if (!w.finished) return broken(property::ends, "nothing can happen any more and the close has not completed");
    if (!can_hold_time_wait(s.policy) && w.ours.passed_time_wait)
        return broken(property::time_wait_side, "TIME-WAIT landed here");

    const bool drains = s.policy.drain_time.count != 0 || s.policy.drain_bytes != 0;
    const bool keeps_reply =
        s.policy.linger != closeside::lingering::abort && (drains || s.policy.closes_first == closeside::side::peer);
    const bool peer_reads = s.peer.reads && !w.peer.has_reset && !w.peer.closed_early && !w.past.gave_up;
    if (keeps_reply && peer_reads && w.limit == closeside::close_limit::none && !w.cancelled) {
        const bool reset_by_kernel = w.past.peer_orphan_timed_out && w.outcome == close_outcome::reset_by_peer;
        if (w.outcome != close_outcome::kept && !reset_by_kernel)
            return broken(property::reply_kept, "the outcome is not kept");
        if (w.peer.got != s.reply)
            return broken(property::reply_kept,
                          "the peer read " + std::to_string(w.peer.got) + " of " + std::to_string(s.reply));
        if (!w.peer.got_eof && !w.peer.closed) return broken(property::reply_kept, "the peer never saw the end");
    }
    const time_wait_holder said = w.predicted;
    const time_wait_holder is = holder(w);
    if (said == time_wait_holder::left_to_kernel || said == is) return {};
    const auto exception = excuse(w, said, is);
    if (!exception)
        return broken(property::time_wait, std::string("predicted ") + to_string(said) + ", in truth " + to_string(is));
    excused(*exception);
    return {};
}

} // namespace model

#endif
