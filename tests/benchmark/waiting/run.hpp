// SPDX-License-Identifier: BSL-1.0
#ifndef CLOSESIDE_BENCHMARK_WAITING_RUN_HPP
#define CLOSESIDE_BENCHMARK_WAITING_RUN_HPP

#include "server.hpp"

namespace benchmark_waiting {

/// What ends the closes.
enum class ending {
    peers_answer,
    limit_over,
    /// The loop comes to it when the last limit is over, so that all end at once.
    limits_over_at_once
};

/// Of one close among many.
struct cost {
    double bytes; ///< of heap while all wait, whatever was allocated from before the connections were accepted
    double start; ///< µs of processor time
    double end;   ///< the same, from the peers' FIN or the limit on
    /// µs of processor time of the longest turn of the loop while they end: one handler, and what Asio's reactor does
    /// before it, for which everything else that the loop has to do waits. Only for limits_over_at_once.
    double longest_turn;
};

/// How many descriptors this process and its children may have, once their limit is raised as far as it goes.
unsigned descriptors_allowed(unsigned wanted);

/// Has this process the right to network namespaces of its own?
bool has_right_to_networks();

/// Closes that wait on silent peers, in a process and a network namespace of their own.
/** @throws std::runtime_error if that process fails; it has said why on standard error. */
cost run(server_maker make, unsigned closes, ending e);

} // namespace benchmark_waiting

#endif
