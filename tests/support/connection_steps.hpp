// SPDX-License-Identifier: BSL-1.0
#ifndef CLOSESIDE_TESTS_SUPPORT_CONNECTION_STEPS_HPP
#define CLOSESIDE_TESTS_SUPPORT_CONNECTION_STEPS_HPP

#include "support/kernel_view.hpp"
#include "support/loopback_tcp.hpp"
#include "support/tcp_info.hpp"

#include <algorithm>
#include <cerrno>
#include <cstddef>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include <linux/errqueue.h>
#include <linux/filter.h>
#include <linux/net_tstamp.h>
#include <linux/sockios.h>
#include <poll.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

// How connections come to be what they are: for the body of in_own_network, once the loopback interface is up.
namespace tests {

/// The two ends of a connection, as plain descriptors. `ours` is the one to be looked at.
struct ends {
    descriptor ours{-1}, theirs{-1};
    descriptor copy{-1}; ///< another one on our socket
    ::sockaddr_in here = loopback_tcp::at(0), there = here;
    bool connecting = true; ///< we connect, the peer accepts
};

/// One thing that happens to a connection; returns when it has happened.
struct step {
    constexpr step(const char* what, void (*how)(ends&)) : name(what), happen(how) {}

    const char* name;
    void (*happen)(ends&);
};

using steps = std::vector<step>;

inline bool has(const steps& all, const step& one) {
    return std::any_of(all.begin(), all.end(), [&](const step& s) { return s.happen == one.happen; });
}

inline std::string name_of(const steps& all) {
    std::string text;
    for (const step& s : all) text += (text.empty() ? "" : ", ") + std::string(s.name);
    return text.empty() ? "nothing" : text;
}

inline int ioctl_value(int fd, unsigned long request) {
    int value = 0;
    checked(::ioctl(fd, request, &value), "ioctl");
    return value;
}

inline void set(const descriptor& d, int level, int option, int value) {
    checked(::setsockopt(d.get(), level, option, &value, sizeof value), "setsockopt");
}

inline ::sockaddr_in address_of(const descriptor& d, decltype(::getsockname)* call = ::getsockname) {
    ::sockaddr_in a{};
    socklen_t size = sizeof a;
    checked(call(d.get(), reinterpret_cast<::sockaddr*>(&a), &size), "address of a socket");
    return a;
}

template <class Condition>
void await(const char* what, Condition condition) {
    if (!kernel_view::eventually(condition)) throw std::runtime_error(std::string("never came: ") + what);
}

inline kernel_view::tcp_state state_of(const descriptor& d) {
    return static_cast<kernel_view::tcp_state>(tcp_information(d.get()).tcpi_state);
}
inline short polled(const descriptor& d, short events) {
    ::pollfd p{d.get(), events, 0};
    ::poll(&p, 1, 0);
    return p.revents;
}

/// A socket filter that drops every segment which arrives, or none: loss without privileges.
inline void hear(const descriptor& d, bool everything) {
    ::sock_filter length[] = {BPF_STMT(BPF_RET | BPF_K, everything ? ~0u : 0u)};
    const ::sock_fprog program{1, length};
    checked(::setsockopt(d.get(), SOL_SOCKET, SO_ATTACH_FILTER, &program, sizeof program), "SO_ATTACH_FILTER");
}

inline descriptor new_socket(int flags = 0, int protocol = 0) {
    return descriptor(checked(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | flags, protocol), "socket"));
}

/// Has a port that the kernel chose, and refuses whoever connects to it.
inline descriptor bound_socket(int protocol = 0) {
    descriptor d = new_socket(0, protocol);
    const auto any = loopback_tcp::at(0);
    checked(::bind(d.get(), loopback_tcp::generic(any), sizeof any), "bind");
    return d;
}

inline descriptor new_listener(int protocol = 0) {
    descriptor d = bound_socket(protocol);
    checked(::listen(d.get(), 4), "listen");
    return d;
}

inline int connect_to(const descriptor& d, const ::sockaddr_in& to) {
    return ::connect(d.get(), loopback_tcp::generic(to), sizeof to) == 0 ? 0 : errno;
}

