// SPDX-License-Identifier: BSL-1.0
#ifndef CLOSESIDE_DETAIL_CLOSE_STREAM_ARGUMENTS_HPP
#define CLOSESIDE_DETAIL_CLOSE_STREAM_ARGUMENTS_HPP

#include <closeside/close_policy.hpp>
#include <closeside/detail/asio/asio.hpp>
#include <closeside/last_bytes.hpp>

#include <type_traits>

namespace closeside::inline CLOSESIDE_BACKEND {
template <close_policy P, class Executor>
class basic_stream;
} // namespace closeside::inline CLOSESIDE_BACKEND

namespace closeside::detail::inline CLOSESIDE_BACKEND {

template <class T, class Executor>
concept executor_or_context = std::is_convertible_v<T, Executor> || std::is_convertible_v<T&, asio::execution_context&>;

/// Of an argument in the place of a completion token.
template <class T>
concept says_how_to_close =
    std::is_same_v<std::remove_cvref_t<T>, close_policy> || std::is_same_v<std::remove_cvref_t<T>, last_bytes>;

template <class T, close_policy P>
inline constexpr bool has_other_policy = false;
template <close_policy Other, class Executor, close_policy P>
inline constexpr bool has_other_policy<basic_stream<Other, Executor>, P> = Other != P;

template <class T, close_policy P>
concept stream_of_other_policy = has_other_policy<std::remove_cvref_t<T>, P>;

} // namespace closeside::detail::inline CLOSESIDE_BACKEND

#endif
