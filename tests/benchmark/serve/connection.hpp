// SPDX-License-Identifier: BSL-1.0
#ifndef CLOSESIDE_BENCHMARK_SERVE_CONNECTION_HPP
#define CLOSESIDE_BENCHMARK_SERVE_CONNECTION_HPP

#include "message.hpp"

#include <cerrno>
#include <cstdint>
#include <system_error>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

namespace benchmark_serve {

[[noreturn]] inline void fail(const char* call) { throw std::system_error(errno, std::generic_category(), call); }

/// A blocking connection to 127.0.0.1, or -1 with errno set.
inline int try_connect(std::uint16_t port) noexcept {
    const int fd = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    ::sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(port);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    if (fd < 0 || ::connect(fd, reinterpret_cast<const ::sockaddr*>(&address), sizeof address) == 0) return fd;
    const int error = errno;
    ::close(fd);
    errno = error;
    return -1;
}

inline bool is_listening(std::uint16_t port) noexcept {
    const int fd = try_connect(port);
    if (fd >= 0) ::close(fd);
    return fd >= 0;
}

/// A connection on which the request is on its way.
inline int connect_and_ask(std::uint16_t port) {
    const int fd = try_connect(port);
    if (fd < 0) fail("connect");
    if (::send(fd, request.data(), request.size(), MSG_NOSIGNAL) != static_cast<ssize_t>(request.size())) fail("send");
    return fd;
}

} // namespace benchmark_serve

#endif
