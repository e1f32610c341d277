// SPDX-License-Identifier: BSL-1.0
#ifndef CLOSESIDE_HOST_TCP_STATES_HPP
#define CLOSESIDE_HOST_TCP_STATES_HPP

#include <closeside/detail/kernel/tcp_state.hpp>
#include <closeside/detail/separate_compilation.hpp>

#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>

namespace closeside::host {

/// The kernel's states of a TCP connection; to_string gives the names of RFC 9293.
using closeside::detail::all_tcp_states;
using closeside::detail::tcp_state;

/// How many TCP sockets of a network namespace are in which state, and how well that is known.
struct tcp_states {
    /// Where the counts come from, the best source first. Before Linux 3.17, self stands for thread-self.
    enum class source : std::uint8_t {
        tcpdiag,          ///< one walk of the kernel's tables for IPv4 and IPv6 (sock_diag(7), request TCPDIAG_GETSOCK)
        tcpdiag_sockstat, ///< the same walk without TIME-WAIT, of which there are many and the kernel knows how many
        proc,     ///< /proc/thread-self/net/tcp and tcp6: a walk for each, printed and parsed; five times as long
        sockstat, ///< /proc/thread-self/net/sockstat: nothing but an upper bound of TIME-WAIT
        none      ///< no source could be read
    };

    /// By the kernel's number of the state; the first is not used. Ask count(), which knows what was not counted.
    std::array<std::uint64_t, 12> counts{};
    /// Those in FIN-WAIT-2 that are no more than a mini-socket: an orphan (no descriptor holds it) whose FIN has been
    /// acknowledged. sockstat's `tw` and the `timewait` of `ss -s` count them as if they were in TIME-WAIT.
    std::uint64_t fin_wait2_mini = 0;

    source method = source::none; ///< where the counts come from
    /// Every socket was met, or, for TIME-WAIT, counted by the kernel itself. The kernel does not stop meanwhile: one that
    /// changes its state during the walk is counted in the state in which the walk met it, one that appears behind the
    /// walk is not counted.
    bool exact = false;
    /// The time budget ran out: the counts are those of the part of the table that was walked by then.
    bool stopped = false;
    /// The kernel says that the table changed in a way that made it lose its place (NLM_F_DUMP_INTR).
    bool interrupted = false;
    /// Rows or messages that could not be understood and are in no count.
    std::uint64_t malformed = 0;
    std::chrono::microseconds elapsed{0}; ///< how long counting took

    /// For each source that was tried and failed, errno; 0 for the one that answered and for those not tried.
    /** tcpdiag: EXDEV if another root than "/" is looked at, of which netlink knows nothing. */
    int tcpdiag_error = 0;
    int proc_error = 0;     ///< of /proc/thread-self/net/tcp and tcp6
    int sockstat_error = 0; ///< of /proc/thread-self/net/sockstat

    /// The number of sockets in a state; nothing if the method cannot know it.
    std::optional<std::uint64_t> count(tcp_state s) const noexcept {
        if (method == source::none) return std::nullopt;
        if (method == source::sockstat && s != tcp_state::time_wait) return std::nullopt;
        return counts[static_cast<std::size_t>(s)];
    }

    /// Why the counts are no better, in one line without a line end; empty if they are exact and by the best method.
    [[gnu::cold]] CLOSESIDE_DECL std::string why_not_better() const;

    friend bool operator==(const tcp_states&, const tcp_states&) = default;
};

/// The name of a value, as it is printed.
constexpr const char* to_string(tcp_states::source m) noexcept {
    switch (m) {
    case tcp_states::source::tcpdiag: return "tcpdiag";
    case tcp_states::source::tcpdiag_sockstat: return "tcpdiag+sockstat";
    case tcp_states::source::proc: return "proc";
    case tcp_states::source::sockstat: return "sockstat";
    case tcp_states::source::none: return "none";
    }
    return "?";
}

} // namespace closeside::host

#ifndef CLOSESIDE_SEPARATE_COMPILATION
#include <closeside/host/impl/tcp_states.ipp>
#endif

#endif
