// SPDX-License-Identifier: BSL-1.0
#ifndef CLOSESIDE_DETAIL_KERNEL_LAST_SAMPLE_HPP
#define CLOSESIDE_DETAIL_KERNEL_LAST_SAMPLE_HPP

#include <closeside/detail/kernel/tcp_state.hpp>

#include <cstdint>

namespace closeside::detail {

/// The connection as the kernel showed it just before the descriptor was closed.
struct last_sample {
    tcp_state state = tcp_state::unknown;
    /// What is known of a socket in CLOSE whose pending error somebody else has taken, or that never had one.
    enum class remains : std::uint8_t {
        nothing,   ///< neither how it ended nor that nothing is lost
        acked,     ///< the peer's FIN is in, and all of ours has been acknowledged; whether a FIN of ours, is not known
        both_fins, ///< both FINs are through
        time_wait, ///< the same, and the connection is in TIME-WAIT here
        never_connected
    };
    remains left = remains::nothing;
    /// Input is waiting, which close(2) answers with RST whatever the state (__tcp_close).
    bool unread = false;
    /// Something of ours has not been sent once; in LAST-ACK and CLOSING only that makes an abort send RST
    /// (tcp_disconnect).
    bool unsent = false;
    /// Multipath TCP: TCP_INFO tells of a subflow, not of the connection.
    bool multipath = false;
    /// The pending error says that the peer's RST came in.
    bool reset = false;
    /// … in CLOSE-WAIT, after the peer's FIN (tcp_reset gives EPIPE there, and ECONNRESET elsewhere).
    bool reset_after_fin = false;
    /// … or this one, that the kernel has given up, e.g. ETIMEDOUT.
    int failure = 0;
    std::uint64_t unacknowledged = 0;

    friend constexpr bool operator==(const last_sample&, const last_sample&) noexcept = default;
};

} // namespace closeside::detail

#endif
