// SPDX-License-Identifier: BSL-1.0
#ifndef POLICY_LAB_WATCHDOG_HPP
#define POLICY_LAB_WATCHDOG_HPP

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstdio>
#include <mutex>
#include <stop_token>
#include <thread>

#include <unistd.h>

namespace policy_lab {

/// Ends the process with status 70 when it outlives its bound, whatever its threads are stuck in.
class watchdog {
public:
    explicit watchdog(std::chrono::milliseconds bound)
        : thread_([this, bound](std::stop_token stop) { wait(std::move(stop), bound); }) {}

    /// What the message names; a string that lives as long as the program.
    void now_at(const char* place) const noexcept { place_ = place; }

private:
    void wait(std::stop_token stop, std::chrono::milliseconds bound) {
        std::unique_lock lock(mutex_);
        changed_.wait_for(lock, stop, bound, [] { return false; });
        if (stop.stop_requested()) return;
        std::fprintf(stderr, "policy_lab: still at %s after %lld ms; giving up\n", place_.load(),
                     static_cast<long long>(bound.count()));
        ::_exit(70);
    }

    mutable std::atomic<const char*> place_ = "the start";
    std::mutex mutex_;
    std::condition_variable_any changed_;
    std::jthread thread_; // last: destroyed, hence stopped and joined, first
};

} // namespace policy_lab

#endif
