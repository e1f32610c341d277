// SPDX-License-Identifier: BSL-1.0
#include "kernel_view.hpp"

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <memory>
#include <system_error>

#include <arpa/inet.h>
#include <linux/inet_diag.h>
#include <linux/netlink.h>
#include <linux/sock_diag.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

namespace lab::policy {

namespace {

constexpr const char* proc_table = "/proc/thread-self/net/tcp";

[[noreturn]] void fail(const char* what) { throw std::system_error(errno, std::generic_category(), what); }

socket_entry read_proc_table(port_pair ports) {
    const std::unique_ptr<std::FILE, int (*)(std::FILE*)> file(std::fopen(proc_table, "re"), &std::fclose);
    if (!file) fail(proc_table);
    char line[512];
    while (std::fgets(line, sizeof line, file.get())) {
        unsigned local = 0, remote = 0, state = 0, queued = 0;
        if (std::sscanf(line, " %*d: %*8x:%4x %*8x:%4x %2x %8x:", &local, &remote, &state, &queued) != 4) continue;
        if (local == ports.local && remote == ports.remote) return {static_cast<tcp_state>(state), queued};
    }
    return {};
}

} // namespace

const char* to_string(tcp_state state) noexcept {
    switch (state) {
    case tcp_state::none: return "none";
    case tcp_state::established: return "ESTABLISHED";
    case tcp_state::syn_sent: return "SYN-SENT";
    case tcp_state::syn_received: return "SYN-RECEIVED";
    case tcp_state::fin_wait_1: return "FIN-WAIT-1";
    case tcp_state::fin_wait_2: return "FIN-WAIT-2";
    case tcp_state::time_wait: return "TIME-WAIT";
    case tcp_state::close: return "CLOSED";
    case tcp_state::close_wait: return "CLOSE-WAIT";
    case tcp_state::last_ack: return "LAST-ACK";
    case tcp_state::listen: return "LISTEN";
    case tcp_state::closing: return "CLOSING";
    }
    return "?";
}

tcp_table::tcp_table() {
    netlink_ = ::socket(AF_NETLINK, SOCK_DGRAM | SOCK_CLOEXEC, NETLINK_SOCK_DIAG);
    if (netlink_ < 0) return;
    const timeval bound{.tv_sec = 1, .tv_usec = 0};
    ::setsockopt(netlink_, SOL_SOCKET, SO_RCVTIMEO, &bound, sizeof bound);
    if (sock_diag_works()) return;
    ::close(netlink_);
    netlink_ = -1;
}

tcp_table::~tcp_table() {
    if (netlink_ >= 0) ::close(netlink_);
}

const char* tcp_table::source() const noexcept { return netlink_ >= 0 ? "sock_diag" : proc_table; }

socket_entry tcp_table::find(port_pair ports) const {
    if (netlink_ < 0) return read_proc_table(ports);
    const std::optional<socket_entry> entry = ask_sock_diag(ports);
    if (!entry) fail("sock_diag lookup");
    // The kernel offers the listener where the connection itself is gone.
    return entry->state == tcp_state::listen ? socket_entry{} : *entry;
}

// A kernel without tcp_diag answers ENOENT, as it does for a socket that does not exist: a socket known to exist tells.
bool tcp_table::sock_diag_works() const {
    const int listener = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (listener < 0) return false;
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof address;
    auto* const generic = reinterpret_cast<sockaddr*>(&address);
    bool works = ::bind(listener, generic, size) == 0 && ::listen(listener, 1) == 0 &&
                 ::getsockname(listener, generic, &size) == 0;
    if (works) {
        const std::optional<socket_entry> entry = ask_sock_diag({ntohs(address.sin_port), 1});
        works = entry && entry->state == tcp_state::listen;
    }
    ::close(listener);
    return works;
}

std::optional<socket_entry> tcp_table::ask_sock_diag(port_pair ports) const {
    struct {
        nlmsghdr header;
        inet_diag_req_v2 body;
    } request{};
    request.header.nlmsg_len = sizeof request;
    request.header.nlmsg_type = SOCK_DIAG_BY_FAMILY;
    request.header.nlmsg_flags = NLM_F_REQUEST;
    request.body.sdiag_family = AF_INET;
    request.body.sdiag_protocol = IPPROTO_TCP;
    request.body.idiag_states = ~0u;
    request.body.id.idiag_sport = htons(ports.local);
    request.body.id.idiag_dport = htons(ports.remote);
    request.body.id.idiag_src[0] = htonl(INADDR_LOOPBACK);
    request.body.id.idiag_dst[0] = htonl(INADDR_LOOPBACK);
    request.body.id.idiag_cookie[0] = request.body.id.idiag_cookie[1] = INET_DIAG_NOCOOKIE;
    if (::send(netlink_, &request, sizeof request, 0) != sizeof request) return std::nullopt;

    alignas(nlmsghdr) char buffer[4096];
    const ssize_t size = ::recv(netlink_, buffer, sizeof buffer, 0);
    if (size < static_cast<ssize_t>(sizeof(nlmsghdr))) return std::nullopt;
    const auto* const answer = reinterpret_cast<const nlmsghdr*>(buffer);
    if (!NLMSG_OK(answer, static_cast<std::size_t>(size))) return std::nullopt;
    if (answer->nlmsg_type == NLMSG_ERROR) {
        errno = -static_cast<const nlmsgerr*>(NLMSG_DATA(answer))->error;
        return errno == ENOENT ? std::optional<socket_entry>(socket_entry{}) : std::nullopt;
    }
    if (answer->nlmsg_len < NLMSG_LENGTH(sizeof(inet_diag_msg))) return std::nullopt;
    inet_diag_msg found;
    std::memcpy(&found, NLMSG_DATA(answer), sizeof found);
    // A listener's idiag_wqueue is its backlog.
    const auto state = static_cast<tcp_state>(found.idiag_state);
    return socket_entry{state, state == tcp_state::listen ? 0 : found.idiag_wqueue};
}

} // namespace lab::policy
