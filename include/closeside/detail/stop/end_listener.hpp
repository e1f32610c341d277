// SPDX-License-Identifier: BSL-1.0
#ifndef CLOSESIDE_DETAIL_STOP_END_LISTENER_HPP
#define CLOSESIDE_DETAIL_STOP_END_LISTENER_HPP

#include <closeside/detail/asio/asio.hpp>
#include <closeside/detail/listen/listener_state.hpp>
#include <closeside/detail/stop/stop_core.hpp>

#include <chrono>
#include <memory>
#include <utility>

#include <poll.h>

namespace closeside::detail::inline CLOSESIDE_BACKEND {

/// Closes a listener when the program has accepted what waits in the backlog, which close(2) would reset.
/** On the listener's executor, since the program's accepts begin there. It looks each millisecond: the kernel does not tell
 *  that the queue is empty. If there is no memory to wait with, it is closed at once. */
template <class Executor>
class end_listener final : public stop_listener {
    using clock = std::chrono::steady_clock;

public:
    explicit end_listener(const std::shared_ptr<listener_state<Executor>>& state) noexcept : state_(state) {}

    void end(std::shared_ptr<stop_core> core, clock::duration longest) noexcept override {
        const auto state = state_.lock();
        if (!state) return core->listener_is_closed();
        std::shared_ptr<ending> e;
        try {
            e = std::make_shared<ending>(state, core, clock::now() + longest);
            asio::post(state->acceptor.get_executor(), [e]() mutable { ending::look(std::move(e)); });
        } catch (...) {
            close(*state);
            if (!e) core->listener_is_closed(); // else it says so itself
        }
    }

private:
    using timer = asio::basic_waitable_timer<clock, asio::wait_traits<clock>, Executor>;

    /// The sessions of the last connections have begun so many turns later.
    static constexpr int turns = 4;

    static void close(listener_state<Executor>& state) noexcept {
        error_code ignored;
        state.close(ignored);
    }

    /// Owned by what is queued or waits. However that ends, the core is told.
    struct ending {
        ending(const std::shared_ptr<listener_state<Executor>>& s, std::shared_ptr<stop_core> c, clock::time_point u)
            : state(s), core(std::move(c)), until(u), pause(s->acceptor.get_executor()) {}
        ending(const ending&) = delete;
        ending& operator=(const ending&) = delete;
        ~ending() { core->listener_is_closed(); }

        static void look(std::shared_ptr<ending> self) {
            const auto state = self->state.lock();
            // Closed, or released to whoever goes on with it.
            if (!state || !state->acceptor.is_open()) return settle(std::move(self), turns);
            ::pollfd queue{state->acceptor.native_handle(), POLLIN, 0};
            const bool waits = ::poll(&queue, 1, 0) > 0 && clock::now() < self->until;
            if (waits) try {
                    ending& e = *self;
                    e.pause.expires_after(std::chrono::milliseconds(1));
                    e.pause.async_wait([self](const error_code&) mutable { look(std::move(self)); });
                    return;
                } catch (...) {
                    // No memory.
                }
            close(*state);
            settle(std::move(self), turns);
        }

        static void settle(std::shared_ptr<ending> self, int left) try {
            if (left == 0) return;
            const auto executor = self->pause.get_executor();
            asio::post(executor, [self, left]() mutable { settle(std::move(self), left - 1); });
        } catch (...) {
            // No memory: the stop goes on without.
        }

        const std::weak_ptr<listener_state<Executor>> state;
        const std::shared_ptr<stop_core> core;
        const clock::time_point until;
        timer pause;
    };

    const std::weak_ptr<listener_state<Executor>> state_;
};

} // namespace closeside::detail::inline CLOSESIDE_BACKEND

#endif
