// SPDX-License-Identifier: BSL-1.0
#ifndef CLOSESIDE_TESTS_SUPPORT_SOCK_DIAG_HPP
#define CLOSESIDE_TESTS_SUPPORT_SOCK_DIAG_HPP

#include <cerrno>
#include <chrono>
#include <cstdint>
#include <cstring>
#include <stdexcept>
#include <string>
#include <thread>

#include <linux/inet_diag.h>
#include <linux/netlink.h>
#include <linux/sock_diag.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

// What the kernel says of a connection, asked of sock_diag and not of the library under test.
namespace kernel_view {

inline constexpr int none = 0, established = 1, syn_sent = 2, syn_received = 3, fin_wait1 = 4, fin_wait2 = 5,
                     time_wait = 6, closed = 7, close_wait = 8, last_ack = 9, closing = 11;

struct entry {
    int state = none; ///< none: the kernel knows no such connection
    std::uint32_t inode = 0;
    std::uint32_t timer_ms = 0;
};

/// The entry of one end of a connection, IPv4 or IPv6: its own endpoint first.
inline entry find(const ::sockaddr* local, const ::sockaddr* remote) {
    struct {
        nlmsghdr header;
        inet_diag_req_v2 request;
    } message{};
    message.header.nlmsg_len = sizeof message;
    message.header.nlmsg_type = SOCK_DIAG_BY_FAMILY;
    message.header.nlmsg_flags = NLM_F_REQUEST;
    inet_diag_req_v2& r = message.request;
    r.sdiag_family = static_cast<std::uint8_t>(local->sa_family);
    r.sdiag_protocol = IPPROTO_TCP;
    r.idiag_states = ~0u;
    r.id.idiag_cookie[0] = r.id.idiag_cookie[1] = INET_DIAG_NOCOOKIE;
    const auto put = [](__be32* address, __be16& port, const ::sockaddr* from) {
        if (from->sa_family == AF_INET) {
            const auto* const v4 = reinterpret_cast<const ::sockaddr_in*>(from);
            std::memcpy(address, &v4->sin_addr, sizeof v4->sin_addr);
            port = v4->sin_port;
        } else {
            const auto* const v6 = reinterpret_cast<const ::sockaddr_in6*>(from);
            std::memcpy(address, &v6->sin6_addr, sizeof v6->sin6_addr);
            port = v6->sin6_port;
        }
    };
    put(r.id.idiag_src, r.id.idiag_sport, local);
    put(r.id.idiag_dst, r.id.idiag_dport, remote);

    const int fd = ::socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_SOCK_DIAG);
    if (fd < 0) throw std::runtime_error("sock_diag: no netlink socket");
    alignas(nlmsghdr) char answer[8192];
    const bool sent = ::send(fd, &message, sizeof message, 0) == static_cast<ssize_t>(sizeof message);
    const ssize_t n = sent ? ::recv(fd, answer, sizeof answer, 0) : -1;
    ::close(fd);
    if (n < static_cast<ssize_t>(sizeof(nlmsghdr))) throw std::runtime_error("sock_diag: no answer");
    const auto* header = reinterpret_cast<const nlmsghdr*>(answer);
    if (header->nlmsg_type == NLMSG_ERROR) {
        const int error = -static_cast<const nlmsgerr*>(NLMSG_DATA(header))->error;
        if (error == ENOENT) return {};
        throw std::runtime_error(std::string("sock_diag: ") + std::strerror(error));
    }
    const auto* found = static_cast<const inet_diag_msg*>(NLMSG_DATA(header));
    // An exact lookup falls back to a listener on the port.
    if (found->idiag_state == 10) return {};
    return {found->idiag_state, found->idiag_inode, found->idiag_expires};
}

/// Polls until `condition` holds; false after `limit`.
template <class Condition>
bool eventually(Condition condition, std::chrono::milliseconds limit = std::chrono::seconds(5)) {
    const auto end = std::chrono::steady_clock::now() + limit;
    while (!condition()) {
        if (std::chrono::steady_clock::now() > end) return false;
        std::this_thread::yield();
    }
    return true;
}

} // namespace kernel_view

#endif
