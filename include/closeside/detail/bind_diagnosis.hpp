// SPDX-License-Identifier: BSL-1.0
#ifndef CLOSESIDE_DETAIL_BIND_DIAGNOSIS_HPP
#define CLOSESIDE_DETAIL_BIND_DIAGNOSIS_HPP

#include <closeside/detail/owned_descriptor.hpp>
#include <closeside/detail/proc_net_tcp.hpp>
#include <closeside/detail/socket_holders.hpp>

#include <cstddef>
#include <string>
#include <vector>

#include <netinet/in.h>
#include <sys/socket.h>

namespace closeside::detail {

/// Would bind(2) succeed with these options? Nothing listens on the probe, and it is gone on return.
inline bool bind_would_succeed(const sockaddr* address, std::size_t size, bool reuse_address, bool reuse_port) {
    const owned_descriptor probe(::socket(address->sa_family, SOCK_STREAM | SOCK_CLOEXEC, IPPROTO_TCP));
    const int on = 1;
    if (!probe) return false;
    if (reuse_address) ::setsockopt(probe.get(), SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    if (reuse_port) ::setsockopt(probe.get(), SOL_SOCKET, SO_REUSEPORT, &on, sizeof on);
    return ::bind(probe.get(), address, static_cast<socklen_t>(size)) == 0;
}

inline std::string listener_text(const tcp_entry& listener, bool shares_port) {
    const std::string inode = std::to_string(listener.inode);
    std::string text = "a live listener (socket inode " + inode + ") has this port";
    const std::vector<socket_holder> holders = holders_of(listener.inode);
    if (holders.empty()) return text + "; its process cannot be seen from here (another user's or another container's)";
    bool foreign = true;
    text += ", held by ";
    for (const socket_holder& h : holders) {
        if (&h != &holders.front()) text += ", ";
        text += "'" + h.command + "' (pid " + std::to_string(h.pid) + (h.is_self ? ", this process)" : ")");
        foreign = foreign && !h.same_program;
    }
    if (foreign)
        text += ": another program. If an earlier run of this server started it, the descriptor leaked to it over "
                "fork and exec; open listeners with SOCK_CLOEXEC and stop that process";
    else if (holders.size() > 1)
        text += ": several processes share it, so it lives until the last of them closes it";
    if (shares_port)
        text += "; it is bound with SO_REUSEPORT, which this acceptor does not set, and SO_REUSEADDR never lets two "
                "sockets listen on one port";
    return text;
}

/// Why bind(2) or listen(2) said EADDRINUSE, in words for an operator. Reads /proc and tries bind(2) with other
/// options.
/** The rule is inet_bind_conflict: a port can be taken again while connections of the old socket live on, or are in
 *  TIME-WAIT, only if the old *and* the new socket have SO_REUSEADDR, and nothing listens. */
inline std::string why_in_use(const sockaddr* address, std::size_t size, bool reuse_address) {
    const std::vector<tcp_entry> entries = tcp_entries_on(address);
    const bool shares_port = bind_would_succeed(address, size, false, true);
    std::size_t time_wait = 0, others = 0;
    long seconds_left = 0;
    for (const tcp_entry& e : entries) {
        if (e.state == tcp_state::listen) return listener_text(e, shares_port);
        if (e.state == tcp_state::time_wait) {
            ++time_wait;
            if (e.seconds_left > seconds_left) seconds_left = e.seconds_left;
        } else {
            ++others;
        }
    }
    if (time_wait + others == 0)
        return shares_port
                   ? "a socket bound with SO_REUSEPORT has this port, and this acceptor does not set it"
                   : "a socket that is bound but not connected has this port, which no table of the kernel lists";

    std::string text = std::to_string(time_wait) + " connections in TIME-WAIT and " + std::to_string(others) +
                       " in other states have this port";
    if (shares_port) return text + "; their socket had SO_REUSEPORT and this acceptor does not set it";
    if (!reuse_address && bind_would_succeed(address, size, true, false))
        return text + ", and reuse_address is off: set reuse_address = true in the policy";
    text += ", and their socket did not have SO_REUSEADDR, which both the old and the new socket need";
    if (others == 0) text += "; the port is free in " + std::to_string(seconds_left) + " s";
    return text;
}

} // namespace closeside::detail

#endif
