// SPDX-License-Identifier: BSL-1.0
#ifndef CLOSESIDE_DETAIL_CLOSE_IMPL_CLOSE_OP_HPP
#define CLOSESIDE_DETAIL_CLOSE_IMPL_CLOSE_OP_HPP

#include <closeside/detail/close/close_op.hpp>
#include <closeside/detail/kernel/change_watch.hpp>

#include <mutex>
#include <type_traits>
#include <utility>

namespace closeside::detail::inline CLOSESIDE_BACKEND {

/// The handler of every wait.
template <class Socket>
struct close_op<Socket>::waiter {
    using allocator_type = in_place_allocator<std::byte, room_for_wait, std::allocator<void>>;

    /// Asio asks the handler it has moved from when it runs out of memory itself, so this needs no operation.
    allocator_type get_allocator() const noexcept { return allocator; }

    void operator()(const error_code& ec) { close_op::woken(std::move(op), ec); }

    std::shared_ptr<close_op> op;
    [[no_unique_address]] allocator_type allocator;
};

/// The same for a socket on a strand, or on another executor that would have to take memory to run it.
template <class Socket>
struct close_op<Socket>::waiter_beside : waiter {
    using executor_type = context_executor;
    executor_type get_executor() const noexcept { return {&this->op->deadlines_.context()}; }
};

template <class Socket>
struct close_op<Socket>::canceller {
    /// Of whatever type: none resets by itself.
    void operator()(asio::cancellation_type type) const {
        if (type == asio::cancellation_type::none) return;
        if (auto op = self.lock()) op->stop(event::cancelled);
    }
    std::weak_ptr<close_op> self;
};

template <class Socket>
template <class Slot>
void close_op<Socket>::start(std::shared_ptr<close_op> self, close_action first, Slot slot) {
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

template <class Socket>
close_op<Socket>::close_op(closing_socket<Socket>&& closing, bool beside_executor)
    : close_op(std::move(closing), beside_executor, close_deadlines::of(closing.socket().get_executor())) {}

template <class Socket>
close_op<Socket>::close_op(closing_socket<Socket>&& closing, bool beside_executor, close_deadlines& deadlines)
    : deadlines_(deadlines), closing_(std::move(closing)), beside_executor_(beside_executor) {}

template <class Socket>
close_op<Socket>::~close_op() {
    waiting_closes::give_up_place(*this);
    if (!waiting_) return;
    // The context is being destroyed.
    const std::lock_guard lock(deadlines_.mutex);
    forget();
}

template <class Socket>
void close_op<Socket>::forget() noexcept {
    deadlines_.remove(*this);
    deadlines_.waiting_closes::remove(*this);
}

template <class Socket>
auto close_op<Socket>::waits_for(const std::shared_ptr<close_op>& self) -> waiter {
    return {self, {self->memory_, {}}};
}

template <class Socket>
void close_op<Socket>::stop(event why) {
    const std::lock_guard lock(deadlines_.mutex);
    stop_locked(why);
}

/// True if the connection is gone.
template <class Socket>
bool close_op<Socket>::stop_locked(event why) noexcept {
    if (ended_) return false;
    if (!stopped_) stopped_ = why;
    if (!waiting_) return false;
    closing_.advance({*stopped_}); // to its end: nothing waits after it
    ended_ = true;
    forget();
    deadlines_.rest_locked();
    error_code ignored;
    if (changes_) changes_->cancel(ignored); // the socket is closed, which has ended any other wait
    return true;
}

template <class Socket>
bool close_op<Socket>::shed() noexcept {
    return stop_locked(event::shed);
}

template <class Socket>
void close_op<Socket>::deadline_over() noexcept {
    end_wait();
}

template <class Socket>
void close_op<Socket>::end_wait() noexcept {
    error_code ignored;
    if (waiting_ && waits_for_change_)
        changes_->cancel(ignored);
    else if (waiting_)
        closing_.socket().cancel(ignored);
}

template <class Socket>
void close_op<Socket>::woken(std::shared_ptr<close_op> self, const error_code& ec) {
    close_op& op = *self;
    std::unique_lock lock(op.deadlines_.mutex);
    op.waiting_ = false;
    op.deadlines_.remove(op);
    const bool ended = op.ended_;
    lock.unlock();
    if (!ended && proceed(self, op.after_wait(ec))) return;
    op.deadlines_.leave(op);
    op.complete(std::move(self), false);
}

template <class Socket>
close_action close_op<Socket>::after_wait(const error_code& ec) noexcept {
    if (!ec && !waits_for_change_)
        return closing_.advance({waiting_for_.what == action::wait_writable ? event::writable : event::readable});
    if (const auto now = close_deadlines::clock::now(); now >= deadline())
        return closing_.advance({now >= closing_.at(waiting_for_.until) ? event::timer : event::cancelled});
    return ec ? closing_.advance({event::cancelled}) : waiting_for_;
}

template <class Socket>
bool close_op<Socket>::proceed(std::shared_ptr<close_op>& self, close_action next) {
    close_op& op = *self;
    if (!op.started_ && !waiting_closes::make_room(op)) op.stopped_ = event::shed;
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
                op.forget();
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

template <class Socket>
bool close_op<Socket>::wait(const std::shared_ptr<close_op>& self, close_action next) {
    waiting_for_ = next;
    waits_for_change_ = next.waits_for_change();
    if (next.what == action::wait_readable) closing_.wake_for(next.bytes);
    if (!deadlines_.insert(*this, closing_.at(next.until))) return false;
    deadlines_.add(*this, closing_.at({}));
    if constexpr (std::is_base_of_v<asio::io_context::executor_type, io_executor>)
        begin_wait(waits_for(self));
    else if (!beside_executor_)
        begin_wait(waits_for(self));
    else
        begin_wait(waiter_beside{waits_for(self)});
    waiting_ = true;
    return true;
}

template <class Socket>
template <class Waiter>
void close_op<Socket>::begin_wait(Waiter w) {
    if (waits_for_change_)
        changes_->async_wait(descriptor::wait_read, std::move(w));
    else if (waiting_for_.what == action::wait_writable)
        closing_.socket().async_wait(asio::socket_base::wait_write, std::move(w));
    else
        closing_.socket().async_wait(asio::socket_base::wait_read, std::move(w));
}

template <class Socket>
close_action close_op<Socket>::watch_for_change(close_action wait) noexcept {
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

} // namespace closeside::detail::inline CLOSESIDE_BACKEND

#endif
