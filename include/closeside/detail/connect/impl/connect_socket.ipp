// SPDX-License-Identifier: BSL-1.0
#ifndef CLOSESIDE_DETAIL_CONNECT_IMPL_CONNECT_SOCKET_IPP
#define CLOSESIDE_DETAIL_CONNECT_IMPL_CONNECT_SOCKET_IPP

#include <closeside/detail/close/apply_policy.hpp>
#include <closeside/detail/connect/connect_socket.hpp>
#include <closeside/detail/kernel/tcp_socket.hpp>
#include <closeside/error.hpp>

#include <cerrno>

#include <netinet/in.h>
#include <sys/socket.h>

namespace closeside::detail::inline CLOSESIDE_BACKEND {

inline bool bind_local(int fd, int type, const asio::ip::tcp::endpoint& local) noexcept {
    const int on = 1;
    // The kernel chooses the port at connect(2), when it knows the destination: one port serves many destinations.
    if (type == SOCK_STREAM && local.port() == 0) ::setsockopt(fd, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, &on, sizeof on);
    return ::bind(fd, local.data(), static_cast<socklen_t>(local.size())) == 0;
}

CLOSESIDE_DECL connector open_connector(const asio::ip::tcp::endpoint& remote, const local_endpoint& local,
                                        const close_policy& p) noexcept {
    connector c{owned_descriptor(
        ::socket(remote.protocol().family(), SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, IPPROTO_TCP))};
    const int fd = c.fd.get();
    const int reuse = p.reuse_address ? 1 : 0;
    if (fd < 0)
        c.failed = "socket";
    else if (!apply_policy(fd, p) ||
             (local && !tcp_socket::set_option(fd, SOL_SOCKET, SO_REUSEADDR, &reuse, sizeof reuse)))
        c.failed = "setsockopt";
    else if (local && !bind_local(fd, SOCK_STREAM, *local))
        c.failed = "bind";
    if (c.failed != nullptr) c = {owned_descriptor(), c.failed, errno};
    return c;
}

CLOSESIDE_DECL std::optional<asio::ip::address> source_address(const asio::ip::tcp::endpoint& remote,
                                                               const local_endpoint& local) noexcept {
    const owned_descriptor probe(::socket(remote.protocol().family(), SOCK_DGRAM | SOCK_CLOEXEC, 0));
    if (!probe) return std::nullopt;
    if (local && !bind_local(probe.get(), SOCK_DGRAM, {local->address(), 0})) return std::nullopt;
    if (::connect(probe.get(), remote.data(), static_cast<socklen_t>(remote.size())) != 0) return std::nullopt;
    asio::ip::tcp::endpoint source;
    socklen_t size = static_cast<socklen_t>(source.capacity());
    if (::getsockname(probe.get(), source.data(), &size) != 0) return std::nullopt;
    return source.address();
}

CLOSESIDE_DECL bool is_about_ports(const error_code& ec) noexcept {
    return ec == error_code(EADDRNOTAVAIL, asio::error::get_system_category()) || ec == asio::error::address_in_use;
}

CLOSESIDE_DECL error_code connect_error(const error_code& ec, const asio::ip::tcp::endpoint& remote,
                                        const local_endpoint& local) {
    const bool is_out_of_ports = is_about_ports(ec) && !has_fixed_port(local) && source_address(remote, local);
    return is_out_of_ports ? error_code(error::ports_exhausted) : ec;
}

} // namespace closeside::detail::inline CLOSESIDE_BACKEND

#endif
