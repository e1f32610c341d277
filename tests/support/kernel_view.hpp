// SPDX-License-Identifier: BSL-1.0
#ifndef CLOSESIDE_TESTS_SUPPORT_KERNEL_VIEW_HPP
#define CLOSESIDE_TESTS_SUPPORT_KERNEL_VIEW_HPP

#include "support/sock_diag.hpp"

#include <asio/ip/tcp.hpp>

// The same by Asio's endpoints.
namespace kernel_view {

inline entry find(const asio::ip::tcp::endpoint& local, const asio::ip::tcp::endpoint& remote) {
    return find(local.data(), remote.data());
}

inline int state(const asio::ip::tcp::endpoint& local, const asio::ip::tcp::endpoint& remote) {
    return find(local, remote).state;
}

} // namespace kernel_view

#endif
