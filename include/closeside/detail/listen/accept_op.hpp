// SPDX-License-Identifier: BSL-1.0
#ifndef CLOSESIDE_DETAIL_LISTEN_ACCEPT_OP_HPP
#define CLOSESIDE_DETAIL_LISTEN_ACCEPT_OP_HPP

#include <closeside/detail/asio/asio.hpp>
#include <closeside/detail/asio/in_place_memory.hpp>
#include <closeside/detail/asio/outstanding_work.hpp>
#include <closeside/detail/asio/shared_room.hpp>
#include <closeside/detail/close/handler_step.hpp>
#include <closeside/detail/listen/accepted.hpp>
#include <closeside/detail/listen/listener_state.hpp>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <type_traits>
#include <utility>

namespace closeside::detail::inline CLOSESIDE_BACKEND {

/// Stands for the executor of a handler that can run where the acceptor's waits end.
struct no_executor {};

/// The way of an accept to the executor of its handler.
template <class Op, class Executor, class HandlerExecutor>
class accept_step : public handler_step<HandlerExecutor> {
protected:
    accept_step(listener_state<Executor>& state, const HandlerExecutor& executor, shared_room* room)
        : handler_step<HandlerExecutor>(executor, state.deadlines(), *room), io_work_(state.acceptor.get_executor()) {}
    ~accept_step() = default;

    error_code wait_ended_with_;

private:
    void run(std::shared_ptr<handler_step<HandlerExecutor>> self) final {
        Op::woken(std::static_pointer_cast<Op>(std::move(self)), wait_ended_with_);
    }

    const outstanding_work<Executor> io_work_; ///< for the accept may have to wait after all
};
template <class Op, class Executor>
class accept_step<Op, Executor, no_executor> {
protected:
    accept_step(listener_state<Executor>&, no_executor, shared_room*) noexcept {}
    ~accept_step() = default;
};

/// The operation behind async_accept: accept4, or wait until that is worth trying again.
/** A connection is taken only where the handler can run at once. Before that it is safe in the backlog, so none is
 *  lost with an operation that is cancelled, or destroyed together with its context.
 *
 *  Compiled once for all handlers without an executor of their own, and once more for each other type of executor. */
template <class Executor, class HandlerExecutor>
class accept_op : public accept_step<accept_op<Executor, HandlerExecutor>, Executor, HandlerExecutor> {
public:
    using state_type = listener_state<Executor>;

    accept_op(const accept_op&) = delete;
    accept_op& operator=(const accept_op&) = delete;

    /// @throws std::bad_alloc if Asio finds no memory to wait with; the handler is then destroyed.
    static void start(std::shared_ptr<accept_op> self);

protected:
    /// The room is for the way to an executor, `peer` gets the peer's address, a refusal is all that comes of it.
    accept_op(std::shared_ptr<state_type> state, const HandlerExecutor& executor, asio::cancellation_slot slot,
              shared_room* room, asio::ip::tcp::endpoint* peer, const error_code& refusal);

    ~accept_op();

private:
    using step = accept_step<accept_op, Executor, HandlerExecutor>;
    friend step;

    /// What Asio's operation for a wait comes to: its own bookkeeping, the waiter and an executor.
    static constexpr std::size_t room_for_wait = 128 + sizeof(Executor);

    static constexpr bool runs_with_acceptor = std::is_same_v<HandlerExecutor, no_executor>;

    struct starter;

    /// Ends on a thread of the context, if the executor would have to take memory for that, too.
    struct beside_executor {
        using executor_type = context_executor;
    };

    struct waiter;

    /// Calls the handler, as the only owner.
    virtual void complete(std::shared_ptr<accept_op> self, accepted&& connection) = 0;

    static void woken(std::shared_ptr<accept_op> self, error_code ec);

    /// An accepted descriptor; or -1, and without an error the operation is to wait or, with `pauses_`, to pause.
    int take(error_code& ec);

    void post(const std::shared_ptr<accept_op>& self);

    void wait_or_pause(const std::shared_ptr<accept_op>& self);

    void wait(const std::shared_ptr<accept_op>& self);

    void pause(const std::shared_ptr<accept_op>& self);

    const std::shared_ptr<state_type> state_;
    asio::cancellation_state cancellation_;
    in_place_memory<room_for_wait> memory_;
    asio::ip::tcp::endpoint* const peer_;
    error_code refusal_;
    std::uint32_t generation_ = 0;
    bool looks_ = false;  ///< for the first time, on a guess
    bool pauses_ = false; ///< rather than waits
};

} // namespace closeside::detail::inline CLOSESIDE_BACKEND

#include <closeside/detail/listen/impl/accept_op.hpp>

#endif
