// SPDX-License-Identifier: BSL-1.0
#ifndef CLOSESIDE_TESTS_NETWORK_PACKETS_TIME_WAIT_HPP
#define CLOSESIDE_TESTS_NETWORK_PACKETS_TIME_WAIT_HPP

#include "network/packets/vocabulary.hpp"

namespace packets {

/// By our close; both sides' next number is 2, or the peer's comes behind so much data of its own.
inline void to_time_wait(script& s, std::uint32_t peers_data = 0) {
    if (peers_data != 0) {
        s << data(1, peers_data).ack(1) >> empty(1).ack(1 + peers_data);
        s.reads(peers_data);
    }
    const std::uint32_t end = 1 + peers_data;
    s.closes() >> fin(1).ack(end) << fin(end).ack(2) >> empty(2).ack(end + 1);
    s.in(time_wait).reports({.first_fin = fin_by::local, .time_wait = time_wait_of::local});
}

/// The kernel's own numbering when a SYN ends TIME-WAIT: so far beyond the last connection's (tcp_timewait_state_process).
inline constexpr std::uint32_t next_connection = 2 + 65535 + 2;

} // namespace packets

#endif
