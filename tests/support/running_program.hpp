// SPDX-License-Identifier: BSL-1.0
#ifndef CLOSESIDE_TESTS_SUPPORT_RUNNING_PROGRAM_HPP
#define CLOSESIDE_TESTS_SUPPORT_RUNNING_PROGRAM_HPP

#include "observation/descriptor.hpp"
#include "observation/process.hpp"
#include "observation/program.hpp"

#include <cerrno>
#include <chrono>
#include <csignal>
#include <cstddef>
#include <functional>
#include <optional>
#include <string>
#include <system_error>
#include <utility>
#include <vector>

#include <fcntl.h>
#include <poll.h>
#include <unistd.h>

namespace tests {

/// A server that runs until it is stopped, at the latest by the destructor; what it logs to standard error is read as
/// it comes.
class running_program {
public:
    /// `in_child()` is called before the program takes the place of the child.
    explicit running_program(const std::vector<std::string>& arguments, const std::function<void()>& in_child = {})
        : running_program(arguments, in_child, new_pipe()) {}

    pid_t pid() const { return process_.id(); }

    /// The next line of the log that contains `what`; empty after five seconds, or when the log has ended.
    std::string line_with(const std::string& what) {
        const auto end = std::chrono::steady_clock::now() + std::chrono::seconds(5);
        while (true) {
            for (std::size_t eol; (eol = text_.find('\n')) != std::string::npos;) {
                const std::string line = text_.substr(0, eol);
                text_.erase(0, eol + 1);
                if (line.find(what) != std::string::npos) return line;
            }
            char buffer[1024];
            ::pollfd poll{log_.get(), POLLIN, 0};
            if (std::chrono::steady_clock::now() > end || ::poll(&poll, 1, 100) < 0) return {};
            if (poll.revents == 0) continue;
            const ssize_t n = ::read(log_.get(), buffer, sizeof buffer);
            if (n <= 0) return {};
            text_.append(buffer, static_cast<std::size_t>(n));
        }
    }

    /// The exit status after a signal, or, with 0, without one; -1 if that killed it, or it had to be killed after ten seconds.
    int stop(int signal = SIGINT) {
        const auto end = std::chrono::steady_clock::now() + std::chrono::seconds(10);
        process_.signal(signal);
        // Reads on, so that a full pipe keeps nobody from ending; the end of the log is the end of the program.
        for (char buffer[1024]; std::chrono::steady_clock::now() < end;) {
            ::pollfd poll{log_.get(), POLLIN, 0};
            if (::poll(&poll, 1, 100) < 0) break;
            if (poll.revents == 0) continue;
            const ssize_t n = ::read(log_.get(), buffer, sizeof buffer);
            if (n <= 0) break;
            text_.append(buffer, static_cast<std::size_t>(n));
        }
        if (std::chrono::steady_clock::now() >= end) process_.signal(SIGKILL);
        const std::optional<int> status = process_.wait(std::chrono::seconds(10));
        return status && *status >= 0 ? *status : -1;
    }

private:
    struct ends {
        observation::descriptor reading;
        observation::descriptor writing;
    };

    static ends new_pipe() {
        int fds[2];
        if (::pipe2(fds, O_CLOEXEC) != 0) throw std::system_error(errno, std::generic_category(), "pipe2");
        return {observation::descriptor(fds[0]), observation::descriptor(fds[1])};
    }

    running_program(const std::vector<std::string>& arguments, const std::function<void()>& in_child, ends log)
        : process_([&] {
              ::dup2(log.writing.get(), STDERR_FILENO);
              if (in_child) in_child();
              ::execv(arguments.at(0).c_str(), observation::pointers_to(arguments).data());
              return 127;
          }),
          log_(std::move(log.reading)) {}

    observation::process process_;
    observation::descriptor log_;
    std::string text_;
};

} // namespace tests

#endif
