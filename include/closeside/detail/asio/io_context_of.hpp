// SPDX-License-Identifier: BSL-1.0
#ifndef CLOSESIDE_DETAIL_ASIO_IO_CONTEXT_OF_HPP
#define CLOSESIDE_DETAIL_ASIO_IO_CONTEXT_OF_HPP

#include <closeside/detail/asio/asio.hpp>
#include <closeside/detail/asio/target_of.hpp>

#include <type_traits>

namespace closeside::detail::inline CLOSESIDE_BACKEND {

/// Can work be counted on an io_context? Not without the executors of the Networking TS, whose functions these are.
template <class Executor>
concept counts_work = requires(const Executor& e) {
    e.on_work_started();
    e.on_work_finished();
};

/// The io_context whose own executor it is, if work can be counted on it; otherwise null.
template <class Executor>
asio::io_context* io_context_of([[maybe_unused]] const Executor& executor) noexcept {
    using own = asio::io_context::executor_type;
    const own* e = nullptr;
    if constexpr (counts_work<own> && std::is_base_of_v<asio::any_io_executor, Executor>)
        e = target_of<own>(executor);
    else if constexpr (counts_work<own> && std::is_base_of_v<own, Executor>)
        e = &executor;
    return e != nullptr ? &asio::query(*e, asio::execution::context) : nullptr;
}

template <class Context>
void work_started(Context& context) noexcept {
    if constexpr (counts_work<typename Context::executor_type>) context.get_executor().on_work_started();
}

template <class Context>
void work_finished(Context& context) noexcept {
    if constexpr (counts_work<typename Context::executor_type>) context.get_executor().on_work_finished();
}

} // namespace closeside::detail::inline CLOSESIDE_BACKEND

#endif
