// SPDX-License-Identifier: BSL-1.0
#include "socket_table.hpp"

#include <cerrno>
#include <cstring>
#include <system_error>

#include <arpa/inet.h>
#include <linux/inet_diag.h>
#include <linux/netlink.h>
#include <linux/sock_diag.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/time.h>

namespace lab {

namespace {

[[noreturn]] void fail(int error) { throw std::system_error(error, std::generic_category(), "sock_diag"); }

void ask(int netlink, std::uint32_t states) {
    struct {
        nlmsghdr header;
        inet_diag_req_v2 body;
    } request{};
    request.header.nlmsg_len = sizeof request;
    request.header.nlmsg_type = SOCK_DIAG_BY_FAMILY;
    request.header.nlmsg_flags = NLM_F_REQUEST | NLM_F_DUMP;
    request.body.sdiag_family = AF_INET;
    request.body.sdiag_protocol = IPPROTO_TCP;
    request.body.idiag_states = states;
    if (::send(netlink, &request, sizeof request, 0) != sizeof request) fail(errno);
}

socket_entry entry_of(const inet_diag_msg& told) {
    return {.state = static_cast<tcp_state>(told.idiag_state),
            .local = {ntohl(told.id.idiag_src[0]), ntohs(told.id.idiag_sport)},
            .remote = {ntohl(told.id.idiag_dst[0]), ntohs(told.id.idiag_dport)},
            .send_queue = told.idiag_wqueue,
            .receive_queue = told.idiag_rqueue,
            .timer_ms = told.idiag_expires,
            .inode = told.idiag_inode};
}

} // namespace

const char* to_string(tcp_state state) noexcept {
    switch (state) {
    case tcp_state::established: return "ESTABLISHED";
    case tcp_state::syn_sent: return "SYN-SENT";
    case tcp_state::syn_received: return "SYN-RECEIVED";
    case tcp_state::fin_wait_1: return "FIN-WAIT-1";
    case tcp_state::fin_wait_2: return "FIN-WAIT-2";
    case tcp_state::time_wait: return "TIME-WAIT";
    case tcp_state::closed: return "CLOSED";
    case tcp_state::close_wait: return "CLOSE-WAIT";
    case tcp_state::last_ack: return "LAST-ACK";
    case tcp_state::listen: return "LISTEN";
    case tcp_state::closing: return "CLOSING";
    }
    return "?";
}

std::vector<socket_entry> tcp_sockets(const host& h, std::uint32_t states) {
    const inside here(h);
    const descriptor netlink(::socket(AF_NETLINK, SOCK_DGRAM | SOCK_CLOEXEC, NETLINK_SOCK_DIAG));
    if (!netlink) fail(errno);
    const timeval bound{.tv_sec = 5, .tv_usec = 0};
    ::setsockopt(netlink.get(), SOL_SOCKET, SO_RCVTIMEO, &bound, sizeof bound);
    ask(netlink.get(), states);

    std::vector<socket_entry> found;
    alignas(nlmsghdr) static thread_local char buffer[32 << 10];
    for (;;) {
        const ssize_t size = ::recv(netlink.get(), buffer, sizeof buffer, 0);
        if (size < 0 && errno == EINTR) continue;
        if (size <= 0) fail(size < 0 ? errno : EPROTO);
        auto left = static_cast<unsigned>(size);
        for (auto* part = reinterpret_cast<nlmsghdr*>(buffer); NLMSG_OK(part, left); part = NLMSG_NEXT(part, left)) {
            if (part->nlmsg_type == NLMSG_DONE) return found;
            if (part->nlmsg_type == NLMSG_ERROR) fail(-static_cast<const nlmsgerr*>(NLMSG_DATA(part))->error);
            inet_diag_msg told;
            std::memcpy(&told, NLMSG_DATA(part), sizeof told);
            found.push_back(entry_of(told));
        }
    }
}

std::size_t count(const host& h, tcp_state state) { return tcp_sockets(h, 1u << static_cast<unsigned>(state)).size(); }

} // namespace lab
