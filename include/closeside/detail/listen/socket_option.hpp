// SPDX-License-Identifier: BSL-1.0
#ifndef CLOSESIDE_DETAIL_LISTEN_SOCKET_OPTION_HPP
#define CLOSESIDE_DETAIL_LISTEN_SOCKET_OPTION_HPP

#include <closeside/detail/asio/asio.hpp>

#include <concepts>
#include <cstddef>

namespace closeside::detail::inline CLOSESIDE_BACKEND {

/// What setsockopt(2) takes: Asio's SettableSocketOption, e.g. asio::ip::tcp::no_delay or a class of the user's.
template <class T>
concept socket_option = requires(const T& option, const asio::ip::tcp& protocol) {
    { option.level(protocol) } -> std::convertible_to<int>;
    { option.name(protocol) } -> std::convertible_to<int>;
    { option.data(protocol) } -> std::convertible_to<const void*>;
    { option.size(protocol) } -> std::convertible_to<std::size_t>;
};

} // namespace closeside::detail::inline CLOSESIDE_BACKEND

#endif
