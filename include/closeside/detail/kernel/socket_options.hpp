// SPDX-License-Identifier: BSL-1.0
#ifndef CLOSESIDE_DETAIL_KERNEL_SOCKET_OPTIONS_HPP
#define CLOSESIDE_DETAIL_KERNEL_SOCKET_OPTIONS_HPP

#include <cstddef>

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

namespace closeside::detail {

/// The options of a socket that decide how its connection ends, by raw calls that neither block nor throw.
struct socket_options {
    static bool set_option(int fd, int level, int name, const void* value, std::size_t size) noexcept {
        return ::setsockopt(fd, level, name, value, static_cast<socklen_t>(size)) == 0;
    }

    static bool set_linger(int fd, bool abort) noexcept {
        const ::linger value{abort ? 1 : 0, 0};
        return set_option(fd, SOL_SOCKET, SO_LINGER, &value, sizeof value);
    }

    /// SO_RCVLOWAT, if the kernel widens the receive buffer for it (tcp_set_rcvlowat, Linux 4.18); otherwise 1.
    /** A window smaller than the mark would have the peer wait for us, and us for the peer. */
    static bool set_low_water(int fd, int bytes) noexcept {
        constexpr int least = 1;
        int room = 0;
        socklen_t size = sizeof room;
        if (set_option(fd, SOL_SOCKET, SO_RCVLOWAT, &bytes, sizeof bytes) &&
            (bytes == least || (::getsockopt(fd, SOL_SOCKET, SO_RCVBUF, &room, &size) == 0 && room >= bytes)))
            return true;
        set_option(fd, SOL_SOCKET, SO_RCVLOWAT, &least, sizeof least);
        return false;
    }

    /// TCP_LINGER2; 0 hands the time back to tcp_fin_timeout.
    static bool set_linger2(int fd, int seconds) noexcept {
        return set_option(fd, IPPROTO_TCP, TCP_LINGER2, &seconds, sizeof seconds);
    }

    /// IPPROTO_TCP, say; -1 if the kernel does not say.
    static int protocol(int fd) noexcept {
        int protocol = -1;
        socklen_t size = sizeof protocol;
        return ::getsockopt(fd, SOL_SOCKET, SO_PROTOCOL, &protocol, &size) == 0 ? protocol : -1;
    }

    /// Is it Multipath TCP, of whose connection TCP_INFO tells little?
    static bool is_multipath(int fd) noexcept {
        constexpr int multipath_tcp = 262; // IPPROTO_MPTCP
        return protocol(fd) == multipath_tcp;
    }

    /// What is to be sent leaves now, whatever MSG_MORE and TCP_CORK hold back (tcp(7), TCP_NODELAY).
    static void flush(int fd) noexcept {
        constexpr int on = 1;
        set_option(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    }
};

} // namespace closeside::detail

#endif
