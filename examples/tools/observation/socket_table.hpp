// SPDX-License-Identifier: BSL-1.0
#ifndef CLOSESIDE_OBSERVATION_SOCKET_TABLE_HPP
#define CLOSESIDE_OBSERVATION_SOCKET_TABLE_HPP

#include "descriptor.hpp"
#include "endpoint.hpp"
#include "state_name.hpp"

#include <cstdint>
#include <vector>

#include <sys/socket.h>

namespace observation {

/// What the kernel tells of one socket.
/** An orphan in FIN-WAIT-2 is one even if the kernel keeps it as a small "mini-socket", as it does TIME-WAIT. */
struct socket_entry {
    tcp_state state = tcp_state::unknown; ///< unknown: the kernel knows no such socket
    endpoint local;                       ///< IPv4 only, as is `remote`
    endpoint remote;
    std::uint32_t send_queue = 0;    ///< bytes not acknowledged; a FIN counts as one; a listener's: its backlog
    std::uint32_t receive_queue = 0; ///< bytes not read; a listener's: connections not accepted
    std::uint32_t timer_ms = 0;      ///< until the kernel acts: TIME-WAIT's rest, the next retransmission
    std::uint32_t inode = 0;         ///< 0: nobody holds a descriptor (orphan, TIME-WAIT)
};

/// A set of states, for socket_table::all.
constexpr std::uint32_t set_of(tcp_state state) noexcept { return 1u << static_cast<unsigned>(state); }
inline constexpr std::uint32_t all_states = ~0u;

enum class table_source : std::uint8_t { sock_diag, proc };

/// "sock_diag" or "/proc/thread-self/net/tcp"
const char* to_string(table_source source) noexcept;

/// sock_diag if it answers here, else /proc.
table_source available_source();

/// The kernel's own TCP table: sockets, orphans and TIME-WAIT of the network namespace of the thread that asks.
/** Unprivileged, and apart from the library: it is what the library is judged by. sock_diag answers for the namespace in
 *  which the object was made. Failures throw std::system_error. Not thread-safe. */
class socket_table {
public:
    explicit socket_table(table_source source = table_source::sock_diag);

    /// One end of a connection, its own endpoint first. Exactly this one; never a listener.
    socket_entry find(endpoint local, endpoint remote) const;
    /// The same for either version of IP; by sock_diag only.
    socket_entry find(const ::sockaddr* local, const ::sockaddr* remote) const;

    /// Every IPv4 socket in one of these states. The kernel walks its whole table all the same, but tells less.
    std::vector<socket_entry> all(std::uint32_t states = all_states) const;

private:
    descriptor netlink_; ///< -1: /proc is read
};

} // namespace observation

#endif
