// SPDX-License-Identifier: BSL-1.0
#ifndef CLOSESIDE_DETAIL_ASIO_IN_PLACE_MEMORY_HPP
#define CLOSESIDE_DETAIL_ASIO_IN_PLACE_MEMORY_HPP

#include <atomic>
#include <cstddef>
#include <memory>

namespace closeside::detail {

/// Room inside an operation for what Asio allocates while the operation waits: one block at a time.
/** Asio frees the memory of a wait before it calls, or destroys, the wait's handler (reactive_wait_op::do_complete and its
 *  like), so the handler may own the operation that the memory lies in. Whoever takes is to be alone in that; another
 *  thread may give back meanwhile. */
template <std::size_t Size>
class in_place_memory {
public:
    in_place_memory() = default;
    in_place_memory(const in_place_memory&) = delete;
    in_place_memory& operator=(const in_place_memory&) = delete;

    /// Null if it is in use or too small.
    void* take(std::size_t size) noexcept {
        if (size > Size || in_use_.load(std::memory_order_acquire)) return nullptr;
        in_use_.store(true, std::memory_order_relaxed);
        return bytes_;
    }

    /// False if `memory` is not from here.
    bool give_back(const void* memory) noexcept {
        if (memory != bytes_) return false;
        in_use_.store(false, std::memory_order_release);
        return true;
    }

private:
    alignas(std::max_align_t) std::byte bytes_[Size];
    std::atomic<bool> in_use_ = false;
};

/// Allocates in place, and with `Other` what finds no room there.
template <class T, std::size_t Size, class Other>
class in_place_allocator {
public:
    using value_type = T;
    template <class U>
    struct rebind {
        using other = in_place_allocator<U, Size, Other>;
    };

    in_place_allocator(in_place_memory<Size>& memory, const Other& other) noexcept : memory_(&memory), other_(other) {}
    template <class U>
    in_place_allocator(const in_place_allocator<U, Size, Other>& a) noexcept : memory_(a.memory_), other_(a.other_) {}

    T* allocate(std::size_t n) {
        static_assert(alignof(T) <= alignof(std::max_align_t));
        if (void* const here = memory_->take(n * sizeof(T))) return static_cast<T*>(here);
        rebound other(other_);
        return std::allocator_traits<rebound>::allocate(other, n);
    }

    void deallocate(T* memory, std::size_t n) noexcept {
        if (memory_->give_back(memory)) return;
        rebound other(other_);
        std::allocator_traits<rebound>::deallocate(other, memory, n);
    }

    template <class U>
    bool operator==(const in_place_allocator<U, Size, Other>& a) const noexcept {
        return memory_ == a.memory_ && other_ == a.other_;
    }

private:
    template <class, std::size_t, class>
    friend class in_place_allocator;
    using rebound = typename std::allocator_traits<Other>::template rebind_alloc<T>;

    in_place_memory<Size>* memory_;
    [[no_unique_address]] Other other_;
};

} // namespace closeside::detail

#endif
