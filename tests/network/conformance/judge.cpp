// SPDX-License-Identifier: BSL-1.0
#include "judge.hpp"

#include "ending.hpp"

#include <closeside/error.hpp>

#include <chrono>

namespace conformance {

namespace kv = kernel_view;
using namespace std::chrono_literals;

const char* to_string(race r) noexcept {
    switch (r) {
    case race::fin_in_half_close: return "the peer's FIN came between the look before our FIN and our FIN";
    case race::assassination: return "TIME-WAIT assassination (RFC 1337) by an overtaken acknowledgement";
    case race::closing_passed: return "FINs crossed, CLOSING over before the socket could be asked";
    case race::fin_before_abort: return "the peer's FIN came between the last look and our RST";
    case race::reset_behind_fin: return "the peer's RST came behind its FIN, which no read tells";
    case race::input_at_close: return "input came between the last look and close(2)";
    }
    return "?";
}

namespace {

constexpr unsigned any_reset = end::local_reset | end::fin_local_reset | end::fin_answer_reset | end::answer_reset |
                               end::peer_reset | end::fin_peer_reset;

/// Where a report may say unknown, and of what: the one list. Everywhere else it must know.
struct unknown_cell {
    peer_kind peer;
    bool first_fin, ended_by, time_wait;
    const char* why;
};

constexpr unknown_cell unknown_cells[] = {
    {peer_kind::our_fin_before, true, true, true,
     "in CLOSE without an error; the socket does not say who connected, so whether our FIN was acknowledged is open, "
     "and "
     "not which FIN came first"},
    {peer_kind::our_fin_after, true, true, true, "the same"},
    {peer_kind::fins_crossed, true, true, true, "the same"},
    {peer_kind::took_reset, true, true, true, "the program has taken the error, and without it all ends look alike"},
    {peer_kind::multipath_took_reset, true, true, true, "the same"},
    {peer_kind::took_timeout, true, true, true, "the same"},
    {peer_kind::shut_rd_trickles, false, true, false,
     "our kernel's RST, in answer to data after SHUT_RD and our FIN, leaves the error that the peer's would"},
};

/// How late a loaded machine may be.
constexpr auto machine_s_own = 500ms;
/// How long close(2) may take: `elapsed` ends behind it.
constexpr auto close_itself = 2ms;

class case_of {
public:
    explicit case_of(const evidence& e) : e_(e), ending_(e.wire.ending()) {}

    judgement decide() {
        if (e_.wire.assassinated()) raced(race::assassination);
        kernel_keeps_the_promise();
        peer_got_its_reply();
        told_once();
        if (tells_a_report(e_.id.way) && e_.calls == 1 && !closed_for_one_holder()) {
            error_code_matches();
            limit_is_the_one_that_ran_out();
            last_bytes_match();
            ending_matches();
            byte_counts_match();
            if (is_multipath(e_.id.peer)) return tells_little(), std::move(found_);
            first_fin_matches();
            time_wait_matches();
            descriptor_was_released();
        }
        return std::move(found_);
    }

    judgement decide_counted() {
        counted_ = !tells_a_report(e_.id.way);
        if (closed_for_one_holder()) return std::move(found_);
        if (e_.wire.assassinated()) raced(race::assassination);
        if (said().ended_by != cs::ending::unknown) ending_matches();
        if (is_multipath(e_.id.peer)) return tells_little(), std::move(found_);
        if (said().first_fin != cs::fin_sender::unknown) first_fin_matches();
        if (said().time_wait != cs::time_wait_holder::unknown) time_wait_matches();
        return std::move(found_);
    }

private:
    void differs(std::string what) { found_.mismatches.push_back(std::move(what)); }
    void expect(bool holds, const char* otherwise) {
        if (!holds) differs(otherwise);
    }
    void raced(race r) { found_.races.push_back(r); }

