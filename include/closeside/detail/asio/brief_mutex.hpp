// SPDX-License-Identifier: BSL-1.0
#ifndef CLOSESIDE_DETAIL_ASIO_BRIEF_MUTEX_HPP
#define CLOSESIDE_DETAIL_ASIO_BRIEF_MUTEX_HPP

#include <atomic>

namespace closeside::detail {

/// A mutex for what takes a moment: where nobody waits, an atomic operation on the way in and one on the way out.
/** std::mutex, which glibc has for every kind of mutex at once, takes some sixty instructions for the same. Not to be
 *  destroyed before unlock() has returned. */
class brief_mutex {
public:
    brief_mutex() = default;
    brief_mutex(const brief_mutex&) = delete;
    brief_mutex& operator=(const brief_mutex&) = delete;

    void lock() noexcept {
        if (!try_lock()) wait();
    }

    bool try_lock() noexcept {
        int expected = unlocked;
        return state_.compare_exchange_strong(expected, locked, std::memory_order_acquire, std::memory_order_relaxed);
    }

    void unlock() noexcept {
        if (state_.exchange(unlocked, std::memory_order_release) == awaited) [[unlikely]]
            state_.notify_one();
    }

private:
    enum : int { unlocked, locked, awaited };

    /// Whoever has waited does not know whether others still do, and so takes it as if they did.
    [[gnu::noinline, gnu::cold]] void wait() noexcept {
        while (state_.exchange(awaited, std::memory_order_acquire) != unlocked)
            state_.wait(awaited, std::memory_order_relaxed);
    }

    std::atomic<int> state_ = unlocked;
};

} // namespace closeside::detail

#endif
