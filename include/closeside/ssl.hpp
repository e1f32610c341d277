// SPDX-License-Identifier: BSL-1.0
#ifndef CLOSESIDE_SSL_HPP
#define CLOSESIDE_SSL_HPP

#include <closeside/detail/asio/sync_result.hpp>
#include <closeside/detail/ssl/counted_ptr.hpp>
#include <closeside/detail/ssl/initiations.hpp>
#include <closeside/detail/ssl/tls_close.hpp>
#include <closeside/stream.hpp>
#include <closeside/tls_report.hpp>

#include <concepts>
#include <cstddef>
#include <stdexcept>
#include <type_traits>
#include <utility>

namespace closeside::inline CLOSESIDE_BACKEND {

/// A TLS connection whose end is close_notify and the TCP close of its type, as one operation within the same limits.
/** Handshake, reading, writing and verification are those of the asio::ssl::stream that it owns, over a
 *  basic_stream<P, Executor>. Needs OpenSSL 3.0; the TCP close is the stream's, in compiled mode that of the compiled twin.
 *
 *  However it ends (async_close, close, destruction, being assigned over), close_notify is sent where that is honest: the
 *  handshake is done, TLS has not failed, and no write is under way or was cut, for in a half-sent record the alert would
 *  vanish, and an honest end of half a message is the truncation that the alert is there to tell apart (RFC 8446, 6.1).
 *  It goes out as the connection's last bytes; what the peer sends after that is drained unread, its own alert too. No
 *  wait is added to those of the TCP close.
 *
 *  Unlike asio::ssl::stream it may be destroyed, closed or assigned over with operations pending: they complete with an
 *  error, mostly operation_aborted.
 *
 *  @par Thread safety  Distinct objects: safe. Shared objects: unsafe; all handlers run on one strand, as with Asio.
 *  @par Object lifetime  The executor's context must outlive it, and operations on it that have not begun yet
 *  (use_awaitable, deferred). After async_close it may go at once; it cannot be used
 *  for another connection then, but be assigned to. Moved from, it can be destroyed or assigned to. */
template <close_policy P, class Executor = asio::any_io_executor>
class basic_ssl_stream : public asio::ssl::stream_base {
public:
    using next_layer_type = basic_stream<P, Executor>;
    using lowest_layer_type = typename next_layer_type::lowest_layer_type;
    using executor_type = Executor;
    using native_handle_type = SSL*;

    /// For making one; a stream of another executor does not convert, as Asio's does not.
    template <class Other>
    struct rebind_executor {
        using other = basic_ssl_stream<P, Other>;
    };

    static constexpr close_policy policy = P; ///< of the type

    /// From a stream<P>, or what one is made from (a socket, an executor, a context), and a context of TLS or an SSL
    /// object, which is then owned.
    /** @throws system_error if OpenSSL has no memory, or the stream's options cannot be set; std::bad_alloc. */
    template <class Arg>
    requires std::constructible_from<next_layer_type, Arg> basic_ssl_stream(Arg&& arg, asio::ssl::context& context)
        : core_(detail::counted_ptr<core_type>::make(next_layer_type(std::forward<Arg>(arg)), context)) {}
    template <class Arg>
    requires std::constructible_from<next_layer_type, Arg> basic_ssl_stream(Arg&& arg, native_handle_type handle)
        : core_(detail::counted_ptr<core_type>::make(next_layer_type(std::forward<Arg>(arg)), handle)) {}

    basic_ssl_stream(basic_ssl_stream&& other) noexcept = default;

    /// Ends the overwritten connection as the destructor would.
    basic_ssl_stream& operator=(basic_ssl_stream&& other) noexcept {
        if (this == &other) return *this;
        close();
        core_ = std::move(other.core_);
        return *this;
    }

    /// Ends the connection as on_destroy says, with close_notify but under destroy_action::abort; does not block or throw.
    ~basic_ssl_stream() { close(); }

