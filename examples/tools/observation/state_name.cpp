// SPDX-License-Identifier: BSL-1.0
#include "state_name.hpp"

namespace observation {

const char* state_name(tcp_state state) noexcept {
    switch (state) {
    case tcp_state::unknown: return "none";
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
    }
    return "?";
}

} // namespace observation
