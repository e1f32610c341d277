// SPDX-License-Identifier: BSL-1.0
#ifndef CLOSESIDE_DETAIL_CLOSE_BLOCKING_CLOSE_HPP
#define CLOSESIDE_DETAIL_CLOSE_BLOCKING_CLOSE_HPP

#include <closeside/detail/close/closing_socket.hpp>
#include <closeside/detail/kernel/change_watch.hpp>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <limits>

#include <poll.h>

namespace closeside::detail::inline CLOSESIDE_BACKEND {

/// Waits for what poll(2) has no event for.
template <class Socket>
close_action wait_for_change(closing_socket<Socket>& closing, close_action wait) noexcept;

/// The same close on the calling thread, which it blocks for as long as the policy's limits allow.
template <class Socket>
close_report close_blocking(Socket&& socket, const close_policy& policy, const close_manner& manner,
                            error_code& ec) noexcept;

} // namespace closeside::detail::inline CLOSESIDE_BACKEND

#include <closeside/detail/close/impl/blocking_close.hpp>

#endif
