// SPDX-License-Identifier: BSL-1.0
#ifndef CLOSESIDE_DETAIL_CONNECT_SOCKET_HPP
#define CLOSESIDE_DETAIL_CONNECT_SOCKET_HPP

#include <closeside/close_policy.hpp>
#include <closeside/detail/local_ports.hpp>
#include <closeside/detail/owned_descriptor.hpp>
#include <closeside/detail/tcp_socket.hpp>
#include <closeside/error.hpp>

#include <asio/error.hpp>
#include <asio/error_code.hpp>
#include <asio/ip/tcp.hpp>

#include <cerrno>
#include <cstring>
#include <optional>

#include <netinet/in.h>
#include <sys/socket.h>

namespace closeside::detail {

using local_endpoint = std::optional<asio::ip::tcp::endpoint>;

inline bool bind_local(int fd, int type, const asio::ip::tcp::endpoint& local) noexcept {
    const int on = 1;
    // The kernel chooses the port at connect(2), when it knows the destination: one port serves many destinations.
    if (type == SOCK_STREAM && local.port() == 0) ::setsockopt(fd, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, &on, sizeof on);
    return ::bind(fd, local.data(), static_cast<socklen_t>(local.size())) == 0;
}

/// A socket on its way to `remote`: options set, bound where a local endpoint is wanted. Invalid with errno set.
inline owned_descriptor open_connector(const asio::ip::tcp::endpoint& remote, const local_endpoint& local,
                                       const close_policy& p) noexcept {
    owned_descriptor connector(
        ::socket(remote.protocol().family(), SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, IPPROTO_TCP));
    const int fd = connector.get();
    const int reuse = p.reuse_address ? 1 : 0;
    const bool ready = fd >= 0 && tcp_socket::apply_policy(fd, p) &&
                       (!local || (tcp_socket::set_option(fd, SOL_SOCKET, SO_REUSEADDR, &reuse, sizeof reuse) &&
                                   bind_local(fd, SOCK_STREAM, *local)));
    if (ready) return connector;
    const int error = errno;
    connector = owned_descriptor();
    errno = error;
    return connector;
}

/// Is there an address to come from? Connecting a UDP socket chooses one as connect(2) on TCP does, and sends nothing.
inline bool has_source_address(const asio::ip::tcp::endpoint& remote, const local_endpoint& local) noexcept {
    const owned_descriptor probe(::socket(remote.protocol().family(), SOCK_DGRAM | SOCK_CLOEXEC, 0));
    if (!probe) return false;
    if (local && !bind_local(probe.get(), SOCK_DGRAM, {local->address(), 0})) return false;
    return ::connect(probe.get(), remote.data(), static_cast<socklen_t>(remote.size())) == 0;
}

inline destination destination_of(const asio::ip::tcp::endpoint& e) noexcept {
    destination d{e.protocol().family(), {}, htons(e.port())};
    if (e.address().is_v4()) {
        const auto bytes = e.address().to_v4().to_bytes();
        std::memcpy(d.address.data(), bytes.data(), bytes.size());
    } else {
        const auto bytes = e.address().to_v6().to_bytes();
        std::memcpy(d.address.data(), bytes.data(), bytes.size());
    }
    return d;
}

/// EADDRNOTAVAIL and EADDRINUSE from connect(2) as ports_exhausted, unless the address is what is not available.
inline asio::error_code connect_error(const asio::error_code& ec, const asio::ip::tcp::endpoint& remote,
                                      const local_endpoint& local) {
    const bool about_ports =
        ec == asio::error_code(EADDRNOTAVAIL, asio::error::get_system_category()) || ec == asio::error::address_in_use;
    if (!about_ports || !has_source_address(remote, local)) return ec;
    exhausted_destination::remember(destination_of(remote));
    return make_error_code(error::ports_exhausted);
}

} // namespace closeside::detail

#endif
