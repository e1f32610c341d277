// SPDX-License-Identifier: BSL-1.0
#ifndef CLOSESIDE_BENCHMARK_STATES_CONTENDER_HPP
#define CLOSESIDE_BENCHMARK_STATES_CONTENDER_HPP

#include <chrono>
#include <cstdint>
#include <functional>
#include <string>
#include <vector>

namespace benchmark_states {

using nanoseconds = std::chrono::duration<double, std::nano>;

/// What one count cost, and what it found.
struct measurement {
    nanoseconds time;
    /// Of all processes together, in the kernel and outside: what is the same on a busy machine.
    nanoseconds processor_time;
    std::uint64_t sockets;
};

/// A way of counting the sockets in TIME-WAIT.
struct contender {
    std::string name;
    /// A program, from its start to its end; otherwise a call in this process.
    bool is_process;
    std::function<measurement()> count;
};

/// The names of the two that the others are compared with.
inline const std::string our_process = "closeside-check states";
inline const std::string our_call = "count_states";
/// Prints some states only, those that the kernel keeps counted, TIME-WAIT among them.
inline const std::string summary_of_ss = "ss -s (a summary)";

/// Those that this machine has the programs for.
std::vector<contender> all_contenders();

} // namespace benchmark_states

#endif
