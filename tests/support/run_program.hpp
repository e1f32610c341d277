// SPDX-License-Identifier: BSL-1.0
#ifndef CLOSESIDE_TESTS_SUPPORT_RUN_PROGRAM_HPP
#define CLOSESIDE_TESTS_SUPPORT_RUN_PROGRAM_HPP

#include <array>
#include <cerrno>
#include <chrono>
#include <csignal>
#include <functional>
#include <stdexcept>
#include <string>
#include <system_error>
#include <vector>

#include <fcntl.h>
#include <poll.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

namespace tests {

struct program_result {
    int status;
    std::string out;
    std::string err;
};

/// Runs a program with these arguments and environment to its end; one that takes over 10 s is killed, which throws.
/** `meanwhile` is called with the process id once the program runs; what it throws ends the program. */
inline program_result run_program(std::vector<std::string> arguments, std::vector<std::string> environment = {},
                                  const std::function<void(pid_t)>& meanwhile = {}) {
    const auto pointers = [](std::vector<std::string>& strings) {
        std::vector<char*> p;
        for (std::string& s : strings) p.push_back(s.data());
        p.push_back(nullptr);
        return p;
    };
    std::array<std::array<int, 2>, 2> pipes{};
    ::posix_spawn_file_actions_t actions;
    ::posix_spawn_file_actions_init(&actions);
    for (int i = 0; i != 2; ++i) {
        if (::pipe2(pipes[static_cast<std::size_t>(i)].data(), O_CLOEXEC) != 0)
            throw std::system_error(errno, std::generic_category(), "pipe2");
        ::posix_spawn_file_actions_adddup2(&actions, pipes[static_cast<std::size_t>(i)][1], i + 1);
    }
    pid_t child = 0;
    const int failed = ::posix_spawn(&child, arguments.at(0).c_str(), &actions, nullptr, pointers(arguments).data(),
                                     pointers(environment).data());
    ::posix_spawn_file_actions_destroy(&actions);
    for (auto& ends : pipes) ::close(ends[1]);
    if (failed != 0) throw std::system_error(failed, std::generic_category(), arguments[0]);

    if (meanwhile) try {
            meanwhile(child);
        } catch (...) {
            ::kill(child, SIGKILL);
            ::waitpid(child, nullptr, 0);
            for (auto& pipe : pipes) ::close(pipe[0]);
            throw;
        }

    program_result result{};
    const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(10);
    std::array<::pollfd, 2> ends{{{pipes[0][0], POLLIN, 0}, {pipes[1][0], POLLIN, 0}}};
    bool late = false;
    while (!late && (ends[0].fd >= 0 || ends[1].fd >= 0)) {
        const auto left =
            std::chrono::duration_cast<std::chrono::milliseconds>(deadline - std::chrono::steady_clock::now());
        late = left.count() <= 0 || ::poll(ends.data(), ends.size(), static_cast<int>(left.count())) == 0;
        for (std::size_t i = 0; i != ends.size() && !late; ++i) {
            if (ends[i].fd < 0 || ends[i].revents == 0) continue;
            char buffer[4096];
            const ssize_t n = ::read(ends[i].fd, buffer, sizeof buffer);
            if (n > 0)
                (i == 0 ? result.out : result.err).append(buffer, static_cast<std::size_t>(n));
            else
                ends[i].fd = -1;
        }
    }
    if (late) ::kill(child, SIGKILL);
    for (auto& pipe : pipes) ::close(pipe[0]);
    ::waitpid(child, &result.status, 0);
    if (late) throw std::runtime_error(arguments[0] + " did not end within 10 s");
    if (!WIFEXITED(result.status)) throw std::runtime_error(arguments[0] + " was killed by a signal");
    result.status = WEXITSTATUS(result.status);
    return result;
}

} // namespace tests

#endif
