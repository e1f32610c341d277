// SPDX-License-Identifier: BSL-1.0
#include "allocations.hpp"

#include "benchmark/support/measured_part.hpp"

#include <cerrno>
#include <cstddef>

// glibc's own names for what is replaced here.
extern "C" {
void* __libc_malloc(std::size_t size);
void* __libc_calloc(std::size_t count, std::size_t size);
void* __libc_realloc(void* memory, std::size_t size);
void* __libc_memalign(std::size_t alignment, std::size_t size);
}

namespace benchmark_close {

namespace {

allocation_count counted{};

void count(std::size_t bytes) noexcept {
    if (!benchmark_support::measuring()) return;
    ++counted.calls;
    counted.bytes += bytes;
}

} // namespace

allocation_count allocations() noexcept { return counted; }

} // namespace benchmark_close

extern "C" void* malloc(std::size_t size) {
    benchmark_close::count(size);
    return __libc_malloc(size);
}

extern "C" void* calloc(std::size_t count, std::size_t size) {
    benchmark_close::count(count * size);
    return __libc_calloc(count, size);
}

extern "C" void* realloc(void* memory, std::size_t size) {
    benchmark_close::count(size);
    return __libc_realloc(memory, size);
}

extern "C" void* aligned_alloc(std::size_t alignment, std::size_t size) {
    benchmark_close::count(size);
    return __libc_memalign(alignment, size);
}

extern "C" int posix_memalign(void** memory, std::size_t alignment, std::size_t size) {
    benchmark_close::count(size);
    *memory = __libc_memalign(alignment, size);
    return *memory == nullptr ? ENOMEM : 0;
}
