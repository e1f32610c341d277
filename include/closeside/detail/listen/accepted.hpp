// SPDX-License-Identifier: BSL-1.0
#ifndef CLOSESIDE_DETAIL_LISTEN_ACCEPTED_HPP
#define CLOSESIDE_DETAIL_LISTEN_ACCEPTED_HPP

#include <closeside/detail/asio/asio.hpp>
#include <closeside/detail/asio/context_of.hpp>
#include <closeside/detail/close/deadlines.hpp>
#include <closeside/detail/close/initiate_close.hpp>
#include <closeside/detail/kernel/owned_descriptor.hpp>
#include <closeside/detail/kernel/tcp_socket.hpp>

#include <new>
#include <utility>

namespace closeside::detail::inline CLOSESIDE_BACKEND {

/// What an accept has come to: a connection on its way to the program, or the reason why there is none.
struct accepted {
    owned_descriptor fd;
    error_code ec;
    asio::ip::tcp protocol;
    close_deadlines* deadlines; ///< of the acceptor's context
    bool aborts;                ///< under the policy, if nothing can wait for the peer's FIN

    /// Makes it `socket`'s. A connection that cannot be registered with the reactor is ended.
    template <class Protocol, class Executor>
    error_code move_to(asio::basic_socket<Protocol, Executor>& socket) {
        if (!ec) try {
                socket.assign(Protocol(protocol), fd.get(), ec);
            } catch (const std::bad_alloc&) {
                ec = asio::error::no_memory;
            }
        if (ec)
            end();
        else
            fd.release();
        if (!ec) take_over(context_of(socket.get_executor()));
        return ec;
    }

private:
    /// That of a plain socket may have no close_deadlines, and making them may fail.
    void take_over(asio::execution_context& context) const {
        if (&context != &deadlines->context() && asio::has_service<close_deadlines>(context))
            asio::use_service<close_deadlines>(context).take_over();
    }

    void end() noexcept {
        if (fd && aborts) tcp_socket::set_linger(fd.get(), true);
        owned_descriptor ended(std::move(fd));
    }
};

/// Of an accept: the connection becomes a new stream on an executor.
template <class Stream>
class new_stream {
public:
    using signature = void(error_code, Stream);
    static constexpr bool is_programs = false;

    explicit new_stream(const typename Stream::executor_type& executor) : executor_(executor) {}

    /// Why there is no use in accepting.
    error_code refusal() const noexcept { return {}; }

    Stream take(accepted&& connection, error_code& ec) const {
        typename Stream::socket_type socket(executor_);
        ec = connection.move_to(socket);
        return Stream(typename Stream::inherits_options{}, std::move(socket));
    }

    template <class Handler>
    void deliver(Handler&& handler, accepted&& connection) const {
        error_code ec;
        Stream stream = take(std::move(connection), ec);
        std::move(handler)(std::as_const(ec), std::move(stream));
    }

private:
    typename Stream::executor_type executor_;
};

/// Of an accept: the connection becomes a socket's of the program, which must be closed and outlive the accept.
template <class Socket>
class into_socket {
public:
    using signature = void(error_code);
    static constexpr bool is_programs = true;

    /// `keeps_policy`: the acceptor's, whose options the connection has inherited.
    into_socket(Socket& socket, bool keeps_policy) noexcept : socket_(&socket), keeps_policy_(keeps_policy) {}

    error_code refusal() const noexcept { return socket_->is_open() ? asio::error::already_open : error_code(); }

    void take(accepted&& connection, error_code& ec) const {
        ec = connection.move_to(*socket_);
        if (!ec && keeps_policy_) mark_options(*socket_, true);
    }

    template <class Handler>
    void deliver(Handler&& handler, accepted&& connection) const {
        error_code ec;
        take(std::move(connection), ec);
        std::move(handler)(std::as_const(ec));
    }

private:
    Socket* socket_;
    bool keeps_policy_;
};

} // namespace closeside::detail::inline CLOSESIDE_BACKEND

#endif
