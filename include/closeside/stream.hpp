// SPDX-License-Identifier: BSL-1.0
#ifndef CLOSESIDE_STREAM_HPP
#define CLOSESIDE_STREAM_HPP

#include <closeside/detail/asio/asio.hpp>
#include <closeside/detail/close/asio_members.hpp>
#include <closeside/detail/close/blocking_close.hpp>
#include <closeside/detail/close/disown.hpp>
#include <closeside/detail/close/drop.hpp>
#include <closeside/detail/close/initiate_close.hpp>
#include <closeside/detail/close/stream_arguments.hpp>
#include <closeside/detail/refusal.hpp>
#include <closeside/last_bytes.hpp>
#include <closeside/policy.hpp>
#include <closeside/report.hpp>

#include <cstdint>
#include <stdexcept>
#include <type_traits>
#include <utility>

#ifdef CLOSESIDE_SEPARATE_COMPILATION
#define CLOSESIDE_INSTANCE extern template
#include <closeside/detail/close/impl/instances.ipp>
#undef CLOSESIDE_INSTANCE
#endif

namespace closeside::inline CLOSESIDE_BACKEND {
template <close_policy P, class Executor>
class basic_acceptor;
} // namespace closeside::inline CLOSESIDE_BACKEND

namespace closeside::detail::inline CLOSESIDE_BACKEND {
template <class Stream, class Handler>
class connect_op;
template <class Stream>
class new_stream;
} // namespace closeside::detail::inline CLOSESIDE_BACKEND

namespace closeside::inline CLOSESIDE_BACKEND {

/// A TCP connection that ends as its type says.
/** An Asio AsyncReadStream, AsyncWriteStream, SyncReadStream and SyncWriteStream, as large as the socket in it, that
 *  adds nothing to reading and writing. However it ends (async_close, close, abort, destruction, being assigned over),
 *  the policy P decides the segments; see close_policy and the README's table.
 *
 *  It has the members of asio::ip::tcp::socket, with their signatures and meaning, and their `ec` twins. Where the
 *  policy has a word in them (close, shutdown, set_option, open, assign, bind, connect, async_connect) this is said at
 *  detail::policy_socket, which lowest_layer() returns: a type derived from Asio's socket that Asio's functions take
 *  (asio::async_connect, asio::ip::tcp::acceptor::async_accept) and whose close() keeps the policy. There is no
 *  next_layer().
 *
 *  SO_LINGER and TCP_LINGER2 are set when a socket moves in, is opened, assigned or connected here, or inherited from an
 *  acceptor<P>. Where Asio fills the socket (its accept into lowest_layer() or socket(), its connect of a range) the close
 *  sets them, TCP_LINGER2 only if close(2) may leave an orphan. Who changes them through socket() changes how the
 *  connection ends; a positive SO_LINGER then blocks the closing thread.
 *
 *  @par Thread safety  Distinct objects: safe. Shared objects: unsafe.
 *  @par Object lifetime  The executor's context must outlive the stream. After async_close the stream may go at once.
 */
template <close_policy P, class Executor = asio::any_io_executor>
class basic_stream : public detail::asio_members<P, Executor> {
    static_assert(sizeof(policy_traits<P>) != 0); // names policy_traits<P>, which refuses contradictions
    using members = detail::asio_members<P, Executor>;
    using members::options_;

public:
    using typename members::endpoint_type;
    using typename members::executor_type;
    using typename members::native_handle_type;
    using typename members::protocol_type;
    using typename members::socket_type;

    template <class Other>
    struct rebind_executor {
        using other = basic_stream<P, Other>;
    };

    static constexpr close_policy policy = P; ///< of the type

    /// A closed stream on an executor.
    explicit basic_stream(const executor_type& executor) : members(executor) { prepare_context(); }

    /// A closed stream on an execution context, e.g. an asio::io_context.
    template <class Context>
    requires std::is_convertible_v<Context&, asio::execution_context&>
    explicit basic_stream(Context& context) : members(socket_type(context)) { prepare_context(); }

