// SPDX-License-Identifier: BSL-1.0
#ifndef CLOSESIDE_DETAIL_LISTEN_IMPL_ACCEPTED_IPP
#define CLOSESIDE_DETAIL_LISTEN_IMPL_ACCEPTED_IPP

#include <closeside/detail/kernel/tcp_socket.hpp>
#include <closeside/detail/listen/accepted.hpp>

namespace closeside::detail::inline CLOSESIDE_BACKEND {

/// The context of a plain socket may have no close_deadlines, and making them may fail.
CLOSESIDE_DECL void accepted::take_over(asio::execution_context& context) const {
    if (&context == &deadlines->context()) return;
    if (close_deadlines* const others = close_deadlines::if_there(context)) others->take_over();
}

CLOSESIDE_DECL void accepted::end() noexcept {
    if (fd && aborts) tcp_socket::set_linger(fd.get(), true);
    const owned_descriptor ended(std::move(fd));
}

} // namespace closeside::detail::inline CLOSESIDE_BACKEND

#endif
