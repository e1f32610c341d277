// SPDX-License-Identifier: BSL-1.0
#ifndef CLOSESIDE_HOST_DETAIL_STATES_TCP_STATE_HPP
#define CLOSESIDE_HOST_DETAIL_STATES_TCP_STATE_HPP

#include <array>
#include <cstdint>

namespace closeside::host {

/// The eleven states of RFC 9293, section 3.3.2, under the kernel's numbers (include/net/tcp_states.h).
enum class tcp_state : std::uint8_t {
    established = 1,
    syn_sent = 2,
    syn_received = 3,
    fin_wait1 = 4,
    fin_wait2 = 5,
    time_wait = 6,
    closed = 7,
    close_wait = 8,
    last_ack = 9,
    listen = 10,
    closing = 11
};

/// Every state, in the order in which the RFC lists them.
inline constexpr std::array all_tcp_states{
    tcp_state::listen,    tcp_state::syn_sent,  tcp_state::syn_received, tcp_state::established,
    tcp_state::fin_wait1, tcp_state::fin_wait2, tcp_state::close_wait,   tcp_state::closing,
    tcp_state::last_ack,  tcp_state::time_wait, tcp_state::closed,
};

/// The RFC's name; ss(8) writes ESTAB, SYN-RECV and UNCONN for ESTABLISHED, SYN-RECEIVED and CLOSED.
constexpr const char* to_string(tcp_state s) noexcept {
    switch (s) {
    case tcp_state::established: return "ESTABLISHED";
    case tcp_state::syn_sent: return "SYN-SENT";
    case tcp_state::syn_received: return "SYN-RECEIVED";
    case tcp_state::fin_wait1: return "FIN-WAIT-1";
    case tcp_state::fin_wait2: return "FIN-WAIT-2";
    case tcp_state::time_wait: return "TIME-WAIT";
    case tcp_state::closed: return "CLOSED";
    case tcp_state::close_wait: return "CLOSE-WAIT";
    case tcp_state::last_ack: return "LAST-ACK";
    case tcp_state::listen: return "LISTEN";
    case tcp_state::closing: return "CLOSING";
    }
    return "?";
}

} // namespace closeside::host

#endif
