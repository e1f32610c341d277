// SPDX-License-Identifier: BSL-1.0
#include <closeside/detail/close/conclude.hpp>

#include <doctest/doctest.h>

#include <array>
#include <cerrno>
#include <string>
#include <utility>

namespace cs = closeside;
using cs::ending;
using cs::fin_sender;
using cs::time_wait_holder;
using cs::detail::close_error;
using cs::detail::close_facts;
using cs::detail::conclude;
using cs::detail::error_of;
using cs::detail::last_sample;
using cs::detail::tcp_state;

namespace {

using remains = last_sample::remains;

constexpr cs::close_policy plain{};
constexpr cs::close_policy skips{.linger2 = cs::fin_wait2::skip};
constexpr cs::close_policy aborting{.linger = cs::lingering::abort};
constexpr fin_sender nobody_yet = fin_sender::none;

// What the close had learnt before the release.
constexpr close_facts nothing{};
constexpr close_facts aborts{.first_fin = nobody_yet, .aborting = true};
constexpr close_facts we_first{.first_fin = fin_sender::local, .our_fin = true};
constexpr close_facts we_first_and_abort{.first_fin = fin_sender::local, .our_fin = true, .aborting = true};
constexpr close_facts peer_first{.first_fin = fin_sender::peer, .peer_fin = true};
constexpr close_facts peer_first_and_abort{.first_fin = fin_sender::peer, .peer_fin = true, .aborting = true};
constexpr close_facts peer_then_we{.first_fin = fin_sender::peer, .our_fin = true, .peer_fin = true};
constexpr close_facts peer_then_we_and_abort{
    .first_fin = fin_sender::peer, .our_fin = true, .peer_fin = true, .aborting = true};
constexpr close_facts both_done{.first_fin = fin_sender::local, .our_fin = true, .peer_fin = true};
constexpr close_facts crossed{.first_fin = fin_sender::local, .our_fin = true, .peer_fin = true, .crossed = true};
constexpr close_facts was_reset{.first_fin = fin_sender::local, .our_fin = true, .reset_by_peer = true};
constexpr close_facts had_failed{.first_fin = fin_sender::local, .our_fin = true, .failure = ETIMEDOUT};

// Nobody waits for the report: what the calls of the close have answered.
using cs::detail::conclude_unseen;
using cs::detail::unseen_facts;

constexpr bool says(const close_facts& f, unseen_facts u, ending e, fin_sender first, time_wait_holder holder,
                    const cs::close_policy& p = plain) {
    const cs::close_report r = conclude_unseen(f, p, u);
    return r.ended_by == e && r.first_fin == first && r.time_wait == holder && r.unacknowledged == 0;
}
constexpr bool says_nothing(const close_facts& f, unseen_facts u, const cs::close_policy& p = plain) {
    return says(f, u, ending::unknown, fin_sender::unknown, time_wait_holder::unknown, p);
}
constexpr unseen_facts quiet{.no_error = true, .quiet = true};
constexpr unseen_facts connected_and_quiet{.connected = true, .no_error = true, .quiet = true};
constexpr unseen_facts at_end{.no_error = true};
constexpr close_facts our_fin_in_some_order{.first_fin = fin_sender::unknown, .our_fin = true, .peer_fin = true};

static_assert(says_nothing(nothing, {}), "close(2) alone: FIN, or RST over unread input, or nothing any more");
static_assert(says_nothing(nothing, quiet), "nothing to read: perhaps it is only connecting");
static_assert(says_nothing(aborts, {}), "a reset of what may have been dead");
static_assert(says_nothing(peer_first, {}), "end of file: perhaps the program has read the error");
static_assert(says_nothing(was_reset, {}), "our FIN in SYN-SENT leaves ECONNRESET behind");
static_assert(says_nothing(was_reset, {.connected = true}), "so does our own RST, to data after a SHUT_RD");
static_assert(says(was_reset, {.connected = true, .no_error = true}, ending::reset_by_peer, fin_sender::local,
                   time_wait_holder::nobody));
static_assert(says(had_failed, {}, ending::failed, fin_sender::local, time_wait_holder::nobody));
static_assert(says({.reset_by_peer = true}, {}, ending::reset_by_peer, fin_sender::unknown, time_wait_holder::nobody),
              "the program may have half-closed");
static_assert(says({.reset_by_peer = true}, {.looked = tcp_state::established, .connected = true},
                   ending::reset_by_peer, nobody_yet, time_wait_holder::nobody));
static_assert(says(peer_first, {.looked = tcp_state::fin_wait2, .connected = true, .no_error = true}, ending::fin,
                   fin_sender::local, time_wait_holder::local));
static_assert(says(we_first, quiet, ending::fin, fin_sender::local, time_wait_holder::left_to_kernel));
static_assert(says_nothing(we_first, quiet, skips), "FIN-WAIT-2 would reset at once");
static_assert(says(we_first_and_abort, quiet, ending::reset_by_us, fin_sender::local, time_wait_holder::nobody));
static_assert(says(aborts, connected_and_quiet, ending::reset_by_us, fin_sender::unknown, time_wait_holder::nobody));
static_assert(says(both_done, at_end, ending::fin, fin_sender::local, time_wait_holder::local));
static_assert(says(crossed, at_end, ending::fin, fin_sender::local, time_wait_holder::both));
static_assert(says(peer_first, at_end, ending::fin, fin_sender::peer, time_wait_holder::peer));
static_assert(says(our_fin_in_some_order, at_end, ending::fin, fin_sender::unknown, time_wait_holder::unknown));
static_assert(says(both_done, {.no_error = true, .multipath = true}, ending::fin, fin_sender::unknown,
                   time_wait_holder::unknown));
static_assert(conclude_unseen({.limit = cs::close_limit::drain_time, .discarded = 7}, plain, {}).discarded == 7);

struct row {
    const char* why;
    close_facts learnt;
    last_sample last;
    ending ended_by;
    time_wait_holder time_wait;
    fin_sender first_fin;
    cs::close_policy policy = plain;
};

/// In CLOSE both FINs are through.
constexpr last_sample in(tcp_state s) {
    return {.state = s, .left = s == tcp_state::close ? remains::both_fins : remains::nothing};
}
constexpr last_sample closed_with(remains r) { return {.state = tcp_state::close, .left = r}; }
constexpr last_sample unread_in(tcp_state s) { return {.state = s, .unread = true}; }
constexpr last_sample unsent_in(tcp_state s) { return {.state = s, .unsent = true}; }

constexpr std::array rows{
    // The descriptor goes while the connection lives.
    row{"ESTABLISHED: close(2) sends our FIN, the first (tcp_close_state); the orphan decides", nothing,
        in(tcp_state::established), ending::fin, time_wait_holder::left_to_kernel, fin_sender::local},
    row{"ESTABLISHED, unread input: RST (__tcp_close, data_was_unread)", nothing, unread_in(tcp_state::established),
        ending::reset_by_us, time_wait_holder::nobody, nobody_yet},
    row{"ESTABLISHED, abort: RST (tcp_disconnect, tcp_need_reset)", aborts, in(tcp_state::established),
        ending::reset_by_us, time_wait_holder::nobody, nobody_yet},
    row{"ESTABLISHED, TCP_LINGER2 = -1: RST once our FIN is acknowledged, unless the peer's FIN or RST comes first",
        nothing, in(tcp_state::established), ending::fin, time_wait_holder::left_to_kernel, fin_sender::local, skips},
    row{"FIN-WAIT-1: the orphan waits for the acknowledgement and the peer's FIN", we_first, in(tcp_state::fin_wait1),
        ending::fin, time_wait_holder::left_to_kernel, fin_sender::local},
    row{"FIN-WAIT-1, unread input: RST", we_first, unread_in(tcp_state::fin_wait1), ending::reset_by_us,
        time_wait_holder::nobody, fin_sender::local},
    row{"FIN-WAIT-1, abort: RST, sent or not (tcp_need_reset)", we_first_and_abort, in(tcp_state::fin_wait1),
        ending::reset_by_us, time_wait_holder::nobody, fin_sender::local},
    row{"FIN-WAIT-1, TCP_LINGER2 = -1: RST once our FIN is acknowledged, unless the peer's FIN or RST comes first",
        we_first, in(tcp_state::fin_wait1), ending::fin, time_wait_holder::left_to_kernel, fin_sender::local, skips},
    row{"FIN-WAIT-2: the orphan waits for the peer's FIN (tcp_time_wait with FIN-WAIT-2)", we_first,
        in(tcp_state::fin_wait2), ending::fin, time_wait_holder::left_to_kernel, fin_sender::local},
    row{"FIN-WAIT-2, unread input: RST", we_first, unread_in(tcp_state::fin_wait2), ending::reset_by_us,
        time_wait_holder::nobody, fin_sender::local},
    row{"FIN-WAIT-2, abort: RST (tcp_need_reset)", we_first_and_abort, in(tcp_state::fin_wait2), ending::reset_by_us,
        time_wait_holder::nobody, fin_sender::local},
    row{"FIN-WAIT-2, TCP_LINGER2 = -1: RST at once (__tcp_close, TCPAbortOnLinger)", we_first, in(tcp_state::fin_wait2),
        ending::reset_by_us, time_wait_holder::nobody, fin_sender::local, skips},
    row{"CLOSE-WAIT: our FIN is the second (LAST-ACK)", peer_first, in(tcp_state::close_wait), ending::fin,
        time_wait_holder::peer, fin_sender::peer},
    row{"CLOSE-WAIT, the peer's FIN not yet read: the state tells whose came first", nothing, in(tcp_state::close_wait),
        ending::fin, time_wait_holder::peer, fin_sender::peer},
    row{"CLOSE-WAIT, unread input: RST", nothing, unread_in(tcp_state::close_wait), ending::reset_by_us,
        time_wait_holder::nobody, fin_sender::peer},
    row{"CLOSE-WAIT, abort: RST (tcp_need_reset)", peer_first_and_abort, in(tcp_state::close_wait), ending::reset_by_us,
        time_wait_holder::nobody, fin_sender::peer},
    row{"CLOSE-WAIT, TCP_LINGER2 = -1: never in FIN-WAIT-2, so without effect", peer_first, in(tcp_state::close_wait),
        ending::fin, time_wait_holder::peer, fin_sender::peer, skips},
    row{"LAST-ACK: the peer has closed first", peer_then_we, in(tcp_state::last_ack), ending::fin,
        time_wait_holder::peer, fin_sender::peer},
    row{"LAST-ACK, abort, all sent: nothing is sent (tcp_disconnect)", peer_then_we_and_abort, in(tcp_state::last_ack),
        ending::fin, time_wait_holder::peer, fin_sender::peer},
    row{"LAST-ACK, abort, something unsent: RST (tcp_disconnect, snd_nxt != write_seq)", peer_then_we_and_abort,
        unsent_in(tcp_state::last_ack), ending::reset_by_us, time_wait_holder::nobody, fin_sender::peer},
    row{"LAST-ACK, something unsent, no abort: the kernel goes on sending", peer_then_we,
        unsent_in(tcp_state::last_ack), ending::fin, time_wait_holder::peer, fin_sender::peer},
    row{"CLOSING: the FINs crossed, both ends go through TIME-WAIT", both_done, in(tcp_state::closing), ending::fin,
        time_wait_holder::both, fin_sender::local},
    row{"CLOSING, abort, all sent: the connection is forgotten here, silently", we_first_and_abort,
        in(tcp_state::closing), ending::fin, time_wait_holder::peer, fin_sender::local},
    row{"CLOSING, abort, something unsent: RST", we_first_and_abort, unsent_in(tcp_state::closing), ending::reset_by_us,
        time_wait_holder::nobody, fin_sender::local},
    row{"LAST-ACK, abort over unread input, all sent: nothing is sent", peer_then_we_and_abort,
        unread_in(tcp_state::last_ack), ending::fin, time_wait_holder::peer, fin_sender::peer},
    row{"LAST-ACK, SO_LINGER{1,0} over unread input: close(2) looks at that first", peer_then_we_and_abort,
        unread_in(tcp_state::last_ack), ending::reset_by_us, time_wait_holder::nobody, fin_sender::peer, aborting},
    row{"CLOSING, unread input: RST, whatever was sent", we_first, unread_in(tcp_state::closing), ending::reset_by_us,
        time_wait_holder::nobody, fin_sender::local},
    row{"CLOSING, TCP_LINGER2 = -1: only FIN-WAIT-2 looks at it", both_done, in(tcp_state::closing), ending::fin,
        time_wait_holder::both, fin_sender::local, skips},

    // The socket has left the connection.
    row{"CLOSE after FIN-WAIT-2: the connection is in TIME-WAIT, in a mini-socket", both_done, in(tcp_state::close),
        ending::fin, time_wait_holder::local, fin_sender::local},
    row{"CLOSE after CLOSING: TIME-WAIT at both ends", crossed, in(tcp_state::close), ending::fin,
        time_wait_holder::both, fin_sender::local},
    row{"CLOSE after LAST-ACK: the peer has the TIME-WAIT", peer_then_we, in(tcp_state::close), ending::fin,
        time_wait_holder::peer, fin_sender::peer},
    row{"CLOSE, TCP_LINGER2 = -1: TIME-WAIT has begun and takes no notice", both_done, in(tcp_state::close),
        ending::fin, time_wait_holder::local, fin_sender::local, skips},
    row{"CLOSE and an abort: TIME-WAIT stays (close(2) leaves a socket in CLOSE alone)", we_first_and_abort,
        in(tcp_state::close), ending::fin, time_wait_holder::local, fin_sender::local},
    row{"CLOSE with ECONNRESET pending: the peer's RST (tcp_reset)",
        both_done,
        {.state = tcp_state::close, .reset = true},
        ending::reset_by_peer,
        time_wait_holder::nobody,
        fin_sender::local},
    row{"CLOSE with ECONNRESET pending, without our FIN",
        nothing,
        {.state = tcp_state::close, .reset = true},
        ending::reset_by_peer,
        time_wait_holder::nobody,
        nobody_yet},
    row{"CLOSE with EPIPE pending: the reset came in CLOSE-WAIT, after the peer's FIN (tcp_reset)",
        nothing,
        {.state = tcp_state::close, .reset = true, .reset_after_fin = true},
        ending::reset_by_peer,
        time_wait_holder::nobody,
        fin_sender::peer},
    row{"CLOSE with ECONNRESET pending after shutdown(SHUT_RD): the RST may be ours, in answer to data behind our FIN",
        {.first_fin = fin_sender::local, .our_fin = true, .blind = true},
        {.state = tcp_state::close, .reset = true},
        ending::unknown,
        time_wait_holder::nobody,
        fin_sender::local},
    row{"CLOSE without our FIN and without an error: the program has taken it", nothing, closed_with(remains::nothing),
        ending::unknown, time_wait_holder::unknown, fin_sender::unknown},
    row{"CLOSE, the peer's FIN in and all acknowledged: a FIN of the program's may be among it, or not", nothing,
        closed_with(remains::acked), ending::unknown, time_wait_holder::unknown, fin_sender::unknown},
    row{"CLOSE, both FINs through, ours by the program: who was first is not known", nothing,
        closed_with(remains::both_fins), ending::fin, time_wait_holder::unknown, fin_sender::unknown},
    row{"CLOSE, and TIME-WAIT is here: the program's FIN was first", nothing, closed_with(remains::time_wait),
        ending::fin, time_wait_holder::local, fin_sender::local},
    row{"CLOSE, never connected", nothing, closed_with(remains::never_connected), ending::failed,
        time_wait_holder::nobody, nobody_yet},
    row{"CLOSE without our FIN, and an abort: no RST follows a RST",
        aborts,
        {.state = tcp_state::close, .reset = true},
        ending::reset_by_peer,
        time_wait_holder::nobody,
        nobody_yet},
    row{"SYN-SENT: nothing is left behind", nothing, in(tcp_state::syn_sent), ending::failed, time_wait_holder::nobody,
        nobody_yet},
    row{"Multipath TCP: a FIN, and TCP_INFO tells of a subflow's states",
        we_first,
        {.state = tcp_state::established, .multipath = true},
        ending::fin,
        time_wait_holder::unknown,
        fin_sender::unknown},
    row{"CLOSE with ETIMEDOUT pending: the kernel has given up (tcp_write_err)",
        both_done,
        {.state = tcp_state::close, .failure = ETIMEDOUT},
        ending::failed,
        time_wait_holder::nobody,
        fin_sender::local},

    // A system call has told the end; the state is not asked any more.
    row{"a read gave ECONNRESET", was_reset, in(tcp_state::close), ending::reset_by_peer, time_wait_holder::nobody,
        fin_sender::local},
    row{"a read gave ECONNRESET, and the state could not be had", was_reset, in(tcp_state::unknown),
        ending::reset_by_peer, time_wait_holder::nobody, fin_sender::local},
    row{"a read gave ETIMEDOUT", had_failed, in(tcp_state::close), ending::failed, time_wait_holder::nobody,
        fin_sender::local},
    row{"not a TCP connection any more", had_failed, in(tcp_state::unknown), ending::failed, time_wait_holder::nobody,
        fin_sender::local},
};

} // namespace