    /// On an executor or a context: open(protocol), then bind(endpoint), or assign(protocol, descriptor).
    /** @throws system_error as these do. */
    template <detail::executor_or_context<Executor> ExecutorOrContext>
    basic_stream(ExecutorOrContext&& on, const protocol_type& protocol)
        : basic_stream(std::forward<ExecutorOrContext>(on)) {
        this->open(protocol);
    }
    template <detail::executor_or_context<Executor> ExecutorOrContext>
    basic_stream(ExecutorOrContext&& on, const endpoint_type& endpoint)
        : basic_stream(std::forward<ExecutorOrContext>(on), endpoint.protocol()) {
        this->bind(endpoint);
    }
    template <detail::executor_or_context<Executor> ExecutorOrContext>
    basic_stream(ExecutorOrContext&& on, const protocol_type& protocol, const native_handle_type& descriptor)
        : basic_stream(std::forward<ExecutorOrContext>(on)) {
        this->assign(protocol, descriptor);
    }

    /// Takes over a connected socket, of any executor that converts: sets SO_LINGER, and TCP_LINGER2 if the policy
    /// states it.
    /** @throws system_error if an option cannot be set, e.g. TCP_LINGER2 on Multipath TCP; `socket` is then
     *  still the caller's. */
    template <class Other>
    requires std::is_convertible_v<Other, Executor>
    explicit basic_stream(asio::basic_stream_socket<asio::ip::tcp, Other>&& socket)
        : members(socket_type(detail::with_options(socket, policy))) {
        prepare_context();
    }

    basic_stream(basic_stream&& other) noexcept : members(std::move(other.socket())) {}

    /// From a stream of another executor, as `asio::use_awaitable_t<>::as_default_on` makes it.
    template <class Other>
    requires(!std::is_same_v<Other, Executor> && std::is_convertible_v<Other, Executor>)
        basic_stream(basic_stream<P, Other>&& other)
        : members(socket_type(std::move(other.socket()))) {}

    CLOSESIDE_REFUSED("a stream keeps its policy: write stream<other>(s.release_socket()) to go on under another, "
                      "s.async_close(other, token) to close once under it",
                      detail::stream_of_other_policy<P> Stream)
    basic_stream(Stream&&) CLOSESIDE_REFUSED_CALL;

    /// Ends the overwritten connection as the destructor would.
    basic_stream& operator=(basic_stream&& other) noexcept {
        if (this == &other) return *this;
        this->drop();
        socket() = std::move(other.socket());
        return *this;
    }
    template <class Other>
    requires(!std::is_same_v<Other, Executor> && std::is_convertible_v<Other, Executor>) basic_stream&
    operator=(basic_stream<P, Other>&& other) {
        return *this = basic_stream(std::move(other));
    }

    /// Ends the connection as on_destroy says, without blocking and without throwing.
    /** destroy_action::finish goes on in the background on the executor; its outcome is told to nobody. If the
     *  context is destroyed first, or no memory can be had, the close stops waiting there and on_limit is carried out:
     *  under limit_action::close the receive queue is emptied before close(2), so that the kernel goes on to deliver what
     *  is queued.
     *
     *  In a process that fork(2) has made after the context, and that has neither accepted nor connected on it since nor
     *  called notify_fork(fork_child), the connection is the parent's: the destructor then does what disown() does. */
    ~basic_stream() { this->drop(); }

    /// Asio's socket. What closes it here, or sets SO_LINGER or TCP_LINGER2, bypasses the policy.
    socket_type& socket() noexcept { return this->asio_socket(); }
    const socket_type& socket() const noexcept { return this->asio_socket(); }

    /// Gives the socket away; from here on nothing keeps the policy but the options that are set.
    socket_type release_socket() noexcept {
        detail::forget_marks(socket());
        return std::move(socket());
    }

