// SPDX-License-Identifier: BSL-1.0
#ifndef CLOSESIDE_DETAIL_CLOSE_IMPL_BLOCKING_CLOSE_HPP
#define CLOSESIDE_DETAIL_CLOSE_IMPL_BLOCKING_CLOSE_HPP

#include <closeside/detail/close/blocking_close.hpp>
#include <closeside/detail/close/closing_socket.hpp>
#include <closeside/detail/kernel/change_watch.hpp>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <limits>

#include <poll.h>

namespace closeside::detail::inline CLOSESIDE_BACKEND {

/// Waits until `fd` is ready or the time has come: `ready`, timer, or cancelled if poll(2) fails.
inline close_event::kind poll_until(int fd, short events, close_event::kind ready,
                                    std::chrono::steady_clock::time_point end) noexcept {
    using namespace std::chrono;
    while (true) {
        const auto left = ceil<milliseconds>(end - steady_clock::now()).count();
        const auto timeout = std::clamp<decltype(left)>(left, 0, std::numeric_limits<int>::max());
        ::pollfd poll{fd, events, 0};
        const int n = ::poll(&poll, 1, static_cast<int>(timeout));
        if (n > 0) return ready;
        if (n == 0 && steady_clock::now() >= end) return close_event::kind::timer;
        if (n < 0 && errno != EINTR) return close_event::kind::cancelled;
    }
}

/// Waits for what poll(2) has no event for.
template <class Socket>
close_action wait_for_change(closing_socket<Socket>& closing, close_action wait) noexcept {
    const change_watch watch(closing.socket().native_handle());
    if (!watch) return closing.advance({close_event::kind::cancelled});
    while (true) {
        change_watch::rearm(watch.native_handle());
        const close_action next = closing.unless_changed(wait);
        if (next != wait) return next;
        const auto woken =
            poll_until(watch.native_handle(), POLLIN, close_event::kind::readable, closing.at(wait.until));
        if (woken != close_event::kind::readable) return closing.advance({woken});
    }
}

template <class Socket>
close_report close_blocking(Socket&& socket, const close_policy& policy, const close_manner& manner, error_code& ec,
                            last_bytes_memory last_bytes) noexcept {
    using action = close_action::kind;
    error_code ignored;
    socket.cancel(ignored);
    closing_socket<Socket> closing(std::move(socket), policy, manner, std::move(last_bytes));
    close_action next = closing.begin();
    while (next.what != action::done) {
        if (next.waits_for_change()) {
            next = wait_for_change(closing, next);
            continue;
        }
        if (next.what == action::wait_readable) closing.wake_for(next.bytes);
        const bool reads = next.what == action::wait_readable;
        next = closing.advance(
            {poll_until(closing.socket().native_handle(), reads ? POLLIN : POLLOUT,
                        reads ? close_event::kind::readable : close_event::kind::writable, closing.at(next.until))});
    }
    const close_report report = closing.report();
    ec = closing.error(report);
    return report;
}

} // namespace closeside::detail::inline CLOSESIDE_BACKEND

#endif
