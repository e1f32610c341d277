// SPDX-License-Identifier: BSL-1.0
#ifndef CLOSESIDE_DETAIL_ASIO_SYNC_RESULT_HPP
#define CLOSESIDE_DETAIL_ASIO_SYNC_RESULT_HPP

#include <closeside/detail/asio/asio.hpp>

#include <type_traits>
#include <utility>

namespace closeside::detail::inline CLOSESIDE_BACKEND {

/// What Asio's functions with an `ec` return: nothing, or the error once more unless its deprecated parts are off.
using sync_result = decltype(std::declval<asio::ip::tcp::acceptor&>().close(std::declval<error_code&>()));

inline sync_result to_sync_result(const error_code& ec) noexcept { return static_cast<sync_result>(ec); }

/// What `call` returns. @throws system_error for the error that it leaves, with `what` in its message.
template <class Call>
auto or_throw(const char* what, Call call) {
    error_code ec;
    if constexpr (std::is_void_v<decltype(call(ec))>) {
        call(ec);
        if (ec) throw system_error(ec, what);
    } else {
        auto result = call(ec);
        if (ec) throw system_error(ec, what);
        return result;
    }
}

} // namespace closeside::detail::inline CLOSESIDE_BACKEND

#endif
