// SPDX-License-Identifier: BSL-1.0
#include "follow_destroyed.hpp"

#include <closeside/detail/kernel/sock_diag.hpp>

#include <cerrno>
#include <cstring>
#include <system_error>

#include <linux/sock_diag.h>

namespace check::follow {

namespace {

std::optional<end_point> end_of(std::uint8_t family, const __be32 (&address)[4], __be16 port) {
    std::uint8_t bytes[16];
    std::memcpy(bytes, address, sizeof bytes);
    return make_end_point(std::span(bytes).first(family == AF_INET6 ? 16u : 4u), ntohs(port));
}

} // namespace

std::vector<destroyed_socket> parse_destroyed(std::span<const char> datagram) {
    std::vector<destroyed_socket> found;
    while (datagram.size() >= sizeof(nlmsghdr)) {
        nlmsghdr header;
        std::memcpy(&header, datagram.data(), sizeof header);
        if (header.nlmsg_len < NLMSG_HDRLEN || header.nlmsg_len > datagram.size()) break;
        if (header.nlmsg_type == SOCK_DIAG_BY_FAMILY && header.nlmsg_len >= NLMSG_HDRLEN + sizeof(inet_diag_msg)) {
            inet_diag_msg told;
            std::memcpy(&told, datagram.data() + NLMSG_HDRLEN, sizeof told);
            const auto local = end_of(told.idiag_family, told.id.idiag_src, told.id.idiag_sport);
            const auto peer = end_of(told.idiag_family, told.id.idiag_dst, told.id.idiag_dport);
            found.push_back({std::uint64_t{told.id.idiag_cookie[1]} << 32 | told.id.idiag_cookie[0], {*local, *peer}});
        }
        const std::size_t step = NLMSG_ALIGN(header.nlmsg_len);
        if (step >= datagram.size()) break;
        datagram = datagram.subspan(step);
    }
    return found;
}

destroy_listener::destroy_listener() : netlink_(closeside::detail::open_sock_diag()) {
    const auto check = [](int result) {
        if (result != 0) throw std::system_error(errno, std::generic_category(), "sock_diag's destroy events");
    };
    check(netlink_ ? 0 : -1);
    // Messages wait here between two looks; beyond net.core.rmem_max with the right to it only.
    const int room = 32 << 20;
    if (::setsockopt(netlink_.get(), SOL_SOCKET, SO_RCVBUFFORCE, &room, sizeof room) != 0)
        ::setsockopt(netlink_.get(), SOL_SOCKET, SO_RCVBUF, &room, sizeof room);
    sockaddr_nl here{};
    here.nl_family = AF_NETLINK;
    check(::bind(netlink_.get(), reinterpret_cast<const sockaddr*>(&here), sizeof here));
    for (const int group : {SKNLGRP_INET_TCP_DESTROY, SKNLGRP_INET6_TCP_DESTROY})
        check(::setsockopt(netlink_.get(), SOL_NETLINK, NETLINK_ADD_MEMBERSHIP, &group, sizeof group));
}

void destroy_listener::read(std::vector<destroyed_socket>& into) {
    alignas(nlmsghdr) char buffer[16 * 1024];
    constexpr int most = 1 << 20; // a sender that is faster than this reads keeps nobody here
    for (int messages = 0; messages != most; ++messages) {
        sockaddr_nl from{};
        socklen_t size = sizeof from;
        const ssize_t n =
            ::recvfrom(netlink_.get(), buffer, sizeof buffer, MSG_DONTWAIT, reinterpret_cast<sockaddr*>(&from), &size);
        if (n < 0 && errno == EINTR) continue;
        if (n < 0 && errno == ENOBUFS) {
            ++overruns_;
            continue;
        }
        if (n <= 0) return;
        if (from.nl_pid != 0) continue; // not the kernel
        for (const destroyed_socket& d : parse_destroyed({buffer, static_cast<std::size_t>(n)})) into.push_back(d);
    }
}

} // namespace check::follow
