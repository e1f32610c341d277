// SPDX-License-Identifier: BSL-1.0
#ifndef CLOSESIDE_DETAIL_ASIO_TARGET_OF_HPP
#define CLOSESIDE_DETAIL_ASIO_TARGET_OF_HPP

#if !defined(ASIO_NO_TYPEID)
#include <closeside/detail/asio/asio.hpp>

#include <typeinfo>
#endif

namespace closeside::detail::inline CLOSESIDE_BACKEND {

/// The executor behind a polymorphic one; null if it is of another type, or types cannot be told.
/** target() alone will not do: that of Asio 1.22 takes whatever is there for what is asked for. */
template <class Executor>
const Executor* target_of([[maybe_unused]] const asio::any_io_executor& e) noexcept {
#if defined(ASIO_NO_TYPEID)
    return nullptr;
#else
    return e.target_type() == typeid(Executor) ? e.template target<Executor>() : nullptr;
#endif
}

} // namespace closeside::detail::inline CLOSESIDE_BACKEND

#endif
