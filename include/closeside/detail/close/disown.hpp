// SPDX-License-Identifier: BSL-1.0
#ifndef CLOSESIDE_DETAIL_CLOSE_DISOWN_HPP
#define CLOSESIDE_DETAIL_CLOSE_DISOWN_HPP

#include <closeside/detail/asio/asio.hpp>
#include <closeside/detail/kernel/forks.hpp>

namespace closeside::detail::inline CLOSESIDE_BACKEND {

/// The answer of is_inherited() in a process that has been forked.
template <class Socket>
bool is_inherited_by_fork(Socket& socket) noexcept;

/// Does the connection or listener belong to the process that this one was forked from?
template <class Socket>
bool is_inherited(Socket& socket) noexcept {
    return forks() != 0 && is_inherited_by_fork(socket);
}

/// Releases this process's descriptor and touches neither the wire nor the input, if another process holds it too.
/** What is under way on the socket completes with operation_aborted. */
template <class Socket>
void disown(Socket& socket) noexcept;

} // namespace closeside::detail::inline CLOSESIDE_BACKEND

#include <closeside/detail/close/impl/disown.hpp>

#endif
