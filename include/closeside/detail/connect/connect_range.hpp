// SPDX-License-Identifier: BSL-1.0
#ifndef CLOSESIDE_DETAIL_CONNECT_CONNECT_RANGE_HPP
#define CLOSESIDE_DETAIL_CONNECT_CONNECT_RANGE_HPP

#include <closeside/close_policy.hpp>
#include <closeside/detail/asio/asio.hpp>
#include <closeside/detail/close/deadlines.hpp>
#include <closeside/detail/listen/accept_arguments.hpp>

#include <cstddef>
#include <iterator>
#include <type_traits>
#include <utility>

// What asio::connect and asio::async_connect do, on sockets that keep a policy.
namespace closeside::detail::inline CLOSESIDE_BACKEND {

template <class T>
concept policy_connectable = has_policy<T>;

/// As Asio's connect does before each endpoint: ends what the socket has, here by the policy, and opens it anew.
template <class Socket>
bool reopen(Socket& socket, const asio::ip::tcp::endpoint& remote, error_code& ec) {
    socket.close(ec);
    socket.open(remote.protocol(), ec);
    if (!ec) close_deadlines::of(socket.get_executor()).take_over();
    return !ec;
}

/// The default of Asio's ConnectCondition: every endpoint is tried.
struct any_endpoint {
    bool operator()(const error_code&, const asio::ip::tcp::endpoint&) const noexcept { return true; }
};

template <class Iterator, class Condition>
Iterator next_wanted(Condition& condition, const error_code& ec, Iterator next, Iterator end) {
    while (next != end && !condition(ec, *next)) ++next;
    return next;
}

/// `end` with the error of the last endpoint, not_found if none was tried.
template <class Socket, class Iterator, class Condition>
Iterator connect_range(Socket& socket, Iterator begin, Iterator end, Condition& condition, error_code& ec) {
    ec.clear();
    for (Iterator i = next_wanted(condition, ec, begin, end); i != end; i = next_wanted(condition, ec, ++i, end)) {
        const asio::ip::tcp::endpoint remote = *i;
        if (reopen(socket, remote, ec)) peer_socket(socket).connect(remote, ec);
        if (!ec) return i;
    }
    if (!ec) ec = asio::error::not_found;
    return end;
}

/// Two iterators as a sequence, which tells its completion the iterator in place of the endpoint.
template <class Iterator>
struct iterator_pair {
    Iterator first, last;

    Iterator begin() const { return first; }
    Iterator end() const { return last; }
};

template <class Sequence>
auto connect_result(const error_code& ec, std::size_t index, const Sequence& sequence) {
    const auto i = std::next(sequence.begin(), static_cast<std::ptrdiff_t>(index));
    return ec || i == sequence.end() ? asio::ip::tcp::endpoint() : asio::ip::tcp::endpoint(*i);
}
template <class Iterator>
Iterator connect_result(const error_code& ec, std::size_t index, const iterator_pair<Iterator>& pair) {
    return ec ? pair.last : std::next(pair.first, static_cast<std::ptrdiff_t>(index));
}

/// The operation of asio::async_compose behind async_connect on a stream; the socket must outlive it.
template <class Socket, class Sequence, class Condition>
class connect_range_op {
public:
    connect_range_op(Socket& socket, const Sequence& sequence, const Condition& condition)
        : socket_(&socket), sequence_(sequence), condition_(condition) {}

    template <class Self>
    void operator()(Self& self, error_code ec = {}) {
        const bool starts = stage_ == stage::start;
        if (stage_ == stage::over) return finish(self, failure_);
        if (starts) {
            self.reset_cancellation_state(asio::enable_partial_cancellation());
        } else {
            if (!socket_->is_open() ||
                (ec && self.get_cancellation_state().cancelled() != asio::cancellation_type::none))
                return finish(self, asio::error::operation_aborted);
            if (!ec) return finish(self, ec);
            ++index_;
        }
        asio::ip::tcp::endpoint remote;
        while (next(ec, remote)) {
            if (reopen(*socket_, remote, ec)) {
                stage_ = stage::connecting;
                Socket& socket = *socket_;
                return peer_socket(socket).async_connect(remote, std::move(self));
            }
            ++index_;
        }
        if (!ec) ec = asio::error::not_found;
        if (!starts) return finish(self, ec);
        failure_ = ec;
        stage_ = stage::over;
        asio::post(std::move(self));
    }

private:
    enum class stage { start, connecting, over };

    bool next(const error_code& ec, asio::ip::tcp::endpoint& remote) {
        const auto begin = std::as_const(sequence_).begin();
        const auto end = std::as_const(sequence_).end();
        const auto i = next_wanted(condition_, ec, std::next(begin, static_cast<std::ptrdiff_t>(index_)), end);
        index_ = static_cast<std::size_t>(std::distance(begin, i));
        if (i == end) return false;
        remote = *i;
        return true;
    }

    template <class Self>
    void finish(Self& self, const error_code& ec) {
        self.complete(ec, connect_result(ec, index_, std::as_const(sequence_)));
    }

    Socket* socket_;
    Sequence sequence_;
    Condition condition_;
    std::size_t index_ = 0;
    error_code failure_;
    stage stage_ = stage::start;
};

template <class Socket, class Sequence, class Condition, class Token>
auto start_connect_range(Socket& socket, const Sequence& sequence, const Condition& condition, Token& token) {
    using result = decltype(connect_result(error_code(), 0, sequence));
    return asio::async_compose<Token, void(error_code, result)>(connect_range_op(socket, sequence, condition), token,
                                                                socket.get_executor());
}

} // namespace closeside::detail::inline CLOSESIDE_BACKEND

#endif
