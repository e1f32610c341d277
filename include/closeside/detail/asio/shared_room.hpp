// SPDX-License-Identifier: BSL-1.0
#ifndef CLOSESIDE_DETAIL_ASIO_SHARED_ROOM_HPP
#define CLOSESIDE_DETAIL_ASIO_SHARED_ROOM_HPP

#include <algorithm>
#include <atomic>
#include <cstddef>
#include <memory>
#include <new>

namespace closeside::detail {

/// One allocation for the objects of an operation and for what Asio allocates to bring it to its handler's executor.
/** It lasts until every block is given back. Asio may hold one for longer than the operation lives: a strand that goes
 *  with its context destroys its functions first, and later what was to run them. */
class shared_room {
public:
    shared_room(const shared_room&) = delete;
    shared_room& operator=(const shared_room&) = delete;

    /// Until leave(), the room lasts.
    void enter() noexcept { users_.fetch_add(1, std::memory_order_relaxed); }
    void leave() noexcept {
        if (users_.fetch_sub(1, std::memory_order_acq_rel) == 1) free();
    }

    /// Null if nothing is free that is large enough.
    void* take(std::size_t size) noexcept {
        for (block& b : blocks_)
            if (size <= b.size && !b.in_use.exchange(true, std::memory_order_acquire)) return b.bytes;
        return nullptr;
    }

    /// False if `memory` is not from here.
    bool give_back(const void* memory) noexcept {
        for (block& b : blocks_) {
            if (memory != b.bytes) continue;
            b.in_use.store(false, std::memory_order_release);
            return true;
        }
        return false;
    }

protected:
    /// Enough for a function that Asio queues, and for a strand that is to run.
    static constexpr std::size_t queued_size = 112;

    /// Room for one or two objects of these sizes, the smaller first, and twice for what is queued.
    shared_room(std::byte* bytes, std::size_t smaller, std::size_t larger) noexcept
        : blocks_{{bytes + smaller + larger, queued_size},
                  {bytes + smaller + larger + queued_size, queued_size},
                  {bytes, smaller},
                  {bytes + smaller, larger}} {}
    ~shared_room() = default;

private:
    struct block {
        std::byte* bytes;
        std::size_t size;
        std::atomic<bool> in_use = false;
    };

    virtual void free() noexcept = 0;

    block blocks_[4];
    std::atomic<int> users_ = 1; ///< blocks in use, and who is about to take one
};

/// Allocates in the room, and with std::allocator what finds no place there.
template <class T>
class room_allocator {
public:
    using value_type = T;

    explicit room_allocator(shared_room& room) noexcept : room_(&room) {}
    template <class U>
    room_allocator(const room_allocator<U>& a) noexcept : room_(a.room_) {}

    T* allocate(std::size_t n) {
        void* const here = room_->take(n * sizeof(T));
        T* const memory = here != nullptr ? static_cast<T*>(here) : std::allocator<T>().allocate(n);
        room_->enter();
        return memory;
    }

    void deallocate(T* memory, std::size_t n) noexcept {
        if (!room_->give_back(memory)) std::allocator<T>().deallocate(memory, n);
        room_->leave();
    }

    template <class U>
    bool operator==(const room_allocator<U>& a) const noexcept {
        return room_ == a.room_;
    }

private:
    template <class>
    friend class room_allocator;

    shared_room* room_;
};

struct no_object {};

/// For an object of each of these types, made by std::allocate_shared.
template <class Allocator, class Object, class Other = no_object>
class room_for final : public shared_room {
public:
    explicit room_for(const Allocator& allocator) noexcept
        : shared_room(bytes_, std::min(size_of<Object>, size_of<Other>), std::max(size_of<Object>, size_of<Other>)),
          allocator_(allocator) {}

    /// With one user, who is to leave().
    static shared_room& make(const Allocator& allocator) {
        rebound a(allocator);
        room_for* const memory = std::allocator_traits<rebound>::allocate(a, 1);
        return *::new (static_cast<void*>(memory)) room_for(allocator);
    }

private:
    using rebound = typename std::allocator_traits<Allocator>::template rebind_alloc<room_for>;

    static constexpr std::size_t alignment = std::max({alignof(std::max_align_t), alignof(Object), alignof(Other)});

    /// With what std::shared_ptr adds: counts, a virtual table and the allocator.
    template <class T>
    static constexpr std::size_t
        size_of = (std::max(sizeof(T) + 4 * sizeof(void*), queued_size) + 2 * alignment - 1) / alignment* alignment;

    void free() noexcept override {
        rebound a(allocator_);
        this->~room_for();
        std::allocator_traits<rebound>::deallocate(a, this, 1);
    }

    [[no_unique_address]] Allocator allocator_;
    alignas(alignment) std::byte bytes_[size_of<Object> + size_of<Other> + 2 * queued_size];
};

/// Whoever makes a room, until its objects are there.
class room_guard {
public:
    explicit room_guard(shared_room& room) noexcept : room_(room) {}
    room_guard(const room_guard&) = delete;
    room_guard& operator=(const room_guard&) = delete;
    ~room_guard() { room_.leave(); }

private:
    shared_room& room_;
};

} // namespace closeside::detail

#endif