    const cs::close_policy& policy() const { return e_.id.policy; }
    const cs::close_report& said() const { return e_.report; }
    bool is(unsigned ends) const { return (ending_ & ends) != 0; }
    bool was(peer_kind kind) const { return e_.id.peer == kind; }
    /// close(2) of a socket that others hold as well does nothing, and no system call tells of them.
    bool closed_for_one_holder() const { return was(peer_kind::shared) && is(end::silence); }
    const unknown_cell& unknown_here() const {
        static constexpr unknown_cell none{};
        for (const unknown_cell& u : unknown_cells)
            if (was(u.peer)) return u;
        return none;
    }
    bool skips_fin_wait2() const { return policy().linger2 == cs::fin_wait2::skip; }
    bool peer_sends() const {
        return was(peer_kind::floods) || was(peer_kind::trickles) || was(peer_kind::shut_rd_trickles);
    }

    /// Before the close's own clock, so no later than the release itself.
    wall_clock::time_point released() const { return e_.started + said().elapsed; }

    void kernel_keeps_the_promise() {
        const unsigned promise = promised(e_.id);
        if (!is(promise)) {
            if (input_came_at_close())
                raced(race::input_at_close);
            else
                differs("promised: " + end_text(promise) + "; the wire shows: " + end_text(ending_));
        }
        expect(at_rest(e_, ending_), "the kernel's tables are not at rest, or not as the segments leave them");
        if (ending_ == end::orphan) {
            const auto most = policy().linger2.how == cs::fin_wait2::mode::timed ? policy().linger2.time.count : 60'000;
            expect(e_.local_at_end.timer_ms <= most, "the orphan's FIN-WAIT-2 lasts longer than linger2 says");
        }
        expect(!e_.taken, "the accept whose context was destroyed has run its handler");
        expect(e_.peer_ended || was(peer_kind::silent) || was(peer_kind::multipath_silent) ||
                   was(peer_kind::stops_reading) || was(peer_kind::our_fin_alone) || was(peer_kind::took_timeout) ||
                   never_connected(e_.id.peer) || closed_for_one_holder(),
               "the peer has learnt of no end");
    }

    /// close(2) sent RST, with our FIN out or in its place, though nothing was unread when the close looked: bytes of a
    /// peer that sends.
    bool input_came_at_close() const {
        const unsigned promise = promised(e_.id);
        return peer_sends() && ((is(end::fin_local_reset) && (promise & (end::fin_answer_reset | end::orphan))) ||
                                (is(end::local_reset) && (promise & end::fin_answer_reset)));
    }

    /// End of file is all that the close's own reads tell of it.
    bool reset_came_behind_fin() const {
        const wire_record& w = e_.wire;
        const bool reset = counted_ && is(end::peer_reset | end::fin_peer_reset);
        return reset && w.peer_fin && w.peer_fin->when <= w.peer_rst->when;
    }

    /// Our FIN acknowledges the peer's, which left less than a millisecond before: no look could have seen it.
    bool fin_came_in_half_close() const {
        using namespace std::chrono;
        if (!is(end::passive) || !was(peer_kind::simultaneous)) return false;
        return abs(e_.wire.our_fin->when - e_.wire.peer_fin->when) < 1ms;
    }

    void peer_got_its_reply() {
        if (was(peer_kind::reads_slowly)) {
            if (waits_for_reader(e_.id))
                expect(e_.peer_received == e_.written, "the slow reader has not got its reply");
            return;
        }
        if (e_.written == 0 || is(end::silence | any_reset)) return;
        expect(e_.peer_received == e_.written && e_.peer_saw_eof, "an orderly close has lost bytes of the reply");
    }

    void told_once() {
        const int expected = tells_a_report(e_.id.way) ? 1 : 0;
        if (e_.calls != expected)
            differs("the handler ran " + std::to_string(e_.calls) + " times, not " + std::to_string(expected));
    }

