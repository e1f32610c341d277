// SPDX-License-Identifier: BSL-1.0
#ifndef CLOSESIDE_DETAIL_CONNECT_IMPL_CONNECT_DIAGNOSIS_IPP
#define CLOSESIDE_DETAIL_CONNECT_IMPL_CONNECT_DIAGNOSIS_IPP

#include <closeside/detail/connect/connect_diagnosis.hpp>
#include <closeside/detail/kernel/local_ports.hpp>
#include <closeside/detail/kernel/owned_descriptor.hpp>
#include <closeside/detail/kernel/proc_net_tcp.hpp>
#include <closeside/detail/kernel/sock_diag.hpp>
#include <closeside/detail/listen/bind_diagnosis.hpp>
#include <closeside/detail/listen/endpoint_text.hpp>
#include <closeside/error.hpp>

#include <cstddef>
#include <cstring>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <linux/inet_diag.h>
#include <netinet/in.h>
#include <sys/socket.h>

namespace closeside::detail::inline CLOSESIDE_BACKEND {

inline in6_addr remote_address(const inet_diag_msg& m) noexcept {
    if (m.idiag_family == AF_INET) return mapped(m.id.idiag_dst[0]);
    in6_addr a;
    std::memcpy(&a, m.id.idiag_dst, sizeof a);
    return a;
}

/// How many connections to the destination are in TIME-WAIT here; empty if the kernel does not say.
inline std::optional<std::size_t> time_waits_to(const asio::ip::tcp::endpoint& to) {
    const socket_address wanted(to.data());
    std::size_t count = 0;
    const auto add = [&](const inet_diag_msg& m) { count += equal(remote_address(m), wanted.ip) ? 1 : 0; };
    bool told = for_each_time_wait(AF_INET6, htons(wanted.port), add); // v4-mapped ones as well
    if (IN6_IS_ADDR_V4MAPPED(&wanted.ip)) told = for_each_time_wait(AF_INET, htons(wanted.port), add);
    return told ? std::optional(count) : std::nullopt;
}

/// The socket of this network namespace that has the 4-tuple; empty if there is no such socket.
inline std::optional<tcp_entry> find_connection(const std::vector<tcp_entry>& entries, const socket_address& local,
                                                const socket_address& remote) noexcept {
    for (const tcp_entry& e : entries)
        if (equal(e.local, local.ip) && equal(e.remote, remote.ip) && e.remote_port == remote.port) return e;
    return std::nullopt;
}

CLOSESIDE_DECL std::string why_connection_exists(const asio::ip::tcp::endpoint& local,
                                                 const asio::ip::tcp::endpoint& remote) {
    const asio::ip::tcp::endpoint from(source_address(remote, local).value_or(local.address()), local.port());
    const socket_address wanted(from.data());
    const auto entries = tcp_entries_on(wanted);
    const std::string pair = "from " + endpoint_text(from) + " to " + endpoint_text(remote);
    if (!entries) return "a connection " + pair + " cannot be looked for, for /proc/net/tcp cannot be read";
    const auto found = find_connection(*entries, wanted, socket_address(remote.data()));
    if (!found) return "the connection " + pair + " that was in the way is gone by now: try again";
    if (found->state == tcp_state::time_wait) // tcp_twsk_unique takes it over only by its timestamps
        return "the last connection " + pair + " is in TIME-WAIT, for " + std::to_string(found->seconds_left + 1) +
               " s at most: " + other_port +
               "; a policy under which the peer closes first leaves TIME-WAIT to the peer, and with "
               "net.ipv4.tcp_timestamps on at both ends the kernel takes such a connection over";
    if (found->inode == 0)
        return "the last connection " + pair + " is not over, though no process holds it any more: " + other_port;
    return "there is a connection " + pair + " already (socket inode " + std::to_string(found->inode) + ")" +
           holders_text(*found) + "; " + other_port;
}

CLOSESIDE_DECL std::string ports_text(const asio::ip::tcp::endpoint& to) {
    std::string text = "net.ipv4.ip_local_port_range ";
    if (const auto range = local_port_range())
        text += "is " + std::to_string(range->low) + "-" + std::to_string(range->high) + ", " +
                std::to_string(range->size()) + " ports";
    else
        text += "is unknown";
    const auto time_waits = time_waits_to(to);
    return text + ", " + (time_waits ? std::to_string(*time_waits) : "an unknown number") + " in TIME-WAIT to " +
           endpoint_text(to);
}

CLOSESIDE_DECL std::string why_not_connected(const connect_failure& failure, const asio::ip::tcp::endpoint& remote,
                                             const local_endpoint& local, const close_policy& p) {
    if (failure.code == make_error_code(error::ports_exhausted)) return ports_text(remote);
    if (failure.call == std::string_view("bind") && local) {
        const owned_descriptor probe(::socket(local->protocol().family(), SOCK_STREAM | SOCK_CLOEXEC, IPPROTO_TCP));
        bind_options ours = bind_options_of(probe.get());
        ours.reuse_address = p.reuse_address;
        const std::string why =
            why_not_bound(failure.code.value(), local->data(), local->size(), ours, binder::connection);
        return "bind: " + why + (failure.code == asio::error::address_in_use ? std::string("; ") + other_port : "");
    }
    if (!is_about_ports(failure.code)) return {};
    if (!source_address(remote, local)) return "no interface of this network namespace has an address to come from";
    return has_fixed_port(local) ? why_connection_exists(*local, remote) : std::string();
}

CLOSESIDE_DECL std::string connect_failure_text(const connect_failure& failure, const asio::ip::tcp::endpoint& remote,
                                                const local_endpoint& local, const close_policy& p) {
    const std::string why = why_not_connected(failure, remote, local, p);
    return "connect " + endpoint_text(remote) + (local ? " from " + endpoint_text(*local) : "") +
           (why.empty() ? "" : ": " + why);
}

} // namespace closeside::detail::inline CLOSESIDE_BACKEND

#endif
