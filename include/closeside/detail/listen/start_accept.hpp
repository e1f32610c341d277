// SPDX-License-Identifier: BSL-1.0
#ifndef CLOSESIDE_DETAIL_LISTEN_START_ACCEPT_HPP
#define CLOSESIDE_DETAIL_LISTEN_START_ACCEPT_HPP

#include <closeside/detail/asio/asio.hpp>
#include <closeside/detail/asio/completion.hpp>
#include <closeside/detail/asio/post_to.hpp>
#include <closeside/detail/asio/shared_room.hpp>
#include <closeside/detail/listen/accept_op.hpp>
#include <closeside/detail/listen/listener_state.hpp>

#include <cstddef>
#include <memory>
#include <type_traits>
#include <utility>

namespace closeside::detail::inline CLOSESIDE_BACKEND {

/// `Target` says where the connection goes: new_stream or into_socket.
template <class Executor, class Target, class Handler, class HandlerExecutor>
class handled_accept_op final : public accept_op<Executor, HandlerExecutor> {
    using base = accept_op<Executor, HandlerExecutor>;

public:
    handled_accept_op(std::shared_ptr<typename base::state_type> state, Handler&& handler, Target&& target,
                      asio::ip::tcp::endpoint* peer, const HandlerExecutor& executor, shared_room* room)
        : base(std::move(state), executor, asio::get_associated_cancellation_slot(handler), room, peer,
               target.refusal()),
          handler_(std::move(handler)), target_(std::move(target)) {}

private:
    /// Everything of the operation is gone, its memory too, before the handler runs.
    void complete(std::shared_ptr<base> self, accepted&& connection) override {
        Handler handler(std::move(handler_));
        const Target target(std::move(target_));
        self.reset();
        target.deliver(std::move(handler), std::move(connection));
    }

    Handler handler_;
    Target target_;
};

template <class Executor>
class initiate_accept {
public:
    using executor_type = Executor;
    using state_type = listener_state<executor_type>;

    explicit initiate_accept(std::shared_ptr<state_type> state) noexcept : state_(std::move(state)) {}
    executor_type get_executor() const noexcept { return state_->acceptor.get_executor(); }

    template <class H, class Target>
    void operator()(H&& h, Target target, asio::ip::tcp::endpoint* peer) const {
        using handler_type = std::decay_t<H>;
        handler_type handler(std::forward<H>(h));
        const executor_type io_executor = get_executor();
        const auto allocator = asio::get_associated_allocator(handler);
        if constexpr (without_executor<handler_type, executor_type>)
            if (runs_where_waits_end(io_executor)) {
                using op = handled_accept_op<Executor, Target, handler_type, no_executor>;
                return op::start(std::allocate_shared<op>(allocator, state_, std::move(handler), std::move(target),
                                                          peer, no_executor(), nullptr));
            }
        using handler_executor = asio::associated_executor_t<handler_type, executor_type>;
        using op = handled_accept_op<Executor, Target, handler_type, handler_executor>;
        const handler_executor executor = asio::get_associated_executor(handler, io_executor);
        shared_room& room = room_for<std::remove_cv_t<decltype(allocator)>, op>::make(allocator);
        const room_guard guard(room);
        op::start(std::allocate_shared<op>(room_allocator<std::byte>(room), state_, std::move(handler),
                                           std::move(target), peer, executor, &room));
    }

private:
    std::shared_ptr<state_type> state_;
};

} // namespace closeside::detail::inline CLOSESIDE_BACKEND

#endif
