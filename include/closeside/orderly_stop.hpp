// SPDX-License-Identifier: BSL-1.0
#ifndef CLOSESIDE_ORDERLY_STOP_HPP
#define CLOSESIDE_ORDERLY_STOP_HPP

#include <closeside/acceptor.hpp>
#include <closeside/detail/stop/end_listener.hpp>
#include <closeside/detail/stop/idle_token.hpp>
#include <closeside/detail/stop/start_stop.hpp>
#include <closeside/detail/stop/stop_core.hpp>
#include <closeside/detail/stop/stream_calls.hpp>
#include <closeside/policy.hpp>
#include <closeside/stop_report.hpp>

#include <functional>
#include <memory>
#include <type_traits>
#include <utility>

namespace closeside::inline CLOSESIDE_BACKEND {

/// Ends every connection of its members, and every close that waits, by one deadline, and loses no more than it must.
/** A server makes one, adds its listeners, and has each session make a member of its connection. On SIGTERM async_stop:
 *
 *  | a connection is | during the notice | after it | at the deadline |
 *  |---|---|---|---|
 *  | idle | served once more and told to go | its idle read ends, and it closes: our FIN is first, under side::peer too, but where on_limit resets | on_limit |
 *  | busy | finishes, says goodbye | finishes, then its policy | RST: a cut message must show |
 *  | closing already, dropped ones too | goes on | its limits end at the deadline | on_limit |
 *
 *  Who is read idle at the deadline still, since input has come that was no request, counts as idle there; a session that
 *  has not closed after its idle read was ended, as busy.
 *
 *  Listeners are closed when the stop begins, once the program's accept loop has had the backlog, for which it has a
 *  second; its pending accept then completes with operation_aborted. Members are reached at most 64 a turn of the context,
 *  and what is to end at the deadline begins to so early that the last is through by it: 100 us for each, a fifth of the
 *  time at most. Nothing is allocated for a member.
 *
 *  @par Thread safety  Safe, but for construction and destruction. Members: as their streams.
 *  @par Object lifetime  Members may outlive it, and are then nobody's. Destroying it while a stop is under way completes
 *  that with operation_aborted. Its executor's context must outlive it, and a stop that is under way. */
class orderly_stop {
public:
    using executor_type = asio::any_io_executor;

    /// Where the stop itself runs, and first of the contexts whose closes it ends.
    explicit orderly_stop(const executor_type& executor) : core_(std::make_shared<detail::stop_core>(executor)) {}
    template <class Context>
    requires std::is_convertible_v<Context&, asio::execution_context&>
    explicit orderly_stop(Context& context) : orderly_stop(executor_type(context.get_executor())) {}

    orderly_stop(const orderly_stop&) = delete;
    orderly_stop& operator=(const orderly_stop&) = delete;
    ~orderly_stop() { core_->abandon(); }

    executor_type get_executor() const noexcept { return core_->executor(); }

    /// A connection's place in the stop, for as long as this lives: a local of its session, or a member beside its stream.
    /** Busy, until its session calls a read idle. It allocates nothing; the read's cancellation slot is Asio's, which keeps a
     *  block for it.
     *
     *  Whatever the stop does to it runs on the executor of the read that was called idle last: a coroutine's own, a bound
     *  one, else the stream's. Until then on `executor`, or the stream's; before the deadline there is nothing to do then,
     *  but for on_stop. Where several threads run that, it must be a strand, as Asio asks of whoever else would touch the
     *  stream: a session that is spawned on a strand while its stream is on the pool says so here.
     *  @par Object lifetime  The stream and the executors' contexts must outlive it, and the stream may not be moved
     *  meanwhile. It must outlive the reads that it has called idle. */
    class member : detail::stop_member {
    public:
        /// `stream`: stream<P>, ssl_stream<P>, or what has one of them below it, e.g. a WebSocket's.
        template <class Stream>
        requires detail::ends_orderly<Stream> member(orderly_stop& stop, Stream& stream)
            : stop_member(stop.core_, std::addressof(detail::ending_layer(stream)), detail::stream_calls_for<Stream>,
                          stream.get_executor(), detail::close_deadlines::of(stream.get_executor())) {}
        template <class Stream, class SessionExecutor>
        requires detail::ends_orderly<Stream> member(orderly_stop& stop, Stream& stream,
                                                     const SessionExecutor& executor)
            : stop_member(stop.core_, std::addressof(detail::ending_layer(stream)), detail::stream_calls_for<Stream>,
                          executor, detail::close_deadlines::of(stream.get_executor())) {}

        /// Calls a read idle: between requests, nothing of the next one received yet. A stop may end it, and no other.
        /** For async_read_some, or for async_wait(wait_read), on ssl_stream async_wait_input, before a composed read. The
         *  token keeps its executor, its allocator and its cancellation slot, so that `|| timer` works.
         *  @par Completes with  operation_aborted once a stop's notice is over; if input was there, or comes first, the
         *  read completes with that. */
        template <class Token>
        detail::idle_token<std::decay_t<Token>> idle(Token&& token) {
            return {this, std::forward<Token>(token)};
        }

        /// Has a stop begun? Then say so in the protocol with the next reply, and close.
        bool stopping() const noexcept { return core().stopping(); }

        /// For protocols that always read, as HTTP/2 and WebSocket do: `f()` is called on the member's executor when a stop
        /// begins, or soon if it has begun. Once, and not after this is destroyed, which f may do.
        /** Captures of up to two pointers take no allocation. */
        void on_stop(std::function<void()> f) { call_at_stop(std::move(f)); }
    };

    /// Its context's closes end with the stop, and it is closed when that begins, or now if it has begun.
    /** One that has been closed or released by then, for a hand-over, is left alone. The acceptor may be destroyed or
     *  moved. @throws std::bad_alloc. */
    template <close_policy P, class Executor>
    void add(basic_acceptor<P, Executor>& acceptor) {
        const auto& state = detail::acceptor_access::state(acceptor);
        core_->add(state->deadlines(), std::make_shared<detail::end_listener<Executor>>(state));
    }

    /// Has a stop begun?
    bool stopping() const noexcept { return core_->stopping(); }

    /// Stops, as the table says, and completes when all is gone, or at the deadline.
    /** Negative times are 0. It ends early once no member, listener or close is left, 20 ms after the last listener is
     *  closed at the soonest: so long a session may take to begin on another context. A session that does not return after
     *  its connection is cut is counted as left_over, 50 ms after the deadline or the last that did.
     *  @par Completion signature  void(error_code, closeside::stop_report)
     *  @par Completes with
     *  @li success                          it is over; the report says how
     *  @li error::cancelled                 it was cancelled, see below, and is over
     *  @li asio::error::already_started     another stop is under way; the report is empty
     *  @li asio::error::operation_aborted   this was destroyed
     *  @throws std::bad_alloc; no stop has begun then.
     *  @par Per-operation cancellation  terminal, partial, total: as now(). */
    template <class Token = typename asio::default_completion_token<executor_type>::type>
    auto async_stop(const stop_options& options, Token&& token = {}) {
        return asio::async_initiate<Token, void(error_code, stop_report)>(detail::initiate_stop(core_), token, options);
    }

    /// The deadline of the stop that is under way is now: for a second signal. Without one: nothing.
    void now() noexcept { core_->hurry(); }

private:
    const std::shared_ptr<detail::stop_core> core_;
};

} // namespace closeside::inline CLOSESIDE_BACKEND

#endif