    executor_type get_executor() const noexcept { return core_->stream.next_layer().get_executor(); }

    /// OpenSSL's object.
    native_handle_type native_handle() noexcept { return core_->native_handle(); }

    /// The stream below TLS. Its async_close ends the connection without close_notify.
    next_layer_type& next_layer() noexcept { return core_->layer(); }
    const next_layer_type& next_layer() const noexcept { return core_->stream.next_layer(); }

    /// The stream's lowest_layer(), whose close() keeps the policy and the reply, and sends no close_notify.
    lowest_layer_type& lowest_layer() noexcept { return next_layer().lowest_layer(); }
    const lowest_layer_type& lowest_layer() const noexcept { return next_layer().lowest_layer(); }

    bool is_open() const noexcept { return core_ && next_layer().is_open(); }

    /// These are asio::ssl::stream's. @throws system_error for what `ec` gets.
    void set_verify_mode(asio::ssl::verify_mode mode) { core_->stream.set_verify_mode(mode); }
    detail::sync_result set_verify_mode(asio::ssl::verify_mode mode, error_code& ec) {
        core_->stream.set_verify_mode(mode, ec);
        return detail::to_sync_result(ec);
    }
    void set_verify_depth(int depth) { core_->stream.set_verify_depth(depth); }
    detail::sync_result set_verify_depth(int depth, error_code& ec) {
        core_->stream.set_verify_depth(depth, ec);
        return detail::to_sync_result(ec);
    }
    template <class VerifyCallback>
    void set_verify_callback(VerifyCallback callback) {
        core_->stream.set_verify_callback(std::move(callback));
    }
    template <class VerifyCallback>
    detail::sync_result set_verify_callback(VerifyCallback callback, error_code& ec) {
        core_->stream.set_verify_callback(std::move(callback), ec);
        return detail::to_sync_result(ec);
    }

    /// As asio::ssl::stream's, the blocking form too; with `buffers` that the program has read already.
    /** It has no limit of its own: a server bounds it by a timer, `||` or cancel_after, and closes then, without
     *  close_notify since the handshake is not done. Asio's operations on TLS obey cancellation_type::terminal alone.
     *  @par Completion signature  void(error_code), with buffers void(error_code, std::size_t) */
    template <class Token = typename asio::default_completion_token<Executor>::type>
    auto async_handshake(handshake_type type, Token&& token = {}) {
        return asio::async_initiate<Token, void(error_code)>(detail::initiate_handshake<core_type>(core_), token, type);
    }
    template <class ConstBufferSequence, class Token = typename asio::default_completion_token<Executor>::type>
    requires asio::is_const_buffer_sequence<ConstBufferSequence>::value auto
    async_handshake(handshake_type type, const ConstBufferSequence& buffers, Token&& token = {}) {
        return asio::async_initiate<Token, void(error_code, std::size_t)>(detail::initiate_handshake<core_type>(core_),
                                                                          token, type, buffers);
    }
    void handshake(handshake_type type) { core_->stream.handshake(type); }
    detail::sync_result handshake(handshake_type type, error_code& ec) {
        core_->stream.handshake(type, ec);
        return detail::to_sync_result(ec);
    }
    template <class ConstBufferSequence>
    requires asio::is_const_buffer_sequence<ConstBufferSequence>::value void
    handshake(handshake_type type, const ConstBufferSequence& buffers) {
        core_->stream.handshake(type, buffers);
    }
    template <class ConstBufferSequence>
    detail::sync_result handshake(handshake_type type, const ConstBufferSequence& buffers, error_code& ec) {
        core_->stream.handshake(type, buffers, ec);
        return detail::to_sync_result(ec);
    }

