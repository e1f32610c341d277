// SPDX-License-Identifier: BSL-1.0
#ifndef CLOSESIDE_DETAIL_CLOSE_DROP_HPP
#define CLOSESIDE_DETAIL_CLOSE_DROP_HPP

#include <closeside/detail/close/disown.hpp>
#include <closeside/detail/close/start_close.hpp>

#include <utility>

namespace closeside::detail::inline CLOSESIDE_BACKEND {

constexpr close_policy closing_at_limit(close_policy p) noexcept {
    p.on_limit = limit_action::close;
    return p;
}

/// Releases the descriptor without a look at the connection: with RST, or as close(2) does.
/** What is under way on the socket completes with operation_aborted. */
template <class Socket>
void release_now(Socket& socket, bool abort) noexcept;

/// Ends the connection without waiting: begins the close and cuts it at its first wait.
template <class Socket>
void end_now(Socket&& socket, const close_policy& policy, const close_manner& manner) noexcept;

/// Ends a connection that nobody has closed, as on_destroy says.
/** One that belongs to the process this one was forked from is left alone. */
template <class Socket>
void drop(Socket&& socket, const close_policy& policy, close_manner manner) noexcept;

} // namespace closeside::detail::inline CLOSESIDE_BACKEND

#include <closeside/detail/close/impl/drop.hpp>

#endif
