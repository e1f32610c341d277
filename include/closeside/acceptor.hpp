// SPDX-License-Identifier: BSL-1.0
#ifndef CLOSESIDE_ACCEPTOR_HPP
#define CLOSESIDE_ACCEPTOR_HPP

#include <closeside/detail/asio/asio.hpp>
#include <closeside/detail/asio/sync_result.hpp>
#include <closeside/detail/listen/accept_arguments.hpp>
#include <closeside/detail/listen/accepted.hpp>
#include <closeside/detail/listen/acceptor_members.hpp>
#include <closeside/detail/listen/listening_socket.hpp>
#include <closeside/detail/listen/start_accept.hpp>
#include <closeside/detail/refusal.hpp>
#include <closeside/policy.hpp>
#include <closeside/stream.hpp>

#include <concepts>
#include <type_traits>
#include <utility>

#ifdef CLOSESIDE_SEPARATE_COMPILATION
#define CLOSESIDE_INSTANCE extern template
#include <closeside/detail/listen/impl/instances.ipp>
#undef CLOSESIDE_INSTANCE
#endif

namespace closeside::inline CLOSESIDE_BACKEND {

/// Listens for connections that end as their type says.
/** Has every member of asio::basic_socket_acceptor, with its meaning. Opened at once with an endpoint, or in steps: open,
 *  set_option, bind, listen.
 *
 *  Every option that accepted sockets inherit is set once on the listening socket, before listen: the kernel copies
 *  them when the handshake is over, not at accept, so later ones would miss connections already queued. An accepted
 *  connection costs no setsockopt. Listening and accepted sockets are close-on-exec and non-blocking from birth
 *  (SOCK_CLOEXEC, accept4), so no program that a child process executes inherits them and keeps the port taken.
 *
 *  A connection runs on the acceptor's executor unless it is accepted onto another: from an acceptor on a strand every
 *  connection gets that strand, and all are served one at a time. Accept onto an executor then.
 *
 *  A moved-from acceptor is a closed one on the same executor.
 *
 *  @par Thread safety  Distinct objects: safe. Shared objects: unsafe, but for several async_accept under way at once,
 *  which several threads may start.
 *  @par Object lifetime  The executor's context must outlive the acceptor. Destroying the acceptor completes pending
 *  accepts with operation_aborted; the kernel resets the connections in the backlog, unless another process shares the
 *  listening socket. */
template <close_policy P, class Executor = asio::any_io_executor>
class basic_acceptor : public detail::acceptor_members<P, Executor> {
    static_assert(sizeof(policy_traits<P>) != 0); // names policy_traits<P>, which refuses contradictions
    using members = detail::acceptor_members<P, Executor>;

public:
    using typename members::endpoint_type;
    using typename members::executor_type;
    using typename members::native_handle_type;
    using typename members::protocol_type;
    using stream_type = basic_stream<P, Executor>; ///< what it accepts

    template <class Other>
    struct rebind_executor {
        using other = basic_acceptor<P, Other>;
    };

    /// A closed acceptor on an executor.
    explicit basic_acceptor(const executor_type& executor) : members(executor) {}

    /// A closed acceptor on an execution context, e.g. an asio::io_context.
    template <detail::context_like Context>
    explicit basic_acceptor(Context& context) : basic_acceptor(executor_type(context.get_executor())) {}

    /// An open acceptor; see open().
    basic_acceptor(const executor_type& executor, const protocol_type& protocol) : basic_acceptor(executor) {
        this->open(protocol);
    }
    template <detail::context_like Context>
    basic_acceptor(Context& context, const protocol_type& protocol) : basic_acceptor(context) {
        this->open(protocol);
    }

