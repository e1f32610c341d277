// SPDX-License-Identifier: BSL-1.0
#ifndef CLOSESIDE_DETAIL_KERNEL_CHANGE_WATCH_HPP
#define CLOSESIDE_DETAIL_KERNEL_CHANGE_WATCH_HPP

#include <cerrno>
#include <utility>

#include <sys/epoll.h>
#include <unistd.h>

namespace closeside::detail {

/// A descriptor that becomes readable when the state of a connection changes, and not for data.
/** No poll event stands for "all is acknowledged", nor for the peer's FIN if reading has been shut down. But the kernel
 *  wakes a socket's waiters on FIN-WAIT-1 -> FIN-WAIT-2 (tcp_rcv_state_process, "Wake up lingering close()"), on the
 *  peer's FIN (tcp_fin) and on every way to CLOSE. An edge-triggered epoll entry for what holds then, EPOLLOUT
 *  behind our FIN and EPOLLRDHUP behind SHUT_RD, turns that wake-up into an event; arriving data does not match it. It
 *  costs no timer and no polling. */
class change_watch {
public:
    /// Invalid, with errno set, if no descriptor can be had.
    explicit change_watch(int socket) noexcept : epoll_(::epoll_create1(EPOLL_CLOEXEC)) {
        ::epoll_event interest{};
        interest.events = EPOLLOUT | EPOLLRDHUP | EPOLLET;
        if (epoll_ >= 0 && ::epoll_ctl(epoll_, EPOLL_CTL_ADD, socket, &interest) != 0) ::close(release());
    }
    change_watch(change_watch&& other) noexcept : epoll_(other.release()) {}
    change_watch& operator=(change_watch&&) = delete;
    ~change_watch() {
        if (epoll_ >= 0) ::close(epoll_);
    }

    explicit operator bool() const noexcept { return epoll_ >= 0; }
    int native_handle() const noexcept { return epoll_; }
    int release() noexcept { return std::exchange(epoll_, -1); }

    /// Takes the events that have come; to be called before the state is looked at, so that no wake-up is lost.
    static void rearm(int epoll) noexcept {
        ::epoll_event event;
        while (::epoll_wait(epoll, &event, 1, 0) < 0 && errno == EINTR) {
        }
    }

private:
    int epoll_;
};

} // namespace closeside::detail

#endif
