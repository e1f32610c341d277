// SPDX-License-Identifier: BSL-1.0
#ifndef CLOSESIDE_DETAIL_LISTEN_ACCEPT_ARGUMENTS_HPP
#define CLOSESIDE_DETAIL_LISTEN_ACCEPT_ARGUMENTS_HPP

#include <closeside/close_policy.hpp>
#include <closeside/detail/asio/asio.hpp>

#include <type_traits>
#include <utility>

namespace closeside::inline CLOSESIDE_BACKEND {
template <close_policy P, class Executor>
class basic_stream;
} // namespace closeside::inline CLOSESIDE_BACKEND

namespace closeside::detail::inline CLOSESIDE_BACKEND {
template <close_policy P, class Executor>
class policy_socket;
} // namespace closeside::detail::inline CLOSESIDE_BACKEND

// Asio's overloads of accept differ by what their arguments are.
namespace closeside::detail::inline CLOSESIDE_BACKEND {

template <class T>
concept context_like = std::is_convertible_v<T&, asio::execution_context&>;

template <class T>
concept executor_like = asio::is_executor<T>::value || asio::execution::is_executor<T>::value;

/// What a new stream can be made on.
template <class T>
concept stream_place = context_like<std::remove_reference_t<T>> || executor_like<std::remove_cvref_t<T>>;

template <executor_like Executor>
const Executor& place_executor(const Executor& executor) noexcept {
    return executor;
}
template <context_like Context>
typename Context::executor_type place_executor(Context& context) noexcept {
    return context.get_executor();
}
template <stream_place T>
using place_executor_t = std::remove_cvref_t<decltype(place_executor(std::declval<T&>()))>;

/// The socket that a connection is accepted into.
template <class Protocol, class Executor>
requires std::is_convertible_v<asio::ip::tcp, Protocol> asio::basic_socket<Protocol, Executor>
&peer_socket(asio::basic_socket<Protocol, Executor>& socket) noexcept { return socket; }
template <close_policy P, class Executor>
asio::basic_socket<asio::ip::tcp, Executor>& peer_socket(basic_stream<P, Executor>& stream) noexcept {
    return stream.socket();
}

template <class T>
concept accept_peer = requires(T& peer) {
    peer_socket(peer);
};

/// A stream, or what its lowest_layer() returns.
template <class T>
inline constexpr bool has_policy = false;
template <close_policy P, class Executor>
inline constexpr bool has_policy<basic_stream<P, Executor>> = true;
template <close_policy P, class Executor>
inline constexpr bool has_policy<policy_socket<P, Executor>> = true;

/// Does a connection of an acceptor<P>, which inherits its options, suit the socket? A plain one takes any.
template <close_policy P, class Peer>
inline constexpr bool suits_peer = !has_policy<Peer>;
template <close_policy P, class Executor>
inline constexpr bool suits_peer<P, basic_stream<P, Executor>> = true;
template <close_policy P, class Executor>
inline constexpr bool suits_peer<P, policy_socket<P, Executor>> = true;

/// None of what may stand before the completion token.
template <class Token>
concept accept_token = !stream_place<Token> && !accept_peer<std::remove_reference_t<Token>> &&
                       !std::is_same_v<std::remove_cvref_t<Token>, asio::ip::tcp::endpoint>;

} // namespace closeside::detail::inline CLOSESIDE_BACKEND

#endif
