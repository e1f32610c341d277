// SPDX-License-Identifier: BSL-1.0
#ifndef CLOSESIDE_DETAIL_CLOSE_IMPL_BLOCKING_CLOSE_HPP
#define CLOSESIDE_DETAIL_CLOSE_IMPL_BLOCKING_CLOSE_HPP

#include <closeside/detail/close/blocking_close.hpp>
#include <closeside/detail/close/blocking_wait.hpp>
#include <closeside/detail/close/closing_socket.hpp>
#include <closeside/detail/kernel/change_watch.hpp>

#include <poll.h>

namespace closeside::detail::inline CLOSESIDE_BACKEND {

/// Null if there is no memory for them.
template <class Socket>
close_deadlines* deadlines_of(Socket& socket) noexcept try {
    return &close_deadlines::of(socket.get_executor());
} catch (...) {
    return nullptr;
}

/// Waits for what poll(2) has no event for.
template <class Socket>
close_action wait_for_change(closing_socket<Socket>& closing, blocking_wait& waiting, close_action wait) noexcept {
    const change_watch watch(closing.socket().native_handle());
    if (!watch) return closing.advance({close_event::kind::cancelled});
    while (true) {
        change_watch::rearm(watch.native_handle());
        const close_action next = closing.unless_changed(wait);
        if (next != wait) return next;
        const auto woken = waiting.until(watch.native_handle(), POLLIN, close_event::kind::readable,
                                         closing.at(wait.until), closing.at({}));
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
    const bool waits = next.what != action::done;
    blocking_wait waiting(waits ? deadlines_of(closing.socket()) : nullptr,
                          waits ? closing.socket().native_handle() : -1);
    while (next.what != action::done) {
        if (next.waits_for_change()) {
            next = wait_for_change(closing, waiting, next);
            continue;
        }
        if (next.what == action::wait_readable) closing.wake_for(next.bytes);
        const bool reads = next.what == action::wait_readable;
        next = closing.advance({waiting.until(closing.socket().native_handle(), reads ? POLLIN : POLLOUT,
                                              reads ? close_event::kind::readable : close_event::kind::writable,
                                              closing.at(next.until), closing.at({}))});
    }
    const close_report report = closing.report();
    ec = closing.error(report);
    return report;
}

} // namespace closeside::detail::inline CLOSESIDE_BACKEND

#endif
