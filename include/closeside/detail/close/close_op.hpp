// SPDX-License-Identifier: BSL-1.0
#ifndef CLOSESIDE_DETAIL_CLOSE_CLOSE_OP_HPP
#define CLOSESIDE_DETAIL_CLOSE_CLOSE_OP_HPP

#include <closeside/detail/asio/asio.hpp>
#include <closeside/detail/asio/in_place_memory.hpp>
#include <closeside/detail/close/closing_socket.hpp>
#include <closeside/detail/close/deadlines.hpp>

#include <cstddef>
#include <memory>
#include <optional>

namespace closeside::detail::inline CLOSESIDE_BACKEND {

/// A close that has to wait: owns the connection, and in what derives from it the handler, until both are done with.
/** It lives in one allocation, held by the one wait that is under way; a deadline and a cancellation do no more than end
 *  that wait, so that everything else happens in its handler. If the context is destroyed first, so is the wait, and
 *  closing_socket ends the connection. Nothing here is compiled once more for every handler. */
template <class Socket>
class close_op : close_deadlines::entry {
public:
    close_op(const close_op&) = delete;
    close_op& operator=(const close_op&) = delete;

    /// @throws std::bad_alloc if there is nothing to wait with; `slot` is then as it was.
    template <class Slot>
    static void start(std::shared_ptr<close_op> self, close_action first, Slot slot);

protected:
    /// `beside_executor`: the waits end on a thread of the context, not on the socket's executor.
    close_op(closing_socket<Socket>&& closing, bool beside_executor);
    close_op(closing_socket<Socket>&& closing, bool beside_executor, close_deadlines& deadlines);

    ~close_op();

    closing_socket<Socket>& closing() noexcept { return closing_; }
    close_report report() noexcept { return closing_.report(&deadlines_); }
    void count_end() noexcept { closing_.count_end(&deadlines_); }

private:
    using action = close_action::kind;
    using event = close_event::kind;
    using io_executor = typename Socket::executor_type;
    using descriptor = asio::posix::basic_stream_descriptor<io_executor>;

    /// What Asio's operation for a wait comes to: its own bookkeeping, the waiter and an executor.
    static constexpr std::size_t room_for_wait = 112 + sizeof(io_executor);

    /// Tells of the end, as the only owner. `posted`: not from in here, since the initiating function has not returned.
    virtual void complete(std::shared_ptr<close_op> self, bool posted) = 0;

    struct waiter;

    struct waiter_beside;

    static waiter waits_for(const std::shared_ptr<close_op>& self);

    struct canceller;

    /// Acts at once if the close waits, since its handler cannot run meanwhile; otherwise before it waits again.
    void stop(event why);
    bool stop_locked(event why) noexcept;

    void deadline_over() noexcept override;
    bool shed() noexcept override;
    void reconsider() noexcept override {} // what the heap has is woken by it
    int watched_descriptor() noexcept override { return closing_.socket().native_handle(); }

    void end_wait() noexcept;

    /// With the mutex held: neither deadline, shedding nor stop can reach it any more.
    void forget() noexcept;

    static void woken(std::shared_ptr<close_op> self, const error_code& ec);

    close_action after_wait(const error_code& ec) noexcept;

    /// Waits as the machine wants it; false when it is done, and `self` the only owner.
    static bool proceed(std::shared_ptr<close_op>& self, close_action next);

    /// False if the context is being destroyed.
    bool wait(const std::shared_ptr<close_op>& self, close_action next);

    template <class Waiter>
    void begin_wait(Waiter w);

    /// `wait` itself, with something to wait with, or what follows it.
    close_action watch_for_change(close_action wait) noexcept;

    /// Its mutex guards `waiting_`, `ended_`, `stopped_` and the beginning of every wait.
    close_deadlines& deadlines_;
    closing_socket<Socket> closing_;
    in_place_memory<room_for_wait> memory_;
    std::unique_ptr<descriptor> changes_; ///< for close_action::waits_for_change()
    close_action waiting_for_{};
    std::optional<event> stopped_;
    bool waiting_ = false;
    bool waits_for_change_ = false;
    bool ended_ = false; ///< by a cancellation
    bool started_ = false;
    const bool beside_executor_;
};

} // namespace closeside::detail::inline CLOSESIDE_BACKEND

#include <closeside/detail/close/impl/close_op.hpp>

#endif
