// SPDX-License-Identifier: BSL-1.0
#ifndef CLOSESIDE_DETAIL_CLOSE_IMPL_DROP_HPP
#define CLOSESIDE_DETAIL_CLOSE_IMPL_DROP_HPP

#include <closeside/detail/close/conclude.hpp>
#include <closeside/detail/close/deadlines.hpp>
#include <closeside/detail/close/disown.hpp>
#include <closeside/detail/close/drop.hpp>
#include <closeside/detail/close/start_close.hpp>
#include <closeside/detail/close/told_to_go.hpp>

#include <utility>

namespace closeside::detail::inline CLOSESIDE_BACKEND {

constexpr close_policy closing_at_limit(close_policy p) noexcept {
    p.on_limit = limit_action::close;
    return p;
}

template <class Socket>
void release_now(Socket& socket, bool abort) noexcept {
    told_to_go::forget(socket.native_handle());
    if (abort) close_loop<>::reset(socket.native_handle());
    error_code ignored;
    socket.close(ignored);
    if (any_is_counted()) count_unseen_end(socket);
}

template <class Socket>
void count_unseen_end(Socket& socket) noexcept {
    end_counters* const counters = counters_of(socket);
    if (counters != nullptr) counters->see(nothing_seen());
}

/// Ends the connection without waiting: begins the close and cuts it at its first wait.
template <class Socket>
void end_now(Socket&& socket, const close_policy& policy, const close_manner& manner,
             last_bytes_memory last_bytes) noexcept {
    error_code ignored;
    socket.cancel(ignored);
    const closing_socket<Socket> ends_here(std::move(socket), policy, manner,
                                           std::move(last_bytes)); // its destructor does it
}

template <class Socket>
void drop(Socket&& socket, const close_policy& policy, close_manner manner, last_bytes_memory last_bytes) noexcept {
    if (is_inherited(socket)) return disown(socket);
    manner.wants_report = false;
    const close_terms terms(policy);
    const bool aborts = terms.aborts || policy.on_destroy == destroy_action::abort;
    if (aborts) return release_now(socket, !(terms.aborts && manner.linger_is_set));
    if (terms.releases_at_once() && !last_bytes) {
        if (manner.linger2 != 0) tcp_socket::set_linger2(socket.native_handle(), manner.linger2);
        return release_now(socket, false);
    }
    if (policy.on_destroy == destroy_action::close)
        return end_now(std::move(socket), closing_at_limit(policy), manner, std::move(last_bytes));
    try {
        start_unattended_close(std::move(socket), policy, manner, std::move(last_bytes));
    } catch (...) {
        // No memory for the operation; closing_socket has done what on_limit says.
    }
}

} // namespace closeside::detail::inline CLOSESIDE_BACKEND

#endif
