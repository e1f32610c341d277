// SPDX-License-Identifier: BSL-1.0
#ifndef CLOSESIDE_DETAIL_KERNEL_TCP_STATE_HPP
#define CLOSESIDE_DETAIL_KERNEL_TCP_STATE_HPP

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
    new_syn_received = 12
};

} // namespace closeside::detail

#endif
