// SPDX-License-Identifier: BSL-1.0
#include "instruments.hpp"

#include "measured_part.hpp"
#include "process.hpp"

#include <cctype>
#include <iostream>
#include <numeric>
#include <sstream>
#include <stdexcept>

namespace benchmark_support {

namespace {

std::vector<std::string> under(std::vector<std::string> tool, const std::vector<std::string>& command) {
    tool.insert(tool.end(), command.begin(), command.end());
    return tool;
}

/// The name in a line of strace, `read(3, …) = 1`; empty for what is not a call.
std::string call_in(const std::string& line) {
    const std::size_t end = line.find('(');
    if (end == std::string::npos || end == 0) return {};
    for (std::size_t i = 0; i != end; ++i)
        if (std::isalnum(static_cast<unsigned char>(line[i])) == 0 && line[i] != '_') return {};
    return line.substr(0, end);
}

} // namespace

std::uint64_t traced_program::all_calls() const {
    return std::accumulate(calls.begin(), calls.end(), std::uint64_t{0},
                           [](std::uint64_t sum, const auto& call) { return sum + call.second; });
}

bool can_count_system_calls() { return is_installed("strace"); }

bool can_count_instructions() {
    if (CLOSESIDE_COUNTS_INSTRUCTIONS == 0) {
        std::cerr << "SKIPPED: built without valgrind/callgrind.h, so no instructions are counted\n";
        return false;
    }
    return is_installed("valgrind");
}

traced_program count_system_calls(const std::vector<std::string>& command) {
    const process_result traced = run_checked(under({"strace", "-e", "signal=none"}, command));
    traced_program result{{}, traced.out};
    std::istringstream lines(traced.err);
    bool inside = false, marked = false;
    for (std::string line; std::getline(lines, line);) {
        const std::string call = call_in(line);
        if (call == part_marker) {
            inside = !inside;
            marked = true;
        } else if (inside && !call.empty()) {
            ++result.calls[call];
        }
    }
    if (!marked) throw std::runtime_error(command.at(0) + ": strace shows no measured part:\n" + traced.err);
    return result;
}

counted_program count_instructions(const std::vector<std::string>& command) {
    const process_result counted = run_checked(
        under({"valgrind", "--tool=callgrind", "--collect-atstart=no", "--callgrind-out-file=/dev/null"}, command));
    const std::string label = "Collected : ";
    const std::size_t place = counted.err.find(label);
    if (place == std::string::npos)
        throw std::runtime_error(command.at(0) + ": callgrind collected nothing:\n" + counted.err);
    return {std::stoull(counted.err.substr(place + label.size())), counted.out};
}

double instructions_per_operation(const std::vector<std::string>& command, unsigned count, bool once) {
    const auto of_a_run = [&](unsigned operations) {
        std::vector<std::string> all = command;
        all.push_back(std::to_string(operations));
        return static_cast<double>(count_instructions(all).instructions);
    };
    return (once ? of_a_run(count) : of_a_run(2 * count) - of_a_run(count)) / count;
}

} // namespace benchmark_support
