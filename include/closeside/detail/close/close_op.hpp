// SPDX-License-Identifier: BSL-1.0
#ifndef CLOSESIDE_DETAIL_CLOSE_CLOSE_OP_HPP
#define CLOSESIDE_DETAIL_CLOSE_CLOSE_OP_HPP

#include <closeside/detail/asio/asio.hpp>
#include <closeside/detail/asio/in_place_memory.hpp>
#include <closeside/detail/close/closing_socket.hpp>
#include <closeside/detail/close/deadlines.hpp>
#include <closeside/detail/kernel/change_watch.hpp>

#include <cstddef>
#include <memory>
#include <mutex>
#include <optional>
#include <type_traits>
#include <utility>

namespace closeside::detail::inline CLOSESIDE_BACKEND {

/// A close that has to wait: owns the connection, and in what derives from it the handler, until both are done with.
/** It lives in one allocation, held by the one wait that is under way; a deadline and a cancellation do no more than end
 *  that wait, so that everything else happens in its handler. If the context is destroyed first, so is the wait, and
 *  closing_socket ends the connection. Nothing here is compiled once more for every handler. */
template <class Socket>
class close_op : close_deadlines::entry {
public:
    close_op(const close_op&) = delete;
    close_op& operator=(const close_op&) = delete;

    /// @throws std::bad_alloc if there is nothing to wait with; `slot` is then as it was.
    template <class Slot>
    static void start(std::shared_ptr<close_op> self, close_action first, Slot slot) {
        if (slot.is_connected()) slot.template emplace<canceller>(canceller{self});
        try {
            if (proceed(self, first)) return;
        } catch (...) {
            slot.clear();
            throw;
        }
        slot.clear();
        close_op& op = *self;
        op.complete(std::move(self), true); // acknowledged since the caller looked
    }

protected:
    /// `beside_executor`: the waits end on a thread of the context, not on the socket's executor.
    close_op(closing_socket<Socket>&& closing, bool beside_executor)
        : deadlines_(close_deadlines::of(closing.socket().get_executor())), closing_(std::move(closing)),
          beside_executor_(beside_executor) {}

    ~close_op() {
        if (!waiting_) return;
        // The context is being destroyed.
        const std::lock_guard lock(deadlines_.mutex);
        deadlines_.remove(*this);
    }

    closing_socket<Socket>& closing() noexcept { return closing_; }

private:
    using action = close_action::kind;
    using event = close_event::kind;
    using io_executor = typename Socket::executor_type;
    using descriptor = asio::posix::basic_stream_descriptor<io_executor>;

    /// What Asio's operation for a wait comes to: its own bookkeeping, the waiter and an executor.
    static constexpr std::size_t room_for_wait = 112 + sizeof(io_executor);

    /// Tells of the end, as the only owner. `posted`: not from in here, since the initiating function has not returned.
    virtual void complete(std::shared_ptr<close_op> self, bool posted) = 0;

    /// The handler of every wait.
    struct waiter {
        using allocator_type = in_place_allocator<std::byte, room_for_wait, std::allocator<void>>;

        /// Asio asks the handler it has moved from when it runs out of memory itself, so this needs no operation.
        allocator_type get_allocator() const noexcept { return allocator; }

        void operator()(const error_code& ec) { close_op::woken(std::move(op), ec); }

        std::shared_ptr<close_op> op;
        [[no_unique_address]] allocator_type allocator;
    };

    /// The same for a socket on a strand, or on another executor that would have to take memory to run it.
    struct waiter_beside : waiter {
        using executor_type = context_executor;
        executor_type get_executor() const noexcept { return {&this->op->deadlines_.context()}; }
    };

    static waiter waits_for(const std::shared_ptr<close_op>& self) { return {self, {self->memory_, {}}}; }

    struct canceller {
        /// Of whatever type: none resets by itself.
        void operator()(asio::cancellation_type type) const {
            if (type == asio::cancellation_type::none) return;
            if (auto op = self.lock()) op->stop(event::cancelled);
        }
        std::weak_ptr<close_op> self;
    };

    /// Acts at once if the close waits, since its handler cannot run meanwhile; otherwise before it waits again.
    void stop(event why) {
        const std::lock_guard lock(deadlines_.mutex);
        if (ended_) return;
        if (!stopped_) stopped_ = why;
        if (!waiting_) return;
        closing_.advance({*stopped_}); // to its end: nothing waits after it
        ended_ = true;
        deadlines_.remove(*this);
        deadlines_.rest_locked();
        error_code ignored;
        if (changes_) changes_->cancel(ignored); // the socket is closed, which has ended any other wait
    }

