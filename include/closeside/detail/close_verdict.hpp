// SPDX-License-Identifier: BSL-1.0
#ifndef CLOSESIDE_DETAIL_CLOSE_VERDICT_HPP
#define CLOSESIDE_DETAIL_CLOSE_VERDICT_HPP

#include <closeside/detail/close_terms.hpp>
#include <closeside/detail/tcp_state.hpp>
#include <closeside/report.hpp>

#include <cstdint>
#include <optional>

namespace closeside::detail {

/// The connection as the kernel showed it just before the descriptor was closed.
struct last_sample {
    tcp_state state = tcp_state::unknown;
    /// Input is waiting, which close(2) answers with RST whatever the state (__tcp_close).
    bool unread = false;
    /// Something of ours has not been sent once; in LAST-ACK and CLOSING only that makes an abort send RST
    /// (tcp_disconnect).
    bool unsent = false;
    /// The pending error says that the peer's RST came in.
    bool reset = false;
    /// … or this one, that the kernel has given up, e.g. ETIMEDOUT.
    int failure = 0;
    std::uint64_t unacknowledged = 0;

    friend constexpr bool operator==(const last_sample&, const last_sample&) noexcept = default;
};

/// How a close came out, next to what the policy promised. The closing operation turns it into an error code.
enum class close_outcome : std::uint8_t {
    kept,
    patience_over,
    drain_time_over,
    drain_bytes_over,
    linger_over,
    cancelled,
    reset_by_peer,
    failed
};

/// What the closing algorithm has learnt on its way.
struct close_verdict {
    std::optional<side> first_fin;
    bool our_fin = false;
    bool peer_fin = false;
    bool crossed = false; ///< CLOSING was seen: neither FIN acknowledged the other
    bool reset_by_peer = false;
    bool failed = false;
    bool aborting = false;
    close_limit limit = close_limit::none;
    std::uint64_t discarded = 0;

    /// After our shutdown(SHUT_WR). LAST-ACK and CLOSE-WAIT say that the peer's FIN came first.
    /** `after` alone would not do: where the peer answers at once, CLOSE may be the end of LAST-ACK or TIME-WAIT. */
    constexpr void half_closed(tcp_state before, tcp_state after) noexcept {
        our_fin = true;
        crossed = after == tcp_state::closing;
        if (!first_fin)
            first_fin = before == tcp_state::close_wait || after == tcp_state::last_ack ? side::peer : side::local;
    }

    constexpr void peer_closed() noexcept {
        peer_fin = true;
        if (!first_fin) first_fin = side::peer;
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

/// The socket has left the connection: it was reset, or both FINs are through.
constexpr void gone(close_report& r, const close_verdict& v, const last_sample& s) noexcept {
    if (v.failed || s.failure != 0) return reset(r, ending::failed);
    if (v.reset_by_peer || s.reset || !v.our_fin) return reset(r, ending::reset_by_peer);
    if (v.crossed) return fin(r, time_wait_holder::both);
    fin(r, r.first_fin == side::peer ? time_wait_holder::peer : time_wait_holder::local);
}

/// Our FIN is out and the peer's is not in, or goes out with this close: the kernel carries the orphan on.
/** fin_wait2::skip resets at once in FIN-WAIT-2. Before that it waits for the acknowledgement of our FIN, and the
 *  peer's own FIN or RST may come first: CLOSING, and so TIME-WAIT, know no TCP_LINGER2 (tcp_rcv_state_process). */
constexpr void orphan(close_report& r, const close_terms& terms, tcp_state state) noexcept {
    if (!r.first_fin) r.first_fin = side::local;
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
    r.unacknowledged = s.unacknowledged;
    if (!r.first_fin && s.state == tcp_state::close_wait) r.first_fin = side::peer;

    const bool both_fins = s.state == tcp_state::closing || s.state == tcp_state::last_ack;
    if (s.state == tcp_state::close || v.failed || v.reset_by_peer) {
        verdict::gone(r, v, s);
    } else if (s.unread || (v.aborting && (!both_fins || s.unsent))) {
        verdict::reset(r, ending::reset_by_us);
    } else if (s.state == tcp_state::closing) {
        // An abort here sends nothing and forgets the connection; the peer still goes through TIME-WAIT.
        verdict::fin(r, v.aborting ? time_wait_holder::peer : time_wait_holder::both);
    } else if (s.state == tcp_state::last_ack || s.state == tcp_state::close_wait) {
        verdict::fin(r, time_wait_holder::peer);
    } else {
        verdict::orphan(r, terms, s.state);
    }
    return r;
}

constexpr close_outcome outcome_of(const close_report& r, const close_terms& terms) noexcept {
    if (r.ended_by == ending::failed) return close_outcome::failed;
    switch (r.limit) {
    case close_limit::patience: return close_outcome::patience_over;
    case close_limit::drain_time: return close_outcome::drain_time_over;
    case close_limit::drain_bytes: return close_outcome::drain_bytes_over;
    case close_limit::linger: return close_outcome::linger_over;
    case close_limit::cancelled: return close_outcome::cancelled;
    case close_limit::none: break;
    }
    // Who aborts has promised nothing that the peer's reset could break.
    const bool broken = r.ended_by == ending::reset_by_peer && !terms.aborts;
    return broken ? close_outcome::reset_by_peer : close_outcome::kept;
}

} // namespace closeside::detail

#endif
