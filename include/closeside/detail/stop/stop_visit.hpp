// SPDX-License-Identifier: BSL-1.0
#ifndef CLOSESIDE_DETAIL_STOP_STOP_VISIT_HPP
#define CLOSESIDE_DETAIL_STOP_STOP_VISIT_HPP

#include <closeside/detail/asio/asio.hpp>
#include <closeside/detail/asio/in_place_memory.hpp>
#include <closeside/detail/separate_compilation.hpp>
#include <closeside/detail/stop/executor_box.hpp>

#include <cstddef>
#include <memory>
#include <utility>

namespace closeside::detail::inline CLOSESIDE_BACKEND {

class stop_core;
class stop_member;
class stop_visitor;

using stop_executor = executor_box<stop_visitor>;

/// What a stop has to do at a member, on the executor of its session.
enum stop_errand : unsigned {
    errand_begin = 1, ///< count it, and call what its session wants to be called
    errand_sweep = 2, ///< end its idle read
    errand_cut = 4    ///< the deadline is there
};

/// Errands on their way. The member may be gone when they arrive.
struct stop_visit {
    stop_visit(std::shared_ptr<stop_core> c, stop_member* m, const stop_executor& e, unsigned what)
        : core(std::move(c)), executor(e), member(m), errands(what) {}

    /// To the member's executor, which may destroy it at once; then it is back.
    static void post(std::shared_ptr<stop_visit> self) noexcept;

    const std::shared_ptr<stop_core> core;
    const stop_executor executor;
    // From here on all belongs to the holder of the core's mutex.
    stop_member* member; ///< null: it only has to come back, behind what its executor has to run before
    unsigned errands;
    unsigned stop = 0; ///< its number
    unsigned turn = 0;
    in_place_memory<128> memory[2]; ///< for a function that Asio queues, and for a strand that is to run
};

/// Memory of the visit, while there is some; Asio gives it back after the function that it was for is gone.
template <class T>
class stop_visit_allocator {
public:
    using value_type = T;

    explicit stop_visit_allocator(std::shared_ptr<stop_visit> v) noexcept : visit_(std::move(v)) {}
    template <class U>
    stop_visit_allocator(const stop_visit_allocator<U>& other) noexcept : visit_(other.visit_) {}

    T* allocate(std::size_t n) {
        for (auto& m : visit_->memory)
            if (void* const here = m.take(n * sizeof(T))) return static_cast<T*>(here);
        return std::allocator<T>().allocate(n);
    }
    void deallocate(T* memory, std::size_t n) noexcept {
        for (auto& m : visit_->memory)
            if (m.give_back(memory)) return;
        std::allocator<T>().deallocate(memory, n);
    }

    template <class U>
    bool operator==(const stop_visit_allocator<U>& other) const noexcept {
        return visit_ == other.visit_;
    }

private:
    template <class>
    friend class stop_visit_allocator;

    std::shared_ptr<stop_visit> visit_;
};

/// Takes a visit to its member. It comes back to the core in any case: destroyed, too, by an executor that runs no more.
class stop_visitor {
public:
    using allocator_type = stop_visit_allocator<std::byte>;

    explicit stop_visitor(std::shared_ptr<stop_visit> v) noexcept : visit_(std::move(v)) {}
    stop_visitor(stop_visitor&&) noexcept = default;
    stop_visitor& operator=(stop_visitor&&) = delete;
    ~stop_visitor();

    allocator_type get_allocator() const noexcept { return allocator_type(visit_); }

    void operator()();

private:
    std::shared_ptr<stop_visit> visit_;
};

inline void stop_visit::post(std::shared_ptr<stop_visit> self) noexcept try {
    const stop_executor& executor = self->executor;
    executor.post(stop_visitor(std::shared_ptr<stop_visit>(self))); // `self` keeps the executor until this is over
} catch (...) {
    // The visitor has been destroyed, and so it is back.
}

} // namespace closeside::detail::inline CLOSESIDE_BACKEND

#endif
