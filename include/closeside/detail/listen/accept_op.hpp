// SPDX-License-Identifier: BSL-1.0
#ifndef CLOSESIDE_DETAIL_LISTEN_ACCEPT_OP_HPP
#define CLOSESIDE_DETAIL_LISTEN_ACCEPT_OP_HPP

#include <closeside/detail/asio/asio.hpp>
#include <closeside/detail/asio/in_place_memory.hpp>
#include <closeside/detail/asio/outstanding_work.hpp>
#include <closeside/detail/asio/post_to.hpp>
#include <closeside/detail/asio/shared_room.hpp>
#include <closeside/detail/close/handler_step.hpp>
#include <closeside/detail/listen/accepted.hpp>
#include <closeside/detail/listen/listener_state.hpp>

#include <cerrno>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <mutex>
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
    static void start(std::shared_ptr<accept_op> self) {
        accept_op& op = *self;
        const std::shared_ptr<state_type> state = op.state_;
        const std::lock_guard lock(state->mutex);
        op.generation_ = state->generation();
        if (!state->acceptor.is_open()) op.refusal_ = asio::error::bad_descriptor;
        if (op.refusal_ || state->backlog.worth_a_look())
            op.post(self);
        else
            op.wait(self);
        self.reset(); // under the lock, since the operation may be on its way already
    }

protected:
    /// The room is for the way to an executor, `peer` gets the peer's address, a refusal is all that comes of it.
    accept_op(std::shared_ptr<state_type> state, const HandlerExecutor& executor, asio::cancellation_slot slot,
              shared_room* room, asio::ip::tcp::endpoint* peer, const error_code& refusal)
        : step(*state, executor, room), state_(std::move(state)),
          cancellation_(slot, asio::enable_total_cancellation()), peer_(peer), refusal_(refusal) {}

    ~accept_op() = default;

private:
    using step = accept_step<accept_op, Executor, HandlerExecutor>;
    friend step;

    /// What Asio's operation for a wait comes to: its own bookkeeping, the waiter and an executor.
    static constexpr std::size_t room_for_wait = 128 + sizeof(Executor);

    static constexpr bool runs_with_acceptor = std::is_same_v<HandlerExecutor, no_executor>;

    /// Begins the operation on the acceptor's executor.
    struct starter {
        using allocator_type = in_place_allocator<std::byte, room_for_wait, std::allocator<void>>;

        explicit starter(const std::shared_ptr<accept_op>& self) noexcept : allocator(self->memory_, {}), op(self) {}

        allocator_type get_allocator() const noexcept { return allocator; }
        void operator()() { accept_op::woken(std::move(op), {}); }

        allocator_type allocator;
        std::shared_ptr<accept_op> op;
    };

    /// Ends on a thread of the context, if the executor would have to take memory for that, too.
    struct beside_executor {
        using executor_type = context_executor;
    };

    /// The handler of every wait.
    struct waiter : starter, std::conditional_t<runs_with_acceptor, no_executor, beside_executor> {
        using cancellation_slot_type = asio::cancellation_slot;

        explicit waiter(const std::shared_ptr<accept_op>& self) noexcept
            : starter(self), slot(self->cancellation_.slot()) {}

        cancellation_slot_type get_cancellation_slot() const noexcept { return slot; }
        context_executor get_executor() const noexcept requires(!runs_with_acceptor) {
            return {&this->op->state_->deadlines().context()};
        }
        void operator()(const error_code& ec) {
            if constexpr (runs_with_acceptor) {
                accept_op::woken(std::move(this->op), ec);
            } else {
                this->op->wait_ended_with_ = ec;
                step::dispatch(std::move(this->op));
            }
        }

        cancellation_slot_type slot;
    };

    /// Calls the handler, as the only owner.
    virtual void complete(std::shared_ptr<accept_op> self, accepted&& connection) = 0;

    static void woken(std::shared_ptr<accept_op> self, error_code ec) {
        accept_op& op = *self;
        std::shared_ptr<state_type> state = op.state_;
        op.cancellation_.slot().clear();
        std::unique_lock lock(state->mutex);
        if (op.refusal_)
            ec = op.refusal_;
        else if (op.generation_ != state->generation() || op.cancellation_.cancelled() != asio::cancellation_type::none)
            ec = asio::error::operation_aborted;
        else if (ec == asio::error::operation_aborted)
            ec.clear(); // another accept has set the timer that they share

        const int fd = ec ? -1 : op.take(ec);
        if (fd < 0 && !ec) try {
                op.wait_or_pause(self);
                self.reset(); // under the lock, as in start()
                return;
            } catch (...) {
                ec = asio::error::no_memory;
            }
        accepted connection = state->settle(fd, ec);
        lock.unlock();
        state.reset();
        op.complete(std::move(self), std::move(connection));
    }

    /// An accepted descriptor; or -1, and without an error the operation is to wait or, with `pauses_`, to pause.
    int take(error_code& ec) {
        pauses_ = false;
        state_->ensure_non_blocking(ec);
        if (ec) return -1;
        for (int tries = 1; tries <= most_vanished; ++tries) {
            const int fd = accept_once(state_->acceptor.native_handle(), peer_);
            const int error = errno;
            if (std::exchange(looks_, false)) state_->backlog.looked(fd >= 0 || error != EAGAIN);
            if (fd >= 0) return fd;
            switch (classify_accept(error)) {
            case accept_failure::none_waiting: return -1;
            case accept_failure::vanished:
                if (!is_aborted(error) || !state_->tells_aborted()) continue;
                ec.assign(error, asio::error::get_system_category());
                return -1;
            case accept_failure::out_of_resources: pauses_ = true; return -1;
            case accept_failure::fatal: ec.assign(error, asio::error::get_system_category()); return -1;
            }
        }
        pauses_ = true;
        return -1;
    }

    // Asio may throw, and gives the waiter's memory back after the waiter is gone: `self` must outlive that, and the
    // lock, which a handler that owns the acceptor takes when it is destroyed.
    void post(const std::shared_ptr<accept_op>& self) {
        looks_ = true;
        if constexpr (runs_with_acceptor)
            post_to(state_->acceptor.get_executor(), starter(self));
        else
            step::post(self);
    }

    void wait_or_pause(const std::shared_ptr<accept_op>& self) {
        if (pauses_)
            pause(self);
        else
            wait(self);
    }

    void wait(const std::shared_ptr<accept_op>& self) {
        state_->acceptor.async_wait(asio::socket_base::wait_read, waiter(self));
    }

    void pause(const std::shared_ptr<accept_op>& self) {
        constexpr std::chrono::milliseconds pause_time{100};
        // Several accepts wait on one timer: setting it anew would take it away from the others.
        if (state_->pause.expiry() <= std::chrono::steady_clock::now()) state_->pause.expires_after(pause_time);
        state_->pause.async_wait(waiter(self));
    }

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

#endif
