// SPDX-License-Identifier: BSL-1.0
#ifndef CLOSESIDE_DETAIL_ASIO_COMPLETION_HPP
#define CLOSESIDE_DETAIL_ASIO_COMPLETION_HPP

#include <closeside/detail/asio/asio.hpp>
#include <closeside/detail/asio/post_to.hpp>

#include <utility>

namespace closeside::detail::inline CLOSESIDE_BACKEND {

/// A handler together with its results, allocated through the handler's own allocator.
template <class Handler, class Result>
class completion {
public:
    using allocator_type = asio::associated_allocator_t<Handler>;

    completion(Handler&& handler, const error_code& ec, Result&& result)
        : handler_(std::move(handler)), ec_(ec), result_(std::move(result)) {}

    allocator_type get_allocator() const noexcept { return asio::get_associated_allocator(handler_); }

    void operator()() { std::move(handler_)(ec_, std::move(result_)); }

protected:
    Handler handler_;

private:
    error_code ec_;
    Result result_;
};

/// The same, and before it the cancellation slot is cleared: on the handler's executor, which Asio asks for.
template <class Handler, class Result>
class cancellable_completion : public completion<Handler, Result> {
public:
    cancellable_completion(Handler&& handler, const error_code& ec, Result&& result)
        : completion<Handler, Result>(std::move(handler), ec, std::move(result)) {}

    void operator()() {
        asio::get_associated_cancellation_slot(this->handler_).clear();
        completion<Handler, Result>::operator()();
    }
};

/// Completes an operation that never had to wait, which may not call its handler from inside its initiating function.
template <class Executor, class Handler, class Result>
void post_completion(const Executor& io_executor, Handler&& handler, const error_code& ec, Result&& result) {
    const auto executor = asio::get_associated_executor(handler, io_executor);
    post_to(executor, completion<Handler, Result>(std::move(handler), ec, std::move(result)));
}

/// Has the handler no executor of its own? It is then called on the I/O object's.
template <class Handler, class IoExecutor>
concept without_executor = requires {
    typename asio::associated_executor<Handler, IoExecutor>::asio_associated_executor_is_unspecialised;
};

/// Keeps the context that the handler wants to run on at work while intermediate handlers run elsewhere.
template <class Handler, class IoExecutor>
class handler_work {
public:
    handler_work(const Handler& handler, const IoExecutor& io_executor)
        : guard_(asio::get_associated_executor(handler, io_executor)) {}

private:
    asio::executor_work_guard<asio::associated_executor_t<Handler, IoExecutor>> guard_;
};

/// The wait itself keeps the I/O object's context at work.
template <class Handler, class IoExecutor>
requires without_executor<Handler, IoExecutor>
class handler_work<Handler, IoExecutor> {
public:
    handler_work(const Handler&, const IoExecutor&) noexcept {}
};

/// Completes an operation from its last intermediate handler, which has run on the I/O object's executor.
template <class Executor, class Handler, class Result>
void dispatch_completion(const Executor& io_executor, Handler&& handler, const error_code& ec, Result&& result) {
    const auto executor = asio::get_associated_executor(handler, io_executor);
    cancellable_completion<Handler, Result> done(std::move(handler), ec, std::move(result));
    if constexpr (without_executor<Handler, Executor>)
        done();
    else
        asio::dispatch(executor, std::move(done));
}

} // namespace closeside::detail::inline CLOSESIDE_BACKEND

#endif
