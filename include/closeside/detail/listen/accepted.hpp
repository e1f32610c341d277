// SPDX-License-Identifier: BSL-1.0
#ifndef CLOSESIDE_DETAIL_LISTEN_ACCEPTED_HPP
#define CLOSESIDE_DETAIL_LISTEN_ACCEPTED_HPP

#include <closeside/detail/asio/asio.hpp>
#include <closeside/detail/asio/context_of.hpp>
#include <closeside/detail/close/deadlines.hpp>
#include <closeside/detail/close/initiate_close.hpp>
#include <closeside/detail/kernel/forks.hpp>
#include <closeside/detail/kernel/owned_descriptor.hpp>
#include <closeside/detail/separate_compilation.hpp>

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
    error_code move_to(asio::basic_socket<Protocol, Executor>& socket);

private:
    void take_over(asio::execution_context& context) const;
    void end() noexcept;
};

template <class Protocol, class Executor>
error_code accepted::move_to(asio::basic_socket<Protocol, Executor>& socket) {
    if (!ec) try {
            socket.assign(Protocol(protocol), fd.get(), ec);
        } catch (const std::bad_alloc&) {
            ec = asio::error::no_memory;
        }
    if (ec)
        end();
    else
        fd.release();
    if (!ec && forks() != 0) take_over(context_of(socket.get_executor()));
    return ec;
}

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
        Stream stream(executor_);
        ec = connection.move_to(stream.socket());
        if (!ec) mark_options(stream.socket(), true); // inherited
        return stream;
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

private:
    Socket* socket_;
    bool keeps_policy_;
};

} // namespace closeside::detail::inline CLOSESIDE_BACKEND

#ifndef CLOSESIDE_SEPARATE_COMPILATION
#include <closeside/detail/listen/impl/accepted.ipp>
#endif

#endif
