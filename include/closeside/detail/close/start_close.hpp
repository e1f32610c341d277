// SPDX-License-Identifier: BSL-1.0
#ifndef CLOSESIDE_DETAIL_CLOSE_START_CLOSE_HPP
#define CLOSESIDE_DETAIL_CLOSE_START_CLOSE_HPP

#include <closeside/detail/asio/asio.hpp>
#include <closeside/detail/asio/completion.hpp>
#include <closeside/detail/asio/shared_room.hpp>
#include <closeside/detail/close/close_op.hpp>
#include <closeside/detail/close/deadlines.hpp>
#include <closeside/detail/close/handler_step.hpp>
#include <closeside/last_bytes.hpp>

#include <cstddef>
#include <memory>
#include <type_traits>
#include <utility>

namespace closeside::detail::inline CLOSESIDE_BACKEND {

/// Is anything done with the report? Not if the token is known to do nothing.
template <class Token>
inline constexpr bool wants_report = !std::is_same_v<std::remove_cvref_t<Token>, asio::detached_t>;

/// The handler of a close that nobody waits for; such a close is not asked what came of it.
struct wants_no_report {
    void operator()(const error_code&, const close_report&) const noexcept {}
};

/// Begins the close of `socket`: what the caller has under way completes with operation_aborted. `first`: the first wait,
/// or `done`.
template <class Socket>
closing_socket<Socket> begin_close(Socket&& socket, const close_policy& policy, const close_manner& manner,
                                   close_action& first, last_bytes_memory last_bytes) noexcept;

/// The close that nobody is told of. @throws std::bad_alloc, after closing_socket has done what on_limit says.
template <class Socket>
void start_unattended_close(Socket&& socket, const close_policy& policy, close_manner manner,
                            last_bytes_memory last_bytes = {});

template <class Socket, class Handler>
class attended_close_op final : public close_op<Socket> {
public:
    attended_close_op(closing_socket<Socket>&& closing, Handler&& handler)
        : close_op<Socket>(std::move(closing), false), handler_(std::move(handler)) {}

private:
    /// Everything of the operation is gone, its memory too, before the handler runs.
    void complete(std::shared_ptr<close_op<Socket>> self, bool posted) override {
        const auto executor = this->closing().socket().get_executor();
        close_report report = this->report();
        const auto ec = this->closing().error(report);
        Handler handler(std::move(handler_));
        self.reset();
        if (posted)
            post_completion(executor, std::move(handler), ec, std::move(report));
        else
            complete_here(std::move(handler), ec, std::move(report));
    }

    Handler handler_;
};

/// The last step of a close whose handler runs elsewhere than its waits end.
/** It needs nothing of the connection or of its context, which may be gone before the handler runs. */
template <class Handler, class Executor>
class close_completion final : public handler_step<Executor> {
public:
    close_completion(Handler&& handler, const Executor& executor, close_deadlines& deadlines, shared_room& room)
        : handler_step<Executor>(executor, deadlines, room), handler_(std::move(handler)) {}

    void result(const error_code& ec, const close_report& report) noexcept {
        ec_ = ec;
        report_ = report;
    }

private:
    void run(std::shared_ptr<handler_step<Executor>> self) override {
        Handler handler(std::move(handler_));
        const error_code ec = ec_;
        close_report report = report_;
        self.reset();
        complete_here(std::move(handler), ec, std::move(report));
    }

    Handler handler_;
    error_code ec_;
    close_report report_;
};

template <class Socket, class Completion>
class close_op_for_elsewhere final : public close_op<Socket> {
public:
    close_op_for_elsewhere(closing_socket<Socket>&& closing, std::shared_ptr<Completion> completion)
        : close_op<Socket>(std::move(closing), true), completion_(std::move(completion)) {}

private:
    void complete(std::shared_ptr<close_op<Socket>> self, bool posted) override {
        std::shared_ptr<Completion> completion = std::move(completion_);
        const close_report report = this->report();
        completion->result(this->closing().error(report), report);
        self.reset();
        if (posted)
            Completion::post(std::move(completion));
        else
            Completion::dispatch(std::move(completion));
    }

