// SPDX-License-Identifier: BSL-1.0
#ifndef CLOSESIDE_TESTS_MODEL_REFINEMENT_HPP
#define CLOSESIDE_TESTS_MODEL_REFINEMENT_HPP

#include "properties.hpp"
#include "rfc9293.hpp"
#include "world.hpp"

#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <optional>
#include <string>

namespace model {

/// Is a step of the exploration one that RFC 9293 allows, for both endpoints, with every segment that it sends?
class refinement {
public:
    verdict judge(const world& before, const world& after, step by) {
        switch (by.what) {
        case move::arrives_here:
            return arrival(before.ours, after.ours, unpacked(by.byte), before.to_them, after.to_them);
        case move::arrives_there:
            return arrival(before.theirs, after.theirs, unpacked(by.byte), before.to_us, after.to_us);
        case move::lost_to_us:
        case move::lost_to_them: return {}; // of the network
        case move::we_resend: return resent(before.ours, after.ours, unpacked(by.byte), after.to_them);
        case move::they_resend: return resent(before.theirs, after.theirs, unpacked(by.byte), after.to_us);
        default: break;
        }
        if (verdict v = by_user(before.ours, after.ours, by, before.to_them, after.to_them); v.broken) return v;
        return by_user(before.theirs, after.theirs, by, before.to_us, after.to_us);
    }

    const rfc9293::rows_met& met() const { return met_; }

private:
    using event = rfc9293::event;
    using answer = rfc9293::answer;

    /// What an endpoint comes to, and the one segment that it answers with.
    struct outcome {
        tcp_state state;
        std::uint8_t acknowledged; ///< SND.UNA
        std::uint8_t expected;     ///< RCV.NXT
        std::optional<segment> sends{};
    };

    static verdict wrong(const std::string& what, const tcp_endpoint& was, const tcp_endpoint& is) {
        return broken(property::tcp, what + ": from " + to_string(was.state) + " to " + to_string(is.state) +
                                         ", SND.UNA " + std::to_string(was.acknowledged) + " to " +
                                         std::to_string(is.acknowledged) + ", RCV.NXT " + std::to_string(was.expected) +
                                         " to " + std::to_string(is.expected));
    }

    /// Equal segments under way are one, so a segment that is sent may be one that was there.
    static bool holds(const channel& c, segment s) {
        for (std::size_t i = 0; i < c.size(); ++i)
            if (packed(c[i]) == packed(s)) return true;
        return false;
    }

    /// Calls each(segment) for what is new; false from it ends that, and is the result.
    template <class Each>
    static bool sent(const channel& before, const channel& after, Each&& each) {
        for (std::size_t i = 0; i < after.size(); ++i)
            if (!holds(before, after[i]) && !each(after[i])) return false;
        return true;
    }

    static bool is_outcome(const tcp_endpoint& is, const outcome& o, const channel& before, const channel& after) {
        if (is.state != o.state || is.acknowledged != o.acknowledged || is.expected != o.expected) return false;
        if (o.sends && !holds(after, *o.sends)) return false;
        return sent(before, after, [&](segment s) { return o.sends && packed(s) == packed(*o.sends); });
    }

    /// 3.10.7, SEGMENT ARRIVES.
    verdict arrival(const tcp_endpoint& was, const tcp_endpoint& is, segment s, const channel& before,
                    const channel& after) {
        if (is_outcome(is, arrives(was, s), before, after)) return {};
        if (const auto other = arrives_in_linux(was, s); other && is_outcome(is, *other, before, after)) return {};
        return wrong("no row allows what " + to_string(s) + " has led to", was, is);
    }

    static bool has_text(segment s) { return s.what == flag::data || s.what == flag::fin; }
    static outcome unchanged(const tcp_endpoint& e) { return {e.state, e.acknowledged, e.expected}; }
    static segment ack_of(std::uint8_t expected) { return {flag::ack, 0, expected}; }
    static segment rst_for(segment s) { return {flag::rst, s.ack, 0}; }

    outcome arrives(const tcp_endpoint& e, segment s) {
        outcome o = unchanged(e);
        if (e.state == tcp_state::close) { // 3.10.7.1
            if (s.what != flag::rst) o.sends = rst_for(s);
            return o;
        }
        if (s.what == flag::rst) return reset(e, s);
        // First, the number: a bare ACK of the model has none.
        if (has_text(s) && s.number < e.expected) {
            o.sends = ack_of(e.expected);
            return o;
        }
        return acceptable(e, s);
    }

    /// Second: exact, or in the window, or outside it.
    outcome reset(const tcp_endpoint& e, segment s) {
        outcome o = unchanged(e);
        if (s.number == e.expected) o.state = rfc9293::after(e.state, event::reset, met_);
        if (s.number > e.expected) o.sends = ack_of(e.expected);
        return o;
    }

