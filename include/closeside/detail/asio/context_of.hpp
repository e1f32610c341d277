// SPDX-License-Identifier: BSL-1.0
#ifndef CLOSESIDE_DETAIL_ASIO_CONTEXT_OF_HPP
#define CLOSESIDE_DETAIL_ASIO_CONTEXT_OF_HPP

#include <asio/execution/context.hpp>
#include <asio/execution_context.hpp>
#include <asio/query.hpp>

namespace closeside::detail {

/// The context of an executor, one of the Networking TS too, as ASIO_USE_TS_EXECUTOR_AS_DEFAULT makes any_io_executor.
template <class Executor>
asio::execution_context& context_of(const Executor& e) {
    if constexpr (asio::can_query<const Executor&, asio::execution::context_t>::value)
        return asio::query(e, asio::execution::context);
    else
        return e.context();
}

} // namespace closeside::detail

#endif
