// SPDX-License-Identifier: BSL-1.0
#ifndef CLOSESIDE_DETAIL_CLOSE_HANDLER_STEP_HPP
#define CLOSESIDE_DETAIL_CLOSE_HANDLER_STEP_HPP

#include <closeside/detail/asio/asio.hpp>
#include <closeside/detail/asio/outstanding_work.hpp>
#include <closeside/detail/asio/shared_room.hpp>
#include <closeside/detail/close/deadlines.hpp>

#include <memory>
#include <utility>

namespace closeside::detail::inline CLOSESIDE_BACKEND {

/// The calls under way on this thread that hand something over to an executor.
/** A function that Asio has no memory for is destroyed on the way. What it carried is not lost: it comes back here. */
class hand_over_call {
public:
    explicit hand_over_call(const void* what) noexcept : what_(what), outer_(std::exchange(innermost, this)) {}
    hand_over_call(const hand_over_call&) = delete;
    hand_over_call& operator=(const hand_over_call&) = delete;
    ~hand_over_call() { innermost = outer_; }

    /// The step has begun to run, within the call.
    static void runs(const void* what) noexcept {
        if (hand_over_call* const call = of(what)) call->what_ = nullptr;
    }

    /// Where there is no such call any more, an executor destroys its functions, and the step goes with its own.
    static void comes_back(std::shared_ptr<close_deadlines::deferred>&& step) noexcept {
        if (hand_over_call* const call = of(step.get())) call->step = std::move(step);
    }

    bool has_run() const noexcept { return what_ == nullptr; }

    std::shared_ptr<close_deadlines::deferred> step; ///< that has come back

private:
    static hand_over_call* of(const void* what) noexcept {
        hand_over_call* call = innermost;
        while (call != nullptr && call->what_ != what) call = call->outer_;
        return call;
    }

    inline static thread_local hand_over_call* innermost = nullptr;

    const void* what_;
    hand_over_call* outer_;
};

/// Base of what an operation does on the executor that its handler brings along.
/** It takes no memory to get there if Asio lets an allocator say where from; if it does take some and there is none,
 *  it tries again until there is. */
template <class Executor>
class handler_step : public close_deadlines::deferred {
public:
    handler_step(const handler_step&) = delete;
    handler_step& operator=(const handler_step&) = delete;

    /// From inside an initiating function. @throws std::bad_alloc; the handler is then destroyed.
    static void post(std::shared_ptr<handler_step> self);

    /// As asio::dispatch. @throws what the handler throws, and std::bad_alloc if for a second there is no memory at all.
    static void dispatch(std::shared_ptr<handler_step> self);

protected:
    handler_step(const Executor& executor, close_deadlines& deadlines, shared_room& room);
    ~handler_step();

    close_deadlines& deadlines() const noexcept { return deadlines_; }

private:
    enum class how { post, dispatch };

    struct carrier;

    /// On the handler's executor, as the only owner.
    virtual void run(std::shared_ptr<handler_step> self) = 0;

    void again(std::shared_ptr<deferred> self) noexcept final;

    static void hand_over(std::shared_ptr<handler_step> self, how h);

    static void insist(std::shared_ptr<handler_step> self, how h);

    static constexpr int most_pauses = 1000; // a second

    const Executor executor_;
    const outstanding_work<Executor> work_;
    close_deadlines& deadlines_;
    shared_room& room_;
};

} // namespace closeside::detail::inline CLOSESIDE_BACKEND

#include <closeside/detail/close/impl/handler_step.hpp>

#endif