    void error_code_matches() {
        closeside::error_code expected;
        switch (said().limit) {
        case cs::close_limit::patience: expected = cs::error::patience_over; break;
        case cs::close_limit::input: expected = cs::error::peer_still_sends; break;
        case cs::close_limit::drain_time:
        case cs::close_limit::drain_idle: expected = cs::error::drain_time_over; break;
        case cs::close_limit::drain_bytes: expected = cs::error::drain_bytes_over; break;
        case cs::close_limit::linger: expected = cs::error::linger_over; break;
        case cs::close_limit::cancelled:
        case cs::close_limit::shed: expected = cs::error::cancelled; break;
        case cs::close_limit::none:
            if (never_connected(e_.id.peer))
                expected = asio::error::not_connected;
            else if (policy().linger != cs::lingering::abort) // who aborts has promised nothing that an end could break
                expected = error_of_earlier_end();
        }
        if (e_.ec != expected) differs("the error code is '" + e_.ec.message() + "', not '" + expected.message() + "'");
    }

    closeside::error_code error_of_earlier_end() const {
        if (was(peer_kind::took_reset) || was(peer_kind::multipath_took_reset) || was(peer_kind::took_timeout))
            return asio::error::not_connected;
        if (said().ended_by == cs::ending::reset_by_peer) return cs::error::reset_by_peer;
        // A reset whose sender is not known has the system's code.
        if (said().ended_by == cs::ending::unknown && was(peer_kind::shut_rd_trickles))
            return asio::error::connection_reset;
        return {};
    }

    /// Which limit runs out if nobody cuts the close short.
    cs::close_limit limit_of_peer() const {
        using limit = cs::close_limit;
        const cs::close_policy& p = policy();
        const bool local = p.closes_first == cs::side::local;
        // While something of ours is unacknowledged drain_idle does not run; a peer that sends is not idle.
        const limit quiet = p.drain_idle < p.drain_time ? limit::drain_idle : limit::drain_time;
        switch (e_.id.peer) {
        case peer_kind::closes_on_eof:
        case peer_kind::multipath_closes_on_eof:
        case peer_kind::urgent:
        case peer_kind::shared:
        case peer_kind::shut_rd: return local ? limit::none : limit::patience;
        case peer_kind::reads_slowly: // until_acked too: asked when the drain is over, everything is acknowledged
        case peer_kind::asks_later: return local ? limit::none : limit::input;
        case peer_kind::shut_rd_trickles: return local ? limit::none : limit::patience;
        case peer_kind::floods:
            if (p.drain_bytes != cs::unlimited) return limit::drain_bytes;
            return local ? limit::drain_time : limit::input;
        case peer_kind::trickles: return local ? limit::drain_time : limit::input;
        case peer_kind::our_fin_alone:
        case peer_kind::multipath_silent:
        case peer_kind::silent: return local ? quiet : limit::patience;
        case peer_kind::stops_reading: return local ? limit::drain_time : limit::patience;
        default: return limit::none;
        }
    }

    void limit_is_the_one_that_ran_out() {
        using limit = cs::close_limit;
        const limit l = said().limit;
        limit expected = waits() ? limit_of_peer() : limit::none;
        const bool cut = cuts_mid_way(e_.id.way) && waits();
        // How much of a flood has come before the cut is the machine's affair.
        const bool flood_cut = cut && expected == limit::drain_bytes && l == limit::cancelled;
        if (cut && expected != limit::drain_bytes && (expected != limit::none || outlasts_the_cut()))
            expected = limit::cancelled;
        // A waiting close learns of the SHUT_RD with the first input, and from then on sees none.
        const bool either = was(peer_kind::shut_rd_trickles) && expected == limit::patience && l == limit::input;
        if (l != expected && !flood_cut && !either)
            differs(std::string("limit=") + to_string(l) + ", not " + to_string(expected));
        took_as_long_as(l);
    }

