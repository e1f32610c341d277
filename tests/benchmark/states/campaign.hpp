// SPDX-License-Identifier: BSL-1.0
#ifndef CLOSESIDE_BENCHMARK_STATES_CAMPAIGN_HPP
#define CLOSESIDE_BENCHMARK_STATES_CAMPAIGN_HPP

#include "contender.hpp"

#include <cstdint>
#include <string>
#include <vector>

namespace benchmark_states {

/// What one contender took with so many sockets, round by round.
struct result {
    std::uint32_t sockets;
    std::string name;
    bool is_process;
    std::vector<measurement> rounds;
};

/// The calling thread moves to a network namespace of its own; false if it has no right to one.
/** It gets a connection table of its own too if the kernel has such (6.1), so that no neighbour's sockets are walked
 *  over; see shares_tcp_table. */
bool enter_own_network();

/// Makes the sockets in the calling thread's namespace and lets the contenders count them in rounds, each of which
/// another one begins.
/** @throws std::runtime_error when one counts wrongly, or when the sockets, which live for 60 s, do not last. */
std::vector<result> measure(const std::vector<contender>& contenders, std::uint32_t sockets, unsigned rounds);

} // namespace benchmark_states

#endif