inline ends new_connection(bool connecting, int protocol = 0) {
    const descriptor listener = new_listener(protocol);
    ends e;
    e.connecting = connecting;
    descriptor& client = connecting ? e.ours : e.theirs;
    client = new_socket(0, protocol);
    checked(-connect_to(client, address_of(listener)), "connect");
    (connecting ? e.theirs : e.ours) =
        descriptor(checked(::accept4(listener.get(), nullptr, nullptr, SOCK_CLOEXEC), "accept4"));
    e.here = address_of(e.ours);
    e.there = address_of(e.ours, ::getpeername);
    return e;
}

/// connect(2) to no address; 0 or errno.
inline int disconnect(const descriptor& d) {
    const ::sockaddr unspecified{};
    return ::connect(d.get(), &unspecified, sizeof unspecified) == 0 ? 0 : errno;
}

inline void close_with_reset(descriptor& d) {
    const ::linger abort{1, 0};
    checked(::setsockopt(d.get(), SOL_SOCKET, SO_LINGER, &abort, sizeof abort), "SO_LINGER");
    d.close();
}

inline constexpr int short_timeout = 50; // milliseconds

// What the peer does.

inline constexpr step input("input", [](ends& e) {
    const auto before = tcp_information(e.ours.get()).tcpi_bytes_received;
    checked(static_cast<int>(::send(e.theirs.get(), "12345", 5, MSG_NOSIGNAL)), "send");
    await("input", [&] { return tcp_information(e.ours.get()).tcpi_bytes_received == before + 5; });
});
inline constexpr step urgent_input("urgent byte", [](ends& e) {
    checked(static_cast<int>(::send(e.theirs.get(), "!", 1, MSG_OOB | MSG_NOSIGNAL)), "send");
    await("urgent byte", [&] { return polled(e.ours, POLLPRI) != 0; });
});
inline constexpr step peer_fin("peer's FIN", [](ends& e) {
    const auto before = state_of(e.ours);
    checked(::shutdown(e.theirs.get(), SHUT_WR), "shutdown");
    await("peer's FIN", [&] { return state_of(e.ours) != before; });
});
inline constexpr step over("CLOSE",
                           [](ends& e) { await("CLOSE", [&] { return state_of(e.ours) == kernel_view::close; }); });
inline constexpr step peer_rst("peer's RST", [](ends& e) {
    close_with_reset(e.theirs);
    over.happen(e);
});
inline constexpr step refused_input("input that we answer with RST", [](ends& e) {
    checked(static_cast<int>(::send(e.theirs.get(), "12345", 5, MSG_NOSIGNAL)), "send");
    over.happen(e);
});
inline constexpr step deaf("peer hears nothing", [](ends& e) { hear(e.theirs, false); });
inline constexpr step hears("peer hears again", [](ends& e) { hear(e.theirs, true); });
inline constexpr step acknowledged("all acknowledged", [](ends& e) {
    await("acknowledgement", [&] {
        // A delayed one is sent at once.
        set(e.theirs, IPPROTO_TCP, TCP_QUICKACK, 1);
        return ioctl_value(e.ours.get(), SIOCOUTQ) == 0;
    });
});
inline constexpr step starved("peer hears nothing, TCP_USER_TIMEOUT", [](ends& e) {
    set(e.ours, IPPROTO_TCP, TCP_USER_TIMEOUT, short_timeout);
    deaf.happen(e);
});

// What the program does.

