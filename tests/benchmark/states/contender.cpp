// SPDX-License-Identifier: BSL-1.0
#include "contender.hpp"

#include "benchmark/support/process.hpp"

#include <closeside/host/states.hpp>

#include <array>
#include <chrono>
#include <fstream>
#include <optional>
#include <sstream>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>

namespace benchmark_states {

namespace {

namespace host = closeside::host;
using clock = std::chrono::steady_clock;

/// The number after its name in the JSON of closeside-check or the line of `ss -s`; or the number alone.
std::uint64_t number_in(const std::string& printed) {
    for (const std::string_view name : std::array{"\"TIME-WAIT\": ", "timewait "})
        if (const std::size_t at = printed.find(name); at != printed.npos)
            return std::stoull(printed.substr(at + name.size()));
    return std::stoull(printed);
}

/// Runs a line of shell, as a person or a script would; it prints a number.
measurement run_shell(const std::string& line) {
    const auto result = benchmark_support::run_checked({"sh", "-c", line});
    return {result.time, result.processor_time, number_in(result.out)};
}

/// A cheap call is repeated, and its mean taken.
template <class Call>
measurement call_repeatedly(int times, Call call) {
    std::uint64_t sockets = 0;
    const auto used = benchmark_support::own_processor_time();
    const auto start = clock::now();
    for (int i = 0; i != times; ++i) sockets = call();
    const nanoseconds time = clock::now() - start;
    return {time / times, (benchmark_support::own_processor_time() - used) / times, sockets};
}

std::uint64_t count_by_library(std::optional<host::tcp_states::source> only) {
    const auto s = host::count_states({.budget = std::chrono::minutes(1), .only = only});
    if (!s.exact || s.tcpdiag_error != 0) throw std::runtime_error(s.why_not_better());
    return s.counts[static_cast<std::size_t>(host::tcp_state::time_wait)];
}

/// As it is written where speed is no concern.
std::uint64_t count_by_streams() {
    std::uint64_t sockets = 0;
    for (const char* const path : {"/proc/thread-self/net/tcp", "/proc/thread-self/net/tcp6"}) {
        std::ifstream file(path);
        std::string line, number, local, remote, state;
        std::getline(file, line);
        while (std::getline(file, line)) {
            std::istringstream words(line);
            words >> number >> local >> remote >> state;
            if (state == "06") ++sockets;
        }
    }
    return sockets;
}

} // namespace

std::vector<contender> all_contenders() {
    std::vector<contender> all;
    const auto add_process = [&](const std::string& name, const std::string& line) {
        all.push_back({name, true, [line] { return run_shell(line); }});
    };
    add_process(our_process, std::string(CLOSESIDE_CHECK) + " states --format json --budget 60000");
    if (benchmark_support::is_installed("ss")) {
        // All of these sockets are in TIME-WAIT, so a line is one of them.
        add_process("ss -Htan state all | wc", "ss -Htan state all | wc -l");
        add_process(summary_of_ss, "ss -s");
        add_process("ss -tan | awk", R"(ss -tan | awk '{ n[$1]++ } END { print n["TIME-WAIT"] + 0 }')");
    }
    if (benchmark_support::is_installed("netstat"))
        add_process("netstat -ant | awk",
                    R"(netstat -ant | awk '/^tcp/ { n[$6]++ } END { print n["TIME_WAIT"] + 0 }')");
    const auto add_library = [&](const std::string& name, std::optional<host::tcp_states::source> only) {
        all.push_back({name, false, [only] { return call_repeatedly(1, [&] { return count_by_library(only); }); }});
    };
    add_library(our_call, std::nullopt);
    add_library(our_call + ", tcpdiag", host::tcp_states::source::tcpdiag);
    add_library(our_call + ", proc", host::tcp_states::source::proc);
    all.push_back({"ifstream over /proc/net/tcp", false, [] { return call_repeatedly(1, count_by_streams); }});
    all.push_back({"time_wait_quick", false,
                   [] { return call_repeatedly(1000, [] { return host::time_wait_quick().value_or(0); }); }});
    return all;
}

} // namespace benchmark_states