    /// Fifth, seventh and eighth: the ACK, the text, the FIN.
    outcome acceptable(const tcp_endpoint& e, segment s) {
        outcome o = unchanged(e);
        take_ack(e, s, o);
        if (o.state == tcp_state::close) return o;
        // TCP_LINGER2 < 0 has the kernel abort for a user who has gone.
        if (e.orphan && e.linger2_skip && e.state == tcp_state::fin_wait1 && o.state == tcp_state::fin_wait2)
            return ends(o, event::abort, s);
        const bool new_data = has_text(s) && (s.number > e.expected || s.what == flag::data);
        if (e.orphan && new_data) return ends(o, event::unread_data, s);
        if (!has_text(s)) return o;
        const std::uint8_t fin = s.what == flag::fin ? s.number : e.peer_fin;
        for (const unsigned held = e.early | 1u << s.number; (held >> o.expected & 1u) != 0;)
            if (o.expected++ == fin) o.state = rfc9293::after(o.state, event::fin, met_);
        o.sends = ack_of(o.expected);
        return o;
    }

    void take_ack(const tcp_endpoint& e, segment s, outcome& o) {
        const bool sends_yet = e.state != tcp_state::fin_wait2 && e.state != tcp_state::time_wait;
        if (!sends_yet || s.ack <= e.acknowledged || s.ack > e.sent) return;
        o.acknowledged = s.ack;
        if (e.fin_written && s.ack > e.written) o.state = rfc9293::after(e.state, event::fin_acknowledged, met_);
    }

    outcome ends(outcome o, event why, segment s) {
        o.sends = rst_for(s);
        if (const auto* row = rfc9293::find(o.state, why, answer::rst, met_)) o.state = row->to;
        return o;
    }

    /// Where Linux is known to do something else, by the function of the kernel that does it.
    std::optional<outcome> arrives_in_linux(const tcp_endpoint& e, segment s) {
        outcome o = unchanged(e);
        const bool orphan_in_fin_wait2 = e.orphan && e.state == tcp_state::fin_wait2;
        if (s.what == flag::rst && orphan_in_fin_wait2) { // tcp_timewait_state_process
            if (s.number < e.expected) o.sends = ack_of(e.expected);
            if (s.number > e.expected) o.state = tcp_state::close;
            return o;
        }
        // No challenge in TIME-WAIT (tcp_timewait_state_process).
        if (s.what == flag::rst && e.state == tcp_state::time_wait && s.number != e.expected) return o;
        // The ACK of an old segment counts (tcp_sequence goes by rcv_wup).
        if (!has_text(s) || s.number >= e.expected) return std::nullopt;
        take_ack(e, s, o);
        if (e.orphan && e.linger2_skip && e.state == tcp_state::fin_wait1 && o.state == tcp_state::fin_wait2)
            return ends(o, event::abort, s);
        if (o.state != tcp_state::close) o.sends = ack_of(e.expected);
        return o;
    }

    /// What was sent once and is not acknowledged: the first of it.
    verdict resent(const tcp_endpoint& was, const tcp_endpoint& is, segment s, const channel& after) {
        const bool allowed = is.state == was.state && is.sent == was.sent && s.number == was.acknowledged &&
                             s.number < was.sent && is_text(was, s) && holds(after, s);
        return allowed ? verdict{} : wrong("nothing allows that " + to_string(s) + " is sent again", was, is);
    }

    static bool is_text(const tcp_endpoint& e, segment s) {
        const bool fin = s.what == flag::fin;
        return has_text(s) && s.ack == e.expected &&
               (fin ? e.fin_written && s.number == e.written : s.number < e.written);
    }

    /// A call of the user, time, or text that goes out as the window lets it.
    verdict by_user(const tcp_endpoint& was, const tcp_endpoint& is, step by, const channel& before,
                    const channel& after) {
        if (std::memcmp(&was, &is, sizeof was) == 0) return nothing_sent(was, is, before, after);
        bool reset = false;
        const bool text_only = sent(before, after, [&](segment s) {
            if (s.what != flag::rst) return s.number >= was.sent && s.number < is.sent && is_text(is, s);
            reset = s.number == was.sent;
            return reset;
        });
        if (!text_only) return wrong("a segment was sent that nothing has queued", was, is);
        if (is.acknowledged != was.acknowledged || is.expected != was.expected || is.sent < was.sent)
            return wrong("numbers moved by themselves", was, is);
        if (is.state == was.state) return reset ? wrong("RST without an end", was, is) : verdict{};
        const bool by_time =
            by.what == move::path_dies || by.what == move::our_fin_wait2_ends || by.what == move::their_fin_wait2_ends;
        const event on = by_time ? event::user_timeout : is.state == tcp_state::close ? event::abort : event::close;
        const auto* row = rfc9293::find(was.state, on, reset ? answer::rst : answer::nothing, met_);
        if (row != nullptr && row->to == is.state) return {};
        return wrong("no row allows what " + to_string(by) + " has led to", was, is);
    }

    static verdict nothing_sent(const tcp_endpoint& was, const tcp_endpoint& is, const channel& before,
                                const channel& after) {
        if (sent(before, after, [](segment) { return false; })) return {};
        return wrong("a segment was sent for no reason", was, is);
    }

    rfc9293::rows_met met_{};
};

} // namespace model

#endif
