// SPDX-License-Identifier: BSL-1.0
#ifndef CLOSESIDE_LAB_SLOW_PEER_EXPERIMENT_HPP
#define CLOSESIDE_LAB_SLOW_PEER_EXPERIMENT_HPP

#include "scoreboard.hpp"

#include <cstddef>
#include <string>
#include <vector>

namespace lab::slow_peer {

/// What the server process holds at one moment.
struct weight {
    std::size_t descriptors = 0;
    std::size_t heap = 0; ///< bytes
};

struct latencies {
    std::vector<double> idle;    ///< before the first peer, as long as the closes take
    std::vector<double> control; ///< of a second server, on which nothing waits, at the time of the closes
    std::vector<double> waiting; ///< from the first close to the last
};

struct outcome {
    std::vector<close_record> closes;
    std::size_t whole_replies = 0; ///< of peers that read slowly
    latencies healthy;             ///< of a round trip, in milliseconds, rising
    double worst_gap_ms = 0;
    double worst_two_gaps_ms = 0;
    double worst_work_ms = 0; ///< see scoreboard
    double worst_starved_ms = 0;
    std::size_t most_waiting = 0; ///< closes at the same time
    weight before;                ///< the first peer
    weight open;                  ///< every peer is connected
    weight most;                  ///< while closes wait
    weight after;                 ///< the last close
    std::size_t orphans = 0;      ///< connections that the kernel goes on with after that
};

/// As many peers as asked for, or as the hard limit for descriptors allows; the soft one is raised.
std::size_t affordable_peers(std::size_t wanted);

/// A server with peers of every kind that closes everything.
outcome close_on_slow_peers(std::size_t peers);

struct blocked {
    std::vector<close_record> closes;
    std::vector<double> waiting; ///< the healthy connection's latencies
};

/// The same under plain Asio with a positive SO_LINGER and peers that never read.
blocked close_with_blocking_linger(std::size_t peers);

/// How many closes are under way over time, in seconds since the first.
std::vector<std::pair<double, double>> waiting_over_time(const std::vector<close_record>& closes);

} // namespace lab::slow_peer

#endif
