// SPDX-License-Identifier: BSL-1.0
#ifndef CLOSESIDE_HOST_STATES_HPP
#define CLOSESIDE_HOST_STATES_HPP

#include <closeside/detail/kernel/own_proc.hpp>
#include <closeside/detail/kernel/owned_descriptor.hpp>
#include <closeside/detail/kernel/time_wait_count.hpp>
#include <closeside/host/detail/states/proc.hpp>
#include <closeside/host/detail/states/tcpdiag.hpp>
#include <closeside/host/detail/states/tcpdiag_sockstat.hpp>
#include <closeside/host/detail/states/time_budget.hpp>
#include <closeside/host/tcp_states.hpp>

#include <cerrno>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>

namespace closeside::host {

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

namespace detail {

/// Remembers of a source that failed only why.
inline tcp_states without_counts(const tcp_states& failed) noexcept {
    tcp_states s;
    s.tcpdiag_error = failed.tcpdiag_error;
    s.proc_error = failed.proc_error;
    s.sockstat_error = failed.sockstat_error;
    return s;
}

/// With a walk of the kernel's tables in one of its two forms.
inline int count_by_walk(tcp_states& s, const states_options& options, const time_budget& budget) noexcept {
    if (options.root != "/") return EXDEV;
    const bool may_leave_out = options.port == 0 && options.only != tcp_states::source::tcpdiag && sockstat_tw_is_own();
    const bool must_leave_out = options.only == tcp_states::source::tcpdiag_sockstat;
    if (must_leave_out && !may_leave_out) return EOPNOTSUPP;
    if (may_leave_out &&
        (must_leave_out || time_waits_are_better_left_out(read_mini_sockets(options.root).value_or(0), budget))) {
        s.method = tcp_states::source::tcpdiag_sockstat;
        return count_by_tcpdiag_and_sockstat(s, options.root, budget);
    }
    s.method = tcp_states::source::tcpdiag;
    return count_by_tcpdiag(s, options.port, budget);
}

inline tcp_states count_by_best(const states_options& options, const time_budget& budget) noexcept {
    const auto may_try = [&](tcp_states::source m) { return !options.only || *options.only == m; };
    tcp_states s;
    if (may_try(tcp_states::source::tcpdiag) || may_try(tcp_states::source::tcpdiag_sockstat)) {
        s.tcpdiag_error = count_by_walk(s, options, budget);
        if (s.tcpdiag_error == 0) return s;
        s = without_counts(s);
    }

    const closeside::detail::owned_descriptor proc_net = closeside::detail::open_own_net(options.root);
    const int cannot_open = proc_net ? 0 : errno;
    if (may_try(tcp_states::source::proc)) {
        s.method = tcp_states::source::proc;
        s.proc_error = proc_net ? count_by_proc(s, proc_net.get(), options.port, budget) : cannot_open;
        if (s.proc_error == 0) return s;
        s = without_counts(s);
    }
    if (may_try(tcp_states::source::sockstat) && options.port == 0) {
        int error = cannot_open;
        const auto tw = proc_net ? closeside::detail::read_time_wait_count(proc_net.get(), error) : std::nullopt;
        s.sockstat_error = error;
        if (tw) {
            s.method = tcp_states::source::sockstat;
            s.counts[static_cast<std::size_t>(tcp_state::time_wait)] = *tw;
        }
    }
    return s;
}

} // namespace detail

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
inline tcp_states count_states(const states_options& options = {}) noexcept {
    const detail::time_budget budget(options.budget);
    tcp_states s = detail::count_by_best(options, budget);
    s.elapsed = std::chrono::duration_cast<std::chrono::microseconds>(budget.elapsed());
    return s;
}

/// How many sockets of this network namespace are in TIME-WAIT, at most, in constant time, some 20 µs.
/** `tw` of /proc/thread-self/net/sockstat, which the kernel keeps as a number: both IP versions, and the mini-sockets in
 *  FIN-WAIT-2 (orphans that wait for the peer's FIN) with those in TIME-WAIT; only count_states tells them apart. The
 *  number is the network namespace's own since Linux 4.11, the whole host's before.
 *  @param root  the directory that holds proc/.
 *  @return nothing if there is no such file, or no such line in it.
 *  Thread safety: callable from any thread at any time; one that called setns(2) gets the number of its own namespace.
 *  Source: net/ipv4/proc.c, sockstat_seq_show; net/ipv4/tcp_minisocks.c, tcp_time_wait. */
inline std::optional<std::uint64_t> time_wait_quick(const std::string& root = "/") noexcept {
    return detail::read_mini_sockets(root);
}

} // namespace closeside::host

#endif
