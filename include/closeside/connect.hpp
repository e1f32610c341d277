// SPDX-License-Identifier: BSL-1.0
#ifndef CLOSESIDE_CONNECT_HPP
#define CLOSESIDE_CONNECT_HPP

#include <closeside/detail/asio/asio.hpp>
#include <closeside/detail/asio/can_initiate.hpp>
#include <closeside/detail/connect/asio_connect.hpp>
#include <closeside/detail/connect/connect_diagnosis.hpp>
#include <closeside/detail/connect/connect_op.hpp>
#include <closeside/detail/connect/connect_socket.hpp>
#include <closeside/detail/listen/accept_arguments.hpp>
#include <closeside/policy.hpp>
#include <closeside/stream.hpp>

#include <iterator>
#include <optional>
#include <string>
#include <type_traits>
#include <utility>

namespace closeside::inline CLOSESIDE_BACKEND {

/// How a connection is made; everything has a default.
struct connect_options {
    /// Where to come from. Port 0: the address alone is bound (IP_BIND_ADDRESS_NO_PORT) and the kernel chooses the port
    /// at connect(2), so that a port is taken for one destination and not for all.
    /** A fixed port leaves one connection to each destination at a time, and one in TIME-WAIT counts unless both ends
     *  use TCP timestamps. */
    std::optional<asio::ip::tcp::endpoint> local = std::nullopt;
};

/// The numbers behind error::ports_exhausted, for a log or an operator: the range of local ports, and how many
/// connections to `destination` are in TIME-WAIT in this network namespace right now.
/** `net.ipv4.ip_local_port_range is 32768-60999, 28232 ports, 28231 in TIME-WAIT to 192.0.2.1:80`; printable ASCII
 *  without a line end. A number that the kernel does not tell is said to be unknown.
 *
 *  Blocks: it walks the kernel's table over netlink, some 15 ms for 28,000 connections in TIME-WAIT, a second for each
 *  IP version at the worst. Not for each failed connect of a busy program.
 *  @throws std::bad_alloc only.
 *  @par Thread safety  Safe from any thread; one that called setns(2) is told of its own network namespace. */
inline std::string explain_ports(const asio::ip::tcp::endpoint& destination) { return detail::ports_text(destination); }

} // namespace closeside::inline CLOSESIDE_BACKEND

namespace closeside::detail::inline CLOSESIDE_BACKEND {

/// A resolver's results, or any other range of endpoints.
template <class T>
concept endpoint_range = requires(const T& range) {
    std::begin(range) != std::end(range);
    static_cast<asio::ip::tcp::endpoint>(*std::begin(range));
};

template <endpoint_range Range>
endpoint_list endpoints_of(const Range& range) {
    endpoint_list endpoints;
    for (const auto& e : range) endpoints.push_back(e);
    return endpoints;
}

inline endpoint_list endpoints_of(const asio::ip::tcp::endpoint& e) { return {e}; }

template <class T>
concept destinations = endpoint_range<T> || std::is_same_v<T, asio::ip::tcp::endpoint>;

/// One endpoint after the other on the calling thread; the last one's failure is told.
template <close_policy P, class Executor>
basic_stream<P, Executor> connect_to_first(const Executor& executor, const endpoint_list& to,
                                           const local_endpoint& local, connect_failure& failure) {
    failure.code = asio::error::not_found;
    for (const asio::ip::tcp::endpoint& remote : to) {
        connector c = open_connector(remote, local, P);
        failure.call = c.fd ? "connect" : c.failed;
        failure.code.assign(c.error, asio::error::get_system_category());
        asio::basic_stream_socket<asio::ip::tcp, Executor> socket(executor);
        if (c.fd) socket.assign(remote.protocol(), c.fd.get(), failure.code);
        if (c.fd && !failure.code) {
            c.fd.release();
            socket.connect(remote, failure.code);
        }
        if (!failure.code) {
            close_deadlines::of(executor).take_over();
            return basic_stream<P, Executor>(std::move(socket));
        }
        failure.code = connect_error(failure.code, remote, local);
    }
    return basic_stream<P, Executor>(executor);
}

template <class Executor>
requires(!context_like<Executor>) const Executor& executor_of(const Executor& executor) { return executor; }
template <context_like Context>
asio::any_io_executor executor_of(Context& context) {
    return context.get_executor();
}

} // namespace closeside::detail::inline CLOSESIDE_BACKEND