inline constexpr step writes("7 bytes written", [](ends& e) {
    checked(static_cast<int>(::send(e.ours.get(), "1234567", 7, MSG_NOSIGNAL)), "send");
});
inline constexpr step fills("send queue filled", [](ends& e) {
    const std::vector<char> data(1 << 16);
    await("a full send queue and a peer without room", [&] {
        while (::send(e.ours.get(), data.data(), data.size(), MSG_DONTWAIT | MSG_NOSIGNAL) > 0) {
        }
        return ioctl_value(e.ours.get(), SIOCOUTQNSD) > 0 && tcp_information(e.ours.get()).tcpi_unacked == 0;
    });
});
inline constexpr step reads("read", [](ends& e) {
    char data[16];
    [[maybe_unused]] const auto n = ::recv(e.ours.get(), data, sizeof data, MSG_DONTWAIT);
});
inline constexpr step reads_urgent("MSG_OOB read", [](ends& e) {
    char byte;
    checked(static_cast<int>(::recv(e.ours.get(), &byte, 1, MSG_OOB)), "recv");
});
inline constexpr step write_fails("failed write", [](ends& e) {
    if (::send(e.ours.get(), "1", 1, MSG_DONTWAIT | MSG_NOSIGNAL) != -1) throw std::runtime_error("a write succeeded");
});
inline constexpr step takes_error("SO_ERROR taken", [](ends& e) {
    int error = 0;
    socklen_t size = sizeof error;
    checked(::getsockopt(e.ours.get(), SOL_SOCKET, SO_ERROR, &error, &size), "SO_ERROR");
});
inline constexpr step half_close("SHUT_WR", [](ends& e) { checked(::shutdown(e.ours.get(), SHUT_WR), "SHUT_WR"); });
inline constexpr step stops_reading("SHUT_RD", [](ends& e) { checked(::shutdown(e.ours.get(), SHUT_RD), "SHUT_RD"); });
inline constexpr step shared("dup", [](ends& e) { e.copy = descriptor(checked(::dup(e.ours.get()), "dup")); });
inline constexpr step time_stamp("time stamp in the error queue", [](ends& e) {
    set(e.ours, SOL_SOCKET, SO_TIMESTAMPING,
        SOF_TIMESTAMPING_TX_SOFTWARE | SOF_TIMESTAMPING_SOFTWARE | SOF_TIMESTAMPING_OPT_TSONLY);
    writes.happen(e);
    await("time stamp", [&] { return polled(e.ours, 0) != 0; });
});

// What makes a socket that is no connection, or not yet.

inline void begin_to_connect(ends& e, descriptor to) {
    e.theirs = std::move(to);
    e.there = address_of(e.theirs);
    connect_to(e.ours, e.there);
    e.here = address_of(e.ours);
}
inline descriptor deaf_listener() {
    descriptor listener = new_listener();
    hear(listener, false);
    return listener;
}

inline constexpr step unconnected("never connected", [](ends& e) { e.ours = new_socket(SOCK_NONBLOCK); });
inline constexpr step connects_to_deaf("connect under way", [](ends& e) {
    unconnected.happen(e);
    begin_to_connect(e, deaf_listener());
});
inline constexpr step connect_times_out("connect timed out", [](ends& e) {
    unconnected.happen(e);
    set(e.ours, IPPROTO_TCP, TCP_USER_TIMEOUT, short_timeout);
    set(e.ours, IPPROTO_TCP, TCP_SYNCNT, 1); // what counts before Linux 4.20
    begin_to_connect(e, deaf_listener());
});
inline constexpr step connect_refused("connect refused", [](ends& e) {
    unconnected.happen(e);
    begin_to_connect(e, bound_socket());
    over.happen(e);
});
/// 519: for both sides, without cookies.
inline constexpr const char* fast_open_sysctl = "519";
inline constexpr step fast_open("accepted by TCP Fast Open, SYN-ACK not heard", [](ends& e) {
    const descriptor listener = new_listener();
    set(listener, IPPROTO_TCP, TCP_FASTOPEN, 5);
    e.connecting = false;
    e.theirs = new_socket(SOCK_NONBLOCK);
    deaf.happen(e);
    const auto to = address_of(listener);
    ::sendto(e.theirs.get(), "12345", 5, MSG_FASTOPEN | MSG_NOSIGNAL, loopback_tcp::generic(to), sizeof to);
    await("connection by TCP Fast Open", [&] { return polled(listener, POLLIN) != 0; });
    e.ours = descriptor(checked(::accept4(listener.get(), nullptr, nullptr, SOCK_CLOEXEC), "accept4"));
    e.here = address_of(e.ours);
    e.there = address_of(e.ours, ::getpeername);
});
inline constexpr step established("ESTABLISHED", [](ends& e) {
    await("ESTABLISHED", [&] { return state_of(e.ours) == kernel_view::established; });
});

} // namespace tests

#endif
