// SPDX-License-Identifier: BSL-1.0
#ifndef CLOSESIDE_DETAIL_KERNEL_OWN_TIME_WAIT_HPP
#define CLOSESIDE_DETAIL_KERNEL_OWN_TIME_WAIT_HPP

#include <closeside/detail/kernel/sock_diag.hpp>

#include <cstring>

#include <netinet/in.h>
#include <sys/socket.h>

namespace closeside::detail {

/// An address as sock_diag has it; false if it is neither IPv4 nor IPv6.
inline bool put_address(const ::sockaddr_storage& from, __be32 (&address)[4], __be16& port) noexcept {
    if (from.ss_family == AF_INET) {
        const auto& v4 = reinterpret_cast<const ::sockaddr_in&>(from);
        std::memcpy(address, &v4.sin_addr, sizeof v4.sin_addr);
        port = v4.sin_port;
    } else if (from.ss_family == AF_INET6) {
        const auto& v6 = reinterpret_cast<const ::sockaddr_in6&>(from);
        std::memcpy(address, &v6.sin6_addr, sizeof v6.sin6_addr);
        port = v6.sin6_port;
    } else {
        return false;
    }
    return true;
}

/// Is the connection that this socket has had in TIME-WAIT here? One exchange with sock_diag, some 10 µs.
/** getpeername(2) has no answer in CLOSE; SO_PEERNAME gives the address all the same. False if nothing is told. */
inline bool is_in_time_wait(int fd) noexcept {
    constexpr int peer_name = 28; // SO_PEERNAME
    ::sockaddr_storage local{}, remote{};
    socklen_t size = sizeof local;
    // SO_PEERNAME refuses more room than it fills.
    if (::getsockname(fd, reinterpret_cast<::sockaddr*>(&local), &size) != 0 ||
        ::getsockopt(fd, SOL_SOCKET, peer_name, &remote, &size) != 0)
        return false;
    diag_request request = time_wait_request(local.ss_family, 0);
    request.header.nlmsg_flags = NLM_F_REQUEST; // this one, and not all
    inet_diag_sockid& id = request.body.id;
    id.idiag_cookie[0] = id.idiag_cookie[1] = INET_DIAG_NOCOOKIE;
    if (!put_address(local, id.idiag_src, id.idiag_sport) || !put_address(remote, id.idiag_dst, id.idiag_dport))
        return false;
    const owned_descriptor netlink = open_sock_diag();
    alignas(nlmsghdr) char answer[1024];
    if (!netlink || ::send(netlink.get(), &request, sizeof request, MSG_DONTWAIT) != sizeof request) return false;
    // The kernel answers within send(2).
    const auto n = ::recv(netlink.get(), answer, sizeof answer, MSG_DONTWAIT);
    const auto* const header = reinterpret_cast<const nlmsghdr*>(answer);
    if (n < static_cast<ssize_t>(NLMSG_LENGTH(sizeof(inet_diag_msg))) || header->nlmsg_type != SOCK_DIAG_BY_FAMILY)
        return false;
    const auto* const found = static_cast<const inet_diag_msg*>(NLMSG_DATA(header));
    return static_cast<tcp_state>(found->idiag_state) == tcp_state::time_wait;
}

} // namespace closeside::detail

#endif