namespace closeside::inline CLOSESIDE_BACKEND {

/// Connects to the first of `to` that answers; the connection then ends as P says.
/** A stream that is there already connects by asio::connect and asio::async_connect: this header adds overloads for streams
 *  and their lowest_layer() that keep the policy.
 *
 *  SO_LINGER and TCP_LINGER2 are set before connect(2). Sockets are close-on-exec and non-blocking from birth. If
 *  options.local is given, SO_REUSEADDR is set as P.reuse_address says.
 *
 *  @param executor  Of the stream; asio::io_context and the like may stand in its place.
 *  @param to        An endpoint, a resolver's results or another range of endpoints; copied.
 *  @par Completion signature  void(error_code, basic_stream<P, Executor>), the stream closed on error.
 *  @par Completes with  the error of the last endpoint tried; asio::error::not_found if `to` is empty;
 *  error::ports_exhausted if the kernel finds no local port (EADDRNOTAVAIL and EADDRINUSE, told apart from an
 *  address that is not available): explain_ports() gives the numbers. If options.local fixes the port, those two
 *  stay what they are: the port is taken, or there is or was a connection from it to the destination.
 *  The handler is never called from inside this function.
 *  @par Per-operation cancellation  terminal, partial, total: no further endpoint is tried.
 *  @par Thread safety  Distinct operations: safe. */
template <close_policy P, class Executor, detail::destinations To,
          class Token = typename asio::default_completion_token<Executor>::type>
requires(!detail::context_like<Executor>) auto async_connect(const Executor& executor, const To& to,
                                                             const connect_options& options, Token&& token = {}) {
    using stream_type = basic_stream<P, Executor>;
    using signature = void(error_code, stream_type);
    using initiation = detail::initiate_connect<stream_type>;
    constexpr bool takes_stream =
        detail::can_initiate<Token, signature, initiation, detail::endpoint_list, decltype((options.local))>;
    static_assert(takes_stream,
                  "async_connect<P> completes with (error_code, stream): write the handler as [](closeside::error_code "
                  "ec, closeside::stream<P> stream) {}, or auto for the stream");
    if constexpr (takes_stream)
        return asio::async_initiate<Token, signature>(initiation(executor), token, detail::endpoints_of(to),
                                                      options.local);
}
template <close_policy P, class Executor, detail::destinations To,
          class Token = typename asio::default_completion_token<Executor>::type>
requires(!detail::context_like<Executor> &&
         !std::is_same_v<std::remove_cvref_t<Token>, connect_options>) auto async_connect(const Executor& executor,
                                                                                          const To& to,
                                                                                          Token&& token = {}) {
    return async_connect<P>(executor, to, connect_options{}, std::forward<Token>(token));
}
template <close_policy P, detail::context_like Context, detail::destinations To,
          class Token = typename asio::default_completion_token<asio::any_io_executor>::type>
auto async_connect(Context& context, const To& to, const connect_options& options, Token&& token = {}) {
    return async_connect<P>(asio::any_io_executor(context.get_executor()), to, options, std::forward<Token>(token));
}
template <close_policy P, detail::context_like Context, detail::destinations To,
          class Token = typename asio::default_completion_token<asio::any_io_executor>::type>
requires(!std::is_same_v<std::remove_cvref_t<Token>, connect_options>) auto async_connect(Context& context,
                                                                                          const To& to,
                                                                                          Token&& token = {}) {
    return async_connect<P>(context, to, connect_options{}, std::forward<Token>(token));
}

/// The same on the calling thread, which it blocks for as long as connect(2) does (tcp_syn_retries).
/** On failure the stream is closed and `ec` is as for async_connect. */
template <close_policy P, class ExecutorOrContext, detail::destinations To>
auto connect(ExecutorOrContext&& executor, const To& to, const connect_options& options, error_code& ec) {
    detail::connect_failure failure;
    auto stream =
        detail::connect_to_first<P>(detail::executor_of(executor), detail::endpoints_of(to), options.local, failure);
    ec = failure.code;
    return stream;
}
template <close_policy P, class ExecutorOrContext, detail::destinations To>
auto connect(ExecutorOrContext&& executor, const To& to, error_code& ec) {
    return connect<P>(std::forward<ExecutorOrContext>(executor), to, connect_options{}, ec);
}

/// The same, but it throws.
/// @throws system_error with the code of the above. It names the last destination, and if ports are the reason:
/// for error::ports_exhausted what explain_ports() says; for a fixed local port what has it, or what became of the last
/// connection from it to the destination, and what to do. It takes as long as explain_ports() to find out.
template <close_policy P, class ExecutorOrContext, detail::destinations To>
auto connect(ExecutorOrContext&& executor, const To& to, const connect_options& options = {}) {
    const detail::endpoint_list endpoints = detail::endpoints_of(to);
    detail::connect_failure failure;
    auto stream = detail::connect_to_first<P>(detail::executor_of(executor), endpoints, options.local, failure);
    if (failure.code)
        throw system_error(
            failure.code,
            endpoints.empty() ? "connect" : detail::connect_failure_text(failure, endpoints.back(), options.local, P));
    return stream;
}

} // namespace closeside::inline CLOSESIDE_BACKEND

#endif
