// SPDX-License-Identifier: BSL-1.0
#ifndef CLOSESIDE_DETAIL_CLOSE_CONCLUDE_HPP
#define CLOSESIDE_DETAIL_CLOSE_CONCLUDE_HPP

#include <closeside/detail/close/facts.hpp>
#include <closeside/detail/close/terms.hpp>
#include <closeside/detail/kernel/last_sample.hpp>
#include <closeside/error.hpp>
#include <closeside/report.hpp>

#include <cerrno>

namespace closeside::detail {

/// The cases of conclude().
namespace conclusion {

constexpr void fin(close_report& r, time_wait_holder holder) noexcept {
    r.ended_by = ending::fin;
    r.time_wait = holder;
}

constexpr void reset(close_report& r, ending by) noexcept {
    r.ended_by = by;
    r.time_wait = time_wait_holder::nobody;
}

constexpr void unknown(close_report& r, ending by) noexcept {
    r.ended_by = by;
    r.first_fin = fin_sender::unknown;
    r.time_wait = time_wait_holder::unknown;
}

/// What the state shows of FINs that this close has neither sent nor seen.
constexpr fin_sender first_fin(tcp_state s) noexcept {
    switch (s) {
    case tcp_state::close_wait:
    case tcp_state::last_ack: return fin_sender::peer;
    case tcp_state::fin_wait1:
    case tcp_state::fin_wait2:
    case tcp_state::closing: return fin_sender::local;
    default: return fin_sender::none;
    }
}

/// There has been no connection; what is unacknowledged is a SYN.
constexpr void never_was(close_report& r) noexcept {
    r.first_fin = fin_sender::none;
    r.unacknowledged = 0;
    reset(r, ending::failed);
}

/// The socket is in CLOSE and no error is left on it: what took the connection away?
constexpr void remains(close_report& r, const close_facts& f, const last_sample& s) noexcept {
    switch (s.left) {
    case last_sample::remains::never_connected: return never_was(r);
    case last_sample::remains::time_wait: r.first_fin = fin_sender::local; return fin(r, time_wait_holder::local);
    case last_sample::remains::acked:
    case last_sample::remains::both_fins:
        // Of a FIN that this close has sent it is known who was first.
        if (f.our_fin && f.crossed) return fin(r, time_wait_holder::both);
        if (f.our_fin && r.first_fin == fin_sender::unknown) return unknown(r, ending::fin);
        if (f.our_fin)
            return fin(r, r.first_fin == fin_sender::peer ? time_wait_holder::peer : time_wait_holder::local);
        return unknown(r, s.left == last_sample::remains::acked ? ending::unknown : ending::fin);
    case last_sample::remains::nothing: return unknown(r, ending::unknown);
    }
}

/// The socket has left the connection: it was reset, or both FINs are through.
constexpr void gone(close_report& r, const close_facts& f, const last_sample& s) noexcept {
    if (f.not_connected) return never_was(r);
    if (f.failure != 0 || s.failure != 0) {
        if (s.left == last_sample::remains::never_connected) return never_was(r);
        return reset(r, ending::failed);
    }
    if (f.reset_by_peer || s.reset) {
        if (s.reset_after_fin && r.first_fin == fin_sender::none) r.first_fin = fin_sender::peer;
        return reset(r, f.blind ? ending::unknown : ending::reset_by_peer);
    }
    remains(r, f, s);
}

/// Our FIN is out and the peer's is not in, or goes out with this close: the kernel carries the orphan on.
/** fin_wait2::skip resets at once in FIN-WAIT-2. Before that it waits for the acknowledgement of our FIN, and the
 *  peer's own FIN or RST may come first: CLOSING, and so TIME-WAIT, know no TCP_LINGER2 (tcp_rcv_state_process). */
constexpr void orphan(close_report& r, const close_terms& terms, tcp_state state) noexcept {
    if (r.first_fin == fin_sender::none) r.first_fin = fin_sender::local;
    if (terms.skips_fin_wait2 && state == tcp_state::fin_wait2) return reset(r, ending::reset_by_us);
    fin(r, time_wait_holder::left_to_kernel);
}

} // namespace conclusion

/// The report, from what was learnt and from the connection's state just before close(2).
constexpr close_report conclude(const close_facts& f, const close_terms& terms, const last_sample& s) noexcept {
    close_report r;
    r.first_fin = f.first_fin;
    r.limit = f.limit;
    r.discarded = f.discarded;
    r.last_bytes = f.last_bytes;
    r.unacknowledged = s.unacknowledged;
    if (r.first_fin == fin_sender::none) r.first_fin = conclusion::first_fin(s.state);

    const bool both_fins = s.state == tcp_state::closing || s.state == tcp_state::last_ack;
    if (s.state == tcp_state::syn_sent) {
        conclusion::never_was(r);
    } else if (s.state == tcp_state::close || f.failure != 0 || f.reset_by_peer || f.not_connected) {
        conclusion::gone(r, f, s);
    } else if ((s.unread && (!f.aborting || terms.close_aborts)) || (f.aborting && (!both_fins || s.unsent))) {
        conclusion::reset(r, ending::reset_by_us);
    } else if (s.state == tcp_state::closing) {
        // An abort here sends nothing and forgets the connection; the peer still goes through TIME-WAIT.
        conclusion::fin(r, f.aborting ? time_wait_holder::peer : time_wait_holder::both);
    } else if (s.state == tcp_state::unknown) {
        conclusion::unknown(r, ending::unknown); // the kernel gave no answer
    } else if (s.state == tcp_state::last_ack || s.state == tcp_state::close_wait) {
        conclusion::fin(r, time_wait_holder::peer);
    } else {
        conclusion::orphan(r, terms, s.state);
    }
    if (s.multipath && r.ended_by == ending::fin) conclusion::unknown(r, ending::fin);
    return r;
}

/// What else a close knows that has not looked at the connection before close(2).
struct unseen_facts {
    tcp_state looked = tcp_state::unknown; ///< when the close began, if it has looked for its own sake
    bool connected = false;                ///< there was input, or that look has shown a connection
    bool no_error = false;  ///< a read has found nothing, or a look the FIN: for that end of file stands then
    bool quiet = false;     ///< the last read has, and our FIN was out then if it is
    bool multipath = false; ///< perhaps
};

/// The report of a close that nobody waits for: of what its calls have answered anyway, and unknown beyond it.
/** End of file is a FIN where a read has found nothing before, or a look tells; else the program may have read the error
 *  of a dead socket, or shut reading down. ECONNRESET behind our FIN is the peer's RST where the same is known, and that
 *  there was a connection: in SYN-SENT shutdown(2) succeeds and leaves it behind, as does our kernel's RST that answers
 *  data after a SHUT_RD. */
constexpr close_report conclude_unseen(const close_facts& f, const close_terms& terms, const unseen_facts& u) noexcept {
    close_report r;
    r.first_fin = f.first_fin;
    r.limit = f.limit;
    r.discarded = f.discarded;
    r.last_bytes = f.last_bytes;
    // The program may have sent our FIN before the close began.
    const fin_sender before = u.looked == tcp_state::unknown ? fin_sender::unknown : conclusion::first_fin(u.looked);
    if (r.first_fin == fin_sender::none || before == fin_sender::local) r.first_fin = before;
    const bool alive = u.quiet && !f.peer_fin && (f.our_fin || u.connected);
    if (f.not_connected) {
        conclusion::never_was(r);
    } else if (f.failure != 0) {
        conclusion::reset(r, ending::failed);
    } else if (f.blind || (f.reset_by_peer && f.our_fin && !(u.connected && u.no_error))) {
        conclusion::unknown(r, ending::unknown);
    } else if (f.reset_by_peer) {
        conclusion::reset(r, ending::reset_by_peer);
    } else if (f.aborting) {
        if (alive)
            conclusion::reset(r, ending::reset_by_us);
        else
            conclusion::unknown(r, ending::unknown);
    } else if (f.peer_fin && u.no_error && r.first_fin != fin_sender::unknown) {
        conclusion::fin(r, f.crossed                          ? time_wait_holder::both
                           : r.first_fin == fin_sender::local ? time_wait_holder::local
                                                              : time_wait_holder::peer);
    } else if (alive && !terms.skips_fin_wait2) {
        r.first_fin = fin_sender::local;
        conclusion::fin(r, time_wait_holder::left_to_kernel);
    } else {
        conclusion::unknown(r, f.our_fin && !terms.skips_fin_wait2 ? ending::fin : ending::unknown);
    }
    if (u.multipath && r.ended_by == ending::fin) conclusion::unknown(r, ending::fin);
    return r;
}

/// … of one that has made no call but close(2), or the one that resets.
constexpr close_report nothing_seen() noexcept {
    close_report r;
    conclusion::unknown(r, ending::unknown);
    return r;
}

/// An error of ours, or one of the system's; neither: the policy's promise was kept.
struct close_error {
    error ours{};
    int system = 0;