TEST_CASE("the report says of each state what the kernel does in it") {
    for (const row& r : rows) {
        CAPTURE(std::string(r.why));
        cs::detail::close_terms terms(r.policy);
        terms.close_aborts = terms.aborts;
        const cs::close_report report = conclude(r.learnt, terms, r.last);
        CHECK(std::string(to_string(report.ended_by)) == to_string(r.ended_by));
        CHECK(std::string(to_string(report.time_wait)) == to_string(r.time_wait));
        CHECK(std::string(to_string(report.first_fin)) == to_string(r.first_fin));
    }
}

TEST_CASE("what was counted goes into the report as it is") {
    close_facts f = we_first;
    f.discarded = 7;
    f.limit = cs::close_limit::drain_time;
    const cs::close_report report = conclude(f, plain, {.state = tcp_state::fin_wait1, .unacknowledged = 9});
    CHECK(report.discarded == 7);
    CHECK(report.unacknowledged == 9);
    CHECK(report.limit == cs::close_limit::drain_time);
}

TEST_CASE("the states around shutdown(2) tell whose FIN came first") {
    struct {
        tcp_state before, after;
        fin_sender first;
        bool crossed;
    } constexpr looks[]{
        {tcp_state::established, tcp_state::fin_wait1, fin_sender::local, false},
        {tcp_state::established, tcp_state::fin_wait2, fin_sender::local, false},
        {tcp_state::established, tcp_state::closing, fin_sender::local, true},
        {tcp_state::established, tcp_state::last_ack, fin_sender::peer, false}, // the FIN came between the looks
        {tcp_state::close_wait, tcp_state::last_ack, fin_sender::peer, false},
        {tcp_state::close_wait, tcp_state::close, fin_sender::peer, false}, // … and its acknowledgement of ours
        {tcp_state::unknown, tcp_state::close, fin_sender::local, false},   // the connection is in TIME-WAIT here
        {tcp_state::established, tcp_state::unknown, fin_sender::unknown,
         false}, // … is not, and the socket is in CLOSE
        {tcp_state::close_wait, tcp_state::unknown, fin_sender::peer, false},
    };
    for (const auto& look : looks) {
        CAPTURE(static_cast<int>(look.before));
        CAPTURE(static_cast<int>(look.after));
        close_facts f;
        f.half_closed(look.before, look.after);
        CHECK(f.our_fin);
        CHECK(f.first_fin == look.first);
        CHECK(f.crossed == look.crossed);
    }
}

