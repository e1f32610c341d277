// SPDX-License-Identifier: BSL-1.0
#include "socket_table.hpp"

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <memory>
#include <optional>
#include <system_error>

#include <arpa/inet.h>
#include <linux/inet_diag.h>
#include <linux/netlink.h>
#include <linux/sock_diag.h>
#include <netinet/in.h>

namespace observation {

namespace {

constexpr const char* proc_table = "/proc/thread-self/net/tcp";

[[noreturn]] void fail(int error, const char* what = "sock_diag") {
    throw std::system_error(error, std::generic_category(), what);
}

const ::sockaddr* generic(const ::sockaddr_in& address) { return reinterpret_cast<const ::sockaddr*>(&address); }

struct request {
    nlmsghdr header{};
    inet_diag_req_v2 body{};

    request(int family, int flags, std::uint32_t states) {
        header.nlmsg_len = sizeof *this;
        header.nlmsg_type = SOCK_DIAG_BY_FAMILY;
        header.nlmsg_flags = static_cast<std::uint16_t>(NLM_F_REQUEST | flags);
        body.sdiag_family = static_cast<std::uint8_t>(family);
        body.sdiag_protocol = IPPROTO_TCP;
        body.idiag_states = states;
    }
};

void put(__be32* address, __be16& port, const ::sockaddr* from) {
    if (from->sa_family == AF_INET) {
        const auto* const v4 = reinterpret_cast<const ::sockaddr_in*>(from);
        std::memcpy(address, &v4->sin_addr, sizeof v4->sin_addr);
        port = v4->sin_port;
    } else {
        const auto* const v6 = reinterpret_cast<const ::sockaddr_in6*>(from);
        std::memcpy(address, &v6->sin6_addr, sizeof v6->sin6_addr);
        port = v6->sin6_port;
    }
}

descriptor open_sock_diag() { return descriptor(::socket(AF_NETLINK, SOCK_DGRAM | SOCK_CLOEXEC, NETLINK_SOCK_DIAG)); }

void ask(const descriptor& netlink, const request& r) {
    if (::send(netlink.get(), &r, sizeof r, 0) != sizeof r) fail(errno);
}

/// The next datagram of the answer, which the kernel has ready when send(2) returns: nothing waits here.
std::size_t receive(const descriptor& netlink, char* buffer, std::size_t room) {
    ssize_t size = -1;
    do size = ::recv(netlink.get(), buffer, room, MSG_DONTWAIT);
    while (size < 0 && errno == EINTR);
    if (size < static_cast<ssize_t>(sizeof(nlmsghdr))) fail(size < 0 ? errno : EPROTO);
    return static_cast<std::size_t>(size);
}

int error_of(const nlmsghdr* message) { return -static_cast<const nlmsgerr*>(NLMSG_DATA(message))->error; }

socket_entry entry_of(const nlmsghdr* message) {
    if (message->nlmsg_len < NLMSG_LENGTH(sizeof(inet_diag_msg))) fail(EPROTO);
    inet_diag_msg told;
    std::memcpy(&told, NLMSG_DATA(message), sizeof told);
    socket_entry entry{.state = static_cast<tcp_state>(told.idiag_state),
                       .local = {0, ntohs(told.id.idiag_sport)},
                       .remote = {0, ntohs(told.id.idiag_dport)},
                       .send_queue = told.idiag_wqueue,
                       .receive_queue = told.idiag_rqueue,
                       .timer_ms = told.idiag_expires,
                       .inode = told.idiag_inode};
    if (told.idiag_family != AF_INET) return entry;
    entry.local.address = ntohl(told.id.idiag_src[0]);
    entry.remote.address = ntohl(told.id.idiag_dst[0]);
    return entry;
}

/// What the kernel offers for a connection: with none, a listener on its port.
socket_entry look_up(const descriptor& netlink, const ::sockaddr* local, const ::sockaddr* remote) {
    request r(local->sa_family, 0, all_states);
    r.body.id.idiag_cookie[0] = r.body.id.idiag_cookie[1] = INET_DIAG_NOCOOKIE;
    put(r.body.id.idiag_src, r.body.id.idiag_sport, local);
    put(r.body.id.idiag_dst, r.body.id.idiag_dport, remote);
    ask(netlink, r);
    alignas(nlmsghdr) char answer[8192];
    receive(netlink, answer, sizeof answer);
    const auto* const message = reinterpret_cast<const nlmsghdr*>(answer);
    if (message->nlmsg_type != NLMSG_ERROR) return entry_of(message);
    if (error_of(message) == ENOENT) return {};
    fail(error_of(message));
}

std::optional<socket_entry> parse_row(const char* line) {
    unsigned local = 0, local_port = 0, remote = 0, remote_port = 0, state = 0, unsent = 0, unread = 0;
    unsigned long ticks = 0, inode = 0;
    if (std::sscanf(line, " %*d: %8x:%4x %8x:%4x %2x %8x:%8x %*2x:%8lx %*8x %*u %*d %lu", &local, &local_port, &remote,
                    &remote_port, &state, &unsent, &unread, &ticks, &inode) != 9)
        return std::nullopt;
    // The words of an address are printed in this machine's order of bytes.
    return socket_entry{.state = static_cast<tcp_state>(state),
                        .local = {ntohl(local), static_cast<std::uint16_t>(local_port)},
                        .remote = {ntohl(remote), static_cast<std::uint16_t>(remote_port)},
                        .send_queue = unsent,
                        .receive_queue = unread,
                        .timer_ms = static_cast<std::uint32_t>(ticks * 10), // USER_HZ is 100
                        .inode = static_cast<std::uint32_t>(inode)};
}

template <class Visit>
void for_each_row(Visit visit) {
    const std::unique_ptr<std::FILE, int (*)(std::FILE*)> file(std::fopen(proc_table, "re"), &std::fclose);
    if (!file) fail(errno, proc_table);
    char line[512];
    while (std::fgets(line, sizeof line, file.get()))
        if (const std::optional<socket_entry> entry = parse_row(line)) visit(*entry);
}

} // namespace

const char* to_string(table_source source) noexcept {
    return source == table_source::sock_diag ? "sock_diag" : proc_table;
}

// A kernel without tcp_diag answers ENOENT, as it does for a socket that does not exist: a socket known to exist tells.
table_source available_source() {
    const descriptor netlink = open_sock_diag();
    const descriptor listener(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
    ::sockaddr_in address = socket_address({INADDR_LOOPBACK, 0});
    socklen_t size = sizeof address;
    if (!netlink || !listener || ::bind(listener.get(), generic(address), size) != 0 ||
        ::listen(listener.get(), 1) != 0 ||
        ::getsockname(listener.get(), reinterpret_cast<::sockaddr*>(&address), &size) != 0)
        return table_source::proc;
    try {
        const ::sockaddr_in nobody = socket_address({INADDR_LOOPBACK, 1});
        const bool found = look_up(netlink, generic(address), generic(nobody)).state == tcp_state::listen;
        return found ? table_source::sock_diag : table_source::proc;
    } catch (const std::system_error&) {
        return table_source::proc;
    }
}

socket_table::socket_table(table_source source) {
    if (source == table_source::proc) return;
    netlink_ = open_sock_diag();
    if (!netlink_) fail(errno);
}

socket_entry socket_table::find(const ::sockaddr* local, const ::sockaddr* remote) const {
    if (!netlink_) fail(EOPNOTSUPP, proc_table);
    const socket_entry entry = look_up(netlink_, local, remote);
    return entry.state == tcp_state::listen ? socket_entry{} : entry;
}

socket_entry socket_table::find(endpoint local, endpoint remote) const {
    if (netlink_) {
        const ::sockaddr_in here = socket_address(local), there = socket_address(remote);
        return find(generic(here), generic(there));
    }
    socket_entry found;
    for_each_row([&](const socket_entry& entry) {
        if (entry.local == local && entry.remote == remote) found = entry;
    });
    return found;
}

std::vector<socket_entry> socket_table::all(std::uint32_t states) const {
    std::vector<socket_entry> found;
    if (!netlink_) {
        for_each_row([&](const socket_entry& entry) {
            if ((set_of(entry.state) & states) != 0) found.push_back(entry);
        });
        return found;
    }
    ask(netlink_, request(AF_INET, NLM_F_DUMP, states));
    alignas(nlmsghdr) static thread_local char buffer[32 << 10]; // the kernel puts no more into one answer
    for (;;) {
        auto left = static_cast<unsigned>(receive(netlink_, buffer, sizeof buffer));
        for (auto* part = reinterpret_cast<nlmsghdr*>(buffer); NLMSG_OK(part, left); part = NLMSG_NEXT(part, left)) {
            if (part->nlmsg_type == NLMSG_DONE) return found;
            if (part->nlmsg_type == NLMSG_ERROR) fail(error_of(part));
            found.push_back(entry_of(part));
        }
    }
}

} // namespace observation
