// SPDX-License-Identifier: BSL-1.0
#ifndef CLOSESIDE_HOST_DETAIL_STATES_TCPDIAG_HPP
#define CLOSESIDE_HOST_DETAIL_STATES_TCPDIAG_HPP

#include <closeside/detail/kernel/sock_diag.hpp>
#include <closeside/host/detail/states/count.hpp>
#include <closeside/host/detail/states/time_budget.hpp>
#include <closeside/host/tcp_states.hpp>

#include <cstdint>

namespace closeside::host::detail {

/// Counts with one dump of sock_diag; returns 0 or an errno, and sets `exact` or `stopped`. A port of 0 stands for all.
inline int count_by_tcpdiag(tcp_states& to, std::uint16_t local_port, const time_budget& budget,
                            bool with_time_wait = true) noexcept {
    using closeside::detail::diag_dump;
    const diag_dump dump = closeside::detail::dump_sockets(
        closeside::detail::all_states_request(local_port, with_time_wait), [&] { return budget.left(); },
        [&](const inet_diag_msg& socket) {
            count_socket(to, static_cast<tcp_state>(socket.idiag_state), socket.idiag_timer);
        });
    to.malformed += dump.malformed;
    to.interrupted = dump.interrupted;
    to.stopped = dump.reached == diag_dump::progress::stopped;
    to.exact = dump.reached == diag_dump::progress::complete && to.malformed == 0 && !to.interrupted;
    return dump.reached == diag_dump::progress::failed ? dump.error : 0;
}

} // namespace closeside::host::detail

#endif
