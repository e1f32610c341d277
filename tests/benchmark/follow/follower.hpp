// SPDX-License-Identifier: BSL-1.0
#ifndef CLOSESIDE_BENCHMARK_FOLLOW_FOLLOWER_HPP
#define CLOSESIDE_BENCHMARK_FOLLOW_FOLLOWER_HPP

#include "benchmark/serve/round.hpp"

#include <cstdint>
#include <memory>

namespace benchmark_follow {

/// In which way endings are followed.
enum class way : std::uint8_t {
    not_at_all,
    trace_alone, ///< the program is stopped as soon as the kernel writes down what happens: nobody reads it
    text,        ///< to /dev/null
    json         ///< to a file in memory
};

/// `closeside-check follow` in the calling process's network namespace; null for not_at_all.
/** When it is destroyed, it writes to the file `told`, as two decimal numbers, how many endings were told of, in the way
 *  `json`, and whether something was missed. @throws std::runtime_error if it does not start. */
std::unique_ptr<benchmark_serve::companion> follow(way how, int told);

/// Whether there is a right to a network namespace and to a trace.
bool can_follow();

} // namespace benchmark_follow

#endif
