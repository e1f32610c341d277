// SPDX-License-Identifier: BSL-1.0
#ifndef CLOSESIDE_LAB_SUPPORT_SOCKET_TABLE_HPP
#define CLOSESIDE_LAB_SUPPORT_SOCKET_TABLE_HPP

#include "host.hpp"

#include "observation/segment.hpp"

#include <cstddef>
#include <cstdint>
#include <vector>

namespace lab {

/// The states of RFC 9293 in the kernel's numbering (include/net/tcp_states.h).
/** An orphan in FIN-WAIT-2 is one even where the kernel keeps it as a small "mini-socket", as it does TIME-WAIT. */
enum class tcp_state : std::uint8_t {
    established = 1,
    syn_sent,
    syn_received,
    fin_wait_1,
    fin_wait_2,
    time_wait,
    closed,
    close_wait,
    last_ack,
    listen,
    closing
};

const char* to_string(tcp_state state) noexcept;

/// What the kernel tells of one socket.
struct socket_entry {
    tcp_state state{};
    examples::endpoint local;
    examples::endpoint remote;
    std::uint32_t send_queue = 0;    ///< bytes not acknowledged; a FIN counts as one; a listener's: its backlog
    std::uint32_t receive_queue = 0; ///< bytes not read; a listener's: connections not accepted
    std::uint32_t timer_ms = 0;      ///< until the kernel acts: TIME-WAIT's rest, the next retransmission
    std::uint32_t inode = 0;         ///< 0: nobody holds a descriptor (orphan, TIME-WAIT)
};

/// All IPv4 TCP sockets of a host, asked of sock_diag (unprivileged, exact). Throws std::system_error.
/** `states` is a set of bits 1 << state; the kernel then walks the table all the same, but tells less. */
std::vector<socket_entry> tcp_sockets(const host& h, std::uint32_t states = ~0u);

std::size_t count(const host& h, tcp_state state);

} // namespace lab

#endif
