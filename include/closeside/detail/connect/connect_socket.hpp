// SPDX-License-Identifier: BSL-1.0
#ifndef CLOSESIDE_DETAIL_CONNECT_CONNECT_SOCKET_HPP
#define CLOSESIDE_DETAIL_CONNECT_CONNECT_SOCKET_HPP

#include <closeside/close_policy.hpp>
#include <closeside/detail/asio/asio.hpp>
#include <closeside/detail/kernel/owned_descriptor.hpp>
#include <closeside/detail/separate_compilation.hpp>

#include <optional>

namespace closeside::detail::inline CLOSESIDE_BACKEND {

using local_endpoint = std::optional<asio::ip::tcp::endpoint>;

/// A socket on its way to a destination, or the call that failed and its errno.
struct connector {
    owned_descriptor fd;
    const char* failed = nullptr;
    int error = 0;
};

/// Options set, bound if a local endpoint is wanted.
CLOSESIDE_DECL connector open_connector(const asio::ip::tcp::endpoint& remote, const local_endpoint& local,
                                        const close_policy& p) noexcept;

/// The address to come from; empty if there is no such address. Connecting a UDP socket chooses one as connect(2) on TCP does,
/// and sends nothing.
CLOSESIDE_DECL std::optional<asio::ip::address> source_address(const asio::ip::tcp::endpoint& remote,
                                                               const local_endpoint& local) noexcept;

inline bool has_fixed_port(const local_endpoint& local) noexcept { return local && local->port() != 0; }

/// Does it say that no port is to be had, or that an address is not?
CLOSESIDE_DECL bool is_about_ports(const error_code& ec) noexcept;

/// What bind(2) and connect(2) say about ports as ports_exhausted, if the kernel was to choose one and has an address.
CLOSESIDE_DECL error_code connect_error(const error_code& ec, const asio::ip::tcp::endpoint& remote,
                                        const local_endpoint& local);

} // namespace closeside::detail::inline CLOSESIDE_BACKEND

#ifndef CLOSESIDE_SEPARATE_COMPILATION
#include <closeside/detail/connect/impl/connect_socket.ipp>
#endif

#endif
