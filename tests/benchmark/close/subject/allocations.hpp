// SPDX-License-Identifier: BSL-1.0
#ifndef CLOSESIDE_BENCHMARK_CLOSE_ALLOCATIONS_HPP
#define CLOSESIDE_BENCHMARK_CLOSE_ALLOCATIONS_HPP

#include <cstdint>

namespace benchmark_close {

struct allocation_count {
    std::uint64_t calls;
    std::uint64_t bytes;
};

/// What malloc and its like were asked for in the measured parts, operator new and C libraries included.
allocation_count allocations() noexcept;

} // namespace benchmark_close

#endif
