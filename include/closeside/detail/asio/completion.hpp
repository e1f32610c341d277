// SPDX-License-Identifier: BSL-1.0
#ifndef CLOSESIDE_DETAIL_ASIO_COMPLETION_HPP
#define CLOSESIDE_DETAIL_ASIO_COMPLETION_HPP

#include <closeside/detail/asio/asio.hpp>
#include <closeside/detail/asio/post_to.hpp>

#include <tuple>
#include <utility>

namespace closeside::detail::inline CLOSESIDE_BACKEND {

/// A handler together with its results, allocated through the handler's own allocator.
template <class Handler, class... Result>
class completion {
public:
    using allocator_type = asio::associated_allocator_t<Handler>;

    completion(Handler&& handler, const error_code& ec, Result&&... result)
        : handler_(std::move(handler)), ec_(ec), result_(std::move(result)...) {}

    allocator_type get_allocator() const noexcept { return asio::get_associated_allocator(handler_); }

    void operator()() {
        std::apply([this](Result&... result) { std::move(handler_)(ec_, std::move(result)...); }, result_);
    }

private:
    Handler handler_;
    error_code ec_;
    std::tuple<Result...> result_;
};

/// Completes an operation that never had to wait, which may not call its handler from inside its initiating function.
template <class Executor, class Handler, class... Result>
void post_completion(const Executor& io_executor, Handler&& handler, const error_code& ec, Result&&... result) {
    const auto executor = asio::get_associated_executor(handler, io_executor);
    post_to(executor, completion<Handler, Result...>(std::move(handler), ec, std::move(result)...));
}

/// Has the handler no executor of its own? It is then called on the I/O object's.
template <class Handler, class IoExecutor>
concept without_executor = requires {
    typename asio::associated_executor<Handler, IoExecutor>::asio_associated_executor_is_unspecialised;
};

/// Completes an operation where its handler is to run; Asio asks for a cancellation slot that is clear then.
template <class Handler, class Result>
void complete_here(Handler&& handler, const error_code& ec, Result&& result) {
    asio::get_associated_cancellation_slot(handler).clear();
    std::move(handler)(ec, std::move(result));
}

} // namespace closeside::detail::inline CLOSESIDE_BACKEND

#endif
