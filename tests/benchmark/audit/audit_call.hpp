// SPDX-License-Identifier: BSL-1.0
#ifndef CLOSESIDE_BENCHMARK_AUDIT_AUDIT_CALL_HPP
#define CLOSESIDE_BENCHMARK_AUDIT_AUDIT_CALL_HPP

#include "cost.hpp"

namespace benchmark_audit {

/// Checks this host at start-up, as a server does, with a log that throws its lines away.
cost call_audit();

} // namespace benchmark_audit

#endif
