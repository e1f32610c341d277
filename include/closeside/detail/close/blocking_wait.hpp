// SPDX-License-Identifier: BSL-1.0
#ifndef CLOSESIDE_DETAIL_CLOSE_BLOCKING_WAIT_HPP
#define CLOSESIDE_DETAIL_CLOSE_BLOCKING_WAIT_HPP

#include <closeside/detail/close/deadlines.hpp>
#include <closeside/detail/close/event.hpp>
#include <closeside/detail/kernel/forks.hpp>
#include <closeside/detail/kernel/owned_descriptor.hpp>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <chrono>
#include <cstdint>
#include <limits>
#include <mutex>

#include <poll.h>
#include <sys/eventfd.h>
#include <unistd.h>

namespace closeside::detail::inline CLOSESIDE_BACKEND {

/// Wakes a thread in poll(2); each has its own, and a forked one does not share its parent's.
inline int wake_up_call() noexcept {
    thread_local owned_descriptor call;
    thread_local unsigned made_at = 0;
    if (!call || made_at != forks()) {
        call = owned_descriptor(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK));
        made_at = forks();
    }
    return call.get();
}

/// The waits of a close on its own thread: listed with those of its context, so that they are shed and bounded with them.
class blocking_wait final : waiting_close {
public:
    /// `deadlines` may be null: nobody but its limits ends it then. `socket`: its descriptor.
    blocking_wait(close_deadlines* deadlines, int socket) noexcept : deadlines_(deadlines), socket_(socket) {}

    ~blocking_wait() {
        if (deadlines_ == nullptr) return;
        const std::lock_guard lock(deadlines_->mutex);
        deadlines_->waiting_closes::remove(*this);
    }

    /// Waits until `fd` is ready or the time has come: `ready`, timer, shed, or cancelled by a bound, or if poll(2) fails.
    close_event::kind until(int fd, short events, close_event::kind ready, clock::time_point end,
                            clock::time_point begun) noexcept {
        begin(begun);
        while (true) {
            if (shed_.load(std::memory_order_acquire)) return close_event::kind::shed;
            const clock::time_point now = clock::now(), wake = bounded(end);
            if (now >= end) return close_event::kind::timer;
            if (now >= wake) return close_event::kind::cancelled;
            ::pollfd polled[] = {{fd, events, 0}, {call_, POLLIN, 0}}; // of -1 poll(2) takes no notice
            const int n = ::poll(polled, 2, timeout(wake - now));
            if (n < 0 && errno != EINTR) return close_event::kind::cancelled;
            if (n > 0 && polled[1].revents != 0) answer();
            if (n > 0 && polled[0].revents != 0) return ready;
        }
    }

private:
    bool shed() noexcept override {
        shed_.store(true, std::memory_order_release);
        reconsider();
        return false; // its thread will, in a moment
    }
    void reconsider() noexcept override {
        const std::uint64_t one = 1;
        [[maybe_unused]] const auto n = ::write(call_, &one, sizeof one);
    }
    int watched_descriptor() noexcept override { return socket_; }

    void begin(clock::time_point begun) noexcept {
        if (deadlines_ == nullptr || begun_) return;
        begun_ = true;
        call_ = wake_up_call();
        if (!waiting_closes::make_room(*this)) shed_.store(true, std::memory_order_relaxed);
        const std::lock_guard lock(deadlines_->mutex);
        deadlines_->add(*this, begun);
    }

    clock::time_point bounded(clock::time_point end) noexcept {
        if (deadlines_ == nullptr) return end;
        const std::lock_guard lock(deadlines_->mutex);
        return deadlines_->bounded(end);
    }

    /// In milliseconds. Where no descriptor is left for the call, it looks now and then.
    int timeout(clock::duration left) const noexcept {
        using std::chrono::milliseconds;
        const auto longest = call_ < 0 && deadlines_ != nullptr ? 100 : std::numeric_limits<int>::max();
        const auto ms = std::chrono::ceil<milliseconds>(left).count();
        return static_cast<int>(std::clamp<decltype(ms)>(ms, 0, longest));
    }

    void answer() noexcept {
        std::uint64_t count = 0;
        [[maybe_unused]] const auto n = ::read(call_, &count, sizeof count);
    }

    close_deadlines* const deadlines_;
    const int socket_;
    int call_ = -1;
    bool begun_ = false;
    std::atomic<bool> shed_ = false;
};

} // namespace closeside::detail::inline CLOSESIDE_BACKEND

#endif
