// SPDX-License-Identifier: BSL-1.0
#ifndef CLOSESIDE_HOST_IMPL_STATES_IPP
#define CLOSESIDE_HOST_IMPL_STATES_IPP

#include <closeside/detail/kernel/own_proc.hpp>
#include <closeside/detail/kernel/owned_descriptor.hpp>
#include <closeside/detail/kernel/time_wait_count.hpp>
#include <closeside/detail/separate_compilation.hpp>
#include <closeside/host/detail/states/proc.hpp>
#include <closeside/host/detail/states/tcpdiag.hpp>
#include <closeside/host/detail/states/tcpdiag_sockstat.hpp>
#include <closeside/host/detail/states/time_budget.hpp>
#include <closeside/host/states.hpp>
#include <closeside/host/tcp_states.hpp>

#include <cerrno>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>

namespace closeside::host {

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

CLOSESIDE_DECL tcp_states count_states(const states_options& options) noexcept {
    const detail::time_budget budget(options.budget);
    tcp_states s = detail::count_by_best(options, budget);
    s.elapsed = std::chrono::duration_cast<std::chrono::microseconds>(budget.elapsed());
    return s;
}

CLOSESIDE_DECL std::optional<std::uint64_t> time_wait_quick(const std::string& root) noexcept {
    return detail::read_mini_sockets(root);
}

} // namespace closeside::host

#endif
