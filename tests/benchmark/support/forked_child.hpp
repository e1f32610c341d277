// SPDX-License-Identifier: BSL-1.0
#ifndef CLOSESIDE_BENCHMARK_SUPPORT_FORKED_CHILD_HPP
#define CLOSESIDE_BENCHMARK_SUPPORT_FORKED_CHILD_HPP

#include <array>
#include <cerrno>
#include <chrono>
#include <csignal>
#include <cstddef>
#include <exception>
#include <iostream>
#include <optional>
#include <stdexcept>
#include <string>
#include <system_error>
#include <type_traits>
#include <utility>

#include <poll.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

namespace benchmark_support {

/// One end of a connection between a process and its child, which takes plain values whole.
class channel {
public:
    explicit channel(int fd) noexcept : fd_(fd) {}
    channel(channel&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
    channel& operator=(channel&&) = delete;
    ~channel() {
        if (fd_ >= 0) ::close(fd_);
    }

    template <class T>
    void send(const T& value) const {
        static_assert(std::is_trivially_copyable_v<T>);
        if (::send(fd_, &value, sizeof value, MSG_NOSIGNAL) != sizeof value)
            throw std::system_error(errno, std::generic_category(), "send to the other process");
    }

    /// None where the other process has ended.
    /** @throws std::runtime_error where it says nothing in time. */
    template <class T>
    std::optional<T> receive(std::chrono::milliseconds limit) const {
        static_assert(std::is_trivially_copyable_v<T>);
        ::pollfd waits{fd_, POLLIN, 0};
        if (::poll(&waits, 1, static_cast<int>(limit.count())) <= 0)
            throw std::runtime_error("the other process said nothing for " + std::to_string(limit.count()) + " ms");
        T value{};
        if (::recv(fd_, &value, sizeof value, 0) != sizeof value) return std::nullopt;
        return value;
    }

private:
    int fd_;
};

/// A process that does one thing; killed where it has not ended when this goes, or when its parent dies.
class forked_child {
public:
    /// `body` gets the child's end of the channel. What it throws is said on standard error.
    template <class Body>
    explicit forked_child(Body body) : forked_child(std::move(body), pair()) {}
    forked_child(const forked_child&) = delete;
    forked_child& operator=(const forked_child&) = delete;
    ~forked_child() {
        ::kill(pid_, SIGKILL);
        ::waitpid(pid_, nullptr, 0);
    }

    const channel& to() const noexcept { return channel_; }

private:
    static std::array<int, 2> pair() {
        std::array<int, 2> fds{};
        if (::socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, fds.data()) != 0)
            throw std::system_error(errno, std::generic_category(), "socketpair");
        return fds;
    }

    template <class Body>
    forked_child(Body body, std::array<int, 2> fds) : channel_(fds[0]) {
        const pid_t parent = ::getpid();
        pid_ = ::fork();
        if (pid_ > 0) ::close(fds[1]);
        if (pid_ < 0) throw std::system_error(errno, std::generic_category(), "fork");
        if (pid_ == 0) do_alone(body, fds, parent);
    }

    template <class Body>
    [[noreturn]] static void do_alone(Body& body, std::array<int, 2> fds, pid_t parent) noexcept {
        ::prctl(PR_SET_PDEATHSIG, SIGKILL);
        if (::getppid() != parent) ::_exit(1); // it died before
        ::close(fds[0]);
        try {
            body(channel(fds[1]));
        } catch (const std::exception& e) {
            std::cerr << e.what() << "\n";
            ::_exit(1);
        }
        ::_exit(0);
    }

    channel channel_;
    pid_t pid_ = -1;
};

} // namespace benchmark_support

#endif