    /// Opens, sets the options, binds and listens.
    /** @param endpoint  Port 0: the kernel chooses; see local_endpoint(). An IPv6 wildcard takes IPv4 too, unless
     *  asio::ip::v6_only or the host's net.ipv6.bindv6only says otherwise.
     *  @param backlog   Connections that may wait to be accepted, and one more; net.core.somaxconn caps it silently,
     *  and stands for a negative one.
     *  @param options   Set on the listening socket after the policy's own, before bind(2). Every connection, the first
     *  one too, inherits SO_KEEPALIVE, TCP_NODELAY, SO_RCVBUF, SO_SNDBUF, TCP_KEEPIDLE, TCP_KEEPINTVL, TCP_KEEPCNT and
     *  TCP_USER_TIMEOUT. IPV6_V6ONLY, SO_REUSEPORT, SO_BINDTODEVICE, IP_FREEBIND and TCP_DEFER_ACCEPT act on the
     *  listening socket. Those that the policy sets: see set_option().
     *  @throws system_error with the endpoint in its message. If the port is taken (EADDRINUSE) it says by
     *  what: a live listener with its process, TIME-WAIT of a socket without SO_REUSEADDR, SO_REUSEPORT on one side
     *  only or of another user, a descriptor leaked to another program. If an option cannot be set it says which, by
     *  level and name.
     *  @throws std::invalid_argument for SO_LINGER, SO_REUSEADDR or TCP_LINGER2 with another value than the policy's,
     *  before any socket is opened; it names the member of the policy to set. */
    template <detail::socket_option... Options>
    basic_acceptor(const executor_type& executor, const endpoint_type& endpoint,
                   int backlog = asio::socket_base::max_listen_connections, const Options&... options)
        : basic_acceptor(executor) {
        this->state_->listen(endpoint, backlog, detail::views_of(endpoint.protocol(), options...));
    }
    template <detail::context_like Context, detail::socket_option... Options>
    basic_acceptor(Context& context, const endpoint_type& endpoint,
                   int backlog = asio::socket_base::max_listen_connections, const Options&... options)
        : basic_acceptor(executor_type(context.get_executor()), endpoint, backlog, options...) {}

    /// Asio's: SO_REUSEADDR or not. It is the policy's to say; the other value is refused as set_option() refuses it.
    template <std::same_as<bool> Bool>
    basic_acceptor(const executor_type& executor, const endpoint_type& endpoint, Bool reuse_addr)
        : basic_acceptor(executor, endpoint, asio::socket_base::max_listen_connections,
                         asio::socket_base::reuse_address(reuse_addr)) {}
    template <detail::context_like Context, std::same_as<bool> Bool>
    basic_acceptor(Context& context, const endpoint_type& endpoint, Bool reuse_addr)
        : basic_acceptor(executor_type(context.get_executor()), endpoint, reuse_addr) {}

    // Some of Asio's options convert to bool, and would be taken for reuse_addr or the backlog.
    // clang-format off
    CLOSESIDE_REFUSED("options come after the backlog: write (io, endpoint, asio::socket_base::max_listen_connections, "
                      "option)", class On, std::same_as<endpoint_type> E = endpoint_type,
                      detail::socket_option Option, detail::socket_option... Options)
    basic_acceptor(On&&, const E&, const Option&, const Options&...) CLOSESIDE_REFUSED_CALL;
    // clang-format on

    /// Takes over a socket from outside; see assign().
    basic_acceptor(const executor_type& executor, const protocol_type& protocol, native_handle_type descriptor)
        : basic_acceptor(executor) {
        this->assign(protocol, descriptor);
    }
    template <detail::context_like Context>
    basic_acceptor(Context& context, const protocol_type& protocol, native_handle_type descriptor)
        : basic_acceptor(executor_type(context.get_executor()), protocol, descriptor) {}

    /// Takes over a listening descriptor from outside, e.g. from systemd socket activation, and puts it right.
    /** Sets close-on-exec and non-blocking, SO_REUSEADDR, SO_LINGER and TCP_LINGER2. Connections already in its backlog
     *  have inherited the old options; they are put right as they are accepted.
     *  @throws system_error naming the descriptor, if it is no listening TCP socket or the executor's context
     *  has it already; it then stays the caller's, and open. */
    static basic_acceptor adopt(const executor_type& executor, native_handle_type descriptor) {
        const endpoint_type local = detail::set_options_of_listener(descriptor, members::policy);
        basic_acceptor acceptor(executor);
        acceptor.state_->adopt(local.protocol(), descriptor);
        return acceptor;
    }
    template <detail::context_like Context>
    static basic_acceptor adopt(Context& context, native_handle_type descriptor) {
        return adopt(executor_type(context.get_executor()), descriptor);
    }

