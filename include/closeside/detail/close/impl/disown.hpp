// SPDX-License-Identifier: BSL-1.0
#ifndef CLOSESIDE_DETAIL_CLOSE_IMPL_DISOWN_HPP
#define CLOSESIDE_DETAIL_CLOSE_IMPL_DISOWN_HPP

#include <closeside/detail/close/deadlines.hpp>
#include <closeside/detail/close/disown.hpp>
#include <closeside/detail/close/told_to_go.hpp>
#include <closeside/detail/kernel/forks.hpp>
#include <closeside/detail/kernel/owned_descriptor.hpp>

#include <fcntl.h>
#include <sys/eventfd.h>
#include <unistd.h>

namespace closeside::detail::inline CLOSESIDE_BACKEND {

/// Puts another descriptor in the place of `fd`, which is thereby closed; false if it is closed without.
/** Asio takes a descriptor out of its epoll set by number. A forked process shares the set with its parent, whose entry
 *  would go; of the stand-in the set knows nothing. */
inline bool put_stand_in(int fd) noexcept {
    const owned_descriptor stand_in(::eventfd(0, EFD_CLOEXEC));
    if (stand_in && ::dup3(stand_in.get(), fd, O_CLOEXEC) >= 0) return true;
    ::close(fd);
    return false;
}

template <class Socket>
bool is_inherited_by_fork(Socket& socket) noexcept try {
    return close_deadlines::of(socket.get_executor()).is_inherited();
} catch (...) {
    return false; // no memory for a service: nothing of ours has been in this context before the fork
}

template <class Socket>
void disown(Socket& socket) noexcept {
    told_to_go::forget(socket.native_handle());
    const bool open = !is_inherited(socket) || put_stand_in(socket.native_handle());
    error_code ec;
    const int fd = socket.release(ec);
    if (open && !ec) ::close(fd);
}

} // namespace closeside::detail::inline CLOSESIDE_BACKEND

#endif
