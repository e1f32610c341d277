// SPDX-License-Identifier: BSL-1.0
#ifndef CLOSESIDE_DETAIL_ASIO_SYNC_RESULT_HPP
#define CLOSESIDE_DETAIL_ASIO_SYNC_RESULT_HPP

#include <closeside/detail/asio/asio.hpp>

#include <utility>

namespace closeside::detail::inline CLOSESIDE_BACKEND {

/// What Asio's functions with an `ec` return: nothing, or the error once more unless its deprecated parts are off.
using sync_result = decltype(std::declval<asio::ip::tcp::acceptor&>().close(std::declval<error_code&>()));

inline sync_result to_sync_result(const error_code& ec) noexcept { return static_cast<sync_result>(ec); }

} // namespace closeside::detail::inline CLOSESIDE_BACKEND

#endif
