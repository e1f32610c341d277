// SPDX-License-Identifier: BSL-1.0
#ifndef CLOSESIDE_BENCHMARK_AUDIT_COST_HPP
#define CLOSESIDE_BENCHMARK_AUDIT_COST_HPP

#include <chrono>
#include <ctime>

namespace benchmark_audit {

struct cost {
    std::chrono::nanoseconds processor_time; ///< user and system
    std::chrono::nanoseconds time;
};

inline std::chrono::nanoseconds now(clockid_t clock) {
    ::timespec t{};
    ::clock_gettime(clock, &t);
    return std::chrono::seconds(t.tv_sec) + std::chrono::nanoseconds(t.tv_nsec);
}

/// Of a call in this process.
template <class Call>
cost cost_of(Call call) {
    const auto start = now(CLOCK_MONOTONIC), used = now(CLOCK_PROCESS_CPUTIME_ID);
    call();
    return {now(CLOCK_PROCESS_CPUTIME_ID) - used, now(CLOCK_MONOTONIC) - start};
}

} // namespace benchmark_audit

#endif
