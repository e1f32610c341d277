// SPDX-License-Identifier: BSL-1.0
#ifndef CLOSESIDE_DETAIL_TCP_SOCKET_HPP
#define CLOSESIDE_DETAIL_TCP_SOCKET_HPP

#include <closeside/detail/close_machine.hpp>

#include <cerrno>
#include <cstddef>

#include <linux/sockios.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

// The raw kernel calls of the close. None blocks, whatever O_NONBLOCK says, and none throws.
namespace closeside::detail::tcp_socket {

inline tcp_state state(int fd) noexcept {
    unsigned char first_byte = 0; // tcpi_state
    socklen_t size = sizeof first_byte;
    if (::getsockopt(fd, IPPROTO_TCP, TCP_INFO, &first_byte, &size) != 0) return tcp_state::unknown;
    return static_cast<tcp_state>(first_byte);
}

/// The result of an ioctl that counts bytes; 0 where the kernel gives none.
inline std::uint64_t count_bytes(int fd, unsigned long request) noexcept {
    int bytes = 0;
    return ::ioctl(fd, request, &bytes) == 0 && bytes > 0 ? static_cast<std::uint64_t>(bytes) : 0;
}

/// Takes the pending error off the socket.
inline int take_error(int fd) noexcept {
    int error = 0;
    socklen_t size = sizeof error;
    return ::getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &size) == 0 ? error : errno;
}

inline bool set_option(int fd, int level, int name, const void* value, std::size_t size) noexcept {
    return ::setsockopt(fd, level, name, value, static_cast<socklen_t>(size)) == 0;
}

inline bool set_linger(int fd, bool abort) noexcept {
    const ::linger value{abort ? 1 : 0, 0};
    return set_option(fd, SOL_SOCKET, SO_LINGER, &value, sizeof value);
}

/// SO_RCVLOWAT, where the kernel widens the receive buffer for it (tcp_set_rcvlowat, Linux 4.18); otherwise none.
/** A window smaller than the mark would have the peer wait for us, and us for the peer. */
inline bool set_low_water(int fd, int bytes) noexcept {
    constexpr int none = 1;
    int room = 0;
    socklen_t size = sizeof room;
    if (set_option(fd, SOL_SOCKET, SO_RCVLOWAT, &bytes, sizeof bytes) &&
        (bytes == none || (::getsockopt(fd, SOL_SOCKET, SO_RCVBUF, &room, &size) == 0 && room >= bytes)))
        return true;
    set_option(fd, SOL_SOCKET, SO_RCVLOWAT, &none, sizeof none);
    return false;
}

/// 0 hands the time back to tcp_fin_timeout.
inline int linger2_value(const fin_wait2& w) noexcept {
    if (w.how == fin_wait2::mode::skip) return -1;
    return w.how == fin_wait2::mode::timed ? static_cast<int>(w.time.count / 1000) : 0;
}

inline bool set_linger2(int fd, const fin_wait2& w) noexcept {
    const int seconds = linger2_value(w);
    return set_option(fd, IPPROTO_TCP, TCP_LINGER2, &seconds, sizeof seconds);
}

/// SO_LINGER and TCP_LINGER2 as the policy wants them; a positive SO_LINGER never, since it blocks close(2).
/** False with errno set where an option cannot be set, e.g. on a socket that is not TCP. */
inline bool apply_policy(int fd, const close_policy& p) noexcept {
    return set_linger(fd, p.linger == lingering::abort) && set_linger2(fd, p.linger2);
}

/// errno of a failed call on the connection, as an event.
inline close_event::kind classify(int error) noexcept {
    switch (error) {
    case EAGAIN:
#if EWOULDBLOCK != EAGAIN
    case EWOULDBLOCK:
#endif
        return close_event::kind::would_block;
    case ECONNRESET:
    case EPIPE: return close_event::kind::reset; // EPIPE: the reset came in CLOSE-WAIT (tcp_reset)
    default: return close_event::kind::failed;
    }
}

inline close_event received(long n) noexcept {
    if (n > 0) return {close_event::kind::received, static_cast<std::uint64_t>(n)};
    if (n == 0) return {close_event::kind::end_of_file};
    return {classify(errno)};
}

