// SPDX-License-Identifier: BSL-1.0
#ifndef CLOSESIDE_DETAIL_CLOSE_IMPL_HANDLER_STEP_HPP
#define CLOSESIDE_DETAIL_CLOSE_IMPL_HANDLER_STEP_HPP

#include <closeside/detail/asio/post_to.hpp>
#include <closeside/detail/close/handler_step.hpp>

#include <chrono>
#include <cstddef>
#include <new>
#include <thread>

namespace closeside::detail::inline CLOSESIDE_BACKEND {

/// Keeps the step while it is on its way.
template <class Executor>
struct handler_step<Executor>::carrier {
    using allocator_type = room_allocator<std::byte>;

    carrier(std::shared_ptr<handler_step>&& s) noexcept : step(std::move(s)), room(step->room_) {}
    carrier(carrier&&) noexcept = default;
    ~carrier() {
        if (step) hand_over_call::comes_back(std::move(step));
    }

    allocator_type get_allocator() const noexcept { return room; }

    void operator()() {
        handler_step& s = *step;
        hand_over_call::runs(static_cast<deferred*>(&s));
        s.run(std::move(step));
    }

    std::shared_ptr<handler_step> step;
    allocator_type room;
};

template <class Executor>
void handler_step<Executor>::post(std::shared_ptr<handler_step> self) {
    hand_over(std::move(self), how::post);
}

template <class Executor>
void handler_step<Executor>::dispatch(std::shared_ptr<handler_step> self) {
    insist(std::move(self), how::dispatch);
}

template <class Executor>
handler_step<Executor>::handler_step(const Executor& executor, close_deadlines& deadlines, shared_room& room)
    : executor_(executor), work_(executor), deadlines_(deadlines), room_(room) {}

template <class Executor>
handler_step<Executor>::~handler_step() = default;

template <class Executor>
void handler_step<Executor>::again(std::shared_ptr<deferred> self) noexcept try {
    insist(std::static_pointer_cast<handler_step>(std::move(self)), how::post);
} catch (...) {
    // An executor that refuses for another reason has destroyed the handler.
}

template <class Executor>
void handler_step<Executor>::hand_over(std::shared_ptr<handler_step> self, how h) {
    const Executor executor = self->executor_;
    with_target(executor, [&](const auto& e) {
        if (h == how::dispatch)
            asio::dispatch(e, carrier(std::move(self)));
        else
            asio::post(e, carrier(std::move(self)));
    });
}

template <class Executor>
void handler_step<Executor>::insist(std::shared_ptr<handler_step> self, how h) {
    close_deadlines& deadlines = self->deadlines_;
    for (int pauses = 0;; ++pauses) {
        hand_over_call call(static_cast<deferred*>(self.get()));
        try {
            return hand_over(std::move(self), h);
        } catch (const std::bad_alloc&) {
            if (call.has_run()) throw;
            // A strand that found no memory to run has kept it, and runs nothing any more.
            if (!call.step || deadlines.defer(call.step)) return;
            if (pauses == most_pauses) throw; // as Asio would have done at once
        }
        self = std::static_pointer_cast<handler_step>(std::move(call.step));
        std::this_thread::sleep_for(std::chrono::milliseconds(1));
    }
}

} // namespace closeside::detail::inline CLOSESIDE_BACKEND

#endif
