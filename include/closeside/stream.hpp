// SPDX-License-Identifier: BSL-1.0
#ifndef CLOSESIDE_STREAM_HPP
#define CLOSESIDE_STREAM_HPP

#include <closeside/detail/configuration.hpp>

#include <closeside/close_limits.hpp>
#include <closeside/detail/blocking_close.hpp>
#include <closeside/detail/drop.hpp>
#include <closeside/detail/start_close.hpp>
#include <closeside/policy.hpp>
#include <closeside/report.hpp>

#include <asio/any_io_executor.hpp>
#include <asio/async_result.hpp>
#include <asio/basic_socket.hpp>
#include <asio/basic_stream_socket.hpp>
#include <asio/ip/tcp.hpp>

#include <cstddef>
#include <type_traits>
#include <utility>

namespace closeside {

template <close_policy P, class Executor>
class basic_acceptor;

namespace detail {
template <class Stream>
class connect_op;
template <class Stream, class Handler>
class handled_accept_op;
} // namespace detail

/// A TCP connection that ends as its type says.
/** An Asio AsyncReadStream, AsyncWriteStream, SyncReadStream and SyncWriteStream, as large as the socket in it, that
 *  adds nothing to reading and writing. However it ends (async_close, close, abort, destruction, being assigned over),
 *  the policy P decides the segments; see close_policy and the README's table.
 *
 *  SO_LINGER and TCP_LINGER2 are set when a socket moves in, or inherited from an acceptor<P>. Who changes them through
 *  socket() afterwards changes how the connection ends; a positive SO_LINGER then blocks the closing thread.
 *
 *  There is no next_layer(): layers above reach for it to close the socket behind the policy's back.
 *
 *  @par Thread safety  Distinct objects: safe. Shared objects: unsafe.
 *  @par Object lifetime  The executor's context must outlive the stream. After async_close the stream may go at once.
 */
template <close_policy P, class Executor = asio::any_io_executor>
class basic_stream {
    static_assert(std::is_empty_v<policy_traits<P>>); // names policy_traits<P>, which refuses contradictions

public:
    using executor_type = Executor;
    using socket_type = asio::basic_stream_socket<asio::ip::tcp, Executor>;
    using lowest_layer_type = asio::basic_socket<asio::ip::tcp, Executor>;
    using protocol_type = asio::ip::tcp;
    using endpoint_type = asio::ip::tcp::endpoint;

    template <class Other>
    struct rebind_executor {
        using other = basic_stream<P, Other>;
    };

    static constexpr close_policy policy = P;

    /// A closed stream on an executor.
    explicit basic_stream(const executor_type& executor) : socket_(executor) {}

    /// A closed stream on an execution context, e.g. an asio::io_context.
    template <class Context>
    requires std::is_convertible_v<Context&, asio::execution_context&>
    explicit basic_stream(Context& context) : socket_(context) {}

    /// Takes over a connected socket and puts its SO_LINGER and TCP_LINGER2 right.
    /** @throws std::system_error where the options cannot be set; `socket` is then unchanged. */
    explicit basic_stream(socket_type&& socket) : socket_(put_right(socket)) {}

    template <class Other>
    requires(!std::is_same_v<Other, Executor>) explicit basic_stream(
        asio::basic_stream_socket<asio::ip::tcp, Other>&& socket)
        : socket_(put_right(socket)) {}

    basic_stream(basic_stream&& other) noexcept : socket_(std::move(other.socket_)) {}

    template <class Other>
    requires(!std::is_same_v<Other, Executor>) basic_stream(basic_stream<P, Other>&& other)
        : socket_(std::move(other.socket_)) {}

    /// Ends the overwritten connection as the destructor would.
    basic_stream& operator=(basic_stream&& other) noexcept {
        if (this == &other) return *this;
        drop();
        socket_ = std::move(other.socket_);
        return *this;
    }

    /// Ends the connection as on_destroy says, without blocking and without throwing.
    /** destroy_action::finish goes on in the background on the executor; its outcome is told to nobody. Where the
     *  context is destroyed first, or no memory can be had, the close stops waiting there and on_limit is carried out.
     */
    ~basic_stream() { drop(); }

    executor_type get_executor() noexcept { return socket_.get_executor(); }
    lowest_layer_type& lowest_layer() noexcept { return socket_; }
    const lowest_layer_type& lowest_layer() const noexcept { return socket_; }

    /// The socket, for its options and endpoints. What closes it here bypasses the policy.
    socket_type& socket() noexcept { return socket_; }
    const socket_type& socket() const noexcept { return socket_; }

    /// Gives the socket away; from here on nothing keeps the policy but the options that are set.
    socket_type release() noexcept { return std::move(socket_); }

    bool is_open() const noexcept { return socket_.is_open(); }

    template <class MutableBuffers>
    std::size_t read_some(const MutableBuffers& buffers) {
        return socket_.read_some(buffers);
    }
    template <class MutableBuffers>
    std::size_t read_some(const MutableBuffers& buffers, asio::error_code& ec) {
        return socket_.read_some(buffers, ec);
    }
    template <class ConstBuffers>
    std::size_t write_some(const ConstBuffers& buffers) {
        return socket_.write_some(buffers);
    }
    template <class ConstBuffers>
    std::size_t write_some(const ConstBuffers& buffers, asio::error_code& ec) {
        return socket_.write_some(buffers, ec);
    }

    /// As asio::basic_stream_socket::async_read_some, which it calls.
    template <class MutableBuffers, class Token = typename asio::default_completion_token<Executor>::type>
    auto async_read_some(const MutableBuffers& buffers, Token&& token = {}) {
        return socket_.async_read_some(buffers, std::forward<Token>(token));
    }

