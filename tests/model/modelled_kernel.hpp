// SPDX-License-Identifier: BSL-1.0
#ifndef CLOSESIDE_TESTS_MODEL_MODELLED_KERNEL_HPP
#define CLOSESIDE_TESTS_MODEL_MODELLED_KERNEL_HPP

#include "modelled_tcp_info.hpp"
#include "tcp_endpoint.hpp"

#include <algorithm>
#include <array>
#include <bit>
#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <stdexcept>

#include <linux/sockios.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>

/// System calls on a tcp_endpoint.
/** A function of several calls is run one call at a time, so that segments can arrive between any two: each run
 *  repeats the answers that earlier runs were given, makes one call more, and is `cut` if it then asks for another. */
namespace modelled_kernel {

using model::tcp_endpoint;

/// The answers to the calls that a function has made so far; a negative one is an errno.
struct answers {
    std::array<std::int64_t, 16> values{};
    std::uint64_t count = 0;

    friend bool operator==(const answers&, const answers&) = default;
};

struct run {
    tcp_endpoint& socket;
    model::channel& out;
    std::uint32_t unit;  ///< bytes in one of the peer's segments
    std::uint8_t buffer; ///< segments that the send queue has room for
    std::int64_t tick;   ///< in milliseconds
    std::uint8_t now;    ///< in ticks
    answers made;        ///< grows by one
    std::uint64_t next = 0;
    bool called = false;
    bool cut = false;
    bool sent_reset = false;
    bool closed = false;
    std::int64_t last_read = 0;                ///< what the last recv(2) gave
    std::int64_t unacknowledged = never_asked; ///< … and SIOCOUTQ, without our FIN

