// SPDX-License-Identifier: BSL-1.0
#ifndef CLOSESIDE_OBSERVATION_WATCHDOG_HPP
#define CLOSESIDE_OBSERVATION_WATCHDOG_HPP

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstdio>
#include <mutex>
#include <stop_token>
#include <thread>

#include <unistd.h>

namespace observation {

/// Ends the process with status 70 when it outlives its bound, whatever its threads are stuck in.
class watchdog {
public:
    /// `program`, which the message begins with, lives as long as the program.
    watchdog(const char* program, std::chrono::milliseconds bound)
        : thread_([=, this](std::stop_token stop) { wait(std::move(stop), program, bound); }) {}

    /// What the message names; a string that lives as long as the program.
    void now_at(const char* place) const noexcept { place_ = place; }

private:
    void wait(std::stop_token stop, const char* program, std::chrono::milliseconds bound) {
        std::unique_lock lock(mutex_);
        changed_.wait_for(lock, stop, bound, [] { return false; });
        if (stop.stop_requested()) return;
        std::fprintf(stderr, "%s: still at %s after %lld ms; giving up\n", program, place_.load(),
                     static_cast<long long>(bound.count()));
        ::_exit(70);
    }

    mutable std::atomic<const char*> place_ = "the start";
    std::mutex mutex_;
    std::condition_variable_any changed_;
    std::jthread thread_; // last: destroyed, hence stopped and joined, first
};

} // namespace observation

#endif
