// SPDX-License-Identifier: BSL-1.0
#ifndef CLOSESIDE_DETAIL_CLOSE_VERDICT_HPP
#define CLOSESIDE_DETAIL_CLOSE_VERDICT_HPP

#include <closeside/detail/close/terms.hpp>
#include <closeside/detail/kernel/tcp_state.hpp>
#include <closeside/report.hpp>

#include <cstdint>

namespace closeside::detail {

/// The connection as the kernel showed it just before the descriptor was closed.
struct last_sample {
    tcp_state state = tcp_state::unknown;
    /// What is known of a socket in CLOSE whose pending error somebody else has taken, or that never had one.
    enum class remains : std::uint8_t {
        nothing,   ///< neither how it ended nor that nothing is lost
        acked,     ///< the peer's FIN is in, and all of ours has been acknowledged; whether a FIN of ours, is not known
        both_fins, ///< both FINs are through
        time_wait, ///< the same, and the connection is in TIME-WAIT here
        never_connected
    };
    remains left = remains::nothing;
    /// Input is waiting, which close(2) answers with RST whatever the state (__tcp_close).
    bool unread = false;
    /// Something of ours has not been sent once; in LAST-ACK and CLOSING only that makes an abort send RST
    /// (tcp_disconnect).
    bool unsent = false;
    /// Multipath TCP: TCP_INFO tells of a subflow, not of the connection.
    bool multipath = false;
    /// The pending error says that the peer's RST came in.
    bool reset = false;
    /// … in CLOSE-WAIT, after the peer's FIN (tcp_reset gives EPIPE there, and ECONNRESET elsewhere).
    bool reset_after_fin = false;
    /// … or this one, that the kernel has given up, e.g. ETIMEDOUT.
    int failure = 0;
    std::uint64_t unacknowledged = 0;

    friend constexpr bool operator==(const last_sample&, const last_sample&) noexcept = default;
};

/// How a close came out, next to what the policy promised. The closing operation turns it into an error code.
enum class close_outcome : std::uint8_t {
    kept,
    patience_over,
    peer_still_sends,
    drain_time_over,
    drain_bytes_over,
    linger_over,
    cancelled,
    reset_by_peer,
    not_connected, ///< never, or no longer when the close began, for a reason that is not known any more
    failed
};

/// What the closing algorithm has learnt on its way.
struct close_verdict {
    fin_sender first_fin = fin_sender::none;
    bool our_fin = false;
    bool peer_fin = false;
    bool crossed = false; ///< CLOSING was seen: neither FIN acknowledged the other
    bool reset_by_peer = false;
    bool failed = false;
    bool not_connected = false;
    bool aborting = false;
    /// The program has shut reading down: end of file stands for no FIN, and our kernel answers data after our FIN with
    /// RST, which leaves the same error behind as the peer's (tcp_rcv_state_process).
    bool blind = false;
    close_limit limit = close_limit::none;
    last_bytes_fate last_bytes = last_bytes_fate::none;
    std::uint64_t discarded = 0;

    /// After our shutdown(SHUT_WR). LAST-ACK and CLOSE-WAIT say that the peer's FIN came first.
    /** `after` alone would not do: where the peer answers at once, CLOSE may be the end of LAST-ACK or TIME-WAIT. */
    constexpr void half_closed(tcp_state before, tcp_state after) noexcept {
        our_fin = true;
        crossed = after == tcp_state::closing;
        if (first_fin == fin_sender::none)
            first_fin =
                before == tcp_state::close_wait || after == tcp_state::last_ack ? fin_sender::peer : fin_sender::local;
    }

    /// The program has sent our FIN, and the peer's is not in.
    constexpr void half_closed_before() noexcept {
        our_fin = true;
        first_fin = fin_sender::local;
    }

    constexpr void peer_closed() noexcept {
        peer_fin = true;
        if (first_fin == fin_sender::none) first_fin = fin_sender::peer;
    }

