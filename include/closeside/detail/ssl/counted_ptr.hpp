// SPDX-License-Identifier: BSL-1.0
#ifndef CLOSESIDE_DETAIL_SSL_COUNTED_PTR_HPP
#define CLOSESIDE_DETAIL_SSL_COUNTED_PTR_HPP

#include <atomic>
#include <cstddef>
#include <utility>

namespace closeside::detail {

/// Base of what counted_ptr owns.
class counted {
public:
    counted() = default;
    counted(const counted&) = delete;
    counted& operator=(const counted&) = delete;

    void add_owner() noexcept { owners_.fetch_add(1, std::memory_order_relaxed); }
    /// Was it the last one?
    bool remove_owner() noexcept { return owners_.fetch_sub(1, std::memory_order_acq_rel) == 1; }

protected:
    ~counted() = default;

private:
    std::atomic<std::size_t> owners_{1};
};

/// std::shared_ptr in one word: a handler that owns its stream is moved several times on its way through Asio.
template <class T>
class counted_ptr {
public:
    template <class... Arg>
    static counted_ptr make(Arg&&... arg) {
        counted_ptr p;
        p.object_ = new T(std::forward<Arg>(arg)...);
        return p;
    }

    counted_ptr() = default;
    [[gnu::always_inline]] counted_ptr(const counted_ptr& other) noexcept : object_(other.object_) {
        if (object_ != nullptr) object_->add_owner();
    }
    [[gnu::always_inline]] counted_ptr(counted_ptr&& other) noexcept : object_(std::exchange(other.object_, nullptr)) {}
    counted_ptr& operator=(counted_ptr other) noexcept {
        std::swap(object_, other.object_);
        return *this;
    }
    [[gnu::always_inline]] ~counted_ptr() {
        if (object_ != nullptr) release(object_);
    }

    T& operator*() const noexcept { return *object_; }
    T* operator->() const noexcept { return object_; }
    explicit operator bool() const noexcept { return object_ != nullptr; }

private:
    /// Apart, so that what happens at each move stays small enough to be inlined.
    [[gnu::noinline]] static void release(T* object) noexcept {
        if (object->remove_owner()) delete object;
    }

    T* object_ = nullptr;
};

} // namespace closeside::detail

#endif
