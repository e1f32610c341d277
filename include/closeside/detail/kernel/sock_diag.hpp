// SPDX-License-Identifier: BSL-1.0
#ifndef CLOSESIDE_DETAIL_KERNEL_SOCK_DIAG_HPP
#define CLOSESIDE_DETAIL_KERNEL_SOCK_DIAG_HPP

#include <closeside/detail/kernel/owned_descriptor.hpp>
#include <closeside/detail/kernel/tcp_state.hpp>

#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <cstring>

#include <arpa/inet.h>
#include <linux/inet_diag.h>
#include <linux/netlink.h>
#include <linux/sock_diag.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>

// The kernel's tables of TCP sockets, of the calling thread's network namespace (sock_diag(7)).
namespace closeside::detail {

/// The request of today, for one IP version.
struct diag_request {
    nlmsghdr header{};
    inet_diag_req_v2 body{};
};

inline diag_request time_wait_request(int family, in_port_t remote_port) noexcept {
    diag_request r;
    r.header.nlmsg_len = sizeof r;
    r.header.nlmsg_type = SOCK_DIAG_BY_FAMILY;
    r.header.nlmsg_flags = NLM_F_REQUEST | NLM_F_DUMP;
    r.body.sdiag_family = static_cast<__u8>(family);
    r.body.sdiag_protocol = IPPROTO_TCP;
    r.body.idiag_states = state_bit(tcp_state::time_wait);
    r.body.id.idiag_dport = remote_port;
    return r;
}

/// The request of before Linux 3.3, kept for the programs of that time, of which one answer covers IPv4 and IPv6.
/** net/ipv4/inet_diag.c, inet_diag_dump_compat: the family becomes AF_UNSPEC, so one pass over the listening and one
 *  over the established sockets serve both, while its successor SOCK_DIAG_BY_FAMILY walks the table for each family. */
struct tcpdiag_request {
    nlmsghdr header{};
    inet_diag_req body{};
};

/// The source port is compared in the kernel, before a message is made. Connections that are but a request
/// (TCP_NEW_SYN_RECV) come with SYN-RECEIVED. Sockets that are bound and no more are a state of their own since 6.8, not
/// asked for here.
inline tcpdiag_request all_states_request(std::uint16_t local_port, bool with_time_wait = true) noexcept {
    tcpdiag_request r;
    r.header.nlmsg_len = sizeof r;
    r.header.nlmsg_type = TCPDIAG_GETSOCK;
    r.header.nlmsg_flags = NLM_F_REQUEST | NLM_F_DUMP;
    r.body.idiag_family = AF_UNSPEC;
    for (const tcp_state s : all_tcp_states) r.body.idiag_states |= state_bit(s);
    if (!with_time_wait) r.body.idiag_states &= ~state_bit(tcp_state::time_wait);
    r.body.id.idiag_sport = htons(local_port);
    return r;
}

/// How far a dump has come.
struct diag_dump {
    enum class progress : std::uint8_t { more, complete, failed, stopped };

    progress reached = progress::more;
    /// failed: an errno.
    int error = 0;
    /// The kernel says that the table changed in a way that made it lose its place (NLM_F_DUMP_INTR).
    bool interrupted = false;
    /// Messages too short for a socket.
    std::uint64_t malformed = 0;

