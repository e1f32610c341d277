// SPDX-License-Identifier: BSL-1.0
#ifndef CLOSESIDE_BENCHMARK_AUDIT_AUDIT_CALL_HPP
#define CLOSESIDE_BENCHMARK_AUDIT_AUDIT_CALL_HPP

#include <chrono>

namespace benchmark_audit {

struct cost {
    std::chrono::nanoseconds processor_time; ///< user and system
    std::chrono::nanoseconds time;
};

/// Checks this host at start-up, as a server does, with a log that throws its lines away.
cost call_audit();

} // namespace benchmark_audit

#endif
