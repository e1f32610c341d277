// SPDX-License-Identifier: BSL-1.0
// Prints what its one and only call of the audit cost: nanoseconds of processor time and of time.
#include "audit_call.hpp"

#include <cstdio>

int main() {
    const benchmark_audit::cost c = benchmark_audit::call_audit();
    return std::printf("%lld %lld\n", static_cast<long long>(c.processor_time.count()),
                       static_cast<long long>(c.time.count())) > 0
               ? 0
               : 1;
}
