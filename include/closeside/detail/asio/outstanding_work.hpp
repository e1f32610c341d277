// SPDX-License-Identifier: BSL-1.0
#ifndef CLOSESIDE_DETAIL_ASIO_OUTSTANDING_WORK_HPP
#define CLOSESIDE_DETAIL_ASIO_OUTSTANDING_WORK_HPP

#include <closeside/detail/asio/asio.hpp>

#include <type_traits>
#include <utility>

namespace closeside::detail::inline CLOSESIDE_BACKEND {

/// Keeps an executor's context at work, as asio::executor_work_guard does.
/** That of Asio 1.22 does not compile for a strand of asio::any_io_executor. */
template <class Executor>
class outstanding_work {
public:
    explicit outstanding_work(const Executor& executor)
        : executor_(asio::prefer(executor, asio::execution::outstanding_work.tracked)) {}

private:
    std::decay_t<decltype(asio::prefer(std::declval<const Executor&>(), asio::execution::outstanding_work.tracked))>
        executor_;
};
template <class Executor>
requires(!asio::execution::is_executor<Executor>::value) class outstanding_work<Executor>
    : asio::executor_work_guard<Executor> {
public:
    using asio::executor_work_guard<Executor>::executor_work_guard;
};

} // namespace closeside::detail::inline CLOSESIDE_BACKEND

#endif