    static constexpr std::int64_t never_asked = -1;
};

inline run* current = nullptr;

template <class Call>
std::int64_t answer(Call&& call) {
    run& r = *current;
    if (r.next < r.made.count) return r.made.values[r.next++];
    if (r.called) {
        r.cut = true;
        return 0;
    }
    r.called = true;
    const std::int64_t value = call(r.socket);
    if (r.made.count == r.made.values.size()) throw std::length_error("model: too many system calls in one function");
    r.made.values[r.made.count++] = value;
    r.next = r.made.count;
    return value;
}

/// 0 or more: the result. Less: -1, and errno.
inline std::int64_t result(std::int64_t value) {
    if (value >= 0) return value;
    errno = static_cast<int>(-value);
    return -1;
}

inline std::int64_t take_error(tcp_endpoint& s) {
    const std::int64_t error = s.error;
    s.error = 0;
    return error;
}

inline int getsockopt(int, int level, int name, void* value, socklen_t* size) {
    if (level == SOL_SOCKET && name == SO_ERROR) {
        *static_cast<int*>(value) = static_cast<int>(answer(take_error));
        return 0;
    }
    if (level != IPPROTO_TCP || name != TCP_INFO) return static_cast<int>(result(-ENOPROTOOPT));
    if (*size == 1) {
        *static_cast<unsigned char*>(value) =
            static_cast<unsigned char>(answer([](const tcp_endpoint& s) { return static_cast<int>(s.seen()); }));
        return 0;
    }
    const auto info = as_tcp_info(std::bit_cast<looked_up>(answer([](const tcp_endpoint& s) {
                                      return std::bit_cast<std::int64_t>(look_up(s, current->now));
                                  })),
                                  current->tick);
    std::memcpy(value, &info, *size);
    return 0;
}

inline int setsockopt(int, int level, int name, const void* value, socklen_t) {
    constexpr int inq = 36; // TCP_INQ
    return static_cast<int>(result(answer([=](tcp_endpoint& s) -> std::int64_t {
        if (level == SOL_SOCKET && name == SO_LINGER) {
            const auto linger = *static_cast<const ::linger*>(value);
            if (linger.l_onoff != 0 && linger.l_linger != 0) return -EINVAL; // it would block close(2)
            s.linger_zero = linger.l_onoff != 0;
            return 0;
        }
        if (level != IPPROTO_TCP) return -ENOPROTOOPT;
        if (name == TCP_LINGER2) s.linger2_skip = *static_cast<const int*>(value) < 0;
        return name == TCP_LINGER2 || name == TCP_NODELAY || name == inq ? 0 : -ENOPROTOOPT;
    })));
}

/// Named as the call; variadic as ioctl(2) is.
inline int ioctl(int, unsigned long request, int* bytes) {
    const std::int64_t n = answer([=](const tcp_endpoint& s) -> std::int64_t {
        const auto fin_in = [&](std::uint8_t from) { return s.fin_written && from <= s.written ? 1 : 0; };
        const auto behind = [&](std::uint8_t from) {
            return reply_unit * (s.written - std::min(from, s.written)) + fin_in(from);
        };
        if (request == SIOCOUTQ) return behind(s.acknowledged);
        if (request == SIOCOUTQNSD) return behind(s.sent);
        if (request == SIOCINQ) return s.unread(current->unit);
        return 0;
    });
    if (request == SIOCOUTQ) current->unacknowledged = n / reply_unit;
    *bytes = static_cast<int>(n);
    return 0;
}

/// In the order of tcp_recvmsg: data, end of file, the error (once), what tcp_done left, nothing yet.
inline ssize_t recv(int, const void*, std::size_t size, int flags) {
    const std::int64_t n = answer([=](tcp_endpoint& s) -> std::int64_t {
        const auto there = static_cast<std::uint32_t>(std::min<std::size_t>(size, s.unread(current->unit)));
        if (there > 0) {
            if ((flags & MSG_PEEK) == 0) s.taken += there;
            return there;
        }
        if (s.fin_received) return 0;
        if (s.error != 0) return -take_error(s);
        return s.dead ? 0 : -EAGAIN;
    });
    current->last_read = n;
    return result(n);
}

/// The bare form of recv(2).
inline long syscall(long number, int fd, const void* buffer, std::size_t size, int flags, std::nullptr_t,
                    std::nullptr_t) {
    if (number != SYS_recvfrom) return static_cast<long>(result(-ENOSYS));
    return recv(fd, buffer, size, flags);
}

/// The error queue, of whose entries some may be left; or, with no room for data, what TCP_INQ tells [tcp_inq_hint].
inline ssize_t recvmsg(int, ::msghdr* message, int flags) {
    const std::int64_t n = answer([=](tcp_endpoint& s) -> std::int64_t {
        if ((flags & MSG_ERRQUEUE) == 0) return s.unread(current->unit) + (s.fin_received ? 1 : 0);
        if (s.notices == 0) return -EAGAIN;
        --s.notices;
        return 0;
    });
    if (current->cut) return static_cast<ssize_t>(result(-EAGAIN));
    if ((flags & MSG_ERRQUEUE) != 0) return result(n);
    auto* c = CMSG_FIRSTHDR(message);
    *c = {CMSG_LEN(sizeof(int)), IPPROTO_TCP, 36};
    const int bytes = static_cast<int>(n);
    std::memcpy(CMSG_DATA(c), &bytes, sizeof bytes);
    return 0;
}

/// As tcp_poll: the peer's FIN sets RCV_SHUTDOWN, the connection's end both.
inline int poll(::pollfd* connection, int, int) {
    connection->revents = static_cast<short>(answer([=](const tcp_endpoint& s) -> std::int64_t {
        int events = s.fin_received || s.dead ? POLLIN | POLLRDHUP : 0;
        if (s.dead || (s.fin_received && s.fin_written)) events |= POLLHUP;
        if (s.unread(current->unit) > 0) events |= POLLIN;
        if (s.fin_written || s.dead || s.room(current->buffer) > 0) events |= POLLOUT;
        if (s.error != 0 || s.notices != 0) events |= POLLERR;
        return events & (connection->events | POLLHUP | POLLERR);
    }));
    return connection->revents != 0 ? 1 : 0;
}

/// Whole segments, as far as there is room [tcp_sendmsg, sk_stream_error].
inline ssize_t send(int, const void*, std::size_t size, int) {
    return result(answer([=](tcp_endpoint& s) -> std::int64_t {
        if (s.dead || s.fin_written) return s.error != 0 ? -take_error(s) : -EPIPE;
        const auto fit = std::min<std::size_t>(size / reply_unit, s.room(current->buffer));
        if (fit == 0) return -EAGAIN;
        s.written = static_cast<std::uint8_t>(s.written + fit);
        return static_cast<std::int64_t>(fit) * reply_unit;
    }));
}

/// Of sock_diag, in place of what own_time_wait.hpp does.
inline bool is_in_time_wait(int) {
    return answer([](const model::tcp_endpoint& s) -> std::int32_t {
               return s.state == model::tcp_state::time_wait ? 1 : 0;
           }) != 0;
}

inline int shutdown(int, int) {
    return static_cast<int>(result(answer([](tcp_endpoint& s) { return -s.half_close(); })));
}

/// To AF_UNSPEC.
inline int connect(int, const ::sockaddr*, socklen_t) {
    return static_cast<int>(result(answer([](tcp_endpoint& s) {
        if (s.disconnect(current->out)) current->sent_reset = true;
        return 0;
    })));
}

inline void close() {
    answer([](tcp_endpoint& s) {
        if (s.close(current->unit, current->out)) current->sent_reset = true;
        current->closed = true;
        return 0;
    });
}

} // namespace modelled_kernel

#endif
