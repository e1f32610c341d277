// SPDX-License-Identifier: BSL-1.0
#ifndef CLOSESIDE_TESTS_SUPPORT_RUNNING_PROGRAM_HPP
#define CLOSESIDE_TESTS_SUPPORT_RUNNING_PROGRAM_HPP

#include <cerrno>
#include <chrono>
#include <csignal>
#include <cstddef>
#include <string>
#include <system_error>
#include <vector>

#include <fcntl.h>
#include <poll.h>
#include <sys/wait.h>
#include <unistd.h>

namespace tests {

/// A server that runs until it is stopped, at the latest by the destructor; what it logs to standard error is read as
/// it comes.
class running_program {
public:
    explicit running_program(std::vector<std::string> arguments) {
        std::vector<char*> pointers;
        for (std::string& argument : arguments) pointers.push_back(argument.data());
        pointers.push_back(nullptr);
        int ends[2];
        if (::pipe2(ends, O_CLOEXEC) != 0) throw std::system_error(errno, std::generic_category(), "pipe2");
        pid_ = ::fork();
        if (pid_ < 0) throw std::system_error(errno, std::generic_category(), "fork");
        if (pid_ == 0) {
            ::dup2(ends[1], STDERR_FILENO);
            ::execv(pointers[0], pointers.data());
            ::_exit(127);
        }
        ::close(ends[1]);
        log_ = ends[0];
    }
    running_program(const running_program&) = delete;
    running_program& operator=(const running_program&) = delete;
    ~running_program() {
        if (pid_ > 0) {
            ::kill(pid_, SIGKILL);
            ::waitpid(pid_, nullptr, 0);
        }
        ::close(log_);
    }

    pid_t pid() const { return pid_; }

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
            ::pollfd poll{log_, POLLIN, 0};
            if (std::chrono::steady_clock::now() > end || ::poll(&poll, 1, 100) < 0) return {};
            if (poll.revents == 0) continue;
            const ssize_t n = ::read(log_, buffer, sizeof buffer);
            if (n <= 0) return {};
            text_.append(buffer, static_cast<std::size_t>(n));
        }
    }

    /// The exit status after a signal, or, with 0, without one; -1 if that killed it, or it had to be killed after ten seconds.
    int stop(int signal = SIGINT) {
        const auto end = std::chrono::steady_clock::now() + std::chrono::seconds(10);
        ::kill(pid_, signal);
        // Reads on, so that a full pipe keeps nobody from ending; the end of the log is the end of the program.
        for (char buffer[1024]; std::chrono::steady_clock::now() < end;) {
            ::pollfd poll{log_, POLLIN, 0};
            if (::poll(&poll, 1, 100) < 0) break;
            if (poll.revents == 0) continue;
            const ssize_t n = ::read(log_, buffer, sizeof buffer);
            if (n <= 0) break;
            text_.append(buffer, static_cast<std::size_t>(n));
        }
        if (std::chrono::steady_clock::now() >= end) ::kill(pid_, SIGKILL);
        int status = 0;
        ::waitpid(pid_, &status, 0);
        pid_ = 0;
        return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
    }

private:
    pid_t pid_ = 0;
    int log_ = -1;
    std::string text_;
};

} // namespace tests

#endif