/// Discards up to `bytes` inside the kernel: MSG_TRUNC on TCP copies nothing (tcp(7)).
/** The bare system call, since sanitizers take the null buffer of a recv() for one that n bytes were written to. Never
 *  inlined: valgrind complains of that buffer, and cmake/closeside.supp knows it by the name of this function. */
[[gnu::noinline]] inline close_event receive(int fd, std::uint64_t bytes) noexcept {
    return received(::syscall(SYS_recvfrom, fd, nullptr, static_cast<std::size_t>(bytes), MSG_TRUNC | MSG_DONTWAIT,
                              nullptr, nullptr));
}

/// Looks for one more byte and leaves it where it is.
inline close_event peek(int fd) noexcept {
    char byte;
    return received(::recv(fd, &byte, 1, MSG_PEEK | MSG_DONTWAIT));
}

/// Is the peer's FIN in, or the connection gone? Takes half the time of TCP_INFO, which gathers all that it tells.
inline bool hung_up(int fd) noexcept {
    ::pollfd connection{fd, POLLRDHUP, 0};
    return ::poll(&connection, 1, 0) != 0;
}

/// Which of the states just before and just after are to be looked up, to tell who was first?
/** FIN-WAIT-1 afterwards stands for FIN-WAIT-2 too. */
inline close_event half_close(int fd, bool look_before = true, bool look_after = true) noexcept {
    const tcp_state before = look_before ? state(fd) : tcp_state::unknown;
    if (::shutdown(fd, SHUT_WR) != 0) {
        if (errno != ENOTCONN) return {close_event::kind::failed};
        // Reset earlier, or never connected: only the latter answers a read with ENOTCONN (tcp_recvmsg).
        const close_event e = peek(fd);
        return {e.what == close_event::kind::failed ? e.what : close_event::kind::reset};
    }
    if (!look_after) return {close_event::kind::half_closed, 0, before};
    return {close_event::kind::half_closed, 0, before, hung_up(fd) ? state(fd) : tcp_state::fin_wait1};
}

/// Has the peer acknowledged every byte and our FIN? acked, would_block, reset or failed.
inline close_event check_acked(int fd) noexcept {
    switch (state(fd)) {
    case tcp_state::fin_wait1:
    case tcp_state::closing:
    case tcp_state::last_ack: return {close_event::kind::would_block};
    case tcp_state::close: {
        const int error = take_error(fd);
        if (error == 0) return {close_event::kind::acked};
        errno = error;
        return {classify(error)};
    }
    default: return {close_event::kind::acked};
    }
}

/// Has the peer acknowledged all that was sent, a FIN included? False where the kernel does not say.
inline bool all_acknowledged(int fd) noexcept {
    int bytes = 0;
    return ::ioctl(fd, SIOCOUTQ, &bytes) == 0 && bytes == 0;
}

/// The connection just before close(2). `at_eof`: no input can be waiting.
/** Without a FIN or an RST, ESTABLISHED stands for SYN-SENT too. */
inline last_sample sample(int fd, bool our_fin, bool at_eof, bool aborting) noexcept {
    // Both FINs are through, and no RST came before: one that did would have left ours unacknowledged.
    if (our_fin && at_eof && all_acknowledged(fd)) return {.state = tcp_state::close};
    last_sample s{.state = our_fin || at_eof || hung_up(fd) ? state(fd) : tcp_state::established};
    const bool fin_unacknowledged =
        s.state == tcp_state::fin_wait1 || s.state == tcp_state::closing || s.state == tcp_state::last_ack;
    const bool gone = s.state == tcp_state::close;
    if (gone) {
        // At end of file too: a socket that has had the peer's FIN reads 0 and never tells of a reset (tcp_recvmsg).
        const int error = take_error(fd);
        s.reset = classify(error) == close_event::kind::reset;
        if (!s.reset) s.failure = error;
    }
    if (s.state != tcp_state::fin_wait2) {
        s.unacknowledged = count_bytes(fd, SIOCOUTQ);
        if (s.unacknowledged > 0 && (fin_unacknowledged || (gone && our_fin))) --s.unacknowledged; // our FIN
    }
    if (!at_eof && !gone) s.unread = count_bytes(fd, SIOCINQ) > 0;
    if (aborting && fin_unacknowledged) s.unsent = count_bytes(fd, SIOCOUTQNSD) > 0;
    return s;
}

} // namespace closeside::detail::tcp_socket

#endif