TEST_CASE("a FIN that was read first stays the first") {
    close_facts f;
    f.peer_closed();
    f.half_closed(tcp_state::established, tcp_state::fin_wait1);
    CHECK(f.first_fin == fin_sender::peer);
    close_facts g;
    g.half_closed(tcp_state::established, tcp_state::fin_wait1);
    g.peer_closed();
    CHECK(g.first_fin == fin_sender::local);
    CHECK(g.peer_fin);
}

TEST_CASE("the limit decides between the errors, and a failure before it") {
    using cs::close_limit;
    constexpr close_error kept{}, not_connected{.system = ENOTCONN};
    cs::close_report r;
    const auto error = [&](const cs::close_policy& p = plain, const last_sample& last = {},
                           const close_facts& learnt = nothing) { return error_of(r, p, learnt, last); };
    CHECK(error() == kept);
    constexpr std::array limits{std::pair{close_limit::patience, cs::error::patience_over},
                                std::pair{close_limit::input, cs::error::peer_still_sends},
                                std::pair{close_limit::drain_time, cs::error::drain_time_over},
                                std::pair{close_limit::drain_idle, cs::error::drain_time_over},
                                std::pair{close_limit::drain_bytes, cs::error::drain_bytes_over},
                                std::pair{close_limit::linger, cs::error::linger_over},
                                std::pair{close_limit::cancelled, cs::error::cancelled},
                                std::pair{close_limit::shed, cs::error::cancelled}};
    for (const auto& [limit, expected] : limits) {
        r.limit = limit;
        r.ended_by = ending::reset_by_peer;
        CHECK(error() == close_error{.ours = expected});
        r.ended_by = ending::failed;
        CHECK(error(plain, {}, had_failed) == close_error{.system = ETIMEDOUT});
        CHECK(error(plain, {.failure = ECONNREFUSED}) == close_error{.system = ECONNREFUSED});
    }
    r.limit = close_limit::none;
    r.ended_by = ending::reset_by_peer;
    CHECK(error() == close_error{.ours = cs::error::reset_by_peer});
    CHECK(error(aborting) == kept);
    r.ended_by = ending::unknown;
    CHECK(error(plain, closed_with(remains::acked)) == kept); // nothing is lost, whatever it was
    CHECK(error(plain, closed_with(remains::nothing)) == not_connected);
    CHECK(error(plain, closed_with(remains::nothing), was_reset) == close_error{.system = ECONNRESET});
    CHECK(error(aborting, closed_with(remains::nothing)) == kept);
    r.ended_by = ending::failed;
    CHECK(error(plain, closed_with(remains::never_connected)) == not_connected);
}

