// SPDX-License-Identifier: BSL-1.0
#ifndef CLOSESIDE_LAB_SUPPORT_TCP_SOCKETS_HPP
#define CLOSESIDE_LAB_SUPPORT_TCP_SOCKETS_HPP

#include "observed.hpp"

#include <cstddef>
#include <vector>

namespace lab {

/// All IPv4 TCP sockets of a host in one of these states.
inline std::vector<socket_entry> tcp_sockets(const host& h, std::uint32_t states = all_states) {
    return h.run([&] { return socket_table().all(states); });
}

inline std::size_t count(const host& h, tcp_state state) { return tcp_sockets(h, set_of(state)).size(); }

} // namespace lab

#endif
