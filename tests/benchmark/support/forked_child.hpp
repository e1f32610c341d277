// SPDX-License-Identifier: BSL-1.0
#ifndef CLOSESIDE_BENCHMARK_SUPPORT_FORKED_CHILD_HPP
#define CLOSESIDE_BENCHMARK_SUPPORT_FORKED_CHILD_HPP

#include "observation/descriptor.hpp"
#include "observation/process.hpp"

#include <array>
#include <cerrno>
#include <chrono>
#include <optional>
#include <stdexcept>
#include <string>
#include <system_error>
#include <type_traits>
#include <utility>

#include <poll.h>
#include <sys/socket.h>

namespace benchmark_support {

/// One end of a connection between a process and its child, which takes plain values whole.
class channel {
public:
    explicit channel(int fd) noexcept : fd_(fd) {}

    template <class T>
    void send(const T& value) const {
        static_assert(std::is_trivially_copyable_v<T>);
        if (::send(fd_.get(), &value, sizeof value, MSG_NOSIGNAL) != sizeof value)
            throw std::system_error(errno, std::generic_category(), "send to the other process");
    }

    /// Nothing if the other process has ended.
    /** @throws std::runtime_error if it says nothing in time. */
    template <class T>
    std::optional<T> receive(std::chrono::milliseconds limit) const {
        static_assert(std::is_trivially_copyable_v<T>);
        ::pollfd waits{fd_.get(), POLLIN, 0};
        if (::poll(&waits, 1, static_cast<int>(limit.count())) <= 0)
            throw std::runtime_error("the other process said nothing for " + std::to_string(limit.count()) + " ms");
        T value{};
        if (::recv(fd_.get(), &value, sizeof value, 0) != sizeof value) return std::nullopt;
        return value;
    }

private:
    observation::descriptor fd_;
};

/// A process that does one thing; killed if it has not ended when this goes, or when its parent dies.
class forked_child {
public:
    /// `body` gets the child's end of the channel. What it throws is said on standard error.
    template <class Body>
    explicit forked_child(Body body) : forked_child(std::move(body), pair()) {}
    forked_child(const forked_child&) = delete;
    forked_child& operator=(const forked_child&) = delete;

    const channel& to() const noexcept { return channels_.ours; }

private:
    struct ends {
        channel ours;
        channel theirs;
    };

    static ends pair() {
        std::array<int, 2> fds{};
        if (::socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, fds.data()) != 0)
            throw std::system_error(errno, std::generic_category(), "socketpair");
        return {channel(fds[0]), channel(fds[1])};
    }

    template <class Body>
    forked_child(Body body, ends channels)
        : channels_(std::move(channels)), process_([&] {
              { const channel other_process_s = std::move(channels_.ours); }
              body(std::move(channels_.theirs));
              return 0;
          }) {
        const channel childs = std::move(channels_.theirs);
    }

    ends channels_;
    observation::process process_;
};

} // namespace benchmark_support

#endif
