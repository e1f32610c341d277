// SPDX-License-Identifier: BSL-1.0
#ifndef CLOSESIDE_BENCHMARK_WAITING_HEAP_HPP
#define CLOSESIDE_BENCHMARK_WAITING_HEAP_HPP

#include <cstdint>

namespace benchmark_waiting {

/// What this program holds of the heap at this moment, counted by its own malloc and free; for one thread.
/** Of every block its full size, which malloc rounds up, and the word that precedes it. */
std::int64_t heap_in_use() noexcept;

} // namespace benchmark_waiting

#endif
