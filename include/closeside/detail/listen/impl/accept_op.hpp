// SPDX-License-Identifier: BSL-1.0
#ifndef CLOSESIDE_DETAIL_LISTEN_IMPL_ACCEPT_OP_HPP
#define CLOSESIDE_DETAIL_LISTEN_IMPL_ACCEPT_OP_HPP

#include <closeside/detail/asio/post_to.hpp>
#include <closeside/detail/listen/accept_op.hpp>

#include <cerrno>
#include <chrono>
#include <mutex>

namespace closeside::detail::inline CLOSESIDE_BACKEND {

/// Begins the operation on the acceptor's executor.
template <class Executor, class HandlerExecutor>
struct accept_op<Executor, HandlerExecutor>::starter {
    using allocator_type = in_place_allocator<std::byte, room_for_wait, std::allocator<void>>;

    explicit starter(const std::shared_ptr<accept_op>& self) noexcept : allocator(self->memory_, {}), op(self) {}

    allocator_type get_allocator() const noexcept { return allocator; }
    void operator()() { accept_op::woken(std::move(op), {}); }

    allocator_type allocator;
    std::shared_ptr<accept_op> op;
};

/// The handler of every wait.
template <class Executor, class HandlerExecutor>
struct accept_op<Executor, HandlerExecutor>::waiter
    : starter,
      std::conditional_t<runs_with_acceptor, no_executor, beside_executor> {
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

template <class Executor, class HandlerExecutor>
void accept_op<Executor, HandlerExecutor>::start(std::shared_ptr<accept_op> self) {
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

template <class Executor, class HandlerExecutor>
accept_op<Executor, HandlerExecutor>::accept_op(std::shared_ptr<state_type> state, const HandlerExecutor& executor,
                                                asio::cancellation_slot slot, shared_room* room,
                                                asio::ip::tcp::endpoint* peer, const error_code& refusal)
    : step(*state, executor, room), state_(std::move(state)), cancellation_(slot, asio::enable_total_cancellation()),
      peer_(peer), refusal_(refusal) {}

template <class Executor, class HandlerExecutor>
accept_op<Executor, HandlerExecutor>::~accept_op() = default;

template <class Executor, class HandlerExecutor>
void accept_op<Executor, HandlerExecutor>::woken(std::shared_ptr<accept_op> self, error_code ec) {
    accept_op& op = *self;
    state_type& state = *op.state_;
    std::shared_ptr<state_type> outlives_operation;
    op.cancellation_.slot().clear();
    std::unique_lock lock(state.mutex);
    if (op.refusal_)
        ec = op.refusal_;
    else if (op.generation_ != state.generation() || op.cancellation_.cancelled() != asio::cancellation_type::none)
        ec = asio::error::operation_aborted;
    else if (ec == asio::error::operation_aborted)
        ec.clear(); // another accept has set the timer that they share

    const int fd = ec ? -1 : op.take(ec);
    if (fd < 0 && !ec) try {
            outlives_operation = op.state_;
            op.wait_or_pause(self);
            self.reset(); // under the lock, as in start()
            return;
        } catch (...) {
            ec = asio::error::no_memory;
        }
    accepted connection = state.settle(fd, ec);
    lock.unlock();
    outlives_operation.reset();
    op.complete(std::move(self), std::move(connection));
}

template <class Executor, class HandlerExecutor>
int accept_op<Executor, HandlerExecutor>::take(error_code& ec) {
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
        case accept_failure::out_of_resources:
            if (makes_room(error)) continue;
            pauses_ = true;
            return -1;
        case accept_failure::fatal: ec.assign(error, asio::error::get_system_category()); return -1;
        }
    }
    pauses_ = true;
    return -1;
}

// Asio may throw, and gives the waiter's memory back after the waiter is gone: `self` must outlive that, and the
// lock, which a handler that owns the acceptor takes when it is destroyed.
template <class Executor, class HandlerExecutor>
void accept_op<Executor, HandlerExecutor>::post(const std::shared_ptr<accept_op>& self) {
    looks_ = true;
    if constexpr (runs_with_acceptor)
        post_to(state_->acceptor.get_executor(), starter(self));
    else
        step::post(self);
}

template <class Executor, class HandlerExecutor>
void accept_op<Executor, HandlerExecutor>::wait_or_pause(const std::shared_ptr<accept_op>& self) {
    if (pauses_)
        pause(self);
    else
        wait(self);
}

template <class Executor, class HandlerExecutor>
void accept_op<Executor, HandlerExecutor>::wait(const std::shared_ptr<accept_op>& self) {
    state_->acceptor.async_wait(asio::socket_base::wait_read, waiter(self));
}

template <class Executor, class HandlerExecutor>
void accept_op<Executor, HandlerExecutor>::pause(const std::shared_ptr<accept_op>& self) {
    constexpr std::chrono::milliseconds pause_time{100};
    // Several accepts wait on one timer: setting it anew would take it away from the others.
    if (state_->pause.expiry() <= std::chrono::steady_clock::now()) state_->pause.expires_after(pause_time);
    state_->pause.async_wait(waiter(self));
}

} // namespace closeside::detail::inline CLOSESIDE_BACKEND

#endif
