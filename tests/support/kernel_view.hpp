// SPDX-License-Identifier: BSL-1.0
#ifndef CLOSESIDE_TESTS_SUPPORT_KERNEL_VIEW_HPP
#define CLOSESIDE_TESTS_SUPPORT_KERNEL_VIEW_HPP

#include "observation/socket_table.hpp"
#include "observation/wait.hpp"

#include <chrono>

#include <sys/socket.h>

// What the kernel says of a connection, asked of sock_diag and not of the library under test.
namespace kernel_view {

using closeside::detail::tcp_state;
using enum closeside::detail::tcp_state;
inline constexpr tcp_state none = unknown; // the kernel knows no such connection

/// The entry of one end of a connection, IPv4 or IPv6: its own endpoint first.
inline observation::socket_entry find(const ::sockaddr* local, const ::sockaddr* remote) {
    return observation::socket_table().find(local, remote);
}

/// The same by Asio's endpoints.
template <class Endpoint>
observation::socket_entry find(const Endpoint& local, const Endpoint& remote) {
    return find(local.data(), remote.data());
}

template <class Endpoint>
tcp_state state(const Endpoint& local, const Endpoint& remote) {
    return find(local, remote).state;
}

/// Looks without a pause until `condition` holds; false after `limit`.
template <class Condition>
bool eventually(Condition condition, std::chrono::milliseconds limit = std::chrono::seconds(5)) {
    return observation::eventually(condition, limit, std::chrono::milliseconds(0));
}

} // namespace kernel_view

#endif