    basic_acceptor(basic_acceptor&& other) noexcept = default;

    /// From an acceptor on another type of executor; accepts pending there complete with operation_aborted.
    template <class Other>
    requires(!std::is_same_v<Other, Executor> && std::is_convertible_v<Other, Executor>)
        basic_acceptor(basic_acceptor<P, Other>&& other)
        : basic_acceptor(executor_type(other.executor_)) {
        if (other.state_) this->state_->take_from(*other.state_);
    }

    /// Closes what is overwritten.
    basic_acceptor& operator=(basic_acceptor&& other) noexcept = default;
    template <class Other>
    requires(!std::is_same_v<Other, Executor> && std::is_convertible_v<Other, Executor>) basic_acceptor&
    operator=(basic_acceptor<P, Other>&& other) {
        return *this = basic_acceptor(std::move(other));
    }

    /// Closes the listener. In a process born by fork(2) that has not used the context, it stays as it is.
    ~basic_acceptor() = default;

    /// Accepts one connection.
    /** Connections that vanish from the backlog (ECONNABORTED and the like) are passed over, unless
     *  enable_connection_aborted is set. If descriptors or memory have run out (EMFILE, ENFILE, ENOBUFS, ENOMEM) the
     *  operation pauses for 100 ms and tries again: it neither spins nor ends the caller's loop, and clients wait in the
     *  backlog meanwhile.
     *
     *  @param where  An executor or an execution context that the new stream is made on, of the acceptor's context or of
     *  another. Without it: the acceptor's executor. The handler runs on its own executor, else the acceptor's.
     *  @param peer   A closed stream<P> on any executor, its lowest_layer(), or a socket of Asio that takes the
     *  connection, with the options of P inherited. It must outlive the operation.
     *  @param peer_endpoint  Gets the peer's address, from accept4(2) at no further call: it is known even if the peer
     *  has reset the connection by now. Written on success only; it must outlive the operation.
     *
     *  @par Completion signature  void(error_code, basic_stream<P, E>), E the executor's type, the stream closed on
     *  error; with `peer` void(error_code).
     *  @par Completes with  operation_aborted when the acceptor is closed or the operation cancelled; bad_descriptor on
     *  a closed acceptor; already_open if `peer` is open; no_memory if there is none for a later wait, or for the
     *  connection, which is then lost; ENOSPC if the reactor can watch no more descriptors (fs.epoll.max_user_watches):
     *  the connection is lost too. The handler is never called from inside this function.
     *  @throws std::bad_alloc if there is no memory to begin with; the handler is then destroyed.
     *  @par Per-operation cancellation  terminal, partial, total: the operation takes no connection. It never holds one
     *  that its handler has not been given. */
    template <detail::accept_token Token = typename asio::default_completion_token<Executor>::type>
    auto async_accept(Token&& token = {}) {
        return start_accept(here(), nullptr, token);
    }
    template <detail::accept_token Token = typename asio::default_completion_token<Executor>::type>
    auto async_accept(endpoint_type& peer_endpoint, Token&& token = {}) {
        return start_accept(here(), &peer_endpoint, token);
    }
    template <detail::stream_place Where,
              detail::accept_token Token = typename asio::default_completion_token<Executor>::type>
    auto async_accept(Where&& where, Token&& token = {}) {
        return start_accept(onto(where), nullptr, token);
    }
    template <detail::stream_place Where,
              detail::accept_token Token = typename asio::default_completion_token<Executor>::type>
    auto async_accept(Where&& where, endpoint_type& peer_endpoint, Token&& token = {}) {
        return start_accept(onto(where), &peer_endpoint, token);
    }
    template <detail::accept_peer Peer,
              detail::accept_token Token = typename asio::default_completion_token<Executor>::type>
    auto async_accept(Peer& peer, Token&& token = {}) {
        return start_accept(into(peer), nullptr, token);
    }
    template <detail::accept_peer Peer,
              detail::accept_token Token = typename asio::default_completion_token<Executor>::type>
    auto async_accept(Peer& peer, endpoint_type& peer_endpoint, Token&& token = {}) {
        return start_accept(into(peer), &peer_endpoint, token);
    }

