// SPDX-License-Identifier: BSL-1.0
#include "support/scarce_memory.hpp"

#include <cstdlib>

namespace tests {
namespace {

thread_local int until_failure = -1;
thread_local int failures_left = 0;
thread_local int failed = 0;
thread_local int calls = 0;

bool must_fail() noexcept {
    ++calls;
    if (failures_left == 0) return false;
    if (until_failure > 0) {
        --until_failure;
        return false;
    }
    if (failures_left > 0) --failures_left;
    ++failed;
    return true;
}

void* allocate(std::size_t size) {
    void* memory = must_fail() ? nullptr : std::malloc(size == 0 ? 1 : size);
    if (memory == nullptr) throw std::bad_alloc();
    return memory;
}

} // namespace

scarce_memory::scarce_memory(int n, int times) noexcept {
    until_failure = n;
    failed = 0;
    failures_left = times;
}

scarce_memory::~scarce_memory() { failures_left = 0; }

int scarce_memory::failures() noexcept { return failed; }

int allocations() noexcept { return calls; }

} // namespace tests

// Where Asio has the memory of its operations from.
extern "C" void* aligned_alloc(std::size_t alignment, std::size_t size) noexcept {
    void* memory = nullptr;
    return !tests::must_fail() && ::posix_memalign(&memory, alignment, size) == 0 ? memory : nullptr;
}

// The other forms, but for the aligned ones, call these.
void* operator new(std::size_t size) { return tests::allocate(size); }
void operator delete(void* memory) noexcept { std::free(memory); }
void operator delete(void* memory, std::size_t) noexcept { std::free(memory); }
