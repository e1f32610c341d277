// SPDX-License-Identifier: BSL-1.0
#ifndef CLOSESIDE_ACCEPTOR_HPP
#define CLOSESIDE_ACCEPTOR_HPP

#include <closeside/detail/asio/asio.hpp>
#include <closeside/detail/listen/listener_state.hpp>
#include <closeside/detail/listen/listening_socket.hpp>
#include <closeside/detail/listen/option_view.hpp>
#include <closeside/detail/listen/start_accept.hpp>
#include <closeside/policy.hpp>
#include <closeside/stream.hpp>

#include <memory>
#include <type_traits>
#include <utility>

namespace closeside::inline CLOSESIDE_BACKEND {

/// Listens for connections that end as their type says.
/** Every option that accepted sockets inherit is set once on the listening socket, before listen: the kernel copies
 *  them when the handshake is over, not at accept, so later ones would miss connections already queued. An accepted
 *  connection costs no setsockopt. Listening and accepted sockets are close-on-exec and non-blocking from birth
 *  (SOCK_CLOEXEC, accept4), so no program that a child process executes inherits them and keeps the port taken.
 *
 *  A moved-from acceptor is a closed one on the same executor.
 *
 *  @par Thread safety  Distinct objects: safe. Shared objects: unsafe, but for several async_accept under way at once,
 *  which several threads may start.
 *  @par Object lifetime  The executor's context must outlive the acceptor. Destroying the acceptor completes pending
 *  accepts with operation_aborted; the kernel resets the connections in the backlog, unless another process shares the
 *  listening socket. */
template <close_policy P, class Executor = asio::any_io_executor>
class basic_acceptor {
    static_assert(std::is_empty_v<policy_traits<P>>); // names policy_traits<P>, which refuses contradictions

public:
    using executor_type = Executor;
    using protocol_type = asio::ip::tcp;
    using endpoint_type = asio::ip::tcp::endpoint;
    using stream_type = basic_stream<P, Executor>;
    using native_handle_type = int;

    template <class Other>
    struct rebind_executor {
        using other = basic_acceptor<P, Other>;
    };

    static constexpr close_policy policy = P;

    /// Opens, sets the options, binds and listens.
    /** @param endpoint  Port 0: the kernel chooses; see local_endpoint(). An IPv6 wildcard takes IPv4 too, unless
     *  asio::ip::v6_only or the host's net.ipv6.bindv6only says otherwise.
     *  @param backlog   Connections that may wait to be accepted, and one more; net.core.somaxconn caps it silently,
     *  and stands for a negative one.
     *  @param options   Set on the listening socket after the policy's own, before bind(2). Every connection, the first
     *  one too, inherits SO_KEEPALIVE, TCP_NODELAY, SO_RCVBUF, SO_SNDBUF, TCP_KEEPIDLE, TCP_KEEPINTVL, TCP_KEEPCNT and
     *  TCP_USER_TIMEOUT. IPV6_V6ONLY, SO_REUSEPORT, SO_BINDTODEVICE, IP_FREEBIND and TCP_DEFER_ACCEPT act on the
     *  listening socket. asio::socket_base::linger and reuse_address do not compile: these are the policy's to set.
     *  @throws system_error with the endpoint in its message. If the port is taken (EADDRINUSE) it says by
     *  what: a live listener with its process, TIME-WAIT of a socket without SO_REUSEADDR, SO_REUSEPORT on one side
     *  only or of another user, a descriptor leaked to another program. If an option cannot be set it says which, by
     *  level and name.
     *  @throws std::invalid_argument for another type's SO_LINGER, SO_REUSEADDR or TCP_LINGER2, before any socket is
     *  opened; it names the member of the policy to set. */
    template <detail::socket_option... Options>
    basic_acceptor(const executor_type& executor, const endpoint_type& endpoint,
                   int backlog = asio::socket_base::max_listen_connections, const Options&... options)
        : basic_acceptor(executor, state_type::listen(executor, endpoint, P, backlog,
                                                      detail::views_of(endpoint.protocol(), options...))) {}

    template <class Context, detail::socket_option... Options>
    requires std::is_convertible_v<Context&, asio::execution_context&>
    basic_acceptor(Context& context, const endpoint_type& endpoint,
                   int backlog = asio::socket_base::max_listen_connections, const Options&... options)
        : basic_acceptor(executor_type(context.get_executor()), endpoint, backlog, options...) {}

    /// Options come after the backlog: some of Asio's convert to bool, and would be taken for it.
    template <class ExecutorOrContext, detail::socket_option Option, detail::socket_option... Options>
    basic_acceptor(ExecutorOrContext&&, const endpoint_type&, const Option&, const Options&...) = delete;

