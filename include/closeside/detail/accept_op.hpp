// SPDX-License-Identifier: BSL-1.0
#ifndef CLOSESIDE_DETAIL_ACCEPT_OP_HPP
#define CLOSESIDE_DETAIL_ACCEPT_OP_HPP

#include <closeside/detail/completion.hpp>
#include <closeside/detail/in_place_memory.hpp>
#include <closeside/detail/listener_state.hpp>

#include <asio/associated_cancellation_slot.hpp>
#include <asio/associated_executor.hpp>
#include <asio/cancellation_signal.hpp>
#include <asio/cancellation_state.hpp>
#include <asio/error.hpp>
#include <asio/error_code.hpp>
#include <asio/executor_work_guard.hpp>
#include <asio/socket_base.hpp>

#include <cerrno>
#include <chrono>
#include <cstddef>
#include <memory>
#include <mutex>
#include <type_traits>
#include <utility>

namespace closeside::detail {

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

    static void start(std::shared_ptr<accept_op> self) {
        accept_op& op = *self;
        const std::lock_guard lock(op.state_->mutex);
        op.never_open_ = !op.state_->acceptor.is_open();
        if (op.never_open_ || op.state_->backlog.worth_a_look())
            op.post(std::move(self));
        else
            op.wait(std::move(self));
    }

protected:
    accept_op(std::shared_ptr<state_type> state, const HandlerExecutor& executor, asio::cancellation_slot slot)
        : state_(std::move(state)), executor_(executor), work_(state_->acceptor.get_executor()),
          cancellation_(slot, asio::enable_total_cancellation()) {}

    ~accept_op() = default;

private:
    /// What Asio's operation for a wait comes to: its own bookkeeping, the waiter and the executors.
    static constexpr std::size_t room_for_wait = 128 + 2 * sizeof(Executor);

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

        explicit starter(std::shared_ptr<accept_op> self) noexcept
            : allocator(self->memory_, {}), op(std::move(self)) {}

        allocator_type get_allocator() const noexcept { return allocator; }
        void operator()() { accept_op::woken(std::move(op), {}); }

        allocator_type allocator;
        std::shared_ptr<accept_op> op;
    };

    /// The handler of every wait, which runs there too.
    struct waiter : starter, std::conditional_t<runs_with_acceptor, no_executor, names_executor> {
        using cancellation_slot_type = asio::cancellation_slot;

        explicit waiter(std::shared_ptr<accept_op> self) noexcept
            : starter(std::move(self)), slot(this->op->cancellation_.slot()) {}

        cancellation_slot_type get_cancellation_slot() const noexcept { return slot; }
        auto get_executor() const noexcept requires(!runs_with_acceptor) { return this->op->executor_; }
        void operator()(const asio::error_code& ec) { accept_op::woken(std::move(this->op), ec); }

        cancellation_slot_type slot;
    };

    /// Calls the handler, as the only owner.
    virtual void complete(std::shared_ptr<accept_op> self, const asio::error_code& ec, socket_type&& socket) = 0;

    static void woken(std::shared_ptr<accept_op> self, asio::error_code ec) {
        accept_op& op = *self;
        const std::shared_ptr<state_type> state = op.state_; // `self` goes into the next wait
        op.cancellation_.slot().clear();
        std::unique_lock lock(state->mutex);
        if (!state->acceptor.is_open())
            ec = op.never_open_ ? asio::error::bad_descriptor : asio::error::operation_aborted;
        else if (op.cancellation_.cancelled() != asio::cancellation_type::none)
            ec = asio::error::operation_aborted;
        else if (ec == asio::error::operation_aborted)
            ec.clear(); // another accept has set the timer that they share

        int fd = -1;
        for (int tries = 1; !ec && fd < 0; ++tries) {
            fd = accept_once(state->acceptor.native_handle());
            const int error = errno;
            if (!op.has_waited_ && tries == 1) state->backlog.looked(fd >= 0 || error != EAGAIN);
            if (fd >= 0) break;
            switch (classify_accept(error)) {
            case accept_failure::none_waiting: return op.wait(std::move(self));
            case accept_failure::vanished:
                if (tries == most_vanished) return op.pause(std::move(self));
                break;
            case accept_failure::out_of_resources: return op.pause(std::move(self));
            case accept_failure::fatal: ec.assign(error, asio::error::get_system_category()); break;
            }
        }
        socket_type socket = state->to_socket(fd, ec);
        lock.unlock();
        op.complete(std::move(self), ec, std::move(socket));
    }

    void post(std::shared_ptr<accept_op> self) {
        if constexpr (runs_with_acceptor)
            post_to(state_->acceptor.get_executor(), starter(std::move(self)));
        else
            post_to(executor_, starter(std::move(self)));
    }

    void wait(std::shared_ptr<accept_op> self) {
        has_waited_ = true;
        state_->acceptor.async_wait(asio::socket_base::wait_read, waiter(std::move(self)));
    }

    void pause(std::shared_ptr<accept_op> self) {
        constexpr std::chrono::milliseconds pause_time{100};
        // Several accepts wait on one timer: setting it anew would take it away from the others.
        if (state_->pause.expiry() <= std::chrono::steady_clock::now()) state_->pause.expires_after(pause_time);
        state_->pause.async_wait(waiter(std::move(self)));
    }

    const std::shared_ptr<state_type> state_;
    [[no_unique_address]] const HandlerExecutor executor_;
    [[no_unique_address]] io_work work_;
    asio::cancellation_state cancellation_;
    in_place_memory<room_for_wait> memory_;
    bool never_open_ = false;
    bool has_waited_ = false;
};