    std::shared_ptr<Completion> completion_;
};

/// For an operation of ours: the handler's own allocator, or, if that is std::allocator, Asio's recycled memory.
/** Asio takes std::allocator for the wish that it keeps the memory of one operation at hand for the next. */
template <class Handler>
auto operation_allocator(const Handler& handler) noexcept {
    if constexpr (std::is_same_v<asio::associated_allocator_t<Handler>, std::allocator<void>>)
        return asio::recycling_allocator<void>();
    else
        return asio::get_associated_allocator(handler);
}

/// `room` must have one for it.
template <class Completion, class IoExecutor, class Handler>
std::shared_ptr<Completion> make_completion(shared_room& room, const IoExecutor& io, Handler&& handler) {
    return std::allocate_shared<Completion>(room_allocator<std::byte>(room), std::move(handler),
                                            asio::get_associated_executor(handler, io), close_deadlines::of(io), room);
}

/// Tells of a close that had nothing to wait for, not from in here.
template <class IoExecutor, class Handler>
void post_close_result(const IoExecutor& io, Handler&& handler, const error_code& ec, close_report&& report) {
    if constexpr (without_executor<Handler, IoExecutor>) {
        post_completion(io, std::move(handler), ec, std::move(report));
    } else {
        // The way that a close which waits takes as well, so that it is compiled once.
        const auto allocator = operation_allocator(handler);
        using completion = close_completion<Handler, asio::associated_executor_t<Handler, IoExecutor>>;
        shared_room& room = room_for<std::remove_cv_t<decltype(allocator)>, completion>::make(allocator);
        const room_guard guard(room);
        auto last = make_completion<completion>(room, io, std::move(handler));
        last->result(ec, report);
        completion::post(std::move(last));
    }
}

/// All of it in one allocation with `allocator`.
template <class Socket, class Handler, class Allocator>
std::shared_ptr<close_op<Socket>> make_close_op(closing_socket<Socket>&& closing, Handler&& handler,
                                                const Allocator& allocator) {
    using io_executor = typename Socket::executor_type;
    const io_executor io = closing.socket().get_executor();
    if constexpr (without_executor<Handler, io_executor>) {
        using op = attended_close_op<Socket, Handler>;
        if (runs_where_waits_end(io))
            return std::allocate_shared<op>(allocator, std::move(closing), std::move(handler));
    }
    using completion = close_completion<Handler, asio::associated_executor_t<Handler, io_executor>>;
    using op = close_op_for_elsewhere<Socket, completion>;
    shared_room& room = room_for<Allocator, completion, op>::make(allocator);
    const room_guard guard(room);
    auto last = make_completion<completion>(room, io, std::move(handler));
    return std::allocate_shared<op>(room_allocator<std::byte>(room), std::move(closing), std::move(last));
}

/// Closes `socket` under `policy`, then calls `handler(error_code, close_report)`, never from in here.
/** What needs no waiting needs no operation either, but one allocation for the post. */
template <class Socket, class Handler>
void start_close(Socket&& socket, const close_policy& policy, Handler handler, close_manner manner = {},
                 last_bytes_memory last_bytes = {}) {
    if constexpr (std::is_same_v<Handler, wants_no_report>) {
        start_unattended_close(std::move(socket), policy, manner, std::move(last_bytes));
    } else {
        manner.wants_report = true;
        close_action first;
        closing_socket<Socket> closing = begin_close(std::move(socket), policy, manner, first, std::move(last_bytes));
        if (first.what == close_action::kind::done) {
            close_report report = closing.report();
            const auto ec = closing.error(report);
            return post_close_result(closing.socket().get_executor(), std::move(handler), ec, std::move(report));
        }
        const auto allocator = operation_allocator(handler);
        const auto slot = asio::get_associated_cancellation_slot(handler);
        close_op<Socket>::start(make_close_op(std::move(closing), std::move(handler), allocator), first, slot);
    }
}

} // namespace closeside::detail::inline CLOSESIDE_BACKEND

#include <closeside/detail/close/impl/start_close.hpp>

#endif
