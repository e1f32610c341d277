// SPDX-License-Identifier: BSL-1.0
#ifndef CLOSESIDE_LAB_POLICY_KERNEL_VIEW_HPP
#define CLOSESIDE_LAB_POLICY_KERNEL_VIEW_HPP

#include <cstdint>
#include <optional>

namespace lab::policy {

/// The states of RFC 9293 in the kernel's numbering (include/net/tcp_states.h); none: the kernel knows no such socket.
enum class tcp_state : std::uint8_t {
    none,
    established,
    syn_sent,
    syn_received,
    fin_wait_1,
    fin_wait_2,
    time_wait,
    close,
    close_wait,
    last_ack,
    listen,
    closing
};

const char* to_string(tcp_state state) noexcept;

/// One end of an IPv4 loopback connection; the other end is the same pair turned round.
struct port_pair {
    std::uint16_t local = 0;
    std::uint16_t remote = 0;

    constexpr port_pair reversed() const noexcept { return {remote, local}; }
};

struct socket_entry {
    tcp_state state = tcp_state::none;
    std::uint32_t send_queue = 0; ///< sent or queued, not acknowledged; a FIN counts as one
};

/// The kernel's own TCP table: sockets, orphans and TIME-WAIT mini-sockets of this network namespace.
/** Asks sock_diag for exactly one connection at a time, unprivileged; where sock_diag is missing it reads
 *  /proc/thread-self/net/tcp. Throws std::system_error when neither can be read. Not thread-safe. */
class tcp_table {
public:
    tcp_table();
    ~tcp_table();
    tcp_table(const tcp_table&) = delete;
    tcp_table& operator=(const tcp_table&) = delete;

    socket_entry find(port_pair ports) const;

    /// "sock_diag" or "/proc/thread-self/net/tcp".
    const char* source() const noexcept;

private:
    std::optional<socket_entry> ask_sock_diag(port_pair ports) const;
    bool sock_diag_works() const;

    int netlink_ = -1;
};

} // namespace lab::policy

#endif