    void fail(int with) noexcept {
        reached = progress::failed;
        error = with;
    }
};

/// Calls `visit(const inet_diag_msg&)` for each socket in one datagram of the answer to a request of that type.
template <class Visit>
void visit_datagram(diag_dump& dump, std::uint16_t type, const char* data, std::size_t size, Visit&& visit) {
    while (size >= sizeof(nlmsghdr)) {
        nlmsghdr header;
        std::memcpy(&header, data, sizeof header);
        if (header.nlmsg_len < sizeof header || header.nlmsg_len > size) break;
        const char* const payload = data + NLMSG_HDRLEN;
        const std::size_t length = header.nlmsg_len - sizeof header;
        if ((header.nlmsg_flags & NLM_F_DUMP_INTR) != 0) dump.interrupted = true;

        if (header.nlmsg_type == NLMSG_ERROR || header.nlmsg_type == NLMSG_DONE) {
            int status = 0; // negative errno; 0 and more at the end of a dump
            if (length >= sizeof status) std::memcpy(&status, payload, sizeof status);
            if (status >= 0 && header.nlmsg_type == NLMSG_DONE)
                dump.reached = diag_dump::progress::complete;
            else
                dump.fail(status < 0 ? -status : EBADMSG);
            return;
        }
        if (header.nlmsg_type == type) {
            if (length >= sizeof(inet_diag_msg)) {
                inet_diag_msg socket;
                std::memcpy(&socket, payload, sizeof socket);
                visit(socket);
            } else {
                ++dump.malformed;
            }
        }
        const std::size_t step = NLMSG_ALIGN(header.nlmsg_len);
        if (step >= size) return;
        data += step;
        size -= step;
    }
    dump.fail(EBADMSG);
}

inline owned_descriptor open_sock_diag() noexcept {
    return owned_descriptor(::socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, NETLINK_SOCK_DIAG));
}

/// Asks for a dump and visits each socket. `time_left()` gives milliseconds as poll(2) takes them; the dump stops when
/// none are left, or when the kernel is silent for so long.
/** The kernel walks inside send and recv, until it has filled an answer, and no signal or limit of ours ends such a
 *  step: where the answers are few in a large table (a shared one, or a port), a step may be the whole walk. */
template <class Request, class TimeLeft, class Visit>
diag_dump dump_sockets(const Request& request, TimeLeft time_left, Visit&& visit) {
    using progress = diag_dump::progress;
    diag_dump dump;
    const auto failed = [&] {
        dump.fail(errno);
        return dump;
    };
    const owned_descriptor netlink = open_sock_diag();
    if (!netlink) return failed();
    // Connected to the kernel, it takes messages from nobody else.
    sockaddr_nl kernel{};
    kernel.nl_family = AF_NETLINK;
    if (::connect(netlink.get(), reinterpret_cast<const sockaddr*>(&kernel), sizeof kernel) != 0) return failed();

    const auto stopped = [&] {
        if (time_left() <= 0) dump.reached = progress::stopped;
        return dump.reached == progress::stopped;
    };
    if (stopped()) return dump;
    if (::send(netlink.get(), &request, sizeof request, MSG_DONTWAIT) < 0) return failed();

    // The kernel fits its answers to the buffer (netlink_dump) up to 32 KiB, which brings no more speed.
    alignas(nlmsghdr) char buffer[16 * 1024];
    while (dump.reached == progress::more && !stopped()) {
        const ssize_t n = ::recv(netlink.get(), buffer, sizeof buffer, MSG_DONTWAIT | MSG_TRUNC);
        if (n < 0 && errno == EINTR) continue;
        if (n < 0 && errno == EAGAIN) {
            ::pollfd readable{netlink.get(), POLLIN, 0};
            const int ready = ::poll(&readable, 1, time_left());
            if (ready < 0 && errno != EINTR) return failed();
            if (ready == 0) dump.reached = progress::stopped;
            continue;
        }
        if (n < 0) return failed();
        if (n == 0 || static_cast<std::size_t>(n) > sizeof buffer)
            dump.fail(EMSGSIZE);
        else
            visit_datagram(dump, request.header.nlmsg_type, buffer, static_cast<std::size_t>(n), visit);
    }
    return dump;
}

/// Calls `visit(const inet_diag_msg&)` for every connection of this network namespace in TIME-WAIT.
/** `remote_port` in network order, or 0 for all: a filter that the kernel applies. One walk over its hash table, some
 *  0.3 µs for each socket. False if sock_diag cannot be used or is silent for a second. */
template <class Visit>
bool for_each_time_wait(int family, in_port_t remote_port, Visit visit) {
    constexpr auto a_second = [] { return 1000; };
    return dump_sockets(time_wait_request(family, remote_port), a_second, visit).reached ==
           diag_dump::progress::complete;
}

} // namespace closeside::detail

#endif
