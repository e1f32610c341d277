// SPDX-License-Identifier: BSL-1.0
#ifndef CLOSESIDE_TESTS_CONFORMANCE_LIVE_MEMORY_HPP
#define CLOSESIDE_TESTS_CONFORMANCE_LIVE_MEMORY_HPP

#include <cstdint>

namespace conformance {

/// Blocks from operator new that nobody has deleted yet, in the whole program.
std::int64_t live_allocations() noexcept;

} // namespace conformance

#endif
