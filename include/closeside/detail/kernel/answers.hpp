// SPDX-License-Identifier: BSL-1.0
#ifndef CLOSESIDE_DETAIL_KERNEL_ANSWERS_HPP
#define CLOSESIDE_DETAIL_KERNEL_ANSWERS_HPP

#include <closeside/detail/kernel/tcp_state.hpp>

#include <cstdint>

namespace closeside::detail {

/// What came of shutdown(SHUT_WR).
struct half_close_answer {
    int error = 0;     ///< errno; ENOTCONN: there never was a connection
    bool gone = false; ///< the socket is in CLOSE, and no error is left that would say why
    tcp_state before = tcp_state::unknown;
    tcp_state after = tcp_state::unknown; ///< also if the end does not show which FIN came first
    bool reading_shut = false;            ///< by the program, so that end of file stands for no FIN
};

/// The whole connection while it lives, as TCP_INFO and SIOCOUTQ show it.
struct connection_look {
    tcp_state state = tcp_state::unknown;
    std::uint32_t acked_ago = 0;      ///< milliseconds since the last acknowledgement, of more or not
    std::uint32_t sent_ago = 0;       ///< … since a segment of ours with data
    std::uint32_t input_ago = 0;      ///< … since the peer's last byte
    std::uint64_t unacknowledged = 0; ///< bytes of ours, without the FIN
};

} // namespace closeside::detail

#endif
