// SPDX-License-Identifier: BSL-1.0
#ifndef CLOSESIDE_DETAIL_KERNEL_PROC_NET_TCP_HPP
#define CLOSESIDE_DETAIL_KERNEL_PROC_NET_TCP_HPP

#include <closeside/detail/kernel/own_proc.hpp>
#include <closeside/detail/kernel/owned_descriptor.hpp>
#include <closeside/detail/kernel/proc_reader.hpp>
#include <closeside/detail/kernel/tcp_state.hpp>

#include <cstdint>
#include <cstdio>
#include <cstring>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <sys/socket.h>

namespace closeside::detail {

/// A row of /proc/net/tcp or /proc/net/tcp6.
struct tcp_entry {
    in6_addr local{}; ///< IPv4 as v4-mapped
    std::uint16_t local_port = 0;
    in6_addr remote{};
    std::uint16_t remote_port = 0;
    tcp_state state = tcp_state::unknown;
    unsigned uid = 0;        ///< its owner, where a descriptor holds it
    unsigned long inode = 0; ///< 0: no descriptor holds it
    long seconds_left = 0;   ///< of the running timer, e.g. of TIME-WAIT
};

inline in6_addr mapped(std::uint32_t v4_network_order) noexcept {
    in6_addr a{};
    a.s6_addr[10] = a.s6_addr[11] = 0xff;
    std::memcpy(&a.s6_addr[12], &v4_network_order, 4);
    return a;
}

inline bool equal(const in6_addr& a, const in6_addr& b) noexcept { return std::memcmp(&a, &b, sizeof a) == 0; }

/// Can sockets on both addresses not have the same port? The rule is ipv6_rcv_saddr_equal, IPV6_V6ONLY left aside.
inline bool overlap(const in6_addr& a, const in6_addr& b) noexcept {
    if (IN6_IS_ADDR_UNSPECIFIED(&a) || IN6_IS_ADDR_UNSPECIFIED(&b) || equal(a, b)) return true;
    if (!IN6_IS_ADDR_V4MAPPED(&a) || !IN6_IS_ADDR_V4MAPPED(&b)) return false;
    const in6_addr any = mapped(INADDR_ANY);
    return equal(a, any) || equal(b, any);
}

/// Addresses are printed as 32-bit words in host byte order, four of them for IPv6.
inline bool parse_address(const char* hex, in6_addr& out) noexcept {
    std::uint32_t words[4] = {};
    const std::size_t count = std::strlen(hex) / 8;
    if (count != 1 && count != 4) return false;
    for (std::size_t i = 0; i < count; ++i)
        if (std::sscanf(hex + 8 * i, "%8x", &words[i]) != 1) return false;
    if (count == 1)
        out = mapped(words[0]);
    else
        std::memcpy(&out, words, sizeof out);
    return true;
}

inline bool parse_row(const char* line, tcp_entry& e) noexcept {
    char local[33], remote[33];
    unsigned local_port, remote_port, state, timer;
    unsigned long ticks;
    const int n = std::sscanf(line, " %*d: %32[0-9A-F]:%x %32[0-9A-F]:%x %x %*x:%*x %x:%lx %*x %u %*d %lu", local,
                              &local_port, remote, &remote_port, &state, &timer, &ticks, &e.uid, &e.inode);
    if (n != 9 || !parse_address(local, e.local) || !parse_address(remote, e.remote)) return false;
    e.local_port = static_cast<std::uint16_t>(local_port);
    e.remote_port = static_cast<std::uint16_t>(remote_port);
    e.state = static_cast<tcp_state>(state);
    e.seconds_left = static_cast<long>(ticks) / 100; // clock_t ticks: USER_HZ is 100
    return true;
}

/// False where the file cannot be read.
inline bool append_entries(const char* path, std::uint16_t port, std::vector<tcp_entry>& out) {
    const std::unique_ptr<std::FILE, int (*)(std::FILE*)> file(std::fopen(path, "re"), &std::fclose);
    char line[512];
    tcp_entry e;
    while (file && std::fgets(line, sizeof line, file.get()))
        if (parse_row(line, e) && e.local_port == port) out.push_back(e);
    return file != nullptr;
}

/// An address and a port in the form of tcp_entry.
struct socket_address {
    explicit socket_address(const sockaddr* address) noexcept {
        if (address->sa_family == AF_INET6) {
            sockaddr_in6 v6;
            std::memcpy(&v6, address, sizeof v6);
            ip = v6.sin6_addr;
            port = ntohs(v6.sin6_port);
        } else {
            sockaddr_in v4;
            std::memcpy(&v4, address, sizeof v4);
            ip = mapped(v4.sin_addr.s_addr);
            port = ntohs(v4.sin_port);
        }
    }

    in6_addr ip{};
    std::uint16_t port;
};

/// All TCP sockets of this network namespace on the port whose local address overlaps; none where /proc is unreadable.
/** Sockets that are bound but neither listen nor are connected are in neither file. `proc` is another directory than
 *  /proc in tests. */
inline std::optional<std::vector<tcp_entry>> tcp_entries_on(const socket_address& wanted,
                                                            const std::string& proc = "/proc") {
    const owned_descriptor directory = open_directory(AT_FDCWD, proc.c_str());
    if (!directory) return std::nullopt;
    const std::string table = proc + "/" + own_net(directory.get()) + "/tcp";
    std::vector<tcp_entry> entries;
    if (!append_entries(table.c_str(), wanted.port, entries)) return std::nullopt;
    append_entries((table + "6").c_str(), wanted.port, entries); // none: the host has no IPv6
    std::erase_if(entries, [&](const tcp_entry& e) { return !overlap(e.local, wanted.ip); });
    return entries;
}

} // namespace closeside::detail

#endif
