// SPDX-License-Identifier: BSL-1.0
#ifndef CLOSESIDE_TESTS_SUPPORT_LOOPBACK_TCP_HPP
#define CLOSESIDE_TESTS_SUPPORT_LOOPBACK_TCP_HPP

#include "observation/descriptor.hpp"
#include "observation/endpoint.hpp"

#include <cerrno>
#include <cstdint>
#include <system_error>

#include <netinet/in.h>
#include <sys/socket.h>

// Plain TCP over IPv4's loopback, for the body of in_own_network, once the interface is up.
namespace tests {

inline int checked(int result, const char* call) {
    if (result < 0) throw std::system_error(errno, std::generic_category(), call);
    return result;
}

using observation::descriptor;

namespace loopback_tcp {

constexpr std::uint16_t service = 9000;

inline ::sockaddr_in at(std::uint16_t port) { return observation::socket_address({INADDR_LOOPBACK, port}); }

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

/// A client that has begun to connect to the service, and does not wait; from this port if one is given.
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
/// if that is given.
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