    /// Accepts one connection, blocking without limit until there is one, or not at all if non_blocking() is set.
    /** The parameters are those of async_accept.
     *  @throws system_error also for EMFILE and the like: there is no context to wait on; for would_block. */
    stream_type accept() { return accept_or_throw(here(), nullptr); }
    stream_type accept(error_code& ec) { return accept_now(here(), nullptr, ec); }
    stream_type accept(endpoint_type& peer_endpoint) { return accept_or_throw(here(), &peer_endpoint); }
    stream_type accept(endpoint_type& peer_endpoint, error_code& ec) { return accept_now(here(), &peer_endpoint, ec); }
    template <detail::stream_place Where>
    auto accept(Where&& where) {
        return accept_or_throw(onto(where), nullptr);
    }
    template <detail::stream_place Where>
    auto accept(Where&& where, error_code& ec) {
        return accept_now(onto(where), nullptr, ec);
    }
    template <detail::stream_place Where>
    auto accept(Where&& where, endpoint_type& peer_endpoint) {
        return accept_or_throw(onto(where), &peer_endpoint);
    }
    template <detail::stream_place Where>
    auto accept(Where&& where, endpoint_type& peer_endpoint, error_code& ec) {
        return accept_now(onto(where), &peer_endpoint, ec);
    }
    template <detail::accept_peer Peer>
    void accept(Peer& peer) {
        accept_or_throw(into(peer), nullptr);
    }
    template <detail::accept_peer Peer>
    detail::sync_result accept(Peer& peer, error_code& ec) {
        accept_now(into(peer), nullptr, ec);
        return detail::to_sync_result(ec);
    }
    template <detail::accept_peer Peer>
    void accept(Peer& peer, endpoint_type& peer_endpoint) {
        accept_or_throw(into(peer), &peer_endpoint);
    }
    template <detail::accept_peer Peer>
    detail::sync_result accept(Peer& peer, endpoint_type& peer_endpoint, error_code& ec) {
        accept_now(into(peer), &peer_endpoint, ec);
        return detail::to_sync_result(ec);
    }

private:
    template <close_policy, class>
    friend class basic_acceptor;

    auto here() const { return detail::new_stream<stream_type>(this->executor_); }
    template <class Where>
    static auto onto(Where&& where) {
        return detail::new_stream_on<P>(std::forward<Where>(where));
    }
    template <class Peer>
    static auto into(Peer& peer) {
        return detail::into_peer<P>(peer);
    }

    template <class Target, class Token>
    auto start_accept(Target target, endpoint_type* peer_endpoint, Token& token) {
        this->state();
        return detail::start_accept(this->state_, std::move(target), peer_endpoint, token);
    }
    template <class Target>
    auto accept_now(const Target& target, endpoint_type* peer_endpoint, error_code& ec) {
        ec = target.refusal();
        return target.take(this->state().accept_now(peer_endpoint, ec), ec);
    }
    template <class Target>
    auto accept_or_throw(const Target& target, endpoint_type* peer_endpoint) {
        return detail::or_throw("accept", [&](error_code& ec) { return accept_now(target, peer_endpoint, ec); });
    }
};

/// basic_acceptor on Asio's polymorphic executor, for daily use.
template <close_policy P>
using acceptor = basic_acceptor<P>;

} // namespace closeside::inline CLOSESIDE_BACKEND

#endif