    /// Nothing of this peer's ends the close before it is cut.
    bool outlasts_the_cut() const {
        switch (e_.id.peer) {
        case peer_kind::resets_mid_drain:
        case peer_kind::shut_both_later:
        case peer_kind::asks_later:
        case peer_kind::reads_slowly:
        case peer_kind::goodbye: return true;
        case peer_kind::shut_rd_later:
        case peer_kind::pipelined: return policy().closes_first == cs::side::peer;
        default: return false;
        }
    }

    bool waits() const {
        const cs::close_policy& p = policy();
        return p.linger != cs::lingering::abort && (p.closes_first == cs::side::peer || p.drain_time.count != 0);
    }

    void took_as_long_as(cs::close_limit l) {
        using limit = cs::close_limit;
        const cs::close_policy& p = policy();
        if (l == limit::drain_time) expect(said().elapsed >= p.drain_time, "drain_time had not run out");
        if (l == limit::drain_idle) expect(said().elapsed >= p.drain_idle, "drain_idle had not run out");
        if (l == limit::patience) expect(said().elapsed >= p.patience, "patience had not run out");
        if (l == limit::cancelled) expect(e_.cut != wall_clock::time_point{}, "cancelled, but nobody did");
        if (was(peer_kind::reads_slowly)) return;
        if (l == limit::input) told_the_peer_in_time();
        const bool lingers = p.linger.how == cs::lingering::mode::until_acked;
        std::chrono::milliseconds longest{0};
        if (waits() && p.closes_first == cs::side::peer) longest += p.patience;
        if (waits()) longest += p.drain_time;
        if (waits() && lingers) longest += p.linger.time;
        expect(said().elapsed < longest + machine_s_own, "the close took far longer than its limits");
    }

    /// A peer that sends instead of its FIN learns of the end 200 ms after the first byte.
    void told_the_peer_in_time() {
        const std::optional<observation::segment>& end = e_.wire.our_fin ? e_.wire.our_fin : e_.wire.our_abort;
        if (!end || e_.peer_sent_on == wall_clock::time_point{})
            return differs("limit=input, but the peer sent nothing, or was told nothing");
        const auto after = end->when - e_.peer_sent_on;
        expect(after > 150ms, "limit=input, but a goodbye's FIN had not its 200 ms");
        expect(after < 200ms + machine_s_own, "the peer sent more, and was told too late");
    }

    /// That those sent have arrived is seen at the peers that read: peer_got_its_reply().
    void last_bytes_match() {
        using fate = cs::last_bytes_fate;
        fate expected = fate::none;
        if (e_.id.way == way_out::with_last_bytes)
            expected = policy().linger == cs::lingering::abort ? fate::not_sent : fate::sent;
        // The kernel adds a few bytes to the last buffer of a full queue, if there is room in that.
        if (was(peer_kind::stops_reading) && expected == fate::sent && said().last_bytes == fate::not_sent) return;
        if (said().last_bytes != expected)
            differs(std::string("last_bytes=") + to_string(said().last_bytes) + ", not " + to_string(expected));
    }

