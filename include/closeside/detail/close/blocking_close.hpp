// SPDX-License-Identifier: BSL-1.0
#ifndef CLOSESIDE_DETAIL_CLOSE_BLOCKING_CLOSE_HPP
#define CLOSESIDE_DETAIL_CLOSE_BLOCKING_CLOSE_HPP

#include <closeside/close_policy.hpp>
#include <closeside/detail/asio/asio.hpp>
#include <closeside/detail/close/terms.hpp>
#include <closeside/last_bytes.hpp>
#include <closeside/report.hpp>

namespace closeside::detail::inline CLOSESIDE_BACKEND {

/// The same close on the calling thread, which it blocks for as long as the policy's limits allow.
template <class Socket>
close_report close_blocking(Socket&& socket, const close_policy& policy, const close_manner& manner, error_code& ec,
                            last_bytes_memory last_bytes = {}) noexcept;

} // namespace closeside::detail::inline CLOSESIDE_BACKEND

#include <closeside/detail/close/impl/blocking_close.hpp>

#endif
