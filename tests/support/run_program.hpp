// SPDX-License-Identifier: BSL-1.0
#ifndef CLOSESIDE_TESTS_SUPPORT_RUN_PROGRAM_HPP
#define CLOSESIDE_TESTS_SUPPORT_RUN_PROGRAM_HPP

#include "observation/program.hpp"

#include <functional>
#include <stdexcept>
#include <string>
#include <vector>

namespace tests {

using observation::program_result;

/// Runs a program with these arguments and nothing but this environment; throws if it takes over 10 s, or a signal kills
/// it.
/** `meanwhile` is called with the process id once the program runs; what it throws ends the program. */
inline program_result run_program(const std::vector<std::string>& arguments, std::vector<std::string> environment = {},
                                  std::function<void(pid_t)> meanwhile = {}) {
    program_result result =
        observation::run_program(arguments, {.environment = std::move(environment), .meanwhile = std::move(meanwhile)});
    if (result.status < 0) throw std::runtime_error(arguments[0] + " was killed by a signal");
    return result;
}

} // namespace tests

#endif
