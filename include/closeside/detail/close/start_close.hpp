// SPDX-License-Identifier: BSL-1.0
#ifndef CLOSESIDE_DETAIL_CLOSE_START_CLOSE_HPP
#define CLOSESIDE_DETAIL_CLOSE_START_CLOSE_HPP

#include <closeside/detail/asio/asio.hpp>
#include <closeside/detail/asio/completion.hpp>
#include <closeside/detail/close/close_op.hpp>

#include <memory>
#include <type_traits>
#include <utility>

namespace closeside::detail::inline CLOSESIDE_BACKEND {

/// Is it known when the close begins that its handler does nothing?
template <class Token>
inline constexpr bool tells_nobody = std::is_same_v<std::remove_cvref_t<Token>, asio::detached_t>;

/// The handler of a close that nobody waits for; such a close is not asked what came of it.
struct told_nobody {
    void operator()(const error_code&, const close_report&) const noexcept {}
};

template <class Socket>
class unattended_close_op final : public close_op<Socket> {
public:
    explicit unattended_close_op(closing_socket<Socket>&& closing) : close_op<Socket>(std::move(closing)) {}

private:
    void complete(std::shared_ptr<close_op<Socket>>, bool) override {}
};

template <class Socket, class Handler>
class attended_close_op final : public close_op<Socket> {
public:
    attended_close_op(closing_socket<Socket>&& closing, Handler&& handler)
        : close_op<Socket>(std::move(closing)), handler_(std::move(handler)),
          work_(handler_, this->closing().socket().get_executor()) {}

private:
    /// Everything of the operation is gone, its memory too, before the handler runs.
    void complete(std::shared_ptr<close_op<Socket>> self, bool posted) override {
        const auto executor = this->closing().socket().get_executor();
        const auto ec = this->closing().error();
        auto report = this->closing().report();
        Handler handler(std::move(handler_));
        [[maybe_unused]] const handler_work<Handler, typename Socket::executor_type> work(std::move(work_));
        self.reset();
        if (posted)
            post_completion(executor, std::move(handler), ec, std::move(report));
        else
            dispatch_completion(executor, std::move(handler), ec, std::move(report));
    }

    Handler handler_;
    [[no_unique_address]] handler_work<Handler, typename Socket::executor_type> work_;
};

/// For an operation of ours: the handler's own allocator, or, where that is std::allocator, Asio's recycled memory.
/** Asio takes std::allocator for the wish that it keeps the memory of one operation at hand for the next. */
template <class Handler>
auto operation_allocator(const Handler& handler) noexcept {
    if constexpr (std::is_same_v<asio::associated_allocator_t<Handler>, std::allocator<void>>)
        return asio::recycling_allocator<void>();
    else
        return asio::get_associated_allocator(handler);
}

/// Closes `socket` under `policy`, then calls `handler(error_code, close_report)`, never from in here.
/** What needs no waiting needs no operation either: one post, and no other allocation. */
template <class Socket, class Handler>
void start_close(Socket&& socket, const close_policy& policy, Handler handler, close_manner manner = {}) {
    constexpr bool nobody = std::is_same_v<Handler, told_nobody>;
    error_code ignored;
    // What the caller has under way completes with operation_aborted; close(2) does that too, where it comes at once.
    if (!close_terms(policy).releases_at_once()) socket.cancel(ignored);
    manner.told = !nobody;
    closing_socket<Socket> closing(std::move(socket), policy, manner);
    const close_action first = closing.begin();
    const bool done = first.what == close_action::kind::done;
    if constexpr (nobody) {
        if (done) return;
        using op = unattended_close_op<Socket>;
        close_op<Socket>::start(std::allocate_shared<op>(operation_allocator(handler), std::move(closing)), first,
                                asio::cancellation_slot());
    } else if (done) {
        post_completion(closing.socket().get_executor(), std::move(handler), closing.error(), closing.report());
    } else {
        const auto allocator = operation_allocator(handler);
        const auto slot = asio::get_associated_cancellation_slot(handler);
        using op = attended_close_op<Socket, Handler>;
        close_op<Socket>::start(std::allocate_shared<op>(allocator, std::move(closing), std::move(handler)), first,
                                slot);
    }
}

} // namespace closeside::detail::inline CLOSESIDE_BACKEND

#endif
