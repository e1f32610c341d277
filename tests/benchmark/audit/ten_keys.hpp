// SPDX-License-Identifier: BSL-1.0
#ifndef CLOSESIDE_BENCHMARK_AUDIT_TEN_KEYS_HPP
#define CLOSESIDE_BENCHMARK_AUDIT_TEN_KEYS_HPP

#include "cost.hpp"

namespace benchmark_audit {

/// Was sysctl(8) there when this was built?
bool has_sysctl();

/// A process of sysctl(8) that prints the values of ten keys, as a start script asks for them.
cost run_sysctl();

/// This process reads the same ten: open, read and close of each file, and nobody looks at the values.
cost read_ten_keys();

} // namespace benchmark_audit

#endif
