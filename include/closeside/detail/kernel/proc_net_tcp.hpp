// SPDX-License-Identifier: BSL-1.0
#ifndef CLOSESIDE_DETAIL_KERNEL_PROC_NET_TCP_HPP
#define CLOSESIDE_DETAIL_KERNEL_PROC_NET_TCP_HPP

#include <closeside/detail/kernel/lines_of_file.hpp>
#include <closeside/detail/kernel/own_proc.hpp>
#include <closeside/detail/kernel/owned_descriptor.hpp>
#include <closeside/detail/kernel/proc_net_tcp_row.hpp>
#include <closeside/detail/kernel/proc_reader.hpp>

#include <cstdint>
#include <cstring>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <sys/socket.h>

namespace closeside::detail {

inline bool equal(const in6_addr& a, const in6_addr& b) noexcept { return std::memcmp(&a, &b, sizeof a) == 0; }

/// Can sockets on both addresses not have the same port? The rule is ipv6_rcv_saddr_equal, IPV6_V6ONLY left aside.
inline bool overlap(const in6_addr& a, const in6_addr& b) noexcept {
    if (IN6_IS_ADDR_UNSPECIFIED(&a) || IN6_IS_ADDR_UNSPECIFIED(&b) || equal(a, b)) return true;
    if (!IN6_IS_ADDR_V4MAPPED(&a) || !IN6_IS_ADDR_V4MAPPED(&b)) return false;
    const in6_addr any = mapped(INADDR_ANY);
    return equal(a, any) || equal(b, any);
}

/// Appends the sockets with a local port; false if the table cannot be read.
inline bool append_entries(int directory, const char* table, std::uint16_t port, std::vector<tcp_entry>& out) {
    line_splitter lines;
    const auto on_line = [&](std::string_view line) {
        tcp_entry e;
        if (parse_row(line, e) && e.local_port == port) out.push_back(e);
    };
    return for_each_piece(
               directory, table, [&](std::string_view piece) { lines.add_piece(piece, on_line); },
               [] { return false; }) == 0;
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

/// All TCP sockets of this network namespace on the port whose local address overlaps; nothing if /proc is unreadable.
/** Sockets that are bound but neither listen nor are connected are in neither file. `proc` is another directory than
 *  /proc in tests. */
inline std::optional<std::vector<tcp_entry>> tcp_entries_on(const socket_address& wanted,
                                                            const std::string& proc = "/proc") {
    const owned_descriptor top = open_directory(AT_FDCWD, proc.c_str());
    const owned_descriptor net = top ? open_directory(top.get(), own_net(top.get())) : owned_descriptor();
    if (!net) return std::nullopt;
    std::vector<tcp_entry> entries;
    if (!append_entries(net.get(), "tcp", wanted.port, entries)) return std::nullopt;
    append_entries(net.get(), "tcp6", wanted.port, entries); // false: the host has no IPv6
    std::erase_if(entries, [&](const tcp_entry& e) { return !overlap(e.local, wanted.ip); });
    return entries;
}

} // namespace closeside::detail

#endif
