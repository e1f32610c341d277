// SPDX-License-Identifier: BSL-1.0
#ifndef CLOSESIDE_DETAIL_ASIO_SPARE_MEMORY_HPP
#define CLOSESIDE_DETAIL_ASIO_SPARE_MEMORY_HPP

#include <closeside/detail/asio/brief_mutex.hpp>

#include <cstddef>
#include <memory>
#include <mutex>
#include <new>

namespace closeside::detail {

/// Memory of operations that are over, for the next ones of the same size.
/** Asio keeps two blocks a thread, and the heap is at its slowest where many are freed at once. */
class spare_memory {
public:
    static constexpr unsigned most = 64; ///< blocks that are kept

    spare_memory() = default;
    spare_memory(const spare_memory&) = delete;
    spare_memory& operator=(const spare_memory&) = delete;
    ~spare_memory() {
        while (first_ != nullptr) ::operator delete(pop());
    }

    /// @throws std::bad_alloc.
    void* take(std::size_t size) {
        {
            const std::lock_guard lock(mutex_);
            if (size == size_ && first_ != nullptr) return pop();
        }
        return ::operator new(size);
    }

    /// What is most often given back comes to be what is kept.
    void give_back(void* memory, std::size_t size) noexcept {
        std::unique_lock lock(mutex_);
        if (first_ == nullptr) size_ = size;
        if (size == size_ && count_ != most) return push(memory);
        void* const other = size != size_ ? pop() : nullptr;
        lock.unlock();
        ::operator delete(other);
        ::operator delete(memory);
    }

private:
    struct block {
        block* next;
    };

    void push(void* memory) noexcept {
        first_ = ::new (memory) block{first_};
        ++count_;
    }
    void* pop() noexcept {
        block* const b = first_;
        first_ = b->next;
        --count_;
        return b;
    }

    brief_mutex mutex_;
    unsigned count_ = 0;
    block* first_ = nullptr;
    std::size_t size_ = 0;
};

/// Of what must not outlive the spare memory.
template <class T>
class spare_allocator {
public:
    using value_type = T;

    explicit spare_allocator(spare_memory& memory) noexcept : memory_(&memory) {}
    template <class U>
    spare_allocator(const spare_allocator<U>& a) noexcept : memory_(a.memory_) {}

    T* allocate(std::size_t n) {
        static_assert(alignof(T) <= alignof(std::max_align_t) && sizeof(T) >= sizeof(void*));
        return static_cast<T*>(memory_->take(n * sizeof(T)));
    }
    void deallocate(T* memory, std::size_t n) noexcept { memory_->give_back(memory, n * sizeof(T)); }

    template <class U>
    bool operator==(const spare_allocator<U>& a) const noexcept {
        return memory_ == a.memory_;
    }

private:
    template <class>
    friend class spare_allocator;

    spare_memory* memory_;
};

} // namespace closeside::detail

#endif
