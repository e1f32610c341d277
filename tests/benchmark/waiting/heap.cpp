// SPDX-License-Identifier: BSL-1.0
#include "heap.hpp"

#include <cerrno>
#include <cstddef>

#include <malloc.h>

// glibc's functions behind malloc and its like.
extern "C" {
void* __libc_malloc(std::size_t);
void* __libc_calloc(std::size_t, std::size_t);
void* __libc_realloc(void*, std::size_t);
void* __libc_memalign(std::size_t, std::size_t);
void __libc_free(void*);
}

namespace benchmark_waiting {

namespace {

std::int64_t in_use = 0;

std::int64_t size_of(void* block) noexcept {
    return block == nullptr ? 0 : static_cast<std::int64_t>(::malloc_usable_size(block) + sizeof(std::size_t));
}

void* counted(void* block) noexcept {
    in_use += size_of(block);
    return block;
}

} // namespace

std::int64_t heap_in_use() noexcept { return in_use; }

} // namespace benchmark_waiting

using benchmark_waiting::counted;

extern "C" {

void* malloc(std::size_t size) noexcept { return counted(__libc_malloc(size)); }

void* calloc(std::size_t count, std::size_t size) noexcept { return counted(__libc_calloc(count, size)); }

void* realloc(void* block, std::size_t size) noexcept {
    const std::int64_t before = benchmark_waiting::size_of(block);
    void* const moved = __libc_realloc(block, size);
    if (moved != nullptr || size == 0) benchmark_waiting::in_use -= before;
    return counted(moved);
}

void* memalign(std::size_t alignment, std::size_t size) noexcept { return counted(__libc_memalign(alignment, size)); }

void* aligned_alloc(std::size_t alignment, std::size_t size) noexcept { return memalign(alignment, size); }

int posix_memalign(void** block, std::size_t alignment, std::size_t size) noexcept {
    *block = memalign(alignment, size);
    return *block == nullptr ? ENOMEM : 0;
}

void free(void* block) noexcept {
    benchmark_waiting::in_use -= benchmark_waiting::size_of(block);
    __libc_free(block);
}

} // extern "C"
