// SPDX-License-Identifier: BSL-1.0
#ifndef CLOSESIDE_DETAIL_ACCEPT_OP_HPP
#define CLOSESIDE_DETAIL_ACCEPT_OP_HPP

#include <closeside/detail/listening_socket.hpp>

#include <asio/basic_socket_acceptor.hpp>
#include <asio/basic_waitable_timer.hpp>
#include <asio/cancellation_state.hpp>
#include <asio/error.hpp>
#include <asio/error_code.hpp>
#include <asio/post.hpp>

#include <cerrno>
#include <chrono>
#include <cstdint>
#include <memory>
#include <mutex>
#include <utility>

namespace closeside::detail {

/// What an acceptor and its pending accepts share: it outlives an acceptor that is destroyed before they complete.
template <class Executor>
struct listener_state {
    using timer_type =
        asio::basic_waitable_timer<std::chrono::steady_clock, asio::wait_traits<std::chrono::steady_clock>, Executor>;

    listener_state(const Executor& executor, const asio::ip::tcp& p)
        : acceptor(executor), pause(executor), protocol(p) {}

    void close() noexcept try {
        const std::lock_guard lock(mutex);
        asio::error_code ignored;
        acceptor.close(ignored);
        pause.cancel();
    } catch (...) {
        // Neither the lock nor a timer's cancel() fails on Linux.
    }

    int release() {
        const std::lock_guard lock(mutex);
        pause.cancel();
        return acceptor.release();
    }

    /// Has the next connection inherited the options of an adopted listener's former owner?
    bool must_be_put_right() noexcept {
        if (queued_before == 0) return false;
        --queued_before;
        return true;
    }

    asio::basic_socket_acceptor<asio::ip::tcp, Executor> acceptor;
    timer_type pause;
    asio::ip::tcp protocol;
    std::uint32_t queued_before = 0;
    std::mutex mutex; ///< several accepts may be under way on several threads
};

/// The composed operation behind async_accept: accept4, or wait until that is worth trying again.
/** A connection is taken only where the handler can run at once. Before that it is safe in the backlog, so none is
 *  lost with an operation that is cancelled, or destroyed together with its context. */
template <class Acceptor>
class accept_op {
public:
    using state_type = listener_state<typename Acceptor::executor_type>;
    using stream_type = typename Acceptor::stream_type;

    explicit accept_op(std::shared_ptr<state_type> state) noexcept : state_(std::move(state)) {}

    template <class Self>
    void operator()(Self& self, asio::error_code ec = {}) {
        std::shared_ptr<state_type> state = state_; // outlives `self`, which the waits move away
        std::unique_lock lock(state->mutex);
        if (stage_ == stage::initiating) {
            stage_ = state->acceptor.is_open() ? stage::open : stage::never_open;
            self.reset_cancellation_state(asio::enable_total_cancellation());
            return asio::post(std::move(self));
        }

        if (!state->acceptor.is_open())
            ec = stage_ == stage::open ? asio::error::operation_aborted : asio::error::bad_descriptor;
        else if (self.get_cancellation_state().cancelled() != asio::cancellation_type::none)
            ec = asio::error::operation_aborted;
        else if (ec == asio::error::operation_aborted)
            ec.clear(); // another accept has set the timer that they share

        int fd = -1;
        for (int tries = 1; !ec && fd < 0; ++tries) {
            fd = accept_once(state->acceptor.native_handle());
            if (fd >= 0) break;
            const int error = errno;
            switch (classify_accept(error)) {
            case accept_failure::none_waiting:
                return state->acceptor.async_wait(asio::socket_base::wait_read, std::move(self));
            case accept_failure::vanished:
                if (tries == most_vanished) return pause(self, *state);
                break;
            case accept_failure::out_of_resources: return pause(self, *state);
            case accept_failure::fatal: ec.assign(error, asio::error::get_system_category()); break;
            }
        }

        stream_type stream = Acceptor::to_stream(*state, fd, ec);
        lock.unlock();
        state.reset();
        state_.reset();
        self.complete(ec, std::move(stream));
    }

private:
    static constexpr std::chrono::milliseconds pause_time{100};

    template <class Self>
    static void pause(Self& self, state_type& state) {
        // Several accepts wait on one timer: setting it anew would take it away from the others.
        if (state.pause.expiry() <= std::chrono::steady_clock::now()) state.pause.expires_after(pause_time);
        state.pause.async_wait(std::move(self));
    }

    enum class stage : std::uint8_t { initiating, open, never_open };

    std::shared_ptr<state_type> state_;
    stage stage_ = stage::initiating;
};

} // namespace closeside::detail

#endif