    /// Takes over a listening descriptor from outside, e.g. from systemd socket activation, and puts it right.
    /** Sets close-on-exec and non-blocking, SO_REUSEADDR, SO_LINGER and TCP_LINGER2. Connections already in its backlog
     *  have inherited the old options; they are put right as they are accepted.
     *  @throws system_error naming the descriptor, if it is no listening TCP socket or the executor's context
     *  has it already; it then stays the caller's, and open. */
    static basic_acceptor adopt(const executor_type& executor, native_handle_type descriptor) {
        return basic_acceptor(executor, state_type::adopt(executor, descriptor, P));
    }
    template <class Context>
    requires std::is_convertible_v<Context&, asio::execution_context&>
    static basic_acceptor adopt(Context& context, native_handle_type descriptor) {
        return adopt(executor_type(context.get_executor()), descriptor);
    }

    // The executor is copied: what was moved from keeps it.
    // NOLINTNEXTLINE(performance-move-constructor-init)
    basic_acceptor(basic_acceptor&& other) noexcept : executor_(other.executor_), state_(std::move(other.state_)) {}

    /// Closes what is overwritten.
    basic_acceptor& operator=(basic_acceptor&& other) noexcept {
        if (this == &other) return *this;
        drop();
        executor_ = other.executor_;
        state_ = std::move(other.state_);
        return *this;
    }

    /// Closes the listener. In a process born by fork(2) that has not used the context, it stays as it is.
    ~basic_acceptor() { drop(); }

    executor_type get_executor() const noexcept { return executor_; }
    bool is_open() const noexcept { return state_ && state_->acceptor.is_open(); }

    /// The listening descriptor, -1 on a closed acceptor. It stays the acceptor's.
    native_handle_type native_handle() noexcept { return is_open() ? state_->acceptor.native_handle() : -1; }

    /// @throws system_error on a closed acceptor.
    endpoint_type local_endpoint() const {
        if (!is_open()) throw system_error(asio::error::bad_descriptor, "local_endpoint");
        return state_->acceptor.local_endpoint();
    }

    /// Stops listening. Pending accepts complete with operation_aborted; the kernel resets what is in the backlog.
    void close() noexcept {
        if (state_) state_->close();
    }

    /// Gives the listening descriptor away, open and listening; pending accepts complete with operation_aborted.
    /** @throws system_error on a closed acceptor. */
    native_handle_type release() {
        if (!is_open()) throw system_error(asio::error::bad_descriptor, "release");
        return state_->release();
    }

    /// Accepts one connection.
    /** Connections that vanish from the backlog (ECONNABORTED and the like) are passed over. If descriptors or
     *  memory have run out (EMFILE, ENFILE, ENOBUFS, ENOMEM) the operation pauses for 100 ms and tries again: it
     *  neither spins nor ends the caller's loop, and clients wait in the backlog meanwhile.
     *
     *  @par Completion signature  void(error_code, basic_stream<P, Executor>), the stream closed on error.
     *  @par Completes with  operation_aborted when the acceptor is closed or the operation cancelled; bad_descriptor on
     *  a closed acceptor; no_memory if there is none for a later wait, or for the connection, which is then lost; ENOSPC
     *  if the reactor can watch no more descriptors (fs.epoll.max_user_watches): the connection is lost too. The handler
     *  is never called from inside this function.
     *  @throws std::bad_alloc if there is no memory to begin with; the handler is then destroyed.
     *  @par Per-operation cancellation  terminal, partial, total: the operation takes no connection. It never holds one
     *  that its handler has not been given. */
    template <class Token = typename asio::default_completion_token<Executor>::type>
    auto async_accept(Token&& token = {}) {
        if (!state_) state_ = std::make_shared<state_type>(executor_, protocol_type::v4(), P); // moved from
        return asio::async_initiate<Token, void(error_code, stream_type)>(detail::initiate_accept<stream_type>(state_),
                                                                          token);
    }

    /// Accepts one connection, blocking without limit until there is one.
    /** @throws system_error also for EMFILE and the like: there is no context to wait on. */
    stream_type accept() {
        error_code ec;
        stream_type stream = accept(ec);
        if (ec) throw system_error(ec, "accept");
        return stream;
    }
    stream_type accept(error_code& ec) {
        const int fd = detail::accept_blocking(native_handle(), ec);
        if (ec) return stream_type(executor_);
        return stream_type(typename stream_type::inherits_options{}, state_->to_socket(fd, ec));
    }

private:
    using state_type = detail::listener_state<Executor>;

    basic_acceptor(const executor_type& executor, std::shared_ptr<state_type> state)
        : executor_(executor), state_(std::move(state)) {}

    void drop() noexcept {
        if (state_) state_->drop();
    }

    executor_type executor_;
    std::shared_ptr<state_type> state_; ///< null when moved from
};

/// basic_acceptor on Asio's polymorphic executor, for daily use.
template <close_policy P>
using acceptor = basic_acceptor<P>;

} // namespace closeside::inline CLOSESIDE_BACKEND

#endif