    /// Closes the connection as the policy says and completes when the descriptor is released.
    /** side::local: discards what has arrived, then shutdown(SHUT_WR) (ESTABLISHED -> FIN-WAIT-1), then reads and
     *  discards until the peer's FIN, within drain_time, drain_idle and drain_bytes; if that FIN had come already,
     *  close(2) alone (CLOSE-WAIT -> LAST-ACK). side::peer: sends what MSG_MORE or TCP_CORK holds back (TCP_NODELAY),
     *  reads and discards until the peer's FIN, within patience and drain_bytes, then close(2) (CLOSE-WAIT ->
     *  LAST-ACK); at the end of patience on_limit. lingering::abort: RST.
     *
     *  The socket leaves the stream when the operation starts: outstanding operations complete with operation_aborted,
     *  the stream is closed and may be destroyed or assigned to. The thread is never blocked. A composed write that is
     *  under way is thereby cut, and its peer sees an orderly end of a part of the message: await it first, or abort().
     *
     *  @param p       In place of the stream's own, for this close: kicking an idle connection wants our FIN first,
     *                 whatever the type says. Costs a setsockopt(2) if its linger or linger2 differ.
     *  @param last    Sent before our FIN, and nothing behind them: under side::peer the word that makes the peer close.
     *                 If there is no room for all of them, waiting for it spends the limit of the phase that it delays
     *                 (patience, drain_time, or the time of until_acked), and room that is won is progress; past it
     *                 they are not_sent, of whatever part the kernel has taken, and on_limit follows. With drain_time = 0
     *                 they are sent if there is room now, under lingering::abort never. close_report::last_bytes says
     *                 what became of them.
     *  @param token   A completion token. The handler is never called from inside this function. For asio::detached
     *                 nothing is asked of the kernel that only a report would need: two or three system calls fewer.
     *  @throws std::invalid_argument for a policy that contradicts itself, with the sentence that the compiler would
     *          have printed; the stream is then untouched.
     *
     *  @par Completion signature  void(error_code, closeside::close_report)
     *  @par Completes with
     *  @li success                 the policy's promise was kept
     *  @li error::patience_over, error::peer_still_sends, error::drain_time_over, error::drain_bytes_over,
     *  error::linger_over  that limit ran out and on_limit was carried out
     *  @li error::reset_by_peer    the peer's RST came first; success under lingering::abort, which loses nothing by it
     *  @li error::cancelled        see below; also if a wait finds no memory or descriptor half-way, which ends it
     *                              as a cancellation does
     *  @li asio::error::bad_descriptor  the stream was not open
     *  @li asio::error::message_size    more than last_bytes::most; nothing has happened, and the stream is open
     *  @li asio::error::not_connected   it was never connected, or connecting; or the connection was lost before, and
     *                              how has been told to a read or write of the program
     *  @li ETIMEDOUT, EHOSTUNREACH and the like  the kernel had given the connection up
     *  @li asio::error::connection_reset  the program had shut reading down, and a reset came whose sender is not known
     *  @li the error of setsockopt(2)  `p` states linger2, and the socket is Multipath TCP; it was closed without
     *
     *  In every case the descriptor is released when the handler runs.
     *
     *  @par Per-operation cancellation  terminal, partial, total: stop waiting, do what on_limit says. Under
     *  limit_action::close that is the receive queue emptied and close(2) at once, so that nothing is lost which the
     *  kernel can deliver; none resets by itself (`||` with a timer and cancel_after cancel with terminal). In a
     *  coroutine that has been cancelled already, Asio refuses every further co_await; say
     *  `co_await this_coro::reset_cancellation_state(disable_cancellation())` first, or let the destructor finish.
     *  @par Object lifetime  The operation owns the connection. The stream need not outlive it. */
    template <class Token = typename asio::default_completion_token<Executor>::type>
    requires(!detail::says_how_to_close<Token>) auto async_close(Token&& token = {}) {
        return detail::close_by(socket(), options_, policy, std::forward<Token>(token));
    }
    template <class Token = typename asio::default_completion_token<Executor>::type>
    requires(!detail::says_how_to_close<Token>) auto async_close(const close_policy& p, Token&& token = {}) {
        if (const char* sentence = contradiction(p)) throw std::invalid_argument(sentence);
        return detail::close_by(socket(), options_, p, std::forward<Token>(token));
    }
    template <class Token = typename asio::default_completion_token<Executor>::type>
    auto async_close(last_bytes last, Token&& token = {}) {
        return detail::close_by(socket(), options_, policy, std::forward<Token>(token), std::move(last));
    }
    template <class Token = typename asio::default_completion_token<Executor>::type>
    auto async_close(const close_policy& p, last_bytes last, Token&& token = {}) {
        if (const char* sentence = contradiction(p)) throw std::invalid_argument(sentence);
        return detail::close_by(socket(), options_, p, std::forward<Token>(token), std::move(last));
    }

