// SPDX-License-Identifier: BSL-1.0
#ifndef CLOSESIDE_HOST_DETAIL_STATES_TCP_STATES_HPP
#define CLOSESIDE_HOST_DETAIL_STATES_TCP_STATES_HPP

#include <closeside/host/detail/states/tcp_state.hpp>

#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>

namespace closeside::host {

/// Where the counts come from, the best source first. Before Linux 3.17, self stands for thread-self.
enum class states_method : std::uint8_t {
    tcpdiag,          ///< one walk of the kernel's tables for IPv4 and IPv6 (sock_diag(7), request TCPDIAG_GETSOCK)
    tcpdiag_sockstat, ///< the same walk without TIME-WAIT, of which there are many and the kernel knows how many
    proc,             ///< /proc/thread-self/net/tcp and tcp6: a walk for each, printed and parsed; five times as long
    sockstat,         ///< /proc/thread-self/net/sockstat: nothing but an upper bound of TIME-WAIT
    none              ///< no source could be read
};

constexpr const char* to_string(states_method m) noexcept {
    switch (m) {
    case states_method::tcpdiag: return "tcpdiag";
    case states_method::tcpdiag_sockstat: return "tcpdiag+sockstat";
    case states_method::proc: return "proc";
    case states_method::sockstat: return "sockstat";
    case states_method::none: return "none";
    }
    return "?";
}

/// How many TCP sockets of a network namespace are in which state, and how well that is known.
struct tcp_states {
    /// By the kernel's number of the state; the first is not used. Ask count(), which knows what was not counted.
    std::array<std::uint64_t, 12> counts{};
    /// Those in FIN-WAIT-2 that are no more than a mini-socket: an orphan (no descriptor holds it) whose FIN has been
    /// acknowledged. sockstat's `tw` and the `timewait` of `ss -s` count them as if they were in TIME-WAIT.
    std::uint64_t fin_wait2_mini = 0;

    states_method method = states_method::none;
    /// Every socket was met, or, for TIME-WAIT, counted by the kernel itself. The kernel does not stop meanwhile: one that changes its state during the walk is counted
    /// in the state in which the walk met it, one that appears behind it is not.
    bool exact = false;
    /// The time budget ran out: the counts are those of the part of the table that was walked by then.
    bool stopped = false;
    /// The kernel says that the table changed in a way that made it lose its place (NLM_F_DUMP_INTR).
    bool interrupted = false;
    /// Rows or messages that could not be understood and are in no count.
    std::uint64_t malformed = 0;
    std::chrono::microseconds elapsed{0};

    /// For each source that was tried and failed, errno; 0 for the one that answered and for those not tried.
    /** tcpdiag: EXDEV where another root than "/" is looked at, of which netlink knows nothing. */
    int tcpdiag_error = 0;
    int proc_error = 0;
    int sockstat_error = 0;

    /// The number of sockets in a state; none where the method cannot know it.
    std::optional<std::uint64_t> count(tcp_state s) const noexcept {
        if (method == states_method::none) return std::nullopt;
        if (method == states_method::sockstat && s != tcp_state::time_wait) return std::nullopt;
        return counts[static_cast<std::size_t>(s)];
    }

    friend bool operator==(const tcp_states&, const tcp_states&) = default;
};

namespace detail {

/// The kernel's numbers of what is only inside it and of the timer of a mini-socket.
inline constexpr unsigned new_syn_received = 12;
inline constexpr unsigned mini_socket_timer = 3;

/// Counts a socket as the kernel describes it.
inline void add(tcp_states& to, unsigned state, unsigned timer) noexcept {
    if (state == new_syn_received) state = static_cast<unsigned>(tcp_state::syn_received);
    if (state == 0 || state >= to.counts.size()) {
        ++to.malformed;
        return;
    }
    ++to.counts[state];
    if (state == static_cast<unsigned>(tcp_state::fin_wait2) && timer == mini_socket_timer) ++to.fin_wait2_mini;
}

} // namespace detail

} // namespace closeside::host

#endif
