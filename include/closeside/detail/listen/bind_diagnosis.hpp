// SPDX-License-Identifier: BSL-1.0
#ifndef CLOSESIDE_DETAIL_LISTEN_BIND_DIAGNOSIS_HPP
#define CLOSESIDE_DETAIL_LISTEN_BIND_DIAGNOSIS_HPP

#include <closeside/detail/kernel/local_ports.hpp>
#include <closeside/detail/kernel/printable_text.hpp>
#include <closeside/detail/kernel/proc_net_tcp.hpp>
#include <closeside/detail/kernel/socket_holders.hpp>
#include <closeside/detail/listen/bind_options.hpp>

#include <algorithm>
#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string>
#include <utility>
#include <vector>

#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

// Why a port cannot be taken, in words for an operator. Reads /proc and tries bind(2) with other options.
namespace closeside::detail {

/// Does a listener on [::] keep IPv4 off the port, too? /proc does not show IPV6_V6ONLY; a loopback address does.
inline bool wildcard_takes_ipv4(std::uint16_t port) noexcept {
    sockaddr_in unlikely{};
    unlikely.sin_family = AF_INET;
    unlikely.sin_port = htons(port);
    unlikely.sin_addr.s_addr = htonl(0x7ffffffe); // 127.255.255.254
    return try_bind(reinterpret_cast<const sockaddr*>(&unlikely), sizeof unlikely, {.reuse_address = true}) ==
           EADDRINUSE;
}

/// Takes out what IPV6_V6ONLY, on either side, keeps out of the way.
inline void remove_other_family(const socket_address& wanted, bool v6_only, std::vector<tcp_entry>& entries) {
    if (IN6_IS_ADDR_V4MAPPED(&wanted.ip)) {
        const auto wildcard = [](const tcp_entry& e) { return IN6_IS_ADDR_UNSPECIFIED(&e.local); };
        if (std::any_of(entries.begin(), entries.end(), wildcard) && !wildcard_takes_ipv4(wanted.port))
            std::erase_if(entries, wildcard);
    } else if (IN6_IS_ADDR_UNSPECIFIED(&wanted.ip) && v6_only) {
        std::erase_if(entries, [](const tcp_entry& e) { return IN6_IS_ADDR_V4MAPPED(&e.local); });
    }
}

/// Would the listener take ours at its own address? SO_REUSEPORT on both sides and one effective uid make it so.
inline bool shares_its_port(const tcp_entry& listener, const bind_options& ours) noexcept {
    if (!ours.reuse_port || listener.uid != ::geteuid()) return false;
    const in_port_t port = htons(listener.local_port);
    const bind_options blocked_by_listeners_alone = ours.with_reuse_address();
    if (IN6_IS_ADDR_V4MAPPED(&listener.local)) {
        sockaddr_in v4{};
        v4.sin_family = AF_INET;
        v4.sin_port = port;
        std::memcpy(&v4.sin_addr, &listener.local.s6_addr[12], sizeof v4.sin_addr);
        return try_bind(reinterpret_cast<const sockaddr*>(&v4), sizeof v4, blocked_by_listeners_alone) == 0;
    }
    sockaddr_in6 v6{};
    v6.sin6_family = AF_INET6;
    v6.sin6_port = port;
    v6.sin6_addr = listener.local;
    return try_bind(reinterpret_cast<const sockaddr*>(&v6), sizeof v6, blocked_by_listeners_alone) == 0;
}

/// What wants the port: a connection has no option of SO_REUSEPORT to be given, and goes from any port.
enum class binder { acceptor, connection };

inline std::string name_of(binder who) { return who == binder::acceptor ? "this acceptor" : "this connection"; }

/// `held by 'server' (pid 7), 'sleep' (pid 9)`, and what to do about them.
inline std::string holders_text(const tcp_entry& socket) {
    constexpr std::size_t most_named = 5;
    const std::vector<socket_holder> holders = holders_of(socket.inode);
    if (holders.empty())
        return "; its process (of uid " + std::to_string(socket.uid) +
               ") cannot be seen from here: `ss -tanp` as root, outside of containers, names it";
    std::string text = ", held by ";
    for (std::size_t i = 0; i < std::min(holders.size(), most_named); ++i)
        text += (i == 0 ? "" : ", ") + detail::quoted(holders[i].command) + " (pid " + std::to_string(holders[i].pid) +
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

/// What bind(2) says to other sockets, tried one after the other.
struct bind_trials {
    bool would_do = false;      ///< with the options as they are
    bool reuse_address = false; ///< not so, but with this one set as well
    bool reuse_port = false;    ///< not so, but with this one set as well
};

inline bind_trials try_options(const sockaddr* address, std::size_t size, const bind_options& ours) noexcept {
    const auto binds = [&](const bind_options& options) { return try_bind(address, size, options) == 0; };
    if (binds(ours)) return {.would_do = true};
    return {.reuse_address = !ours.reuse_address && binds(ours.with_reuse_address()),
            .reuse_port = !ours.reuse_port && binds(ours.with_reuse_port())};
}

inline std::string listener_text(const tcp_entry& listener, const bind_options& ours, const bind_trials& tried,
                                 binder who) {
    const std::string text =
        "a live listener (socket inode " + std::to_string(listener.inode) + ") has this port" + holders_text(listener);
    if (tried.reuse_port)
        return text + "; it is bound with SO_REUSEPORT, which " + name_of(who) + " does not set" +
               (who == binder::acceptor ? ", and SO_REUSEADDR never lets two sockets listen on one port: to share the "
                                          "port, give the acceptor that option"
                                        : "");
    if (ours.reuse_port && listener.uid != ::geteuid())
        return text + "; SO_REUSEPORT shares a port among sockets of one effective uid alone: the listener is of uid " +
               std::to_string(listener.uid) + ", this acceptor of uid " + std::to_string(::geteuid());
    // Linux 4.9 binds beside a listener that has both options.
    if (tried.would_do)
        return text + "; bind(2) succeeds beside it, listen(2) does not, unless both sockets have SO_REUSEPORT";
    if (!ours.reuse_port) return text;
    return text + "; it is bound without SO_REUSEPORT, which both sockets need to share a port";
}

/// Connections have the port, and no listener is in the way.
inline std::string connections_text(const std::vector<tcp_entry>& entries, bool port_is_shared,
                                    const bind_options& ours, const bind_trials& tried, binder who) {
    long time_wait = 0, seconds_left = 0;
    const tcp_entry* held = nullptr;
    for (const tcp_entry& e : entries) {
        if (e.state == tcp_state::time_wait) ++time_wait, seconds_left = std::max(seconds_left, e.seconds_left + 1);
        if (e.inode != 0) held = &e;
    }
    const long others = static_cast<long>(entries.size()) - time_wait;
    std::string text = port_is_shared ? "what listens there shares the port" : "nothing listens there";
    text += ", but connections have the port (" + std::to_string(time_wait) + " in TIME-WAIT, " +
            std::to_string(others) + " in other states)";
    if (tried.reuse_address) return text + ", and reuse_address is off: set reuse_address = true in the policy";
    if (tried.reuse_port)
        text += "; their socket had SO_REUSEPORT without SO_REUSEADDR, and " + name_of(who) +
                " does not set SO_REUSEPORT" + (who == binder::acceptor ? ": give it that option" : "");
    else
        text += "; a socket on it was without SO_REUSEADDR, which the old and the new one both need";
    if (ours.reuse_port) text += ", and without SO_REUSEPORT of this effective uid, which would do as well";
    if (time_wait != 0) text += "; TIME-WAIT ends within " + std::to_string(seconds_left) + " s";
    if (held != nullptr)
        text += "; one is a live connection (socket inode " + std::to_string(held->inode) + ")" + holders_text(*held);
    if (const auto range = local_port_range(); range && range->contains(entries.front().local_port))
        text += "; outgoing connections may take this port, too, for it is in net.ipv4.ip_local_port_range: list it in "
                "net.ipv4.ip_local_reserved_ports";
    return text;
}

/// A socket that /proc does not show has the port.
inline std::string bound_text(const bind_options& ours, const bind_trials& tried, binder who) {
    std::string text = "a socket that is bound, but neither listens nor is connected, has this port";
    if (tried.reuse_address)
        return text + " with SO_REUSEADDR, and reuse_address is off: set reuse_address = true in the policy";
    text += tried.reuse_port ? " with SO_REUSEPORT, which " + name_of(who) + " does not set"
                             : " without SO_REUSEADDR, which both sockets need";
    if (ours.reuse_port) text += ", and without SO_REUSEPORT of this effective uid, which would do as well";
    return text + "; /proc/net/tcp does not list it, `ss -tnpB` (Linux and iproute2 6.8) does";
}

/// What the sockets on the port and the trials come to.
/** Listeners first: a bind(2) that succeeds says nothing of listen(2). */
inline std::string in_use_text(const socket_address& wanted, const bind_options& ours, const bind_trials& tried,
                               std::vector<tcp_entry> entries, binder who = binder::acceptor) {
    remove_other_family(wanted, ours.v6_only, entries);
    const auto is_shared = [&](const tcp_entry& e) { return e.state == tcp_state::listen && shares_its_port(e, ours); };
    const bool port_is_shared = std::erase_if(entries, is_shared) != 0;
    for (const tcp_entry& e : entries)
        if (e.state == tcp_state::listen) return listener_text(e, ours, tried, who);
    if (tried.would_do) return "what had the port is gone by now: try again";
    if (!entries.empty()) return connections_text(entries, port_is_shared, ours, tried, who);
    return bound_text(ours, tried, who);
}

/// Why bind(2) or listen(2) said EADDRINUSE to a socket with the options `ours`.
/** The rule is inet_bind_conflict: a port can be taken again while connections of the old socket live on, or are in
 *  TIME-WAIT, only if the old *and* the new socket have SO_REUSEADDR, and nothing listens; or, whatever listens, if
 *  both have SO_REUSEPORT and, but for TIME-WAIT, one effective uid. /proc shows no SO_BINDTODEVICE: every socket is
 *  taken for one without. */
inline std::string why_in_use(const sockaddr* address, std::size_t size, const bind_options& ours,
                              binder who = binder::acceptor) {
    const socket_address wanted(address);
    const bind_trials tried = try_options(address, size, ours);
    auto entries = tcp_entries_on(wanted); // after the trials: a listener in it is not one that made way for them
    if (!entries) return "what has the port cannot be seen, for /proc/net/tcp cannot be read";
    return in_use_text(wanted, ours, tried, std::move(*entries), who);
}

/// What an operator can do about a bind(2) or listen(2) that failed with `error`; empty if that says enough.
inline std::string why_not_bound(int error, const sockaddr* address, std::size_t size, const bind_options& ours,
                                 binder who = binder::acceptor) {
    switch (error) {
    case EADDRINUSE: return why_in_use(address, size, ours, who);
    case EADDRNOTAVAIL: return "no interface of this network namespace has the address";
    case EACCES: return "ports below net.ipv4.ip_unprivileged_port_start need CAP_NET_BIND_SERVICE";
    default: return {};
    }
}

} // namespace closeside::detail

#endif
