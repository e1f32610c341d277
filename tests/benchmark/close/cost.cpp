// SPDX-License-Identifier: BSL-1.0
#include "cost.hpp"

#include "benchmark/support/instruments.hpp"
#include "benchmark/support/process.hpp"

#include <cstdint>
#include <map>
#include <sstream>

namespace benchmark_close {

namespace {

/// Lines of a name and a number.
std::map<std::string, std::uint64_t> numbers_in(const std::string& text) {
    std::map<std::string, std::uint64_t> numbers;
    std::istringstream lines(text);
    std::string name;
    for (std::uint64_t value = 0; lines >> name >> value;) numbers[name] = value;
    return numbers;
}

} // namespace

close_cost measure(const contender& c, const scenario& s, const instruments& available) {
    std::vector<std::string> command = c.command;
    command.insert(command.end(), s.arguments.begin(), s.arguments.end());
    auto printed = numbers_in(benchmark_support::run_checked(command).out);
    const auto per_close = [&](std::uint64_t n) {
        return static_cast<double>(n) / static_cast<double>(printed.at("closes"));
    };
    close_cost cost;
    cost.allocations = per_close(printed.at("allocations"));
    cost.resets = printed.at("resets") != 0;
    if (available.system_calls)
        cost.system_calls = per_close(benchmark_support::count_system_calls(command).all_calls());
    if (available.instructions)
        cost.instructions = per_close(benchmark_support::count_instructions(command).instructions);
    return cost;
}

} // namespace benchmark_close