    /// As asio::ssl::stream's: sends close_notify and waits for the peer's, without a limit.
    /** async_close needs it neither before nor after. After it, sent or under way, async_close sends no second one.
     *  @par Completion signature  void(error_code) */
    template <class Token = typename asio::default_completion_token<Executor>::type>
    auto async_shutdown(Token&& token = {}) {
        return asio::async_initiate<Token, void(error_code)>(detail::initiate_shutdown<core_type>(core_), token);
    }
    void shutdown() { core_->stream.shutdown(); }
    detail::sync_result shutdown(error_code& ec) {
        core_->stream.shutdown(ec);
        return detail::to_sync_result(ec);
    }

    /// As asio::ssl::stream's.
    /** @par Completion signature  void(error_code, std::size_t) */
    template <class MutableBufferSequence, class Token = typename asio::default_completion_token<Executor>::type>
    auto async_read_some(const MutableBufferSequence& buffers, Token&& token = {}) {
        return asio::async_initiate<Token, void(error_code, std::size_t)>(detail::initiate_read<core_type>(core_),
                                                                          token, buffers);
    }
    template <class ConstBufferSequence, class Token = typename asio::default_completion_token<Executor>::type>
    auto async_write_some(const ConstBufferSequence& buffers, Token&& token = {}) {
        return asio::async_initiate<Token, void(error_code, std::size_t)>(detail::initiate_write<core_type>(core_),
                                                                          token, buffers);
    }
    template <class MutableBufferSequence>
    std::size_t read_some(const MutableBufferSequence& buffers) {
        return detail::or_throw("read_some", [&](error_code& ec) { return read_some(buffers, ec); });
    }
    template <class MutableBufferSequence>
    std::size_t read_some(const MutableBufferSequence& buffers, error_code& ec) {
        const std::size_t n = core_->stream.read_some(buffers, ec);
        core_->read_ended(ec);
        return n;
    }
    template <class ConstBufferSequence>
    std::size_t write_some(const ConstBufferSequence& buffers) {
        return detail::or_throw("write_some", [&](error_code& ec) { return write_some(buffers, ec); });
    }
    template <class ConstBufferSequence>
    std::size_t write_some(const ConstBufferSequence& buffers, error_code& ec) {
        const std::size_t n = core_->stream.write_some(buffers, ec);
        core_->write_ended(ec, n, asio::buffer_size(buffers));
        return n;
    }

    /// Completes when a read would get something: decrypted bytes are pending, a whole record or an alert is buffered, or
    /// new bytes or the FIN have reached the socket. Reads nothing.
    /** What a wait for input on the socket alone would miss. New bytes may be less than a record, or one without data.
     *  @par Completion signature  void(error_code)
     *  @par Per-operation cancellation  terminal, partial, total: operation_aborted, with nothing lost. */
    template <class Token = typename asio::default_completion_token<Executor>::type>
    auto async_wait_input(Token&& token = {}) {
        return asio::async_initiate<Token, void(error_code)>(detail::initiate_wait_input<core_type>(core_), token);
    }

    /// close_notify, where it is honest, and the TCP close, as one operation with the limits of the policy.
    /** side::local: close_notify and our FIN, then the ciphertext is read and discarded until the peer's FIN. side::peer:
     *  close_notify, which is the word that makes the peer close, then the same wait for its FIN, then ours.
     *  until_acked: the peer's TCP acknowledges close_notify as well. lingering::abort and policies::system: none.
     *  If there is no room for it in the send queue, waiting for that spends the limit of the phase that it delays.
     *
     *  A client that closes without waiting answers our close_notify with RST. If its own close_notify or its FIN was
     *  there, and no more than ours is unacknowledged, nothing is lost, and the close is a success with ended_by
     *  reset_by_peer. One that closes with our close_notify unread (Python's http.client does) resets before it has told
     *  of its end: error::reset_by_peer, although it has had every byte that it wanted.
     *
     *  The rest, from the parameters to cancellation, is basic_stream::async_close.
     *  @par Completion signature  void(error_code, closeside::tls_close_report) */
    template <class Token = typename asio::default_completion_token<Executor>::type>
    requires(!detail::says_how_to_close<Token>) auto async_close(Token&& token = {}) {
        return detail::close_tls_by(core_, policy, std::forward<Token>(token));
    }
    template <class Token = typename asio::default_completion_token<Executor>::type>
    auto async_close(const close_policy& p, Token&& token = {}) {
        if (const char* sentence = contradiction(p)) throw std::invalid_argument(sentence);
        return detail::close_tls_by(core_, p, std::forward<Token>(token));
    }