    /// The same close on this thread, which waits within the same limits; progress of the peer extends them.
    /** For programs without a running context, and for peers that are trusted: one that goes on acknowledging a byte at
     *  a time holds the thread. Give untrusted ones to async_close.
     *  @throws system_error for what async_close completes with; the descriptor is released all the same.
     *  @throws std::invalid_argument as async_close does; with `ec` that is asio::error::invalid_argument, and the stream
     *          is untouched. On a closed stream: nothing happens. */
    close_report close_and_wait() { return close_and_wait(policy); }
    close_report close_and_wait(error_code& ec) noexcept { return close_and_wait(policy, ec); }
    close_report close_and_wait(last_bytes last) { return close_and_wait(policy, std::move(last)); }
    close_report close_and_wait(last_bytes last, error_code& ec) noexcept {
        return close_and_wait(policy, std::move(last), ec);
    }
    close_report close_and_wait(const close_policy& p, error_code& ec) noexcept { return close_and_wait(p, {}, ec); }
    close_report close_and_wait(const close_policy& p, last_bytes last = {}) {
        if (const char* sentence = contradiction(p)) throw std::invalid_argument(sentence);
        return detail::or_throw("close_and_wait",
                                [&](error_code& ec) { return close_and_wait(p, std::move(last), ec); });
    }
    close_report close_and_wait(const close_policy& p, last_bytes last, error_code& ec) noexcept {
        ec.clear();
        if (contradiction(p) != nullptr) ec = asio::error::invalid_argument;
        if (last.is_too_long()) ec = asio::error::message_size;
        if (ec || !this->is_open()) return {};
        detail::close_manner manner = detail::switch_options(socket(), options_, p);
        manner.last_bytes = static_cast<std::uint32_t>(last.size());
        return detail::close_blocking(std::move(socket()), p, manner, ec, last.release());
    }

    /// RST now, whatever the policy: queued data is lost and nobody holds TIME-WAIT. On a closed stream: nothing.
    void abort() noexcept {
        if (this->is_open()) detail::release_now(socket(), !(options_.aborts && detail::has_options(socket())));
    }

    /// Releases this process's descriptor and touches neither the wire nor the input.
    /** For a connection that another process owns, as after fork(2): in the parent of a server with a process per
     *  connection this takes the place of close. What is under way on the stream completes with operation_aborted; in a
     *  forked child the epoll set that it shares with its parent is left alone. If no other process holds the
     *  socket, it is as close(2). On a closed stream: nothing. */
    void disown() noexcept {
        if (this->is_open()) detail::disown(socket());
    }

private:
    template <close_policy, class>
    friend class basic_acceptor;
    template <class, class>
    friend class detail::connect_op;
    template <class>
    friend class detail::new_stream;

    struct inherits_options {};
    basic_stream(inherits_options, socket_type&& filled) noexcept : members(std::move(filled)) {
        detail::mark_options(socket(), true);
    }

    /// What the end may need must be there before the context is destroyed, or the process forks.
    void prepare_context() { detail::close_deadlines::of(this->get_executor()); }
};

/// basic_stream on Asio's polymorphic executor, for daily use.
template <close_policy P>
using stream = basic_stream<P>;

} // namespace closeside::inline CLOSESIDE_BACKEND

#endif