    /// As asio::basic_stream_socket::async_write_some, which it calls.
    template <class ConstBuffers, class Token = typename asio::default_completion_token<Executor>::type>
    auto async_write_some(const ConstBuffers& buffers, Token&& token = {}) {
        return socket_.async_write_some(buffers, std::forward<Token>(token));
    }

    /// Closes the connection as the policy says and completes when the descriptor is released.
    /** side::local: discards what has arrived, then shutdown(SHUT_WR) (ESTABLISHED -> FIN-WAIT-1), then reads and
     *  discards until the peer's FIN, within drain_time and drain_bytes; where that FIN had come already, close(2) alone
     *  (CLOSE-WAIT -> LAST-ACK). side::peer: reads and discards until the peer's FIN, within patience and
     *  drain_bytes, then close(2) (CLOSE-WAIT -> LAST-ACK). lingering::abort: RST.
     *
     *  The socket leaves the stream when the operation starts: outstanding operations complete with operation_aborted,
     *  the stream is closed and may be destroyed or assigned to. The thread is never blocked.
     *
     *  @param limits  In place of the policy's patience, drain_time and drain_bytes, for this close.
     *  @param token   A completion token. The handler is never called from inside this function. For asio::detached
     *                 nothing is asked of the kernel that only a report would need: two or three system calls fewer.
     *
     *  @par Completion signature  void(asio::error_code, closeside::close_report)
     *  @par Completes with
     *  @li success                 the policy's promise was kept
     *  @li error::patience_over, error::drain_time_over, error::drain_bytes_over, error::linger_over  that limit ran
     *  out and on_limit was carried out
     *  @li error::reset_by_peer    the peer's RST came first; success under lingering::abort, which loses nothing by it
     *  @li error::cancelled        see below; also where a wait finds no memory or descriptor half-way, which ends it
     *                              as a partial cancellation does
     *  @li asio::error::bad_descriptor  the stream was not open; asio::error::not_connected  it was never connected
     *  @li ETIMEDOUT, EHOSTUNREACH and the like  the kernel had given the connection up
     *
     *  In every case the descriptor is released when the handler runs.
     *
     *  @par Per-operation cancellation  terminal: RST now. partial, total: stop waiting, do what on_limit says. In a
     *  coroutine that has been cancelled already, Asio refuses every further co_await; say
     *  `co_await this_coro::reset_cancellation_state(disable_cancellation())` first, or let the destructor finish.
     *  @par Object lifetime  The operation owns the connection. The stream need not outlive it. */
    template <class Token = typename asio::default_completion_token<Executor>::type>
    requires(!std::is_same_v<std::remove_cvref_t<Token>, close_limits>) auto async_close(Token&& token = {}) {
        return async_close(close_limits{}, std::forward<Token>(token));
    }

    template <class Token = typename asio::default_completion_token<Executor>::type>
    auto async_close(close_limits limits, Token&& token = {}) {
        if constexpr (detail::tells_nobody<Token>) {
            if (is_open()) initiate_close{this}(detail::told_nobody{}, limits);
        } else {
            return asio::async_initiate<Token, void(asio::error_code, close_report)>(initiate_close{this}, token,
                                                                                     limits);
        }
    }

    /// The same close on this thread, which waits no longer than the limits; for programs without a running context.
    /** @throws std::system_error for what async_close completes with, where the descriptor is released all the same.
     *  On a closed stream: nothing happens. */
    close_report close() {
        asio::error_code ec;
        const close_report report = close(ec);
        if (ec) throw asio::system_error(ec, "close");
        return report;
    }

    close_report close(asio::error_code& ec) noexcept {
        ec.clear();
        return is_open() ? detail::close_blocking(std::move(socket_), P, ec) : close_report{};
    }

    /// RST now, whatever the policy: queued data is lost and nobody holds TIME-WAIT. On a closed stream: nothing.
    void abort() noexcept {
        if (is_open()) detail::release_now(socket_, true);
    }

private:
    template <close_policy, class>
    friend class basic_stream;
    template <close_policy, class>
    friend class basic_acceptor;
    template <class>
    friend class detail::connect_op;
    template <class, class>
    friend class detail::handled_accept_op;

    struct inherits_options {};
    basic_stream(inherits_options, socket_type&& socket) noexcept : socket_(std::move(socket)) {}

    class initiate_close {
    public:
        using executor_type = Executor;
        explicit initiate_close(basic_stream* stream) noexcept : stream_(stream) {}
        executor_type get_executor() const noexcept { return stream_->get_executor(); }

        template <class Handler>
        void operator()(Handler&& handler, close_limits limits) const {
            std::decay_t<Handler> h(std::forward<Handler>(handler));
            if (!stream_->is_open())
                return detail::post_completion(get_executor(), std::move(h), asio::error::bad_descriptor,
                                               close_report{});
            detail::start_close(std::move(stream_->socket_), limits.applied_to(P), std::move(h));
        }

    private:
        basic_stream* stream_;
    };

    template <class Socket>
    static Socket&& put_right(Socket& socket) {
        if (socket.is_open() && !detail::tcp_socket::apply_policy(socket.native_handle(), P))
            throw asio::system_error(asio::error_code(errno, asio::error::get_system_category()),
                                     "closeside: SO_LINGER and TCP_LINGER2");
        return std::move(socket);
    }

    void drop() noexcept {
        if (is_open()) detail::drop(std::move(socket_), P);
    }

    socket_type socket_;
};

/// basic_stream on Asio's polymorphic executor, for daily use.
template <close_policy P>
using stream = basic_stream<P>;

} // namespace closeside

#endif