    void ending_matches() {
        switch (said().ended_by) {
        case cs::ending::reset_by_us:
            expect(is(end::local_reset | end::fin_local_reset) || (skips_fin_wait2() && is(end::fin_answer_reset)),
                   "ended_by=reset_by_us, but this side has not reset");
            break;
        case cs::ending::reset_by_peer:
            expect(is(end::peer_reset | end::fin_peer_reset), "ended_by=reset_by_peer, but the peer has not reset");
            expect(e_.wire.peer_rst && e_.wire.peer_rst->when <= e_.told, "the peer's reset was foretold");
            break;
        case cs::ending::fin:
            if (is(end::local_reset | end::fin_local_reset) && input_came_at_close()) break;
            if (reset_came_behind_fin()) return raced(race::reset_behind_fin);
            expect(!is(end::local_reset | end::fin_local_reset | end::peer_reset), "ended_by=fin, but there was a RST");
            expect(!never_connected(e_.id.peer) && !was(peer_kind::took_timeout), "ended_by=fin, but there was none");
            // Under linger2 = skip that answer is the kernel's own, to the acknowledgement of our FIN.
            if (is(end::fin_answer_reset) && !skips_fin_wait2())
                expect(e_.wire.our_answer->when + close_itself >= released(),
                       "ended_by=fin, but RST was sent before the release");
            if (is(end::fin_peer_reset))
                expect(e_.wire.peer_rst->when + close_itself >= released(),
                       "ended_by=fin, but the peer's RST came before the release");
            break;
        case cs::ending::failed:
            expect(never_connected(e_.id.peer) || was(peer_kind::took_timeout), "ended_by=failed, but nothing has");
            break;
        case cs::ending::unknown: expect(unknown_here().ended_by, "ended_by=unknown"); break;
        }
    }

    void first_fin_matches() {
        const wire_record& w = e_.wire;
        if (said().first_fin == cs::fin_sender::local) {
            // Behind a full send queue it is sent as far as the program is concerned, and a reset overtakes it there.
            const bool queued = was(peer_kind::stops_reading) || was(peer_kind::reads_slowly);
            expect(w.our_fin || queued || input_came_at_close(), "first_fin=local, but no FIN of ours was sent");
            if (fin_came_in_half_close()) return raced(race::fin_in_half_close);
            expect(!is(end::passive), "first_fin=local, but our FIN acknowledges the peer's");
        } else if (said().first_fin == cs::fin_sender::peer) {
            expect(w.peer_fin.has_value(), "first_fin=peer, but no FIN of the peer's was sent");
            expect(!is(end::active | end::crossed), "first_fin=peer, but our FIN does not acknowledge the peer's");
        } else if (said().first_fin == cs::fin_sender::unknown) {
            if (fin_came_in_half_close()) return raced(race::fin_in_half_close);
            expect(unknown_here().first_fin, "first_fin=unknown");
        } else {
            expect(!w.our_fin, "first_fin=none, but we have sent one");
            // One that left after our RST had not been there.
            if (!w.peer_fin || (w.our_abort && w.peer_fin->when > w.our_abort->when)) return;
            const bool in_between = w.our_abort && w.peer_fin->when > e_.started;
            if (is(end::local_reset) && in_between)
                raced(race::fin_before_abort);
            else
                differs("first_fin=none, but the peer had sent one");
        }
    }

    void time_wait_matches() {
        using holder = cs::time_wait_holder;
        const kv::tcp_state local = e_.local_when_told.state;
        const bool either = said().first_fin == cs::fin_sender::local || said().first_fin == cs::fin_sender::unknown;
        if (either && fin_came_in_half_close()) return; // counted there
        if (reset_came_behind_fin()) return;
        switch (said().time_wait) {
        case holder::nobody:
            expect(is(any_reset) || never_connected(e_.id.peer) || was(peer_kind::took_timeout),
                   "time_wait=nobody after an end without reset");
            break;
        case holder::peer: expect(is(end::passive), "time_wait=peer after no passive close"); break;
        case holder::both: expect(is(end::crossed), "time_wait=both, but the FINs did not cross"); break;
        case holder::local:
            if (is(end::crossed))
                raced(race::closing_passed);
            else
                expect(is(end::active), "time_wait=local after no active close");
            expect(local == kv::time_wait || e_.wire.assassinated(),
                   "time_wait=local, but at completion the kernel shows none");
            break;
        case holder::left_to_kernel:
            expect(!is(end::passive), "time_wait=left_to_kernel, but it is the peer's");
            expect(local != kv::established && local != kv::close_wait && local != kv::last_ack,
                   "time_wait=left_to_kernel, but our FIN was not the first");
            break;
        case holder::unknown: expect(unknown_here().time_wait, "time_wait=unknown"); break;
        }
    }

