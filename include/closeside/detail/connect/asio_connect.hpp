// SPDX-License-Identifier: BSL-1.0
#ifndef CLOSESIDE_DETAIL_CONNECT_ASIO_CONNECT_HPP
#define CLOSESIDE_DETAIL_CONNECT_ASIO_CONNECT_HPP

#include <closeside/detail/asio/asio.hpp>
#include <closeside/detail/asio/sync_result.hpp>
#include <closeside/detail/connect/connect_range.hpp>

#include <iterator>
#include <type_traits>
#include <utility>

// asio::connect and asio::async_connect take a basic_socket, which they close and open by themselves. These overloads for
// streams stand beside them in Asio's namespace, so that the qualified calls of a ported program find them.
namespace closeside::inline CLOSESIDE_BACKEND {
inline namespace stream_connect {

/// A resolver's results, or another container of endpoints.
template <class T>
concept endpoint_sequence = requires(const T& t) {
    typename T::iterator;
    static_cast<asio::ip::tcp::endpoint>(*t.begin());
};

/// What older programs give alone, for itself and all that follow it.
using resolver_iterator = asio::ip::basic_resolver_iterator<asio::ip::tcp>;

template <class T>
concept endpoint_iterator = requires(const T& i) {
    static_cast<asio::ip::tcp::endpoint>(*i);
    requires !endpoint_sequence<T>;
};

/// As asio::connect: connects to the first endpoint that answers, on a stream or its lowest_layer(), and blocks.
/** The connection that the socket may have ends by its policy. Each attempt has a socket of its own, whose SO_LINGER and
 *  TCP_LINGER2 are the policy's before connect(2).
 *  @param condition  bool(const error_code& last, const endpoint& next): is this endpoint to be tried?
 *  @return  the endpoint, or the iterator, that answered.
 *  @throws system_error for what `ec` gets: the error of the last endpoint, asio::error::not_found if none was tried. */
template <detail::policy_connectable S, endpoint_sequence Sequence, class Condition>
asio::ip::tcp::endpoint connect(S& socket, const Sequence& endpoints, Condition condition, error_code& ec) {
    const auto i = detail::connect_range(socket, endpoints.begin(), endpoints.end(), condition, ec);
    return ec ? asio::ip::tcp::endpoint() : asio::ip::tcp::endpoint(*i);
}
template <detail::policy_connectable S, endpoint_sequence Sequence>
asio::ip::tcp::endpoint connect(S& socket, const Sequence& endpoints, error_code& ec) {
    detail::any_endpoint all;
    const auto i = detail::connect_range(socket, endpoints.begin(), endpoints.end(), all, ec);
    return ec ? asio::ip::tcp::endpoint() : asio::ip::tcp::endpoint(*i);
}
template <detail::policy_connectable S, endpoint_sequence Sequence>
asio::ip::tcp::endpoint connect(S& socket, const Sequence& endpoints) {
    error_code ec;
    const asio::ip::tcp::endpoint endpoint = stream_connect::connect(socket, endpoints, ec);
    if (ec) throw system_error(ec, "connect");
    return endpoint;
}
template <detail::policy_connectable S, endpoint_sequence Sequence, class Condition>
asio::ip::tcp::endpoint connect(S& socket, const Sequence& endpoints, Condition condition) {
    error_code ec;
    const asio::ip::tcp::endpoint endpoint = stream_connect::connect(socket, endpoints, condition, ec);
    if (ec) throw system_error(ec, "connect");
    return endpoint;
}

template <detail::policy_connectable S, endpoint_iterator Iterator, class Condition>
Iterator connect(S& socket, Iterator begin, Iterator end, Condition condition, error_code& ec) {
    return detail::connect_range(socket, begin, end, condition, ec);
}
template <detail::policy_connectable S, endpoint_iterator Iterator>
Iterator connect(S& socket, Iterator begin, Iterator end, error_code& ec) {
    detail::any_endpoint all;
    return detail::connect_range(socket, begin, end, all, ec);
}
template <detail::policy_connectable S, endpoint_iterator Iterator>
Iterator connect(S& socket, Iterator begin, Iterator end) {
    error_code ec;
    const Iterator i = stream_connect::connect(socket, begin, end, ec);
    if (ec) throw system_error(ec, "connect");
    return i;
}
template <detail::policy_connectable S, endpoint_iterator Iterator, class Condition>
Iterator connect(S& socket, Iterator begin, Iterator end, Condition condition) {
    error_code ec;
    const Iterator i = stream_connect::connect(socket, begin, end, condition, ec);
    if (ec) throw system_error(ec, "connect");
    return i;
}

/// A resolver's iterator alone: up to the end of its results.
template <detail::policy_connectable S>
resolver_iterator connect(S& socket, const resolver_iterator& begin, error_code& ec) {
    return stream_connect::connect(socket, begin, resolver_iterator(), ec);
}
template <detail::policy_connectable S>
resolver_iterator connect(S& socket, const resolver_iterator& begin) {
    return stream_connect::connect(socket, begin, resolver_iterator());
}

/// As asio::async_connect: the same without blocking. The socket must outlive the operation.
/** @param endpoints  Copied.
 *  @par Completion signature  void(error_code, endpoint), or void(error_code, Iterator).
 *  @par Completes with  what connect() throws; operation_aborted when cancelled, or when the socket has been closed
 *  meanwhile. The handler is never called from inside this function.
 *  @par Per-operation cancellation  terminal, partial: no further endpoint is tried. */
template <detail::policy_connectable S, endpoint_sequence Sequence,
          class Token = typename asio::default_completion_token<typename S::executor_type>::type>
auto async_connect(S& socket, const Sequence& endpoints, Token&& token = {}) {
    return detail::start_connect_range(socket, endpoints, detail::any_endpoint(), token);
}
template <detail::policy_connectable S, endpoint_sequence Sequence, class Condition, class Token>
auto async_connect(S& socket, const Sequence& endpoints, Condition condition, Token&& token) {
    return detail::start_connect_range(socket, endpoints, condition, token);
}
template <detail::policy_connectable S, endpoint_iterator Iterator,
          class Token = typename asio::default_completion_token<typename S::executor_type>::type>
auto async_connect(S& socket, Iterator begin, Iterator end, Token&& token = {}) {
    return detail::start_connect_range(socket, detail::iterator_pair<Iterator>{begin, end}, detail::any_endpoint(),
                                       token);
}
template <detail::policy_connectable S, endpoint_iterator Iterator, class Condition, class Token>
auto async_connect(S& socket, Iterator begin, Iterator end, Condition condition, Token&& token) {
    return detail::start_connect_range(socket, detail::iterator_pair<Iterator>{begin, end}, condition, token);
}
template <detail::policy_connectable S,
          class Token = typename asio::default_completion_token<typename S::executor_type>::type>
requires(!std::is_convertible_v<Token, resolver_iterator>) auto async_connect(S& socket, const resolver_iterator& begin,
                                                                              Token&& token = {}) {
    return stream_connect::async_connect(socket, begin, resolver_iterator(), std::forward<Token>(token));
}

} // namespace stream_connect
} // namespace closeside::inline CLOSESIDE_BACKEND

#if defined(CLOSESIDE_USE_BOOST_ASIO)
namespace boost::asio {
#else
namespace asio {
#endif
using closeside::stream_connect::async_connect;
using closeside::stream_connect::connect;
} // namespace asio

#endif
