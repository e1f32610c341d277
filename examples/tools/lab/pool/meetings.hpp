// SPDX-License-Identifier: BSL-1.0
#ifndef CLOSESIDE_LAB_POOL_MEETINGS_HPP
#define CLOSESIDE_LAB_POOL_MEETINGS_HPP

#include "observation/segment.hpp"

#include <vector>

namespace lab::pool {

/// One connect as the server's interface saw it.
struct meeting {
    double at = 0;           ///< seconds since the first
    bool met = false;        ///< its port was in TIME-WAIT on the server
    bool challenged = false; ///< … and its SYN was answered by an ACK
};

struct meetings {
    std::vector<meeting> all; ///< in their order; without SYNs that are sent again after a challenge
    double open_seconds = 0;  ///< from the SYN to the server's FIN, the median
};

/// Who meets a TIME-WAIT can be seen on the wire: the SYN is answered by an ACK, or by a SYN-ACK whose sequence number follows
/// that of the last connection: tcp_timewait_state_process makes it 65537 more than what came next there.
meetings meetings_of(const std::vector<observation::segment>& segments);

} // namespace lab::pool

#endif
