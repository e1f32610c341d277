// SPDX-License-Identifier: BSL-1.0
#ifndef CLOSESIDE_DETAIL_KERNEL_FORKS_HPP
#define CLOSESIDE_DETAIL_KERNEL_FORKS_HPP

#include <atomic>

#include <pthread.h>

namespace closeside::detail {

/// How many forks lie between this process and the one that began to count: 0, and in each child one more.
[[gnu::visibility("default")]] inline std::atomic<unsigned> forks_behind{0};

inline unsigned forks() noexcept { return forks_behind.load(std::memory_order_relaxed); }

/// From here on forks are counted. A child that is made without fork(2), e.g. by clone(2) itself, is not noticed.
[[gnu::visibility("default")]] inline void count_forks() noexcept {
    [[maybe_unused]] static const int counted =
        ::pthread_atfork(nullptr, nullptr, [] { forks_behind.fetch_add(1, std::memory_order_relaxed); });
}

} // namespace closeside::detail

#endif