/// The executor that a handler brings along.
template <class Handler, class IoExecutor>
struct own_executor {
    using type = asio::associated_executor_t<Handler, IoExecutor>;
    static type get(const Handler& handler, const IoExecutor& io_executor) noexcept {
        return asio::get_associated_executor(handler, io_executor);
    }
};
template <class Handler, class IoExecutor>
requires without_executor<Handler, IoExecutor>
struct own_executor<Handler, IoExecutor> {
    using type = no_executor;
    static type get(const Handler&, const IoExecutor&) noexcept { return {}; }
};

template <class Stream, class Handler>
class handled_accept_op final : public accept_op<typename Stream::executor_type,
                                                 typename own_executor<Handler, typename Stream::executor_type>::type> {
    using executor_type = typename Stream::executor_type;
    using own = own_executor<Handler, executor_type>;
    using base = accept_op<executor_type, typename own::type>;

public:
    handled_accept_op(std::shared_ptr<typename base::state_type> state, Handler&& handler)
        : base(state, own::get(handler, state->acceptor.get_executor()),
               asio::get_associated_cancellation_slot(handler)),
          handler_(std::move(handler)) {}

private:
    /// Everything of the operation is gone, its memory too, before the handler runs.
    void complete(std::shared_ptr<base> self, const asio::error_code& ec,
                  typename base::socket_type&& socket) override {
        Handler handler(std::move(handler_));
        self.reset();
        std::move(handler)(ec, Stream(typename Stream::inherits_options{}, std::move(socket)));
    }

    Handler handler_;
};

template <class Stream>
class initiate_accept {
public:
    using executor_type = typename Stream::executor_type;
    using state_type = listener_state<executor_type>;

    explicit initiate_accept(std::shared_ptr<state_type> state) noexcept : state_(std::move(state)) {}
    executor_type get_executor() const noexcept { return state_->acceptor.get_executor(); }

    template <class H>
    void operator()(H&& h) const {
        using handler_type = std::decay_t<H>;
        using op = handled_accept_op<Stream, handler_type>;
        handler_type handler(std::forward<H>(h));
        const auto allocator = operation_allocator(handler);
        op::start(std::allocate_shared<op>(allocator, state_, std::move(handler)));
    }

private:
    std::shared_ptr<state_type> state_;
};

} // namespace closeside::detail

#endif
