// SPDX-License-Identifier: BSL-1.0
#ifndef CLOSESIDE_HOST_DETAIL_STATES_COUNT_HPP
#define CLOSESIDE_HOST_DETAIL_STATES_COUNT_HPP

#include <closeside/host/tcp_states.hpp>

#include <cstddef>

namespace closeside::host::detail {

/// Counts a socket as the kernel describes it.
inline void count_socket(tcp_states& to, tcp_state state, unsigned timer) noexcept {
    if (state == tcp_state::new_syn_received) state = tcp_state::syn_received;
    if (state == tcp_state::unknown || static_cast<std::size_t>(state) >= to.counts.size()) {
        ++to.malformed;
        return;
    }
    ++to.counts[static_cast<std::size_t>(state)];
    if (state == tcp_state::fin_wait2 && timer == closeside::detail::mini_socket_timer) ++to.fin_wait2_mini;
}

} // namespace closeside::host::detail

#endif
