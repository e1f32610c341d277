// SPDX-License-Identifier: BSL-1.0
#ifndef CLOSESIDE_LAB_SLOW_PEER_PROCESSOR_WAIT_HPP
#define CLOSESIDE_LAB_SLOW_PEER_PROCESSOR_WAIT_HPP

#include "../support/observed.hpp"

#include <chrono>
#include <cstdio>

#include <fcntl.h>
#include <unistd.h>

namespace lab::slow_peer {

/// For how long this thread, ready to run, has waited for a processor that others kept busy.
/** The second number of schedstat (Documentation/scheduler/sched-stats.rst); 0 of a kernel that does not count it. */
class processor_wait {
public:
    processor_wait() : file_(::open("/proc/thread-self/schedstat", O_RDONLY | O_CLOEXEC)) {}

    std::chrono::nanoseconds until_now() const {
        char text[96];
        const ssize_t n = ::pread(file_.get(), text, sizeof text - 1, 0);
        unsigned long long ran = 0, waited = 0;
        if (n <= 0) return {};
        text[n] = '\0';
        if (std::sscanf(text, "%llu %llu", &ran, &waited) != 2) return {};
        return std::chrono::nanoseconds(static_cast<long long>(waited));
    }

private:
    descriptor file_;
};

} // namespace lab::slow_peer

#endif
