// SPDX-License-Identifier: BSL-1.0
#ifndef CLOSESIDE_DETAIL_LISTEN_START_ACCEPT_HPP
#define CLOSESIDE_DETAIL_LISTEN_START_ACCEPT_HPP

#include <closeside/detail/asio/asio.hpp>
#include <closeside/detail/asio/completion.hpp>
#include <closeside/detail/listen/accept_op.hpp>
#include <closeside/detail/listen/listener_state.hpp>

#include <memory>
#include <type_traits>
#include <utility>

namespace closeside::detail::inline CLOSESIDE_BACKEND {

/// The executor that a handler brings along.
template <class Handler, class IoExecutor>
struct own_executor {
    using type = asio::associated_executor_t<Handler, IoExecutor>;
    static type get(const Handler& handler, const IoExecutor& io_executor) noexcept {
        return asio::get_associated_executor(handler, io_executor);
    }
};
template <class Handler, class IoExecutor>
requires without_executor<Handler, IoExecutor>
struct own_executor<Handler, IoExecutor> {
    using type = no_executor;
    static type get(const Handler&, const IoExecutor&) noexcept { return {}; }
};

template <class Stream, class Handler>
class handled_accept_op final : public accept_op<typename Stream::executor_type,
                                                 typename own_executor<Handler, typename Stream::executor_type>::type> {
    using executor_type = typename Stream::executor_type;
    using own = own_executor<Handler, executor_type>;
    using base = accept_op<executor_type, typename own::type>;

public:
    handled_accept_op(std::shared_ptr<typename base::state_type> state, Handler&& handler)
        : base(state, own::get(handler, state->acceptor.get_executor()),
               asio::get_associated_cancellation_slot(handler)),
          handler_(std::move(handler)) {}

private:
    /// Everything of the operation is gone, its memory too, before the handler runs.
    void complete(std::shared_ptr<base> self, const error_code& ec, typename base::socket_type&& socket) override {
        Handler handler(std::move(handler_));
        self.reset();
        std::move(handler)(ec, Stream(typename Stream::inherits_options{}, std::move(socket)));
    }

    Handler handler_;
};

template <class Stream>
class initiate_accept {
public:
    using executor_type = typename Stream::executor_type;
    using state_type = listener_state<executor_type>;

    explicit initiate_accept(std::shared_ptr<state_type> state) noexcept : state_(std::move(state)) {}
    executor_type get_executor() const noexcept { return state_->acceptor.get_executor(); }

    template <class H>
    void operator()(H&& h) const {
        using handler_type = std::decay_t<H>;
        using op = handled_accept_op<Stream, handler_type>;
        handler_type handler(std::forward<H>(h));
        const auto allocator = asio::get_associated_allocator(handler);
        op::start(std::allocate_shared<op>(allocator, state_, std::move(handler)));
    }

private:
    std::shared_ptr<state_type> state_;
};

} // namespace closeside::detail::inline CLOSESIDE_BACKEND

#endif