    /// TCP_INFO knows a subflow, which may live on, and not the connection.
    void tells_little() {
        if (said().ended_by != cs::ending::fin) return;
        expect(said().first_fin == cs::fin_sender::unknown, "first_fin is known on Multipath TCP");
        expect(said().time_wait == cs::time_wait_holder::unknown, "time_wait is known on Multipath TCP");
    }

    void byte_counts_match() {
        const cs::close_report& r = said();
        const bool to_the_end = !is(any_reset) && r.time_wait != cs::time_wait_holder::left_to_kernel;
        if (r.discarded > e_.peer_sent || (to_the_end && r.discarded != e_.peer_sent))
            differs("discarded=" + std::to_string(r.discarded) + ", but the peer sent " + std::to_string(e_.peer_sent));
        if (r.limit == cs::close_limit::drain_bytes)
            expect(r.discarded > policy().drain_bytes, "drain_bytes is over, but not so many were discarded");
        expect(r.unacknowledged <= e_.written, "more unacknowledged than was written");
        // What the peer's kernel has taken it has acknowledged; nobody reads there.
        if (was(peer_kind::stops_reading) && r.unacknowledged != e_.written - e_.peer_unread)
            differs("unacknowledged=" + std::to_string(r.unacknowledged) + ", but the peer's kernel lacks " +
                    std::to_string(e_.written - e_.peer_unread) + " bytes");
        using holder = cs::time_wait_holder;
        if (r.time_wait == holder::local || r.time_wait == holder::both)
            expect(r.unacknowledged == 0, "TIME-WAIT here with bytes unacknowledged");
    }

    void descriptor_was_released() {
        expect(e_.local_when_told.inode == 0, "a descriptor still held the connection at completion");
    }

    const evidence& e_;
    bool counted_ = false; ///< without a report for anybody
    unsigned ending_;
    judgement found_;
};

std::string since(const evidence& e, wall_clock::time_point t) {
    const auto us = std::chrono::duration_cast<std::chrono::microseconds>(t - e.started).count();
    return "@" + std::to_string(us) + "us";
}

} // namespace

judgement judge(const evidence& e) { return case_of(e).decide(); }

judgement judge_counted(const evidence& e) { return case_of(e).decide_counted(); }

std::string to_string(const evidence& e) {
    std::string text = to_string(e.id) + "\n    wire: " + end_text(e.wire.ending());
    const auto add = [&](const char* name, const std::optional<observation::segment>& s) {
        if (s) text += std::string(", ") + name + since(e, s->when);
    };
    add("our FIN", e.wire.our_fin);
    add("our RST", e.wire.our_abort);
    add("our answering RST", e.wire.our_answer);
    add("peer's FIN", e.wire.peer_fin);
    add(e.wire.peer_rst && e.wire.peer_rst->ack ? "peer's RST" : "peer's answering RST", e.wire.peer_rst);
    const auto states = [](const observation::socket_entry& local, const observation::socket_entry& peer) {
        return std::string(observation::state_name(local.state)) + "/" + observation::state_name(peer.state);
    };
    text += "\n    states local/peer at the end " + states(e.local_at_end, e.peer_at_end);
    if (e.calls > 0)
        text += "\n    told " + since(e, e.told) + " (" + e.ec.message() + ") " + to_string(e.report) +
                "\n    states when told " + states(e.local_when_told, e.peer_when_told);
    if (e.cut != wall_clock::time_point{}) text += "\n    cut " + since(e, e.cut);
    text += "\n    written " + std::to_string(e.written) + ", peer sent " + std::to_string(e.peer_sent) +
            ", received " + std::to_string(e.peer_received) + ", unread " + std::to_string(e.peer_unread) + ", errno " +
            std::to_string(e.peer_error) + (e.peer_ended ? ", ended" : ", not ended");
    return text;
}

} // namespace conformance