    /// At end of file before any FIN of this close: the program may have sent one.
    constexpr void peer_closed(tcp_state state) noexcept {
        if (state == tcp_state::closing) {
            our_fin = crossed = true;
            first_fin = fin_sender::local;
        }
        if (state == tcp_state::last_ack) our_fin = true;
        peer_closed();
    }
};

namespace verdict {

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
constexpr void remains(close_report& r, const close_verdict& v, const last_sample& s) noexcept {
    switch (s.left) {
    case last_sample::remains::never_connected: return never_was(r);
    case last_sample::remains::time_wait: r.first_fin = fin_sender::local; return fin(r, time_wait_holder::local);
    case last_sample::remains::acked:
    case last_sample::remains::both_fins:
        // Of a FIN that this close has sent it is known who was first.
        if (v.our_fin && v.crossed) return fin(r, time_wait_holder::both);
        if (v.our_fin)
            return fin(r, r.first_fin == fin_sender::peer ? time_wait_holder::peer : time_wait_holder::local);
        return unknown(r, s.left == last_sample::remains::acked ? ending::unknown : ending::fin);
    case last_sample::remains::nothing: return unknown(r, ending::unknown);
    }
}

/// The socket has left the connection: it was reset, or both FINs are through.
constexpr void gone(close_report& r, const close_verdict& v, const last_sample& s) noexcept {
    if (v.not_connected) return never_was(r);
    if (v.failed || s.failure != 0) {
        if (s.left == last_sample::remains::never_connected) return never_was(r);
        return reset(r, ending::failed);
    }
    if (v.reset_by_peer || s.reset) {
        if (s.reset_after_fin && r.first_fin == fin_sender::none) r.first_fin = fin_sender::peer;
        return reset(r, v.blind ? ending::unknown : ending::reset_by_peer);
    }
    remains(r, v, s);
}

/// Our FIN is out and the peer's is not in, or goes out with this close: the kernel carries the orphan on.
/** fin_wait2::skip resets at once in FIN-WAIT-2. Before that it waits for the acknowledgement of our FIN, and the
 *  peer's own FIN or RST may come first: CLOSING, and so TIME-WAIT, know no TCP_LINGER2 (tcp_rcv_state_process). */
constexpr void orphan(close_report& r, const close_terms& terms, tcp_state state) noexcept {
    if (r.first_fin == fin_sender::none) r.first_fin = fin_sender::local;
    if (terms.skips_fin_wait2 && state == tcp_state::fin_wait2) return reset(r, ending::reset_by_us);
    fin(r, time_wait_holder::left_to_kernel);
}

} // namespace verdict

/// The report, from what was learnt and from the connection's state just before close(2).
constexpr close_report conclude(const close_verdict& v, const close_terms& terms, const last_sample& s) noexcept {
    close_report r;
    r.first_fin = v.first_fin;
    r.limit = v.limit;
    r.discarded = v.discarded;
    r.last_bytes = v.last_bytes;
    r.unacknowledged = s.unacknowledged;
    if (r.first_fin == fin_sender::none) r.first_fin = verdict::first_fin(s.state);

    const bool both_fins = s.state == tcp_state::closing || s.state == tcp_state::last_ack;
    if (s.state == tcp_state::syn_sent) {
        verdict::never_was(r);
    } else if (s.state == tcp_state::close || v.failed || v.reset_by_peer || v.not_connected) {
        verdict::gone(r, v, s);
    } else if ((s.unread && (!v.aborting || terms.close_aborts)) || (v.aborting && (!both_fins || s.unsent))) {
        verdict::reset(r, ending::reset_by_us);
    } else if (s.state == tcp_state::closing) {
        // An abort here sends nothing and forgets the connection; the peer still goes through TIME-WAIT.
        verdict::fin(r, v.aborting ? time_wait_holder::peer : time_wait_holder::both);
    } else if (s.state == tcp_state::unknown) {
        verdict::unknown(r, ending::unknown); // the kernel gave no answer
    } else if (s.state == tcp_state::last_ack || s.state == tcp_state::close_wait) {
        verdict::fin(r, time_wait_holder::peer);
    } else {
        verdict::orphan(r, terms, s.state);
    }
    if (s.multipath && r.ended_by == ending::fin) verdict::unknown(r, ending::fin);
    return r;
}

constexpr close_outcome outcome_of(const close_report& r, const close_terms& terms, const close_verdict& v,
                                   const last_sample& s) noexcept {
    const bool never = s.state == tcp_state::syn_sent || s.left == last_sample::remains::never_connected;
    if (v.not_connected || (never && s.failure == 0)) return close_outcome::not_connected;
    if (r.ended_by == ending::failed) return close_outcome::failed;
    switch (r.limit) {
    case close_limit::patience: return close_outcome::patience_over;
    case close_limit::input: return close_outcome::peer_still_sends;
    case close_limit::drain_time:
    case close_limit::drain_idle: return close_outcome::drain_time_over;
    case close_limit::drain_bytes: return close_outcome::drain_bytes_over;
    case close_limit::linger: return close_outcome::linger_over;
    case close_limit::cancelled:
    case close_limit::shed: return close_outcome::cancelled;
    case close_limit::none: break;
    }
    // Who aborts has promised nothing that an earlier end could break; what is acknowledged has arrived.
    if (terms.aborts) return close_outcome::kept;
    if (r.ended_by == ending::reset_by_peer) return close_outcome::reset_by_peer;
    if (r.ended_by == ending::unknown && (v.reset_by_peer || s.reset)) return close_outcome::failed; // ECONNRESET
    if (r.ended_by == ending::unknown && s.left != last_sample::remains::acked) return close_outcome::not_connected;
    return close_outcome::kept;
}

} // namespace closeside::detail

#endif