TEST_CASE("a goodbye that a peer has not waited for is no loss, and anything more is") {
    const auto error = [](const close_facts& learnt, std::uint64_t unacknowledged, fin_sender first) {
        cs::close_report r;
        r.ended_by = ending::reset_by_peer;
        r.first_fin = first;
        r.unacknowledged = unacknowledged;
        return error_of(r, plain, learnt, {});
    };
    constexpr close_error kept{}, reset{.ours = cs::error::reset_by_peer};
    constexpr auto sent = cs::last_bytes_fate::sent;
    const close_facts said{.last_bytes = sent, .goodbye = 24};
    CHECK(error(said, 24, fin_sender::peer) == kept);
    CHECK(error(said, 0, fin_sender::peer) == kept);
    CHECK(error(said, 25, fin_sender::peer) == reset);  // a byte of the reply too
    CHECK(error(said, 24, fin_sender::local) == reset); // it had not closed
    CHECK(error(said, 24, nobody_yet) == reset);
    CHECK(error({.peer_fin = true, .last_bytes = sent, .goodbye = 24}, 24, fin_sender::local) ==
          kept); // the FINs crossed
    CHECK(error({.last_bytes = sent, .heard_goodbye = true, .goodbye = 24}, 24, fin_sender::local) ==
          kept); // its alert was read
    CHECK(error({.heard_goodbye = true, .goodbye = 24}, 23, fin_sender::local) ==
          reset); // never sent: a byte of the reply
    CHECK(error({.last_bytes = sent, .heard_goodbye = true, .goodbye = 24}, 25, fin_sender::local) == reset);
    CHECK(error(nothing, 24, fin_sender::peer) == reset); // last bytes of the program are none
}
