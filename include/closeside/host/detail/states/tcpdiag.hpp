// SPDX-License-Identifier: BSL-1.0
#ifndef CLOSESIDE_HOST_DETAIL_STATES_TCPDIAG_HPP
#define CLOSESIDE_HOST_DETAIL_STATES_TCPDIAG_HPP

#include <closeside/detail/kernel/owned_descriptor.hpp>
#include <closeside/host/detail/states/tcp_states.hpp>
#include <closeside/host/detail/states/time_budget.hpp>

#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <cstring>

#include <arpa/inet.h>
#include <linux/inet_diag.h>
#include <linux/netlink.h>
#include <linux/sock_diag.h>
#include <poll.h>
#include <sys/socket.h>

namespace closeside::host::detail {

struct tcpdiag_request {
    nlmsghdr header{};
    inet_diag_req body{};
};

/// The legacy request, kept for the programs of before Linux 3.3, of which one answer covers IPv4 and IPv6.
/** net/ipv4/inet_diag.c, inet_diag_dump_compat: the family becomes AF_UNSPEC, so one pass over the listening and one
 *  over the established sockets serve both, while its successor SOCK_DIAG_BY_FAMILY walks the table for each family. The
 *  source port is compared in the kernel, before a message is made. Connections that are but a request (TCP_NEW_SYN_RECV)
 *  come with SYN-RECEIVED. Sockets that are bound and no more are a state of their own since 6.8, not asked for here. */
inline tcpdiag_request all_states_request(std::uint16_t local_port, bool with_time_wait = true) noexcept {
    tcpdiag_request r;
    r.header.nlmsg_len = sizeof r;
    r.header.nlmsg_type = TCPDIAG_GETSOCK;
    r.header.nlmsg_flags = NLM_F_REQUEST | NLM_F_DUMP;
    r.body.idiag_family = AF_UNSPEC;
    r.body.idiag_states = 0xffe; // the states 1 to 11
    if (!with_time_wait) r.body.idiag_states &= ~(1u << static_cast<unsigned>(tcp_state::time_wait));
    r.body.id.idiag_sport = htons(local_port);
    return r;
}

/// What a datagram of the answer says of the rest.
enum class tcpdiag_answer : std::uint8_t { more, complete, failed };

/// Counts the sockets in one datagram; `failed` sets `error`.
inline tcpdiag_answer add_datagram(tcp_states& to, const char* data, std::size_t size, int& error) noexcept {
    while (size >= sizeof(nlmsghdr)) {
        nlmsghdr header;
        std::memcpy(&header, data, sizeof header);
        if (header.nlmsg_len < sizeof header || header.nlmsg_len > size) break;
        const char* const payload = data + NLMSG_HDRLEN;
        const std::size_t length = header.nlmsg_len - sizeof header;
        if ((header.nlmsg_flags & NLM_F_DUMP_INTR) != 0) to.interrupted = true;

        if (header.nlmsg_type == NLMSG_ERROR || header.nlmsg_type == NLMSG_DONE) {
            int status = 0; // negative errno; 0 and more at the end of a dump
            if (length >= sizeof status) std::memcpy(&status, payload, sizeof status);
            if (status >= 0 && header.nlmsg_type == NLMSG_DONE) return tcpdiag_answer::complete;
            error = status < 0 ? -status : EBADMSG;
            return tcpdiag_answer::failed;
        }
        if (header.nlmsg_type == TCPDIAG_GETSOCK) {
            if (length >= sizeof(inet_diag_msg)) {
                inet_diag_msg socket;
                std::memcpy(&socket, payload, sizeof socket);
                add(to, socket.idiag_state, socket.idiag_timer);
            } else {
                ++to.malformed;
            }
        }
        const std::size_t step = NLMSG_ALIGN(header.nlmsg_len);
        if (step >= size) return tcpdiag_answer::more;
        data += step;
        size -= step;
    }
    error = EBADMSG;
    return tcpdiag_answer::failed;
}

/// Counts with one dump; returns 0 or an errno, and sets `exact` or `stopped`. A port of 0 stands for all.
/** The kernel walks inside send and recv, until it has filled an answer, and no signal or limit of ours ends such a
 *  step: where the answers are few in a large table (a shared one, or a port), a step may be the whole walk. */
inline int count_by_tcpdiag(tcp_states& to, std::uint16_t local_port, const time_budget& budget,
                            bool with_time_wait = true) noexcept {
    const closeside::detail::owned_descriptor netlink(
        ::socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, NETLINK_SOCK_DIAG));
    if (!netlink) return errno;
    // Connected to the kernel, it takes messages from nobody else.
    sockaddr_nl kernel{};
    kernel.nl_family = AF_NETLINK;
    if (::connect(netlink.get(), reinterpret_cast<const sockaddr*>(&kernel), sizeof kernel) != 0) return errno;

    if ((to.stopped = budget.over())) return 0;
    const tcpdiag_request request = all_states_request(local_port, with_time_wait);
    if (::send(netlink.get(), &request, sizeof request, MSG_DONTWAIT) < 0) return errno;

    // The kernel fits its answers to the buffer (netlink_dump) up to 32 KiB, which brings no more speed.
    alignas(nlmsghdr) char buffer[16 * 1024];
    while (!(to.stopped = budget.over())) {
        const ssize_t n = ::recv(netlink.get(), buffer, sizeof buffer, MSG_DONTWAIT | MSG_TRUNC);
        if (n < 0 && errno == EINTR) continue;
        if (n < 0 && errno == EAGAIN) {
            ::pollfd readable{netlink.get(), POLLIN, 0};
            if (::poll(&readable, 1, budget.left()) < 0 && errno != EINTR) return errno;
            continue;
        }
        if (n < 0) return errno;
        if (n == 0 || static_cast<std::size_t>(n) > sizeof buffer) return EMSGSIZE;
        int error = 0;
        switch (add_datagram(to, buffer, static_cast<std::size_t>(n), error)) {
        case tcpdiag_answer::more: break;
        case tcpdiag_answer::failed: return error;
        case tcpdiag_answer::complete: to.exact = to.malformed == 0 && !to.interrupted; return 0;
        }
    }
    return 0;
}

} // namespace closeside::host::detail

#endif
