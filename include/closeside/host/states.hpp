// SPDX-License-Identifier: BSL-1.0
#ifndef CLOSESIDE_HOST_STATES_HPP
#define CLOSESIDE_HOST_STATES_HPP

#include <closeside/detail/separate_compilation.hpp>
#include <closeside/host/tcp_states.hpp>

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>

namespace closeside::host {

/// What count_states counts, and for how long.
struct states_options {
    /// The directory that holds proc/. Another one than "/" is for tests and for trees copied from another host; of
    /// those sock_diag knows nothing, so tcpdiag is left out.
    std::string root = "/";
    /// Counts only sockets with this local port: a listener's connections and the listener. 0: every socket.
    /** sockstat cannot do that and is left out then. */
    std::uint16_t port = 0;
    /// When this is over, counting stops with what it has; from 0 (nothing is asked of the kernel) to a day.
    /** Looked at between the steps of the walk, of which each is some hundred sockets: see tcp_states::stopped. */
    std::chrono::milliseconds budget{250};
    /// Tries this source and no other.
    std::optional<tcp_states::source> only{};
};

/// Counts the TCP sockets of this network namespace by state, IPv4 and IPv6 together.
/** By one walk of the kernel's tables (sock_diag); if that is refused, from /proc/thread-self/net/tcp and tcp6; if those
 *  cannot be read, from sockstat, which bounds TIME-WAIT and tells nothing else. `method` names the source, the
 *  errors say why a better one was not used.
 *
 *  Costs some 0.3 µs for each socket, and takes the locks of the kernel's table one by one. From some thousand sockets in
 *  TIME-WAIT on, the walk leaves those out, which makes it a third of that for each, and sockstat has their number. If
 *  network namespaces share the host's table (tcp_ehash_entries is negative), it steps over every socket of the host.
 *  Needs no privilege. Sockets that are neither connected nor listening are in no table and in no count.
 *  Thread safety: callable from any thread at any time; one that called setns(2) sees its own network namespace.
 *  Source: net/ipv4/inet_diag.c, inet_diag_dump_compat; net/ipv4/tcp_diag.c, tcp_diag_dump. */
CLOSESIDE_DECL tcp_states count_states(const states_options& options = {}) noexcept;

/// How many sockets of this network namespace are in TIME-WAIT, at most, in constant time, some 20 µs.
/** `tw` of /proc/thread-self/net/sockstat, which the kernel keeps as a number: both IP versions, and the mini-sockets in
 *  FIN-WAIT-2 (orphans that wait for the peer's FIN) with those in TIME-WAIT; only count_states tells them apart. The
 *  number is the network namespace's own since Linux 4.11, the whole host's before.
 *  @param root  the directory that holds proc/.
 *  @return nothing if there is no such file, or no such line in it.
 *  Thread safety: callable from any thread at any time; one that called setns(2) gets the number of its own namespace.
 *  Source: net/ipv4/proc.c, sockstat_seq_show; net/ipv4/tcp_minisocks.c, tcp_time_wait. */
CLOSESIDE_DECL std::optional<std::uint64_t> time_wait_quick(const std::string& root = "/") noexcept;

} // namespace closeside::host

#ifndef CLOSESIDE_SEPARATE_COMPILATION
#include <closeside/host/impl/states.ipp>
#endif

#endif
