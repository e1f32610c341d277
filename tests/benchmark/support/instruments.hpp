// SPDX-License-Identifier: BSL-1.0
#ifndef CLOSESIDE_BENCHMARK_SUPPORT_INSTRUMENTS_HPP
#define CLOSESIDE_BENCHMARK_SUPPORT_INSTRUMENTS_HPP

#include <cstdint>
#include <map>
#include <string>
#include <vector>

namespace benchmark_support {

/// What a program did in its measured parts; see measured_part.hpp.
struct traced_program {
    std::map<std::string, std::uint64_t> calls; ///< by the name of the system call
    std::string out;                            ///< what it printed

    std::uint64_t all_calls() const;
};

struct counted_program {
    std::uint64_t instructions; ///< outside the kernel
    std::string out;
};

/// Are strace and, for instructions, valgrind with its headers here? What is missing is said on standard error.
bool can_count_system_calls();
bool can_count_instructions();

/// Both throw std::runtime_error if the program fails. Its children are not followed.
traced_program count_system_calls(const std::vector<std::string>& command);
counted_program count_instructions(const std::vector<std::string>& command);

/// Instructions of one operation of a program whose last argument, put behind `command`, says how many it does.
/** What so many more take: whatever happens once cancels out. `once`: all of one run for so many, for a smoke test. */
double instructions_per_operation(const std::vector<std::string>& command, unsigned count, bool once);

} // namespace benchmark_support

#endif
