// SPDX-License-Identifier: BSL-1.0
#ifndef CLOSESIDE_DETAIL_BIND_DIAGNOSIS_HPP
#define CLOSESIDE_DETAIL_BIND_DIAGNOSIS_HPP

#include <closeside/detail/owned_descriptor.hpp>
#include <closeside/detail/proc_net_tcp.hpp>
#include <closeside/detail/socket_holders.hpp>

#include <algorithm>
#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <memory>
#include <string>
#include <vector>

#include <netinet/in.h>
#include <sys/socket.h>

// Why a port cannot be taken, in words for an operator. Reads /proc and tries bind(2) with other options.
namespace closeside::detail {

/// errno of a bind(2) with these options, 0 for success. Nothing listens on the probe, and it is gone on return.
inline int try_bind(const sockaddr* address, std::size_t size, bool reuse_address, bool reuse_port) noexcept {
    const owned_descriptor probe(::socket(address->sa_family, SOCK_STREAM | SOCK_CLOEXEC, IPPROTO_TCP));
    const int on = 1;
    if (!probe) return errno;
    if (reuse_address) ::setsockopt(probe.get(), SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    if (reuse_port) ::setsockopt(probe.get(), SOL_SOCKET, SO_REUSEPORT, &on, sizeof on);
    return ::bind(probe.get(), address, static_cast<socklen_t>(size)) == 0 ? 0 : errno;
}

/// Does a listener on [::] keep IPv4 off the port, too? /proc does not show IPV6_V6ONLY; a loopback address does.
inline bool wildcard_takes_ipv4(std::uint16_t port) noexcept {
    sockaddr_in unlikely{};
    unlikely.sin_family = AF_INET;
    unlikely.sin_port = htons(port);
    unlikely.sin_addr.s_addr = htonl(0x7ffffffe); // 127.255.255.254
    return try_bind(reinterpret_cast<const sockaddr*>(&unlikely), sizeof unlikely, true, false) == EADDRINUSE;
}

/// The host's net.ipv6.bindv6only, as a new socket gets it.
inline bool new_sockets_are_v6_only() noexcept {
    const owned_descriptor probe(::socket(AF_INET6, SOCK_STREAM | SOCK_CLOEXEC, IPPROTO_TCP));
    int on = 0;
    socklen_t size = sizeof on;
    return probe && ::getsockopt(probe.get(), IPPROTO_IPV6, IPV6_V6ONLY, &on, &size) == 0 && on != 0;
}

/// Takes out what IPV6_V6ONLY, on either side, keeps out of the way.
inline void remove_other_family(const local_address& wanted, std::vector<tcp_entry>& entries) {
    if (IN6_IS_ADDR_V4MAPPED(&wanted.ip)) {
        const auto wildcard = [](const tcp_entry& e) { return IN6_IS_ADDR_UNSPECIFIED(&e.local); };
        if (std::any_of(entries.begin(), entries.end(), wildcard) && !wildcard_takes_ipv4(wanted.port))
            std::erase_if(entries, wildcard);
    } else if (IN6_IS_ADDR_UNSPECIFIED(&wanted.ip) && new_sockets_are_v6_only()) {
        std::erase_if(entries, [](const tcp_entry& e) { return IN6_IS_ADDR_V4MAPPED(&e.local); });
    }
}

inline bool is_ephemeral(std::uint16_t port) {
    const std::unique_ptr<std::FILE, int (*)(std::FILE*)> file(
        std::fopen("/proc/sys/net/ipv4/ip_local_port_range", "re"), &std::fclose);
    unsigned low = 0, high = 0;
    return file && std::fscanf(file.get(), "%u %u", &low, &high) == 2 && low <= port && port <= high;
}

/// `held by 'server' (pid 7), 'sleep' (pid 9)`, and what to do about them.
inline std::string holders_text(const tcp_entry& socket) {
    constexpr std::size_t most_named = 5;
    const std::vector<socket_holder> holders = holders_of(socket.inode);
    if (holders.empty())
        return "; its process (of uid " + std::to_string(socket.uid) +
               ") cannot be seen from here: `ss -tanp` as root, outside of containers, names it";
    std::string text = ", held by ";
    for (std::size_t i = 0; i < std::min(holders.size(), most_named); ++i)
        text += (i == 0 ? "'" : ", '") + holders[i].command + "' (pid " + std::to_string(holders[i].pid) +
                (holders[i].is_self ? ", this process)" : ")");
    if (holders.size() > most_named) text += " and " + std::to_string(holders.size() - most_named) + " more";

    const auto is_self = [](const socket_holder& h) { return h.is_self; };
    const auto is_ours = [](const socket_holder& h) { return h.same_program; };
    if (holders.size() > 1) text += ", which share it: it lives until the last of them closes it";
    if (std::none_of(holders.begin(), holders.end(), is_ours))
        return text + ". That is another program: stop it, or choose another port. If a run of this server started "
                      "it, the descriptor leaked to it over fork and exec, for want of SOCK_CLOEXEC";
    if (!std::all_of(holders.begin(), holders.end(), is_ours))
        return text + ". Some are other programs, to which the descriptor leaked over fork and exec, for want of "
                      "SOCK_CLOEXEC: stop them";
    if (holders.size() > 1) return text;
    return std::any_of(holders.begin(), holders.end(), is_self)
               ? text + ": this program has it open already"
               : text + ": another process of this program, to be stopped first";
}

inline std::string listener_text(const tcp_entry& listener, bool shares_port) {
    std::string text =
        "a live listener (socket inode " + std::to_string(listener.inode) + ") has this port" + holders_text(listener);
    if (shares_port)
        text += "; it is bound with SO_REUSEPORT, which this acceptor does not set, and SO_REUSEADDR never lets two "
                "sockets listen on one port";
    return text;
}

/// Connections have the port, and nothing listens.
inline std::string connections_text(const std::vector<tcp_entry>& entries, const sockaddr* address, std::size_t size,
                                    bool reuse_address, bool shares_port) {
    long time_wait = 0, seconds_left = 0;
    const tcp_entry* held = nullptr;
    for (const tcp_entry& e : entries) {
        if (e.state == tcp_state::time_wait) ++time_wait, seconds_left = std::max(seconds_left, e.seconds_left + 1);
        if (e.inode != 0) held = &e;
    }
    const long others = static_cast<long>(entries.size()) - time_wait;
    std::string text = "nothing listens there, but connections have the port (" + std::to_string(time_wait) +
                       " in TIME-WAIT, " + std::to_string(others) + " in other states)";
    if (!reuse_address && try_bind(address, size, true, false) == 0)
        return text + ", and reuse_address is off: set reuse_address = true in the policy";
    if (shares_port)
        text += "; their socket had SO_REUSEPORT without SO_REUSEADDR, and this acceptor does not set SO_REUSEPORT";
    else
        text += "; a socket on it was without SO_REUSEADDR, which the old and the new one both need";
    if (time_wait != 0) text += "; TIME-WAIT ends within " + std::to_string(seconds_left) + " s";
    if (held != nullptr)
        text += "; one is a live connection (socket inode " + std::to_string(held->inode) + ")" + holders_text(*held);
    if (is_ephemeral(entries.front().local_port))
        text += "; outgoing connections may take this port, too, for it is in net.ipv4.ip_local_port_range: list it in "
                "net.ipv4.ip_local_reserved_ports";
    return text;
}

/// Why bind(2) or listen(2) said EADDRINUSE.
/** The rule is inet_bind_conflict: a port can be taken again while connections of the old socket live on, or are in
 *  TIME-WAIT, only if the old *and* the new socket have SO_REUSEADDR, and nothing listens. */
inline std::string why_in_use(const sockaddr* address, std::size_t size, bool reuse_address) {
    const local_address wanted(address);
    auto entries = tcp_entries_on(wanted);
    if (!entries) return "what has the port cannot be seen, for /proc/net/tcp cannot be read";
    remove_other_family(wanted, *entries);
    const bool shares_port = try_bind(address, size, false, true) == 0;
    for (const tcp_entry& e : *entries)
        if (e.state == tcp_state::listen) return listener_text(e, shares_port);
    if (try_bind(address, size, reuse_address, false) == 0) return "what had the port is gone by now: try again";
    if (!entries->empty()) return connections_text(*entries, address, size, reuse_address, shares_port);
    std::string text = "a socket that is bound, but neither listens nor is connected, has this port";
    if (!reuse_address && try_bind(address, size, true, false) == 0)
        return text + " with SO_REUSEADDR, and reuse_address is off: set reuse_address = true in the policy";
    text += shares_port ? " with SO_REUSEPORT, which this acceptor does not set"
                        : " without SO_REUSEADDR, which both sockets need";
    return text + "; /proc/net/tcp does not list it, `ss -tnpB` (Linux and iproute2 6.8) does";
}

} // namespace closeside::detail

#endif