    /// The same on this thread, as basic_stream::close_and_wait. On a closed stream: nothing.
    tls_close_report close_and_wait() { return close_and_wait(policy); }
    tls_close_report close_and_wait(error_code& ec) noexcept { return close_and_wait(policy, ec); }
    tls_close_report close_and_wait(const close_policy& p) {
        if (const char* sentence = contradiction(p)) throw std::invalid_argument(sentence);
        return detail::or_throw("close_and_wait", [&](error_code& ec) { return close_and_wait(p, ec); });
    }
    tls_close_report close_and_wait(const close_policy& p, error_code& ec) noexcept {
        ec.clear();
        if (contradiction(p) != nullptr) ec = asio::error::invalid_argument;
        if (ec || !is_open()) return {};
        return detail::close_tls_blocking(*core_, p, ec);
    }

    /// What the destructor does. Never blocks, and never fails for what the peer did.
    void close() noexcept {
        if (core_) detail::drop_tls(*core_);
    }
    detail::sync_result close(error_code& ec) noexcept {
        ec.clear();
        close();
        return detail::to_sync_result(ec);
    }

    /// RST now, without close_notify: the peer sees truncation. On a closed stream: nothing.
    void abort() noexcept {
        if (core_) next_layer().abort();
    }

    /// basic_stream::disown: neither the wire nor the input is touched, and no close_notify is sent.
    void disown() noexcept {
        if (core_) next_layer().disown();
    }

private:
    using core_type = detail::ssl_core<next_layer_type>;

    detail::counted_ptr<core_type> core_; ///< null if moved from
};

/// basic_ssl_stream on Asio's polymorphic executor, for daily use.
template <close_policy P>
using ssl_stream = basic_ssl_stream<P>;

/// The same close for those who keep Asio's type.
/** @pre No operation is under way on `stream`, and none has failed half-way: asio::ssl::stream does not tell, and the
 *  close_notify of a connection whose write was cut hides the truncation. `stream` may not be destroyed while operations
 *  of the program are pending on it; the close itself needs it no longer once it has begun.
 *  tls_close_report::truncated is always false: it is not known.
 *  @par Completion signature  void(error_code, closeside::tls_close_report) */
template <close_policy P, class Executor, class Token = typename asio::default_completion_token<Executor>::type>
requires(!detail::says_how_to_close<Token>) auto async_close(asio::ssl::stream<basic_stream<P, Executor>>& stream,
                                                             Token&& token = {}) {
    return detail::close_tls_by(&stream, P, std::forward<Token>(token));
}
template <close_policy P, class Executor, class Token = typename asio::default_completion_token<Executor>::type>
auto async_close(asio::ssl::stream<basic_stream<P, Executor>>& stream, const close_policy& p, Token&& token = {}) {
    if (const char* sentence = contradiction(p)) throw std::invalid_argument(sentence);
    return detail::close_tls_by(&stream, p, std::forward<Token>(token));
}

/// … and on this thread.
template <close_policy P, class Executor>
tls_close_report close_and_wait(asio::ssl::stream<basic_stream<P, Executor>>& stream, error_code& ec) noexcept {
    ec.clear();
    if (!stream.next_layer().is_open()) return {};
    return detail::close_tls_blocking(stream, P, ec);
}

} // namespace closeside::inline CLOSESIDE_BACKEND

#endif
