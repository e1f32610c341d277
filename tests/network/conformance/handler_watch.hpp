// SPDX-License-Identifier: BSL-1.0
#ifndef CLOSESIDE_TESTS_CONFORMANCE_HANDLER_WATCH_HPP
#define CLOSESIDE_TESTS_CONFORMANCE_HANDLER_WATCH_HPP

#include <algorithm>
#include <chrono>
#include <cstdlib>

#include <fcntl.h>
#include <unistd.h>

namespace conformance {

/// The longest that one handler has kept the thread: running, or blocked in a system call.
/** Time spent ready but waiting for a processor is the machine's doing and not the handler's: the scheduler counts it
 *  for each thread (/proc/thread-self/schedstat, second number). Where the kernel has no such count, nothing is taken
 *  off. */
class handler_watch {
public:
    using clock = std::chrono::steady_clock;

    /// To be made on the thread that is watched.
    handler_watch() : schedstat_(::open("/proc/thread-self/schedstat", O_RDONLY | O_CLOEXEC)) {}
    handler_watch(const handler_watch&) = delete;
    handler_watch& operator=(const handler_watch&) = delete;
    ~handler_watch() {
        if (schedstat_ >= 0) ::close(schedstat_);
    }

    template <class Work>
    auto run(Work work) {
        const auto waited_before = waited_for_processor();
        const auto begin = clock::now();
        const auto result = work();
        const auto taken = clock::now() - begin;
        if (taken > longest_) {
            longest_ = std::max<clock::duration>(longest_, taken - (waited_for_processor() - waited_before));
        }
        longest_with_waiting_ = std::max<clock::duration>(longest_with_waiting_, taken);
        return result;
    }

    clock::duration longest() const noexcept { return longest_; }
    clock::duration longest_with_waiting() const noexcept { return longest_with_waiting_; }

private:
    std::chrono::nanoseconds waited_for_processor() const noexcept {
        char text[96];
        const ssize_t n = schedstat_ >= 0 ? ::pread(schedstat_, text, sizeof text - 1, 0) : -1;
        if (n <= 0) return {};
        text[n] = '\0';
        char* second = nullptr;
        std::strtoll(text, &second, 10);
        return std::chrono::nanoseconds(std::strtoll(second, nullptr, 10));
    }

    int schedstat_;
    clock::duration longest_{};
    clock::duration longest_with_waiting_{};
};

} // namespace conformance

#endif
