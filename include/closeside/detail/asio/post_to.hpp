// SPDX-License-Identifier: BSL-1.0
#ifndef CLOSESIDE_DETAIL_ASIO_POST_TO_HPP
#define CLOSESIDE_DETAIL_ASIO_POST_TO_HPP

#include <closeside/detail/asio/asio.hpp>
#include <closeside/detail/asio/target_of.hpp>

#include <type_traits>
#include <utility>

namespace closeside::detail::inline CLOSESIDE_BACKEND {

/// As asio::post, but straight to an io_context behind asio::any_io_executor.
/** Through that, Asio would allocate twice, neither time with the function's allocator. */
template <class Executor, class Function>
void post_to(const Executor& executor, Function&& function) {
    if constexpr (std::is_same_v<Executor, asio::any_io_executor>)
        if (const auto* const io = target_of<asio::io_context::executor_type>(executor))
            return asio::post(*io, std::forward<Function>(function));
    asio::post(executor, std::forward<Function>(function));
}

} // namespace closeside::detail::inline CLOSESIDE_BACKEND

#endif
