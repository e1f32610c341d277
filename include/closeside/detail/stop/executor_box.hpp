// SPDX-License-Identifier: BSL-1.0
#ifndef CLOSESIDE_DETAIL_STOP_EXECUTOR_BOX_HPP
#define CLOSESIDE_DETAIL_STOP_EXECUTOR_BOX_HPP

#include <closeside/detail/asio/asio.hpp>
#include <closeside/detail/asio/post_to.hpp>

#include <cstddef>
#include <memory>
#include <new>
#include <type_traits>
#include <utility>

namespace closeside::detail::inline CLOSESIDE_BACKEND {

/// An executor of any type that can post a `Function`, mostly without an allocation: a strand has room in it, too.
/** asio::any_io_executor takes memory for a strand, and posts without the function's allocator. */
template <class Function>
class executor_box {
public:
    template <class Executor>
    requires(!std::is_same_v<Executor, executor_box>) explicit executor_box(const Executor& e) { put(e); }
    executor_box(const executor_box& other) : calls_(other.calls_) { calls_->copy(other.bytes_, bytes_); }
    executor_box& operator=(const executor_box&) = delete;
    ~executor_box() { calls_->destroy(bytes_); }

    template <class Executor>
    bool holds(const Executor& e) const noexcept {
        return calls_ == &calls_for<Executor> && get<Executor>(bytes_) == e;
    }

    template <class Executor>
    void assign(const Executor& e) {
        executor_box kept(*this); // for what throws below
        calls_->destroy(bytes_);
        try {
            put(e);
        } catch (...) {
            calls_ = kept.calls_;
            calls_->copy(kept.bytes_, bytes_);
            throw;
        }
    }

    void post(Function&& f) const { calls_->post(bytes_, std::move(f)); }

private:
    static constexpr std::size_t room = 12 * sizeof(void*);

    struct calls {
        void (*copy)(const std::byte* from, std::byte* to);
        void (*destroy)(std::byte*) noexcept;
        void (*post)(const std::byte*, Function&&);
    };

    template <class Executor>
    static constexpr bool fits = sizeof(Executor) <= room && alignof(Executor) <= alignof(std::max_align_t);
    template <class Executor>
    using held = std::conditional_t<fits<Executor>, Executor, std::shared_ptr<const Executor>>;

    template <class Executor>
    static const Executor& get(const std::byte* bytes) noexcept {
        const auto& h = *std::launder(reinterpret_cast<const held<Executor>*>(bytes));
        if constexpr (fits<Executor>)
            return h;
        else
            return *h;
    }

    template <class Executor>
    void put(const Executor& e) {
        if constexpr (fits<Executor>)
            ::new (static_cast<void*>(bytes_)) Executor(e);
        else
            ::new (static_cast<void*>(bytes_)) std::shared_ptr<const Executor>(std::make_shared<const Executor>(e));
        calls_ = &calls_for<Executor>;
    }

    template <class Executor>
    static constexpr calls calls_for{
        [](const std::byte* from, std::byte* to) {
            using type = held<Executor>;
            ::new (static_cast<void*>(to)) type(*std::launder(reinterpret_cast<const type*>(from)));
        },
        [](std::byte* bytes) noexcept {
            using type = held<Executor>;
            std::destroy_at(std::launder(reinterpret_cast<type*>(bytes)));
        },
        [](const std::byte* bytes, Function&& f) {
            with_target(get<Executor>(bytes), [&](const auto& e) { asio::post(e, std::move(f)); });
        }};

    const calls* calls_ = nullptr;
    alignas(std::max_align_t) std::byte bytes_[room];
};

} // namespace closeside::detail::inline CLOSESIDE_BACKEND

#endif
