// SPDX-License-Identifier: BSL-1.0
#ifndef CLOSESIDE_BENCHMARK_SUITE_MACHINE_HPP
#define CLOSESIDE_BENCHMARK_SUITE_MACHINE_HPP

#include <string>

namespace benchmark_suite {

/// What the numbers were measured on, without which they say nothing.
struct machine {
    std::string processor;
    unsigned processors; ///< that this process may use
    double memory_gib;
    std::string kernel;
    std::string compiler;
    std::string asio;
    std::string date; ///< year, month and day, UTC
    double load_average;
    bool optimised; ///< the benchmarks themselves, by the compiler
};

machine this_machine();

} // namespace benchmark_suite

#endif