    friend constexpr bool operator==(const close_error&, const close_error&) noexcept = default;
};

constexpr error error_of(close_limit l) noexcept {
    switch (l) {
    case close_limit::none: break;
    case close_limit::patience: return error::patience_over;
    case close_limit::input: return error::peer_still_sends;
    case close_limit::drain_time:
    case close_limit::drain_idle: return error::drain_time_over;
    case close_limit::drain_bytes: return error::drain_bytes_over;
    case close_limit::linger: return error::linger_over;
    case close_limit::cancelled:
    case close_limit::shed: return error::cancelled;
    }
    return {};
}

/// The peer had closed, or said that it would, and its RST answers a goodbye that it did not wait for.
constexpr bool lost_no_more_than_goodbye(const close_report& r, const close_facts& f) noexcept {
    const bool peer_has_closed = f.heard_goodbye || f.peer_fin || r.first_fin == fin_sender::peer;
    return f.goodbye != 0 && f.last_bytes == last_bytes_fate::sent && peer_has_closed && r.unacknowledged <= f.goodbye;
}

/// The limit decides between the codes; a reset is told by the report's ended_by.
/** ENOTCONN: there was no connection, or it was gone when the close began, for a reason that is not known any more. */
constexpr close_error error_of(const close_report& r, const close_terms& terms, const close_facts& f,
                               const last_sample& s) noexcept {
    const bool never = s.state == tcp_state::syn_sent || s.left == last_sample::remains::never_connected;
    if (f.not_connected || (never && s.failure == 0)) return {.system = ENOTCONN};
    if (r.ended_by == ending::failed) return {.system = s.failure != 0 ? s.failure : f.failure};
    if (r.limit != close_limit::none) return {error_of(r.limit)};
    // Who aborts has promised nothing that an earlier end could break; what is acknowledged has arrived.
    if (terms.aborts) return {};
    if (r.ended_by == ending::reset_by_peer)
        return lost_no_more_than_goodbye(r, f) ? close_error{} : close_error{error::reset_by_peer};
    if (r.ended_by != ending::unknown) return {};
    if (f.reset_by_peer || s.reset) return {.system = ECONNRESET};
    return {.system = s.left == last_sample::remains::acked ? 0 : ENOTCONN};
}

} // namespace closeside::detail

#endif
