// SPDX-License-Identifier: BSL-1.0
#ifndef CLOSESIDE_DETAIL_ASIO_CONTEXT_OF_HPP
#define CLOSESIDE_DETAIL_ASIO_CONTEXT_OF_HPP

#include <closeside/detail/asio/asio.hpp>

namespace closeside::detail::inline CLOSESIDE_BACKEND {

/// The context of an executor, one of the Networking TS too, as ASIO_USE_TS_EXECUTOR_AS_DEFAULT makes any_io_executor.
template <class Executor>
asio::execution_context& context_of(const Executor& e) {
    if constexpr (asio::can_query<const Executor&, asio::execution::context_t>::value)
        return asio::query(e, asio::execution::context);
    else
        return e.context();
}

} // namespace closeside::detail::inline CLOSESIDE_BACKEND

#endif
