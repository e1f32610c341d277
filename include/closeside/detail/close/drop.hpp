// SPDX-License-Identifier: BSL-1.0
#ifndef CLOSESIDE_DETAIL_CLOSE_DROP_HPP
#define CLOSESIDE_DETAIL_CLOSE_DROP_HPP

#include <closeside/close_policy.hpp>
#include <closeside/detail/asio/asio.hpp>
#include <closeside/detail/close/terms.hpp>
#include <closeside/last_bytes.hpp>

namespace closeside::detail::inline CLOSESIDE_BACKEND {

/// Releases the descriptor without a look at the connection: with RST, or as close(2) does.
/** What is under way on the socket completes with operation_aborted. */
template <class Socket>
void release_now(Socket& socket, bool abort) noexcept;

/// Of a connection that has been released without a look.
template <class Socket>
void count_unseen_end(Socket& socket) noexcept;

/// Ends a connection that nobody has closed, as on_destroy says; without the last bytes if that is an abort.
/** One that belongs to the process this one was forked from is left alone. */
template <class Socket>
void drop(Socket&& socket, const close_policy& policy, close_manner manner, last_bytes_memory last_bytes = {}) noexcept;

} // namespace closeside::detail::inline CLOSESIDE_BACKEND

#include <closeside/detail/close/impl/drop.hpp>

#endif
