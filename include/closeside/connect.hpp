// SPDX-License-Identifier: BSL-1.0
#ifndef CLOSESIDE_CONNECT_HPP
#define CLOSESIDE_CONNECT_HPP

#include <closeside/detail/configuration.hpp>

#include <closeside/detail/connect_op.hpp>
#include <closeside/detail/connect_socket.hpp>
#include <closeside/policy.hpp>
#include <closeside/stream.hpp>

#include <asio/any_io_executor.hpp>
#include <asio/async_result.hpp>
#include <asio/compose.hpp>
#include <asio/execution_context.hpp>
#include <asio/is_executor.hpp>
#include <asio/system_error.hpp>

#include <iterator>
#include <optional>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

namespace closeside {

/// How a connection is made; everything has a default.
struct connect_options {
    /// Where to come from. Port 0: the address alone is bound (IP_BIND_ADDRESS_NO_PORT) and the kernel chooses the port
    /// at connect(2), so that a port is taken for one destination and not for all.
    std::optional<asio::ip::tcp::endpoint> local = std::nullopt;
};

namespace detail {

/// A resolver's results, or any other range of endpoints.
template <class T>
concept endpoint_range = requires(const T& range) {
    std::begin(range) != std::end(range);
    static_cast<asio::ip::tcp::endpoint>(*std::begin(range));
};

template <endpoint_range Range>
std::vector<asio::ip::tcp::endpoint> endpoints_of(const Range& range) {
    std::vector<asio::ip::tcp::endpoint> endpoints;
    for (const auto& e : range) endpoints.push_back(e);
    return endpoints;
}

inline std::vector<asio::ip::tcp::endpoint> endpoints_of(const asio::ip::tcp::endpoint& e) { return {e}; }

template <class T>
concept destinations = endpoint_range<T> || std::is_same_v<T, asio::ip::tcp::endpoint>;

template <class T>
concept io_context_like = std::is_convertible_v<T&, asio::execution_context&>;

} // namespace detail

/// Connects to the first of `to` that answers; the connection then ends as P says.
/** SO_LINGER and TCP_LINGER2 are set before connect(2). Sockets are close-on-exec and non-blocking from birth. Where
 *  options.local is given, SO_REUSEADDR is set as P.reuse_address says.
 *
 *  @param executor  Of the stream; asio::io_context and the like may stand in its place.
 *  @param to        An endpoint, a resolver's results or another range of endpoints; copied.
 *  @par Completion signature  void(asio::error_code, basic_stream<P, Executor>), the stream closed on error.
 *  @par Completes with  the error of the last endpoint tried; asio::error::not_found where `to` is empty;
 *  error::ports_exhausted where no local port is left (EADDRNOTAVAIL and EADDRINUSE of connect(2), told apart from an
 *  address that is not available): its message() gives the range and the connections in TIME-WAIT, looked up then.
 *  The handler is never called from inside this function.
 *  @par Per-operation cancellation  terminal, partial, total: no further endpoint is tried.
 *  @par Thread safety  Distinct operations: safe. */
template <close_policy P, class Executor, detail::destinations To,
          class Token = typename asio::default_completion_token<Executor>::type>
requires(!detail::io_context_like<Executor>) auto async_connect(const Executor& executor, const To& to,
                                                                const connect_options& options, Token&& token = {}) {
    using stream_type = basic_stream<P, Executor>;
    return asio::async_compose<Token, void(asio::error_code, stream_type)>(
        detail::connect_op<stream_type>(executor, detail::endpoints_of(to), options.local), token, executor);
}

template <close_policy P, class Executor, detail::destinations To,
          class Token = typename asio::default_completion_token<Executor>::type>
requires(!detail::io_context_like<Executor> &&
         !std::is_same_v<std::remove_cvref_t<Token>, connect_options>) auto async_connect(const Executor& executor,
                                                                                          const To& to,
                                                                                          Token&& token = {}) {
    return async_connect<P>(executor, to, connect_options{}, std::forward<Token>(token));
}

template <close_policy P, detail::io_context_like Context, detail::destinations To,
          class Token = typename asio::default_completion_token<asio::any_io_executor>::type>
auto async_connect(Context& context, const To& to, const connect_options& options, Token&& token = {}) {
    return async_connect<P>(asio::any_io_executor(context.get_executor()), to, options, std::forward<Token>(token));
}

template <close_policy P, detail::io_context_like Context, detail::destinations To,
          class Token = typename asio::default_completion_token<asio::any_io_executor>::type>
requires(!std::is_same_v<std::remove_cvref_t<Token>, connect_options>) auto async_connect(Context& context,
                                                                                          const To& to,
                                                                                          Token&& token = {}) {
    return async_connect<P>(context, to, connect_options{}, std::forward<Token>(token));
}

/// The same on the calling thread, which it blocks for as long as connect(2) does (tcp_syn_retries).
/** On failure the stream is closed and `ec` is as for async_connect. */
template <close_policy P, class Executor, detail::destinations To>
requires(!detail::io_context_like<Executor>) basic_stream<P, Executor> connect(const Executor& executor, const To& to,
                                                                               const connect_options& options,
                                                                               asio::error_code& ec) {
    basic_stream<P, Executor> stream(executor);
    ec = asio::error::not_found;
    for (const asio::ip::tcp::endpoint& remote : detail::endpoints_of(to)) {
        detail::owned_descriptor fd = detail::open_connector(remote, options.local, P);
        ec.assign(fd ? 0 : errno, asio::error::get_system_category());
        if (ec) continue;
        asio::basic_stream_socket<asio::ip::tcp, Executor> socket(executor);
        socket.assign(remote.protocol(), fd.get(), ec);
        if (ec) continue;
        fd.release();
        socket.connect(remote, ec);
        ec = detail::connect_error(ec, remote, options.local);
        if (!ec) return basic_stream<P, Executor>(std::move(socket));
    }
    return stream;
}

template <close_policy P, detail::io_context_like Context, detail::destinations To>
stream<P> connect(Context& context, const To& to, const connect_options& options, asio::error_code& ec) {
    return connect<P>(asio::any_io_executor(context.get_executor()), to, options, ec);
}

/// @throws std::system_error; for error::ports_exhausted with the destination, its TIME-WAIT count and the port range.
template <close_policy P, class ExecutorOrContext, detail::destinations To>
auto connect(ExecutorOrContext&& executor, const To& to, const connect_options& options = {}) {
    asio::error_code ec;
    auto stream = connect<P>(executor, to, options, ec);
    if (ec) throw asio::system_error(ec, "connect");
    return stream;
}

} // namespace closeside

#endif
