// SPDX-License-Identifier: BSL-1.0
#ifndef CLOSESIDE_TESTS_SUPPORT_LOOPBACK_TCP_HPP
#define CLOSESIDE_TESTS_SUPPORT_LOOPBACK_TCP_HPP

#include <cerrno>
#include <cstdint>
#include <system_error>
#include <utility>
#include <vector>

#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

// Plain TCP over IPv4's loopback, for the body of in_own_network, once the interface is up.
namespace tests {

inline int checked(int result, const char* call) {
    if (result < 0) throw std::system_error(errno, std::generic_category(), call);
    return result;
}

class descriptor {
public:
    explicit descriptor(int fd) : fd_(fd) {}
    descriptor(descriptor&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
    descriptor& operator=(descriptor&& other) noexcept {
        std::swap(fd_, other.fd_);
        return *this;
    }
    descriptor(const descriptor&) = delete;
    descriptor& operator=(const descriptor&) = delete;
    ~descriptor() { close(); }
    int get() const { return fd_; }
    void close() {
        if (fd_ >= 0) ::close(fd_);
        fd_ = -1;
    }

private:
    int fd_;
};

namespace loopback_tcp {

constexpr std::uint16_t service = 9000;

inline ::sockaddr_in at(std::uint16_t port) {
    ::sockaddr_in a{};
    a.sin_family = AF_INET;
    a.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    a.sin_port = htons(port);
    return a;
}

inline const ::sockaddr* generic(const ::sockaddr_in& a) { return reinterpret_cast<const ::sockaddr*>(&a); }

inline void reuse_address(const descriptor& d) {
    const int on = 1;
    checked(::setsockopt(d.get(), SOL_SOCKET, SO_REUSEADDR, &on, sizeof on), "SO_REUSEADDR");
}

/// A listener on the port of the service, which may still be in TIME-WAIT.
inline descriptor listening(int backlog) {
    descriptor listener(checked(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), "socket"));
    const auto here = at(service);
    reuse_address(listener);
    checked(::bind(listener.get(), generic(here), sizeof here), "bind");
    checked(::listen(listener.get(), backlog), "listen");
    return listener;
}

/// A client that has begun to connect to the service, and does not wait; from this port where one is given.
inline descriptor connecting(std::uint16_t port = 0) {
    descriptor client(checked(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0), "socket"));
    if (port != 0) {
        const auto from = at(port);
        reuse_address(client);
        checked(::bind(client.get(), generic(from), sizeof from), "bind of a client");
    }
    const auto to = at(service);
    if (::connect(client.get(), generic(to), sizeof to) != 0 && errno != EINPROGRESS) checked(-1, "connect");
    return client;
}

/// Connections that the service closes first, one after the other; each from a port of its own, from `first_port` on
/// where that is given.
inline void serve_and_close_first(int count, std::uint16_t first_port = 0) {
    const descriptor listener = listening(1);
    for (int i = 0; i != count; ++i) {
        const descriptor client = connecting(static_cast<std::uint16_t>(first_port == 0 ? 0 : first_port + i));
        descriptor(checked(::accept4(listener.get(), nullptr, nullptr, SOCK_CLOEXEC), "accept4")).close();
    }
}

} // namespace loopback_tcp

} // namespace tests

#endif
