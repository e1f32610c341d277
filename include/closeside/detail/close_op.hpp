// SPDX-License-Identifier: BSL-1.0
#ifndef CLOSESIDE_DETAIL_CLOSE_OP_HPP
#define CLOSESIDE_DETAIL_CLOSE_OP_HPP

#include <closeside/detail/ack_watch.hpp>
#include <closeside/detail/closing_socket.hpp>
#include <closeside/detail/completion.hpp>

#include <asio/associated_allocator.hpp>
#include <asio/associated_cancellation_slot.hpp>
#include <asio/associated_executor.hpp>
#include <asio/basic_waitable_timer.hpp>
#include <asio/cancellation_type.hpp>
#include <asio/posix/basic_stream_descriptor.hpp>

#include <memory>
#include <mutex>
#include <optional>
#include <utility>

namespace closeside::detail {

/// `wait`, or what follows where the peer has acknowledged everything already.
template <class Socket>
close_action unless_acked(closing_socket<Socket>& closing, const close_action& wait) noexcept {
    const close_event e = tcp_socket::check_acked(closing.socket().native_handle());
    return e.what == close_event::kind::would_block ? wait : closing.advance(e);
}

/// A close that has to wait: owns the connection, a timer and the handler until all three are done with.
/** It lives in one allocation, held by the waits under way. Where the context is destroyed first, so are the waits,
 *  and closing_socket ends the connection. The mutex is for executors that run the timer's and the socket's handlers at
 *  the same time; they need no strand. */
template <class Socket, class Handler>
class close_op : public std::enable_shared_from_this<close_op<Socket, Handler>> {
public:
    using io_executor = typename Socket::executor_type;
    using executor_type = asio::associated_executor_t<Handler, io_executor>;
    using allocator_type = asio::associated_allocator_t<Handler>;

    close_op(closing_socket<Socket>&& closing, Handler&& handler)
        : closing_(std::move(closing)), io_executor_(closing_.socket().get_executor()), handler_(std::move(handler)) {}

    static void start(std::shared_ptr<close_op> self, const close_action& first) {
        close_op& op = *self;
        auto slot = asio::get_associated_cancellation_slot(op.handler_);
        if (slot.is_connected()) slot.template emplace<canceller>(canceller{self});
        try {
            const std::lock_guard lock(op.mutex_);
            op.wait(first);
            op.started_ = true;
            // From here on the waits alone keep the operation, which another thread may complete.
            if (op.under_way_ > 0) return self.reset();
        } catch (...) {
            slot.clear();
            throw;
        }
        post(std::move(self)); // acknowledged since the caller looked
    }

private:
    using action = close_action::kind;
    using event = close_event::kind;
    using clock = std::chrono::steady_clock;
    using timer = asio::basic_waitable_timer<clock, asio::wait_traits<clock>, io_executor>;
    using descriptor = asio::posix::basic_stream_descriptor<io_executor>;

    /// The handler of every wait; associated with the final handler's executor and allocator.
    struct waiter {
        using executor_type = close_op::executor_type;
        using allocator_type = close_op::allocator_type;

        executor_type get_executor() const noexcept {
            return asio::get_associated_executor(op->handler_, op->io_executor_);
        }
        /// Asio asks the handler it has moved from when it runs out of memory itself, so this needs no operation.
        allocator_type get_allocator() const noexcept { return allocator; }

        void operator()(const asio::error_code& ec) {
            auto self = std::move(op);
            if (woken(self, what, ec)) complete(std::move(self));
        }

        std::shared_ptr<close_op> op;
        event what;
        allocator_type allocator;
    };

    waiter waits_for(event what) { return {this->shared_from_this(), what, asio::get_associated_allocator(handler_)}; }

    struct canceller {
        void operator()(asio::cancellation_type type) const {
            if (type == asio::cancellation_type::none) return;
            if (auto op = self.lock()) op->cancel((type & asio::cancellation_type::terminal) != type_none);
        }
        static constexpr auto type_none = asio::cancellation_type::none;
        std::weak_ptr<close_op> self;
    };

    /// True when this was the last wait of a finished close; `self` is then the only owner.
    static bool woken(std::shared_ptr<close_op>& self, event what, const asio::error_code& ec) {
        close_op& op = *self;
        const std::lock_guard lock(op.mutex_);
        --op.under_way_;
        op.running(what) = false;
        if (!op.done_) op.on_event(what, ec);
        if (op.under_way_ == 0) return true;
        self.reset(); // under the lock: the last wait, on another thread, must find no other owner
        return false;
    }

