// SPDX-License-Identifier: BSL-1.0
#ifndef CLOSESIDE_DETAIL_LISTEN_BIND_OPTIONS_HPP
#define CLOSESIDE_DETAIL_LISTEN_BIND_OPTIONS_HPP

#include <closeside/detail/kernel/owned_descriptor.hpp>

#include <cerrno>
#include <cstddef>

#include <netinet/in.h>
#include <sys/socket.h>

namespace closeside::detail {

/// The options by which the kernel judges whether two sockets can have one port (inet_bind_conflict).
struct bind_options {
    bool reuse_address = false;
    bool reuse_port = false;
    bool v6_only = false;

    constexpr bind_options with_reuse_address() const noexcept { return {true, reuse_port, v6_only}; }
    constexpr bind_options with_reuse_port() const noexcept { return {reuse_address, true, v6_only}; }
};

inline bool is_on(int fd, int level, int name) noexcept {
    int value = 0;
    socklen_t size = sizeof value;
    return ::getsockopt(fd, level, name, &value, &size) == 0 && value != 0;
}

inline bind_options bind_options_of(int fd) noexcept {
    return {is_on(fd, SOL_SOCKET, SO_REUSEADDR), is_on(fd, SOL_SOCKET, SO_REUSEPORT),
            is_on(fd, IPPROTO_IPV6, IPV6_V6ONLY)}; // on an IPv4 socket an error, hence off
}

/// errno of a bind(2) with these options, 0 for success. Nothing listens on the probe, and it is gone on return.
inline int try_bind(const sockaddr* address, std::size_t size, const bind_options& options) noexcept {
    const owned_descriptor probe(::socket(address->sa_family, SOCK_STREAM | SOCK_CLOEXEC, IPPROTO_TCP));
    if (!probe) return errno;
    const auto set = [&](int level, int name, int value) {
        ::setsockopt(probe.get(), level, name, &value, sizeof value);
    };
    if (options.reuse_address) set(SOL_SOCKET, SO_REUSEADDR, 1);
    if (options.reuse_port) set(SOL_SOCKET, SO_REUSEPORT, 1);
    // Off as well: the host's net.ipv6.bindv6only may have it on.
    if (address->sa_family == AF_INET6) set(IPPROTO_IPV6, IPV6_V6ONLY, options.v6_only ? 1 : 0);
    return ::bind(probe.get(), address, static_cast<socklen_t>(size)) == 0 ? 0 : errno;
}

} // namespace closeside::detail

#endif
