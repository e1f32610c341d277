// SPDX-License-Identifier: BSL-1.0
#ifndef CLOSESIDE_DETAIL_LISTEN_START_ACCEPT_HPP
#define CLOSESIDE_DETAIL_LISTEN_START_ACCEPT_HPP

#include <closeside/detail/asio/asio.hpp>
#include <closeside/detail/asio/can_initiate.hpp>
#include <closeside/detail/asio/completion.hpp>
#include <closeside/detail/asio/shared_room.hpp>
#include <closeside/detail/close/start_close.hpp>
#include <closeside/detail/listen/accept_arguments.hpp>
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
    handled_accept_op(std::shared_ptr<typename base::state_type> state, Handler&& handler, const Target& target,
                      asio::ip::tcp::endpoint* peer, const HandlerExecutor& executor, shared_room* room)
        : base(std::move(state), executor, asio::get_associated_cancellation_slot(handler), room, peer,
               target.refusal()),
          handler_(std::move(handler)), target_(target) {}

private:
    /// Everything of the operation is gone, its memory too, before the handler runs.
    void complete(std::shared_ptr<base> self, accepted&& connection) override {
        Handler handler(std::move(handler_));
        error_code ec;
        if constexpr (Target::is_programs) {
            target_.take(std::move(connection), ec);
            self.reset();
            std::move(handler)(std::as_const(ec));
        } else {
            auto stream = target_.take(std::move(connection), ec);
            self.reset();
            std::move(handler)(std::as_const(ec), std::move(stream));
        }
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
    void operator()(H&& h, const Target& target, asio::ip::tcp::endpoint* peer) const {
        using handler_type = std::decay_t<H>;
        handler_type handler(std::forward<H>(h));
        const auto allocator = operation_allocator(handler);
        if constexpr (without_executor<handler_type, executor_type>)
            if (state_->runs_where_waits_end()) {
                using op = handled_accept_op<Executor, Target, handler_type, no_executor>;
                return op::start(std::allocate_shared<op>(allocator, state_, std::move(handler), target, peer,
                                                          no_executor(), nullptr));
            }
        using handler_executor = asio::associated_executor_t<handler_type, executor_type>;
        using op = handled_accept_op<Executor, Target, handler_type, handler_executor>;
        const handler_executor executor = asio::get_associated_executor(handler, get_executor());
        shared_room& room = room_for<std::remove_cv_t<decltype(allocator)>, op>::make(allocator);
        const room_guard guard(room);
        op::start(std::allocate_shared<op>(room_allocator<std::byte>(room), state_, std::move(handler), target, peer,
                                           executor, &room));
    }

private:
    std::shared_ptr<state_type> state_;
};

/// A stream<P> to be accepted on an executor or a context.
template <close_policy P, class Where>
auto new_stream_on(Where&& where) {
    close_deadlines::of(place_executor(where)); // there before that context is destroyed
    return new_stream<basic_stream<P, place_executor_t<Where>>>(place_executor(where));
}

/// A socket of the program's that takes a connection of an acceptor<P>.
template <close_policy P, class Peer>
auto into_peer(Peer& peer) {
    constexpr bool same_policy = suits_peer<P, Peer>;
    static_assert(same_policy,
                  "the stream has another policy than the acceptor, whose options the connection inherits: accept "
                  "into a stream of the acceptor's policy");
    return into_socket(peer_socket(peer), has_policy<Peer>);
}

template <class Executor, class Target, class Token>
auto start_accept(std::shared_ptr<listener_state<Executor>> state, const Target& target, asio::ip::tcp::endpoint* peer,
                  Token& token) {
    using signature = typename Target::signature;
    using initiation = initiate_accept<Executor>;
    constexpr bool fits = can_initiate<Token, signature, initiation, const Target&, asio::ip::tcp::endpoint*&>;
    constexpr bool takes_stream = fits || Target::is_programs;
    static_assert(takes_stream,
                  "async_accept completes with (error_code, stream): write the handler as [](closeside::error_code "
                  "ec, closeside::stream<policy> peer) {}, with the acceptor's policy, or auto for the stream");
    constexpr bool takes_error = fits || !Target::is_programs;
    static_assert(takes_error, "async_accept into a stream completes with (error_code): write the handler as "
                               "[](closeside::error_code ec) {}");
    if constexpr (fits)
        return asio::async_initiate<Token, signature>(initiation(std::move(state)), token, target, peer);
}

} // namespace closeside::detail::inline CLOSESIDE_BACKEND

#endif
