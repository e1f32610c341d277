// SPDX-License-Identifier: BSL-1.0
#ifndef CLOSESIDE_DETAIL_PROC_NET_TCP_HPP
#define CLOSESIDE_DETAIL_PROC_NET_TCP_HPP

#include <closeside/detail/tcp_state.hpp>

#include <cstdint>
#include <cstdio>
#include <cstring>
#include <memory>
#include <vector>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>

namespace closeside::detail {

/// A row of /proc/net/tcp or /proc/net/tcp6.
struct tcp_entry {
    in6_addr local{}; ///< IPv4 as v4-mapped
    std::uint16_t local_port = 0;
    std::uint16_t remote_port = 0;
    tcp_state state = tcp_state::unknown;
    unsigned long inode = 0; ///< 0: no descriptor holds it
    long seconds_left = 0;   ///< of the running timer, e.g. of TIME-WAIT
};

inline in6_addr mapped(std::uint32_t v4_network_order) noexcept {
    in6_addr a{};
    a.s6_addr[10] = a.s6_addr[11] = 0xff;
    std::memcpy(&a.s6_addr[12], &v4_network_order, 4);
    return a;
}

inline bool is_wildcard(const in6_addr& a) noexcept {
    const in6_addr v4_any = mapped(INADDR_ANY);
    return IN6_IS_ADDR_UNSPECIFIED(&a) || std::memcmp(&a, &v4_any, sizeof a) == 0;
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
    const int n = std::sscanf(line, " %*d: %32[0-9A-F]:%x %32[0-9A-F]:%x %x %*x:%*x %x:%lx %*x %*u %*d %lu", local,
                              &local_port, remote, &remote_port, &state, &timer, &ticks, &e.inode);
    if (n != 8 || !parse_address(local, e.local)) return false;
    e.local_port = static_cast<std::uint16_t>(local_port);
    e.remote_port = static_cast<std::uint16_t>(remote_port);
    e.state = static_cast<tcp_state>(state);
    e.seconds_left = static_cast<long>(ticks) / 100; // clock_t ticks: USER_HZ is 100
    return true;
}

inline void append_entries(const char* path, std::uint16_t port, std::vector<tcp_entry>& out) {
    const std::unique_ptr<std::FILE, int (*)(std::FILE*)> file(std::fopen(path, "re"), &std::fclose);
    char line[512];
    tcp_entry e;
    while (file && std::fgets(line, sizeof line, file.get()))
        if (parse_row(line, e) && e.local_port == port) out.push_back(e);
}

/// All TCP sockets of this network namespace on the address's port whose local address overlaps it.
inline std::vector<tcp_entry> tcp_entries_on(const sockaddr* address) {
    in6_addr wanted{};
    std::uint16_t port;
    if (address->sa_family == AF_INET6) {
        sockaddr_in6 v6;
        std::memcpy(&v6, address, sizeof v6);
        wanted = v6.sin6_addr;
        port = ntohs(v6.sin6_port);
    } else {
        sockaddr_in v4;
        std::memcpy(&v4, address, sizeof v4);
        wanted = mapped(v4.sin_addr.s_addr);
        port = ntohs(v4.sin_port);
    }
    std::vector<tcp_entry> all;
    append_entries("/proc/thread-self/net/tcp", port, all); // thread-self: a thread may have a namespace of its own
    append_entries("/proc/thread-self/net/tcp6", port, all);
    std::vector<tcp_entry> overlapping;
    for (const tcp_entry& e : all)
        if (is_wildcard(wanted) || is_wildcard(e.local) || std::memcmp(&e.local, &wanted, sizeof wanted) == 0)
            overlapping.push_back(e);
    return overlapping;
}

} // namespace closeside::detail

#endif
