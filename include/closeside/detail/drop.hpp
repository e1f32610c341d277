// SPDX-License-Identifier: BSL-1.0
#ifndef CLOSESIDE_DETAIL_DROP_HPP
#define CLOSESIDE_DETAIL_DROP_HPP

#include <closeside/detail/start_close.hpp>

#include <utility>

namespace closeside::detail {

constexpr close_policy aborting(close_policy p) noexcept {
    p.linger = lingering::abort;
    return p;
}

constexpr close_policy closing_at_limit(close_policy p) noexcept {
    p.on_limit = limit_action::close;
    return p;
}

/// Ends the connection without waiting: begins the close and cuts it at its first wait.
template <class Socket>
void end_now(Socket&& socket, const close_policy& policy) noexcept {
    asio::error_code ignored;
    if (const close_terms terms(policy); terms.releases_at_once()) {
        if (terms.aborts) tcp_socket::set_linger(socket.native_handle(), true);
        socket.close(ignored);
        return;
    }
    socket.cancel(ignored);
    const closing_socket<Socket> ends_here(std::move(socket), policy); // its destructor does it
}

/// Ends a connection that nobody has closed, as on_destroy says.
template <class Socket>
void drop(Socket&& socket, const close_policy& policy) noexcept {
    switch (policy.on_destroy) {
    case destroy_action::abort: return end_now(std::move(socket), aborting(policy));
    case destroy_action::close: return end_now(std::move(socket), closing_at_limit(policy));
    case destroy_action::finish: break;
    }
    if (close_terms(policy).releases_at_once()) return end_now(std::move(socket), policy);
    try {
        start_close(std::move(socket), policy, told_nobody{});
    } catch (...) {
        // No memory for the operation; closing_socket has done what on_limit says.
    }
}

} // namespace closeside::detail

#endif
