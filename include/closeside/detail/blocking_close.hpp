// SPDX-License-Identifier: BSL-1.0
#ifndef CLOSESIDE_DETAIL_BLOCKING_CLOSE_HPP
#define CLOSESIDE_DETAIL_BLOCKING_CLOSE_HPP

#include <closeside/detail/ack_watch.hpp>
#include <closeside/detail/closing_socket.hpp>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <limits>

#include <poll.h>

namespace closeside::detail {

/// Waits until `fd` is readable or the time has come: readable, timer, or cancelled where poll(2) fails.
inline close_event::kind poll_until(int fd, std::chrono::steady_clock::time_point end) noexcept {
    using namespace std::chrono;
    while (true) {
        const auto left = ceil<std::chrono::milliseconds>(end - steady_clock::now()).count();
        const auto timeout = std::clamp<decltype(left)>(left, 0, std::numeric_limits<int>::max());
        ::pollfd poll{fd, POLLIN, 0};
        const int n = ::poll(&poll, 1, static_cast<int>(timeout));
        if (n > 0) return close_event::kind::readable;
        if (n == 0 && steady_clock::now() >= end) return close_event::kind::timer;
        if (n < 0 && errno != EINTR) return close_event::kind::cancelled;
    }
}

inline close_event wait_acked_until(int socket, std::chrono::steady_clock::time_point end) noexcept {
    const ack_watch watch(socket);
    if (!watch) return {close_event::kind::cancelled};
    while (true) {
        ack_watch::rearm(watch.native_handle());
        const close_event e = tcp_socket::check_acked(socket);
        if (e.what != close_event::kind::would_block) return e;
        const auto woken = poll_until(watch.native_handle(), end);
        if (woken != close_event::kind::readable) return {woken};
    }
}

/// The same close on the calling thread, which it blocks for no longer than the policy's limits.
template <class Socket>
close_report close_blocking(Socket&& socket, const close_policy& policy, asio::error_code& ec) noexcept {
    asio::error_code ignored;
    socket.cancel(ignored);
    closing_socket<Socket> closing(std::move(socket), policy);
    close_action next = closing.begin();
    while (next.what != close_action::kind::done) {
        const int fd = closing.socket().native_handle();
        const auto end = closing.at(next.until);
        if (next.what == close_action::kind::wait_readable) closing.wake_for(next.bytes);
        next = closing.advance(next.what == close_action::kind::wait_acked ? wait_acked_until(fd, end)
                                                                           : close_event{poll_until(fd, end)});
    }
    ec = closing.error();
    return closing.report();
}

} // namespace closeside::detail

#endif
