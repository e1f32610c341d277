// SPDX-License-Identifier: BSL-1.0
#include "audit_call.hpp"

#include <closeside/host/startup.hpp>
#include <closeside/policy.hpp>

#include <ctime>
#include <string_view>

namespace benchmark_audit {

namespace {

std::chrono::nanoseconds now(clockid_t clock) {
    ::timespec t{};
    ::clock_gettime(clock, &t);
    return std::chrono::seconds(t.tv_sec) + std::chrono::nanoseconds(t.tv_nsec);
}

} // namespace

cost call_audit() {
    using closeside::policies::graceful;
    using closeside::policies::peer_first;
    const auto start = now(CLOCK_MONOTONIC), used = now(CLOCK_PROCESS_CPUTIME_ID);
    closeside::warn_at_startup<graceful, peer_first>([](closeside::host::severity, std::string_view) {});
    return {now(CLOCK_PROCESS_CPUTIME_ID) - used, now(CLOCK_MONOTONIC) - start};
}

} // namespace benchmark_audit
