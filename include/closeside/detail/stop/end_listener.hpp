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
 *  that the queue is empty. */
template <class Executor>
class end_listener final : public stop_listener, public std::enable_shared_from_this<end_listener<Executor>> {
public:
    explicit end_listener(const std::shared_ptr<listener_state<Executor>>& state, const Executor& executor)
        : state_(state), executor_(executor), timer_(executor) {}

    void end(std::shared_ptr<stop_core> core, std::chrono::steady_clock::duration longest) override {
        until_ = std::chrono::steady_clock::now() + longest;
        asio::post(executor_, [self = this->shared_from_this(), core = std::move(core)]() mutable {
            self->look(std::move(core));
        });
    }

private:
    /// The sessions of the last connections have begun so many turns later.
    static constexpr int turns = 4;

    void look(std::shared_ptr<stop_core> core) {
        const auto state = state_.lock();
        // Closed, or released to whoever goes on with it.
        if (!state || !state->acceptor.is_open()) return settle(std::move(core), turns);
        ::pollfd queue{state->acceptor.native_handle(), POLLIN, 0};
        if (::poll(&queue, 1, 0) > 0 && std::chrono::steady_clock::now() < until_) {
            timer_.expires_after(std::chrono::milliseconds(1));
            timer_.async_wait([self = this->shared_from_this(), core = std::move(core)](const error_code&) mutable {
                self->look(std::move(core));
            });
            return;
        }
        error_code ignored;
        state->close(ignored);
        settle(std::move(core), turns);
    }

    void settle(std::shared_ptr<stop_core> core, int left) {
        if (left == 0) return core->listener_is_closed();
        asio::post(executor_, [self = this->shared_from_this(), core = std::move(core), left]() mutable {
            self->settle(std::move(core), left - 1);
        });
    }

    using timer =
        asio::basic_waitable_timer<std::chrono::steady_clock, asio::wait_traits<std::chrono::steady_clock>, Executor>;

    const std::weak_ptr<listener_state<Executor>> state_;
    const Executor executor_;
    timer timer_;
    std::chrono::steady_clock::time_point until_{};
};

} // namespace closeside::detail::inline CLOSESIDE_BACKEND

#endif
