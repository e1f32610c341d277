// SPDX-License-Identifier: BSL-1.0
#ifndef CLOSESIDE_DETAIL_STOP_STREAM_CALLS_HPP
#define CLOSESIDE_DETAIL_STOP_STREAM_CALLS_HPP

#include <closeside/close_policy.hpp>
#include <closeside/detail/asio/asio.hpp>
#include <closeside/detail/stop/stop_member.hpp>

#include <type_traits>
#include <utility>

namespace closeside::detail::inline CLOSESIDE_BACKEND {

/// A stream of ours: what ends the connection as its policy says.
template <class Stream>
concept is_ending_layer = requires(Stream& s) {
    Stream::policy.on_limit;
    s.abort();
    s.close();
    s.is_open();
};

/// The outermost layer that is one of ours.
template <class Stream>
auto& ending_layer(Stream& outer) noexcept {
    if constexpr (is_ending_layer<Stream>)
        return outer;
    else
        return ending_layer(outer.next_layer());
}

template <class Stream>
constexpr bool has_ending_layer() noexcept {
    if constexpr (is_ending_layer<Stream>)
        return true;
    else if constexpr (requires(Stream & s) { s.next_layer(); })
        return has_ending_layer<std::remove_reference_t<decltype(std::declval<Stream&>().next_layer())>>();
    else
        return false;
}

template <class Stream>
concept ends_orderly = has_ending_layer<Stream>();

template <class Stream>
using ending_layer_of = std::remove_reference_t<decltype(ending_layer(std::declval<Stream&>()))>;

constexpr bool resets_idle(const close_policy& p) noexcept {
    return p.on_limit == limit_action::abort || p.on_destroy == destroy_action::abort || p.linger == lingering::abort;
}

/// Asio's reads on TLS obey cancellation_type::terminal alone; total ends what has read nothing.
template <class Stream>
inline constexpr asio::cancellation_type type_that_ends_read = requires(Stream& s) {
    s.async_wait(asio::socket_base::wait_read, asio::detached);
}
? asio::cancellation_type::total : asio::cancellation_type::terminal;

template <class Stream, class Layer = ending_layer_of<Stream>>
inline constexpr stop_stream_calls stream_calls_for{
    [](void* layer) { return static_cast<Layer*>(layer)->is_open(); },
    [](void* layer) { return static_cast<int>(static_cast<Layer*>(layer)->lowest_layer().native_handle()); },
    [](void* layer) { static_cast<Layer*>(layer)->abort(); },
    [](void* layer) { static_cast<Layer*>(layer)->close(); },
    resets_idle(Layer::policy),
    type_that_ends_read<Stream>,
};

} // namespace closeside::detail::inline CLOSESIDE_BACKEND

#endif
