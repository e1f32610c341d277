// SPDX-License-Identifier: BSL-1.0
#ifndef CLOSESIDE_DETAIL_CLOSE_FACTS_HPP
#define CLOSESIDE_DETAIL_CLOSE_FACTS_HPP

#include <closeside/detail/kernel/tcp_state.hpp>
#include <closeside/report.hpp>

#include <cstdint>

namespace closeside::detail {

/// What the closing algorithm has learnt on its way.
struct close_facts {
    fin_sender first_fin = fin_sender::none;
    bool our_fin = false;
    bool peer_fin = false;
    bool crossed = false; ///< CLOSING was seen: neither FIN acknowledged the other
    bool reset_by_peer = false;
    int failure = 0; ///< errno of what has ended the connection otherwise
    bool not_connected = false;
    bool aborting = false;
    /// The program has shut reading down: end of file stands for no FIN, and our kernel answers data after our FIN with
    /// RST, which leaves the same error behind as the peer's (tcp_rcv_state_process).
    bool blind = false;
    close_limit limit = close_limit::none;
    last_bytes_fate last_bytes = last_bytes_fate::none;
    bool heard_goodbye = false; ///< the peer has said that it ends the connection
    std::uint32_t goodbye = 0;  ///< how many of the last bytes are lost without harm once the peer's FIN is in
    std::uint64_t discarded = 0;

    /// After our shutdown(SHUT_WR). LAST-ACK and CLOSE-WAIT say that the peer's FIN came first.
    constexpr void half_closed(tcp_state before, tcp_state after) noexcept {
        our_fin = true;
        crossed = after == tcp_state::closing;
        if (first_fin != fin_sender::none) return;
        const bool peer_first = before == tcp_state::close_wait || after == tcp_state::last_ack;
        first_fin = peer_first                    ? fin_sender::peer
                    : after == tcp_state::unknown ? fin_sender::unknown
                                                  : fin_sender::local;
    }

    /// The program has sent our FIN, and the peer's is not in.
    constexpr void half_closed_before() noexcept {
        our_fin = true;
        first_fin = fin_sender::local;
    }

    /// `behind_fin`: it came in CLOSE-WAIT.
    constexpr void reset(bool behind_fin) noexcept {
        reset_by_peer = true;
        if (behind_fin && first_fin == fin_sender::none) first_fin = fin_sender::peer;
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

} // namespace closeside::detail

#endif
