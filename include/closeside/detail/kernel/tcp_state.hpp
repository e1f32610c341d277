// SPDX-License-Identifier: BSL-1.0
#ifndef CLOSESIDE_DETAIL_KERNEL_TCP_STATE_HPP
#define CLOSESIDE_DETAIL_KERNEL_TCP_STATE_HPP

#include <array>
#include <cstdint>

namespace closeside::detail {

/// The kernel's numbers (include/net/tcp_states.h), as TCP_INFO, sock_diag and /proc/net/tcp give them.
/** A socket whose connection has gone on to TIME-WAIT reads `close`: the connection lives in a mini-socket by then. */
enum class tcp_state : std::uint8_t {
    unknown = 0,
    established = 1,
    syn_sent = 2,
    syn_received = 3,
    fin_wait1 = 4,
    fin_wait2 = 5,
    time_wait = 6,
    close = 7,
    close_wait = 8,
    last_ack = 9,
    listen = 10,
    closing = 11,
    new_syn_received = 12 ///< a connection that is a request yet: SYN-RECEIVED to everybody outside the kernel
};

/// The eleven states of RFC 9293, section 3.3.2, in the order in which it lists them.
inline constexpr std::array all_tcp_states{
    tcp_state::listen,    tcp_state::syn_sent,  tcp_state::syn_received, tcp_state::established,
    tcp_state::fin_wait1, tcp_state::fin_wait2, tcp_state::close_wait,   tcp_state::closing,
    tcp_state::last_ack,  tcp_state::time_wait, tcp_state::close,
};

/// The RFC's name; ss(8) writes ESTAB, SYN-RECV and UNCONN for ESTABLISHED, SYN-RECEIVED and CLOSED.
constexpr const char* to_string(tcp_state s) noexcept {
    switch (s) {
    case tcp_state::established: return "ESTABLISHED";
    case tcp_state::syn_sent: return "SYN-SENT";
    case tcp_state::syn_received:
    case tcp_state::new_syn_received: return "SYN-RECEIVED";
    case tcp_state::fin_wait1: return "FIN-WAIT-1";
    case tcp_state::fin_wait2: return "FIN-WAIT-2";
    case tcp_state::time_wait: return "TIME-WAIT";
    case tcp_state::close: return "CLOSED";
    case tcp_state::close_wait: return "CLOSE-WAIT";
    case tcp_state::last_ack: return "LAST-ACK";
    case tcp_state::listen: return "LISTEN";
    case tcp_state::closing: return "CLOSING";
    case tcp_state::unknown: break;
    }
    return "?";
}

/// A set of states as sock_diag takes it: a bit for each.
constexpr std::uint32_t state_bit(tcp_state s) noexcept { return 1u << static_cast<unsigned>(s); }

/// The kernel's number of the timer of a mini-socket, which is all that is left of a connection in TIME-WAIT, and of an
/// orphan in FIN-WAIT-2.
inline constexpr unsigned mini_socket_timer = 3;

} // namespace closeside::detail

#endif
