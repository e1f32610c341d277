// SPDX-License-Identifier: BSL-1.0
#ifndef CLOSESIDE_HOST_DETAIL_STATES_TCPDIAG_SOCKSTAT_HPP
#define CLOSESIDE_HOST_DETAIL_STATES_TCPDIAG_SOCKSTAT_HPP

#include <closeside/detail/kernel/own_proc.hpp>
#include <closeside/detail/kernel/time_wait_count.hpp>
#include <closeside/host/detail/kernel_version.hpp>
#include <closeside/host/detail/states/tcpdiag.hpp>
#include <closeside/host/detail/states/time_budget.hpp>
#include <closeside/host/tcp_states.hpp>

#include <algorithm>
#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>

#include <sys/utsname.h>

namespace closeside::host::detail {

/// Is sockstat's `tw` that of this network namespace? Of the whole host until 4.10.
inline bool sockstat_tw_is_own() noexcept {
    ::utsname system{};
    if (::uname(&system) != 0) return false;
    const auto version = parse_kernel_version(system.release);
    return version && *version >= kernel_version{4, 11};
}

/// How many sockets are in TIME-WAIT or an orphan's FIN-WAIT-2, as the kernel keeps count of them.
inline std::optional<std::uint64_t> read_mini_sockets(const std::string& root) noexcept {
    const closeside::detail::owned_descriptor proc_net = closeside::detail::open_own_net(root);
    int error = 0;
    return proc_net ? closeside::detail::read_time_wait_count(proc_net.get(), error) : std::nullopt;
}

/// Is it worth while to leave TIME-WAIT out of the walk, and is it safe?
/** To step over a socket costs a third of what its message does. But the walk then is a single step, which nothing can
 *  end, so it must not be longer than the time that is left: 0.2 µs for each socket is a cautious guess. */
inline bool time_waits_are_better_left_out(std::uint64_t time_waits, const time_budget& budget) noexcept {
    constexpr std::uint64_t few = 4096;
    return time_waits >= few && time_waits / 5 <= static_cast<std::uint64_t>(budget.left()) * 1000;
}

/// Counts as count_by_tcpdiag does, but takes TIME-WAIT from sockstat, less the mini-sockets in FIN-WAIT-2 of the walk.
/** The kernel counts a mini-socket up with its timer and down where it leaves the table (__inet_twsk_schedule,
 *  inet_twsk_kill), so that both agree wherever a walk could be exact. */
inline int count_by_tcpdiag_and_sockstat(tcp_states& to, const std::string& root, const time_budget& budget) noexcept {
    if (const int error = count_by_tcpdiag(to, 0, budget, false)) return error;
    const std::optional<std::uint64_t> mini_sockets = read_mini_sockets(root);
    if (!mini_sockets) return ENOENT;
    to.counts[static_cast<std::size_t>(tcp_state::time_wait)] =
        *mini_sockets - std::min(*mini_sockets, to.fin_wait2_mini);
    return 0;
}

} // namespace closeside::host::detail

#endif