    void deadline_over() noexcept override { end_wait(); }

    void end_wait() noexcept {
        error_code ignored;
        if (waiting_ && waits_for_change_)
            changes_->cancel(ignored);
        else if (waiting_)
            closing_.socket().cancel(ignored);
    }

    static void woken(std::shared_ptr<close_op> self, const error_code& ec) {
        close_op& op = *self;
        std::unique_lock lock(op.deadlines_.mutex);
        op.waiting_ = false;
        op.deadlines_.remove(op);
        const bool ended = op.ended_;
        lock.unlock();
        if (!ended && proceed(self, op.after_wait(ec))) return;
        op.deadlines_.rest();
        op.complete(std::move(self), false);
    }

    close_action after_wait(const error_code& ec) noexcept {
        if (!ec && !waits_for_change_)
            return closing_.advance({waiting_for_.what == action::wait_writable ? event::writable : event::readable});
        if (close_deadlines::clock::now() >= deadline()) return closing_.advance({event::timer});
        return ec ? closing_.advance({event::cancelled}) : waiting_for_;
    }

    /// Waits as the machine wants it; false when it is done, and `self` the only owner.
    static bool proceed(std::shared_ptr<close_op>& self, close_action next) {
        close_op& op = *self;
        while (true) {
            while (next.waits_for_change()) {
                const close_action wait = next;
                next = op.watch_for_change(wait);
                if (next == wait) break;
            }
            if (next.what == action::done) return false;
            std::unique_lock lock(op.deadlines_.mutex);
            if (!op.stopped_) try {
                    if (op.wait(self, next)) {
                        op.started_ = true;
                        // The wait alone keeps the operation from here on; under the lock, since its handler may run
                        // already.
                        self.reset();
                        return true;
                    }
                    op.stopped_ = event::cancelled;
                } catch (...) {
                    // Nothing to wait with, which the caller is told if nothing has begun yet.
                    op.deadlines_.remove(op);
                    if (!op.started_) {
                        op.deadlines_.rest_locked();
                        throw;
                    }
                    op.stopped_ = event::cancelled;
                }
            const event e = *op.stopped_;
            lock.unlock();
            next = op.closing_.advance({e});
        }
    }

    /// False if the context is being destroyed.
    bool wait(const std::shared_ptr<close_op>& self, close_action next) {
        waiting_for_ = next;
        waits_for_change_ = next.waits_for_change();
        if (next.what == action::wait_readable) closing_.wake_for(next.bytes);
        if (!deadlines_.insert(*this, closing_.at(next.until))) return false;
        if constexpr (std::is_base_of_v<asio::io_context::executor_type, io_executor>)
            begin_wait(waits_for(self));
        else if (!beside_executor_)
            begin_wait(waits_for(self));
        else
            begin_wait(waiter_beside{waits_for(self)});
        waiting_ = true;
        return true;
    }

    template <class Waiter>
    void begin_wait(Waiter w) {
        if (waits_for_change_)
            changes_->async_wait(descriptor::wait_read, std::move(w));
        else if (waiting_for_.what == action::wait_writable)
            closing_.socket().async_wait(asio::socket_base::wait_write, std::move(w));
        else
            closing_.socket().async_wait(asio::socket_base::wait_read, std::move(w));
    }

    /// `wait` itself, with something to wait with, or what follows it.
    close_action watch_for_change(close_action wait) noexcept {
        try {
            if (!changes_) {
                change_watch watch(closing_.socket().native_handle());
                if (!watch) return closing_.advance({event::cancelled});
                changes_ = std::make_unique<descriptor>(closing_.socket().get_executor(), watch.native_handle());
                watch.release();
            }
        } catch (...) {
            return closing_.advance({event::cancelled}); // no memory, or epoll can watch no more
        }
        change_watch::rearm(changes_->native_handle());
        return closing_.unless_changed(wait);
    }

    /// Its mutex guards `waiting_`, `ended_`, `stopped_` and the beginning of every wait.
    close_deadlines& deadlines_;
    closing_socket<Socket> closing_;
    in_place_memory<room_for_wait> memory_;
    std::unique_ptr<descriptor> changes_; ///< for close_action::waits_for_change()
    close_action waiting_for_{};
    std::optional<event> stopped_;
    bool waiting_ = false;
    bool waits_for_change_ = false;
    bool ended_ = false; ///< by a cancellation
    bool started_ = false;
    const bool beside_executor_;
};

} // namespace closeside::detail::inline CLOSESIDE_BACKEND

#endif
