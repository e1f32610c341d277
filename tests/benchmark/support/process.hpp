// SPDX-License-Identifier: BSL-1.0
#ifndef CLOSESIDE_BENCHMARK_SUPPORT_PROCESS_HPP
#define CLOSESIDE_BENCHMARK_SUPPORT_PROCESS_HPP

#include <chrono>
#include <string>
#include <vector>

namespace benchmark_support {

/// What a program printed and cost, from its start to its end, the children it waited for included.
struct process_result {
    int status; ///< exit status, or 128 and the signal's number
    std::string out;
    std::string err;
    std::chrono::nanoseconds time;
    std::chrono::nanoseconds processor_time; ///< user and system
};

/// Runs a program, looked for in PATH, in a process group that is killed when it is not done in time.
/** @throws std::system_error if it cannot be started, std::runtime_error past the limit. */
process_result run_process(const std::vector<std::string>& arguments,
                           std::chrono::seconds limit = std::chrono::seconds(60));

/// The same for a program that must succeed.
/** @throws std::runtime_error with what it printed, if its exit status is not 0. */
process_result run_checked(const std::vector<std::string>& arguments,
                           std::chrono::seconds limit = std::chrono::seconds(60));

/// Is there such a program in PATH? Says on standard error that it is missing.
bool is_installed(const std::string& program);

/// Binds the calling process, and what it starts, to one processor, counted from 0 among those it may use.
/** Where there are fewer, to the last one. */
void pin_to_processor(unsigned index);

/// Of the calling process, user and system.
std::chrono::nanoseconds own_processor_time();

} // namespace benchmark_support

#endif
