// SPDX-License-Identifier: BSL-1.0
#ifndef CLOSESIDE_BEAST_HPP
#define CLOSESIDE_BEAST_HPP

#include <closeside/detail/asio/configuration.hpp>
#if !defined(CLOSESIDE_USE_BOOST_ASIO)
#error                                                                                                                 \
    "closeside/beast.hpp: Boost.Beast knows Boost.Asio only: link closeside::boost (it defines CLOSESIDE_USE_BOOST_ASIO)"
#endif

#include <closeside/detail/asio/hooked_handler.hpp>
#include <closeside/stream.hpp>

#include <boost/beast/core/error.hpp>
#include <boost/beast/core/role.hpp>
#include <boost/beast/websocket/teardown.hpp>

#include <type_traits>
#include <utility>

// What Boost.Beast asks of a stream type, found by argument-dependent lookup: how a WebSocket's connection is torn down
// after its close frames, and what a time-out does. HTTP needs nothing.
// The TLS streams are declared only, so that OpenSSL is for those who use them.
namespace boost::asio::ssl {
template <typename Stream>
class stream;
} // namespace boost::asio::ssl

namespace closeside::inline CLOSESIDE_BACKEND {
template <close_policy P, class Executor>
class basic_ssl_stream;
} // namespace closeside::inline CLOSESIDE_BACKEND

namespace closeside::detail::inline CLOSESIDE_BACKEND {

/// Beast asks for the error alone.
struct tell_error_alone {
    template <class Handler, class Report>
    void operator()(Handler&& handler, const error_code& ec, const Report&) const {
        std::move(handler)(ec);
    }
};

template <class Tls>
concept has_free_async_close = requires(Tls& tls) {
    async_close(tls, asio::detached);
};

/// Begins the close of what lies under a WebSocket, when the completion token says.
template <class Stream>
struct initiate_teardown {
    using executor_type = typename Stream::executor_type;
    executor_type get_executor() const noexcept { return stream->get_executor(); }

    template <class Handler>
    void operator()(Handler&& handler) const {
        auto h = hook_handler(tell_error_alone{}, std::decay_t<Handler>(std::forward<Handler>(handler)));
        if constexpr (requires { stream->async_close(std::move(h)); })
            stream->async_close(std::move(h));
        else
            async_close(*stream, std::move(h));
    }

    Stream* stream;
};

template <class Stream, class Handler>
auto tear_down(Stream& stream, Handler&& handler) {
    return asio::async_initiate<Handler, void(error_code)>(initiate_teardown<Stream>{&stream}, handler);
}

/// The lowest layer of both streams is a socket of Asio's to Beast, which would close it without its policy.
template <close_policy P, class Executor>
void beast_close_socket(policy_socket<P, Executor>& socket) {
    socket.close();
}

} // namespace closeside::detail::inline CLOSESIDE_BACKEND

namespace closeside::inline CLOSESIDE_BACKEND {

/// What Beast does when one of its time-outs is over: close(), so that a reply under way is still delivered.
/** beast::close_socket(get_lowest_layer(x)) comes here for both streams; from a TLS stream no close_notify is sent. */
template <close_policy P, class Executor>
void beast_close_socket(basic_stream<P, Executor>& stream) {
    stream.close();
}
template <close_policy P, class Executor>
void beast_close_socket(basic_ssl_stream<P, Executor>& stream) {
    stream.close();
}

/// Tears down the connection under a WebSocket: async_close by the policy, which sends close_notify first on TLS.
/** A client that falls silent after its close frame costs what a silent peer costs on plain TCP. The outcome is that of
 *  async_close without its report; a limit that ran out is an error of the WebSocket's close as well.
 *  @par Completion signature  void(error_code) */
template <close_policy P, class Executor, class Handler>
auto async_teardown(boost::beast::role_type, basic_stream<P, Executor>& stream, Handler&& handler) {
    return detail::tear_down(stream, std::forward<Handler>(handler));
}
template <close_policy P, class Executor, class Handler>
auto async_teardown(boost::beast::role_type, basic_ssl_stream<P, Executor>& stream, Handler&& handler) {
    return detail::tear_down(stream, std::forward<Handler>(handler));
}
template <close_policy P, class Executor, class Handler>
auto async_teardown(boost::beast::role_type, boost::asio::ssl::stream<basic_stream<P, Executor>>& stream,
                    Handler&& handler) {
    using tls = boost::asio::ssl::stream<basic_stream<P, Executor>>;
    static_assert(detail::has_free_async_close<tls>, "a WebSocket over TLS needs: #include <closeside/ssl.hpp>");
    return detail::tear_down(stream, std::forward<Handler>(handler));
}

/// The same on this thread, which waits within the policy's limits: close_and_wait.
template <close_policy P, class Executor>
void teardown(boost::beast::role_type, basic_stream<P, Executor>& stream, boost::beast::error_code& ec) {
    stream.close_and_wait(ec);
}
template <close_policy P, class Executor>
void teardown(boost::beast::role_type, basic_ssl_stream<P, Executor>& stream, boost::beast::error_code& ec) {
    stream.close_and_wait(ec);
}
template <close_policy P, class Executor>
void teardown(boost::beast::role_type, boost::asio::ssl::stream<basic_stream<P, Executor>>& stream,
              boost::beast::error_code& ec) {
    using tls = boost::asio::ssl::stream<basic_stream<P, Executor>>;
    static_assert(detail::has_free_async_close<tls>, "a WebSocket over TLS needs: #include <closeside/ssl.hpp>");
    close_and_wait(stream, ec);
}

} // namespace closeside::inline CLOSESIDE_BACKEND

#endif
