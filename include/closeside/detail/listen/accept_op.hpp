// SPDX-License-Identifier: BSL-1.0
#ifndef CLOSESIDE_DETAIL_LISTEN_ACCEPT_OP_HPP
#define CLOSESIDE_DETAIL_LISTEN_ACCEPT_OP_HPP

#include <closeside/detail/asio/asio.hpp>
#include <closeside/detail/asio/in_place_memory.hpp>
#include <closeside/detail/asio/post_to.hpp>
#include <closeside/detail/listen/listener_state.hpp>

#include <cerrno>
#include <chrono>
#include <cstddef>
#include <memory>
#include <mutex>
#include <type_traits>
#include <utility>

namespace closeside::detail::inline CLOSESIDE_BACKEND {

/// Stands for the executor of a handler that has none of its own: it is called on the acceptor's.
struct no_executor {};

/// The operation behind async_accept: accept4, or wait until that is worth trying again.
/** A connection is taken only where the handler can run at once. Before that it is safe in the backlog, so none is
 *  lost with an operation that is cancelled, or destroyed together with its context.
 *
 *  Compiled once for all handlers without an executor of their own, and once more for each type of executor that others
 *  bring along. */
template <class Executor, class HandlerExecutor>
class accept_op {
public:
    using state_type = listener_state<Executor>;
    using socket_type = typename state_type::socket_type;

    accept_op(const accept_op&) = delete;
    accept_op& operator=(const accept_op&) = delete;

    /// @throws std::bad_alloc where Asio finds no memory to wait with; the handler is then destroyed.
    static void start(std::shared_ptr<accept_op> self) {
        accept_op& op = *self;
        const std::shared_ptr<state_type> state = op.state_;
        const std::lock_guard lock(state->mutex);
        op.never_open_ = !state->acceptor.is_open();
        if (op.never_open_ || state->backlog.worth_a_look())
            op.post(self);
        else
            op.wait(self);
        self.reset(); // under the lock, since the operation may be on its way already
    }

protected:
    accept_op(std::shared_ptr<state_type> state, const HandlerExecutor& executor, asio::cancellation_slot slot)
        : state_(std::move(state)), executor_(executor), work_(state_->acceptor.get_executor()),
          cancellation_(slot, asio::enable_total_cancellation()) {}

    ~accept_op() = default;

private:
    /// What Asio's operation for a wait comes to: its own bookkeeping, the waiter and the executors.
    static constexpr std::size_t room_for_wait = 112 + sizeof(Executor) + sizeof(HandlerExecutor);

    static constexpr bool runs_with_acceptor = std::is_same_v<HandlerExecutor, no_executor>;

    struct names_executor {
        using executor_type = HandlerExecutor;
    };

    /// Keeps the acceptor's context at work while the operation is on its way to another executor.
    struct no_work {
        explicit no_work(const Executor&) noexcept {}
    };
    using io_work = std::conditional_t<runs_with_acceptor, no_work, asio::executor_work_guard<Executor>>;

    /// Begins the operation where its handler is to run.
    struct starter {
        using allocator_type = in_place_allocator<void, room_for_wait, std::allocator<void>>;

        explicit starter(const std::shared_ptr<accept_op>& self) noexcept : allocator(self->memory_, {}), op(self) {}

        allocator_type get_allocator() const noexcept { return allocator; }
        void operator()() { accept_op::woken(std::move(op), {}); }

        allocator_type allocator;
        std::shared_ptr<accept_op> op;
    };

    /// The handler of every wait, which runs there too.
    struct waiter : starter, std::conditional_t<runs_with_acceptor, no_executor, names_executor> {
        using cancellation_slot_type = asio::cancellation_slot;

        explicit waiter(const std::shared_ptr<accept_op>& self) noexcept
            : starter(self), slot(self->cancellation_.slot()) {}

        cancellation_slot_type get_cancellation_slot() const noexcept { return slot; }
        auto get_executor() const noexcept requires(!runs_with_acceptor) { return this->op->executor_; }
        void operator()(const error_code& ec) { accept_op::woken(std::move(this->op), ec); }

        cancellation_slot_type slot;
    };

    /// Calls the handler, as the only owner.
    virtual void complete(std::shared_ptr<accept_op> self, const error_code& ec, socket_type&& socket) = 0;

    static void woken(std::shared_ptr<accept_op> self, error_code ec) {
        accept_op& op = *self;
        std::shared_ptr<state_type> state = op.state_;
        op.cancellation_.slot().clear();
        std::unique_lock lock(state->mutex);
        if (!state->acceptor.is_open())
            ec = op.never_open_ ? asio::error::bad_descriptor : asio::error::operation_aborted;
        else if (op.cancellation_.cancelled() != asio::cancellation_type::none)
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
        socket_type socket = state->to_socket(fd, ec);
        lock.unlock();
        state.reset();
        op.complete(std::move(self), ec, std::move(socket));
    }

    /// An accepted descriptor; or -1, and without an error the operation is to wait or, with `pauses_`, to pause.
    int take(error_code& ec) {
        pauses_ = false;
        for (int tries = 1; tries <= most_vanished; ++tries) {
            const int fd = accept_once(state_->acceptor.native_handle());
            const int error = errno;
            if (std::exchange(looks_, false)) state_->backlog.looked(fd >= 0 || error != EAGAIN);
            if (fd >= 0) return fd;
            switch (classify_accept(error)) {
            case accept_failure::none_waiting: return -1;
            case accept_failure::vanished: continue;
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
            post_to(executor_, starter(self));
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
    [[no_unique_address]] const HandlerExecutor executor_;
    [[no_unique_address]] io_work work_;
    asio::cancellation_state cancellation_;
    in_place_memory<room_for_wait> memory_;
    bool never_open_ = false;
    bool looks_ = false;  ///< for the first time, on a guess
    bool pauses_ = false; ///< rather than waits
};

} // namespace closeside::detail::inline CLOSESIDE_BACKEND

#endif