    void on_event(event what, const asio::error_code& ec) {
        if (what == event::timer) {
            // Taken back, or expired just before it was set anew: not this deadline.
            if (ec || clock::now() < deadline_) return wait({waiting_for_, 0, until_});
        } else if (what != awaited()) {
            return; // a wait that an earlier event has made pointless
        } else if (ec) {
            return wait(closing_.advance({event::cancelled}));
        }
        wait(what == event::acked ? close_action{waiting_for_, 0, until_} : closing_.advance({what}));
    }

    void cancel(bool terminal) {
        const std::lock_guard lock(mutex_);
        if (!done_) wait(closing_.advance({terminal ? event::terminated : event::cancelled}));
    }

    void wait(close_action next) {
        try {
            if (next.what == action::wait_acked) next = watch_acks(next);
            if (next.what == action::done) return finish();
            waiting_for_ = next.what;
            until_ = next.until;
            deadline_ = closing_.at(until_);
            start_timer();
            start_wait();
        } catch (...) {
            // Nothing to wait with. What is under way completes the handler; before that the caller is told.
            closing_.advance({event::cancelled});
            finish();
            if (!started_ && under_way_ == 0) throw;
        }
    }

    void start_timer() {
        if (!timer_) timer_.emplace(io_executor_);
        if (running(event::timer)) {
            if (timer_->expiry() != deadline_) timer_->cancel(); // its handler comes back here
            return;
        }
        timer_->expires_at(deadline_);
        timer_->async_wait(waits_for(event::timer));
        under_way(event::timer);
    }

    void start_wait() {
        if (running(awaited())) return;
        if (awaited() == event::readable)
            closing_.socket().async_wait(Socket::wait_read, waits_for(event::readable));
        else
            acks_->async_wait(descriptor::wait_read, waits_for(event::acked));
        under_way(awaited());
    }

    event awaited() const noexcept { return waiting_for_ == action::wait_acked ? event::acked : event::readable; }

    bool& running(event what) noexcept {
        return what == event::timer ? timer_runs_ : what == event::acked ? ack_wait_runs_ : read_wait_runs_;
    }

    void under_way(event what) noexcept {
        running(what) = true;
        ++under_way_;
    }

    close_action watch_acks(const close_action& wait) {
        if (!acks_) {
            ack_watch watch(closing_.socket().native_handle());
            if (!watch) return closing_.advance({event::cancelled});
            acks_.emplace(io_executor_, watch.native_handle());
            watch.release();
        }
        ack_watch::rearm(acks_->native_handle());
        return unless_acked(closing_, wait);
    }

    void finish() {
        done_ = true;
        if (timer_) timer_->cancel();
        acks_.reset();
    }

    /// Everything of the operation is gone, its memory too, before the handler runs.
    static void complete(std::shared_ptr<close_op> self) {
        asio::get_associated_cancellation_slot(self->handler_).clear();
        completion<Handler, close_report> handler(std::move(self->handler_), self->closing_.error(),
                                                  self->closing_.report());
        self.reset();
        handler();
    }

    static void post(std::shared_ptr<close_op> self) {
        asio::get_associated_cancellation_slot(self->handler_).clear();
        const auto executor = self->io_executor_;
        const auto ec = self->closing_.error();
        auto report = self->closing_.report();
        Handler handler(std::move(self->handler_));
        self.reset();
        post_completion(executor, std::move(handler), ec, std::move(report));
    }

    std::mutex mutex_;
    closing_socket<Socket> closing_;
    io_executor io_executor_;
    Handler handler_;
    std::optional<timer> timer_;
    std::optional<descriptor> acks_;
    action waiting_for_ = action::done;
    milliseconds until_{};
    clock::time_point deadline_{};
    int under_way_ = 0;
    bool timer_runs_ = false;
    bool read_wait_runs_ = false;
    bool ack_wait_runs_ = false;
    bool started_ = false;
    bool done_ = false;
};

/// Closes `socket` under `policy`, then calls `handler(error_code, close_report)`, never from in here.
/** What needs no waiting needs no operation either: one post, and no other allocation. */
template <class Socket, class Handler>
void start_close(Socket&& socket, const close_policy& policy, Handler handler) {
    using op = close_op<Socket, Handler>;
    asio::error_code ignored;
    socket.cancel(ignored); // what the caller has under way completes with operation_aborted
    const auto executor = socket.get_executor();
    closing_socket<Socket> closing(std::move(socket), policy);
    close_action first = closing.begin();
    if (first.what == close_action::kind::wait_acked) first = unless_acked(closing, first);
    if (first.what == close_action::kind::done)
        return post_completion(executor, std::move(handler), closing.error(), closing.report());
    const auto allocator = asio::get_associated_allocator(handler);
    op::start(std::allocate_shared<op>(allocator, std::move(closing), std::move(handler)), first);
}

} // namespace closeside::detail

#endif
