// SPDX-License-Identifier: BSL-1.0
#ifndef CLOSESIDE_DETAIL_ASIO_POST_TO_HPP
#define CLOSESIDE_DETAIL_ASIO_POST_TO_HPP

#include <closeside/detail/asio/asio.hpp>
#include <closeside/detail/asio/target_of.hpp>

#include <type_traits>
#include <utility>

namespace closeside::detail::inline CLOSESIDE_BACKEND {

/// Calls `use` with one of Asio's executors that takes an allocator, if that is what is behind a polymorphic one.
/** Through asio::any_io_executor Asio would allocate twice, neither time with the function's allocator. */
template <class Executor, class Use>
void with_target(const Executor& executor, Use&& use) {
    if constexpr (std::is_base_of_v<asio::any_io_executor, Executor>) {
        using context = asio::io_context::executor_type;
        using pool = asio::thread_pool::executor_type;
        if (const auto* const io = target_of<context>(executor)) return use(*io);
        if (const auto* const strand = target_of<asio::strand<context>>(executor)) return use(*strand);
        if (const auto* const threads = target_of<pool>(executor)) return use(*threads);
        if (const auto* const strand = target_of<asio::strand<pool>>(executor)) return use(*strand);
    }
    use(executor);
}

/// Does it run functions on the thread where a wait of its context ends, without taking memory?
template <class Executor>
bool runs_where_waits_end(const Executor& executor) noexcept {
    using context = asio::io_context::executor_type;
    using pool = asio::thread_pool::executor_type;
    if constexpr (std::is_base_of_v<asio::any_io_executor, Executor>)
        return target_of<context>(executor) != nullptr || target_of<pool>(executor) != nullptr;
    else
        return std::is_base_of_v<context, Executor> || std::is_base_of_v<pool, Executor>;
}

/// As asio::post, but straight to an io_context behind asio::any_io_executor.
template <class Executor, class Function>
void post_to(const Executor& executor, Function&& function) {
    if constexpr (std::is_same_v<Executor, asio::any_io_executor>)
        if (const auto* const io = target_of<asio::io_context::executor_type>(executor))
            return asio::post(*io, std::forward<Function>(function));
    asio::post(executor, std::forward<Function>(function));
}

} // namespace closeside::detail::inline CLOSESIDE_BACKEND

#endif
