// SPDX-License-Identifier: BSL-1.0
#ifndef CLOSESIDE_TESTS_SUPPORT_SCARCE_MEMORY_HPP
#define CLOSESIDE_TESTS_SUPPORT_SCARCE_MEMORY_HPP

#include <atomic>
#include <cstddef>
#include <memory>
#include <new>

// Memory that is counted, and that runs out when a test says so.
namespace tests {

/// While it lives, this thread's operator new and aligned_alloc fail, from the n-th call (from 0) on, `times` times.
class scarce_memory {
public:
    static constexpr int always = -1;
    explicit scarce_memory(int n, int times = always) noexcept;
    scarce_memory(const scarce_memory&) = delete;
    scarce_memory& operator=(const scarce_memory&) = delete;
    ~scarce_memory();

    static int failures() noexcept; ///< of the one that lives, or lived last, in this thread
};

/// How often this thread has called the two.
int allocations() noexcept;

/// What counting_allocator gave away.
struct ledger {
    std::atomic<std::size_t> bytes = 0; ///< not yet returned
    std::atomic<int> allocations = 0;
    int fails_at = -1; ///< the number of the one allocation that fails
};

template <class T>
class counting_allocator {
public:
    using value_type = T;

    explicit counting_allocator(ledger& l) noexcept : ledger_(&l) {}
    template <class U>
    counting_allocator(const counting_allocator<U>& other) noexcept : ledger_(other.ledger_) {}

    T* allocate(std::size_t n) {
        if (ledger_->allocations++ == ledger_->fails_at) throw std::bad_alloc();
        T* memory = std::allocator<T>().allocate(n);
        ledger_->bytes += n * sizeof(T);
        return memory;
    }
    void deallocate(T* memory, std::size_t n) noexcept {
        ledger_->bytes -= n * sizeof(T);
        std::allocator<T>().deallocate(memory, n);
    }

    friend bool operator==(const counting_allocator& a, const counting_allocator& b) noexcept {
        return a.ledger_ == b.ledger_;
    }

private:
    template <class>
    friend class counting_allocator;
    ledger* ledger_;
};

} // namespace tests

#endif
