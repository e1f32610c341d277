// SPDX-License-Identifier: BSL-1.0
#include "contender.hpp"

#include <closeside/host/states.hpp>

#include <array>
#include <cerrno>
#include <chrono>
#include <fstream>
#include <iostream>
#include <optional>
#include <sstream>
#include <stdexcept>
#include <string>
#include <system_error>
#include <utility>

#include <spawn.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

extern char** environ;

namespace benchmark_states {

namespace {

namespace host = closeside::host;
using clock = std::chrono::steady_clock;

nanoseconds duration_of(const ::timeval& t) {
    return std::chrono::seconds(t.tv_sec) + std::chrono::microseconds(t.tv_usec);
}

nanoseconds own_processor_time() {
    ::timespec t{};
    ::clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
    return std::chrono::seconds(t.tv_sec) + std::chrono::nanoseconds(t.tv_nsec);
}

/// Runs a line of shell, as a person or a script would, and brings back what it printed: a number.
measurement run_shell(const std::string& line) {
    std::array<int, 2> pipe{};
    if (::pipe(pipe.data()) != 0) throw std::system_error(errno, std::generic_category(), "pipe");
    ::posix_spawn_file_actions_t actions;
    ::posix_spawn_file_actions_init(&actions);
    ::posix_spawn_file_actions_adddup2(&actions, pipe[1], STDOUT_FILENO);
    for (const int end : pipe) ::posix_spawn_file_actions_addclose(&actions, end);
    std::string shell = "sh", option = "-c", copy = line;
    char* const arguments[] = {shell.data(), option.data(), copy.data(), nullptr};

    const auto start = clock::now();
    pid_t child = 0;
    const int failed = ::posix_spawn(&child, "/bin/sh", &actions, nullptr, arguments, environ);
    ::posix_spawn_file_actions_destroy(&actions);
    ::close(pipe[1]);
    if (failed != 0) throw std::system_error(failed, std::generic_category(), "/bin/sh");
    std::string text;
    std::array<char, 4096> buffer{};
    for (ssize_t n; (n = ::read(pipe[0], buffer.data(), buffer.size())) > 0;)
        text.append(buffer.data(), static_cast<std::size_t>(n));
    ::close(pipe[0]);
    int status = 0;
    ::rusage used{}; // with that of the processes that the shell has waited for
    ::wait4(child, &status, 0, &used);
    const nanoseconds time = clock::now() - start;
    if (status != 0) throw std::runtime_error("'" + line + "' failed");

    // The JSON of closeside-check, or the number alone.
    constexpr const char* member = "\"TIME-WAIT\": ";
    const std::size_t at = text.find(member);
    return {time, duration_of(used.ru_utime) + duration_of(used.ru_stime),
            std::stoull(at == text.npos ? text : text.substr(at + std::string(member).size()))};
}

/// A cheap call is repeated, and its mean taken.
template <class Call>
measurement call_repeatedly(int times, Call call) {
    std::uint64_t sockets = 0;
    const auto used = own_processor_time();
    const auto start = clock::now();
    for (int i = 0; i != times; ++i) sockets = call();
    const nanoseconds time = clock::now() - start;
    return {time / times, (own_processor_time() - used) / times, sockets};
}

std::uint64_t count_by_library(std::optional<host::states_method> only) {
    const auto s = host::count_states({.budget = std::chrono::minutes(1), .only = only});
    if (!s.exact || s.tcpdiag_error != 0) throw std::runtime_error(why_not_better(s));
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

bool is_installed(const std::string& program) {
    for (const char* const directory : {"/usr/bin/", "/bin/", "/usr/sbin/", "/sbin/"})
        if (::access((directory + program).c_str(), X_OK) == 0) return true;
    std::cerr << "SKIPPED: " << program << " is not installed\n";
    return false;
}

} // namespace

std::vector<contender> all_contenders() {
    std::vector<contender> all;
    const auto add_process = [&](const std::string& name, const std::string& line) {
        all.push_back({name, true, [line] { return run_shell(line); }});
    };
    add_process(our_process, std::string(CLOSESIDE_CHECK) + " states --format json --budget 60000");
    if (is_installed("ss")) {
        // All of these sockets are in TIME-WAIT, so a line is one of them.
        add_process("ss -Htan state all | wc", "ss -Htan state all | wc -l");
        add_process("ss -tan | awk", R"(ss -tan | awk '{ n[$1]++ } END { print n["TIME-WAIT"] + 0 }')");
    }
    if (is_installed("netstat"))
        add_process("netstat -ant | awk",
                    R"(netstat -ant | awk '/^tcp/ { n[$6]++ } END { print n["TIME_WAIT"] + 0 }')");
    const auto add_library = [&](const std::string& name, std::optional<host::states_method> only) {
        all.push_back({name, false, [only] { return call_repeatedly(1, [&] { return count_by_library(only); }); }});
    };
    add_library(our_call, std::nullopt);
    add_library(our_call + ", tcpdiag", host::states_method::tcpdiag);
    add_library(our_call + ", proc", host::states_method::proc);
    all.push_back({"ifstream over /proc/net/tcp", false, [] { return call_repeatedly(1, count_by_streams); }});
    all.push_back({"time_wait_quick", false,
                   [] { return call_repeatedly(1000, [] { return host::time_wait_quick().value_or(0); }); }});
    return all;
}

} // namespace benchmark_states
