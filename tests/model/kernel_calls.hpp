// SPDX-License-Identifier: BSL-1.0
#ifndef CLOSESIDE_TESTS_MODEL_KERNEL_CALLS_HPP
#define CLOSESIDE_TESTS_MODEL_KERNEL_CALLS_HPP

#include "tcp_endpoint.hpp"

#include <closeside/detail/close_machine.hpp>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <stdexcept>

#include <linux/sockios.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

/// System calls on a tcp_endpoint.
/** A function of several calls is run one call at a time, so that segments can arrive between any two: each run
 *  repeats the answers that earlier runs were given, makes one call more, and is `cut` if it then asks for another. */
namespace modelled_kernel {

/// The answers to the calls that a function has made so far; a negative one is an errno.
struct answers {
    std::array<std::int32_t, 8> values{};
    std::uint32_t count = 0;

    friend bool operator==(const answers&, const answers&) = default;
};

struct run {
    model::tcp_endpoint& socket;
    model::channel& out;
    std::uint32_t unit; ///< bytes in one of the peer's segments
    answers made;       ///< grows by one
    std::uint32_t next = 0;
    bool called = false;
    bool cut = false;
    bool sent_reset = false;
    bool closed = false;
};

/// Bytes in one of our own segments.
inline constexpr std::int32_t reply_unit = 1000;
inline run* current = nullptr;

template <class Call>
std::int32_t answer(Call&& call) {
    run& r = *current;
    if (r.next < r.made.count) return r.made.values[r.next++];
    if (r.called) {
        r.cut = true;
        return 0;
    }
    r.called = true;
    const std::int32_t value = call(r.socket);
    if (r.made.count == r.made.values.size()) throw std::length_error("model: too many system calls in one function");
    r.made.values[r.made.count++] = value;
    r.next = r.made.count;
    return value;
}

/// 0 or more: the result. Less: -1, and errno.
inline std::int32_t result(std::int32_t value) {
    if (value >= 0) return value;
    errno = -value;
    return -1;
}

inline int getsockopt(int, int level, int name, void* value, socklen_t*) {
    if (level == IPPROTO_TCP && name == TCP_INFO) {
        const auto state = answer([](const model::tcp_endpoint& s) { return static_cast<std::int32_t>(s.seen()); });
        *static_cast<unsigned char*>(value) = static_cast<unsigned char>(state);
        return 0;
    }
    if (level != SOL_SOCKET || name != SO_ERROR) return static_cast<int>(result(-ENOPROTOOPT));
    *static_cast<int*>(value) = answer([](model::tcp_endpoint& s) {
        const std::int32_t error = s.error;
        s.error = 0;
        return error;
    });
    return 0;
}

inline int setsockopt(int, int level, int name, const void* value, socklen_t) {
    return result(answer([=](model::tcp_endpoint& s) {
        if (level == SOL_SOCKET && name == SO_LINGER) {
            const auto linger = *static_cast<const ::linger*>(value);
            if (linger.l_onoff != 0 && linger.l_linger != 0) return -EINVAL; // it would block close(2)
            s.linger_zero = linger.l_onoff != 0;
        } else if (level == IPPROTO_TCP && name == TCP_LINGER2) {
            s.linger2_skip = *static_cast<const int*>(value) < 0;
        } else {
            return -ENOPROTOOPT;
        }
        return 0;
    }));
}

/// Named as the call; variadic as ioctl(2) is.
inline int ioctl(int, unsigned long request, int* bytes) {
    *bytes = answer([=](const model::tcp_endpoint& s) -> std::int32_t {
        const auto fin_in = [&](std::uint8_t from) { return s.fin_written && from <= s.written ? 1 : 0; };
        const auto behind = [&](std::uint8_t from) {
            return reply_unit * (s.written - std::min(from, s.written)) + fin_in(from);
        };
        if (request == SIOCOUTQ) return behind(s.acknowledged);
        if (request == SIOCOUTQNSD) return behind(s.sent);
        if (request == SIOCINQ) return static_cast<std::int32_t>(s.unread(current->unit));
        return 0;
    });
    return 0;
}

/// In the order of tcp_recvmsg: data, end of file, the error (once), what tcp_done left, nothing yet.
inline ssize_t recv(int, const void*, std::size_t size, int flags) {
    return result(answer([=](model::tcp_endpoint& s) -> std::int32_t {
        const auto n = static_cast<std::uint32_t>(std::min<std::size_t>(size, s.unread(current->unit)));
        if (n > 0) {
            if ((flags & MSG_PEEK) == 0) s.taken += n;
            return static_cast<std::int32_t>(n);
        }
        if (s.fin_received) return 0;
        if (s.error != 0) {
            const std::int32_t error = s.error;
            s.error = 0;
            return -error;
        }
        return s.dead ? 0 : -EAGAIN;
    }));
}

/// The bare form of recv(2).
inline long syscall(long number, int fd, const void* buffer, std::size_t size, int flags, std::nullptr_t,
                    std::nullptr_t) {
    if (number != SYS_recvfrom) return result(-ENOSYS);
    return recv(fd, buffer, size, flags);
}

/// As tcp_poll answers who asks for POLLRDHUP: the peer's FIN sets RCV_SHUTDOWN, the connection's end sets both.
inline int poll(::pollfd* connection, int, int) {
    return answer([=](const model::tcp_endpoint& s) -> std::int32_t {
        connection->revents = s.fin_received || s.dead ? POLLRDHUP : 0;
        return connection->revents != 0 ? 1 : 0;
    });
}

inline int shutdown(int, int) {
    return result(answer([](model::tcp_endpoint& s) { return -s.half_close(); }));
}

inline void close() {
    answer([](model::tcp_endpoint& s) {
        current->sent_reset = s.close(current->unit, current->out);
        current->closed = true;
        return 0;
    });
}

} // namespace modelled_kernel

// The shipped system-call layer once more, under another name and on the modelled kernel.
// clang-format off
#define tcp_socket tcp_socket_on_modelled_kernel
#define getsockopt modelled_kernel::getsockopt
#define setsockopt modelled_kernel::setsockopt
#define ioctl modelled_kernel::ioctl
#define poll modelled_kernel::poll
#define recv modelled_kernel::recv
#define shutdown modelled_kernel::shutdown
#define syscall modelled_kernel::syscall
#include <closeside/detail/tcp_socket.hpp>
#undef tcp_socket
#undef getsockopt
#undef setsockopt
#undef ioctl
#undef poll
#undef recv
#undef shutdown
#undef syscall
// clang-format on

namespace model {

namespace calls = closeside::detail::tcp_socket_on_modelled_kernel;

} // namespace model

#endif
