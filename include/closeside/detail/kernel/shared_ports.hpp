// SPDX-License-Identifier: BSL-1.0
#ifndef CLOSESIDE_DETAIL_KERNEL_SHARED_PORTS_HPP
#define CLOSESIDE_DETAIL_KERNEL_SHARED_PORTS_HPP

#include <closeside/detail/kernel/sock_diag.hpp>
#include <closeside/detail/kernel/tcp_state.hpp>

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <vector>

#include <arpa/inet.h>
#include <linux/inet_diag.h>

namespace closeside::detail {

/// The listening sockets of IPv4 and IPv6: the kernel walks its table of these alone.
inline tcpdiag_request listeners_request() noexcept {
    tcpdiag_request r = all_states_request(0);
    r.body.idiag_states = state_bit(tcp_state::listen);
    return r;
}

/// The ports, in rising order, on which several sockets of the calling thread's network namespace listen at one address
/// and device, which takes SO_REUSEPORT on all of them. Empty, too, if sock_diag cannot be used.
[[gnu::cold]] inline std::vector<std::uint16_t> shared_listening_ports() {
    using place = std::array<std::uint32_t, 7>; // port, family, device, address
    std::vector<place> places;
    constexpr auto a_second = [] { return 1000; };
    const auto dump = dump_sockets(listeners_request(), a_second, [&](const inet_diag_msg& socket) {
        const inet_diag_sockid& id = socket.id;
        place p{ntohs(id.idiag_sport), socket.idiag_family, id.idiag_if, id.idiag_src[0]};
        // For IPv4 what follows the address is not said to be zero.
        if (socket.idiag_family == AF_INET6) std::copy(id.idiag_src + 1, id.idiag_src + 4, p.begin() + 4);
        places.push_back(p);
    });
    std::vector<std::uint16_t> ports;
    if (dump.reached != diag_dump::progress::complete) return ports;
    std::sort(places.begin(), places.end());
    for (std::size_t i = 1; i < places.size(); ++i) {
        const auto port = static_cast<std::uint16_t>(places[i][0]);
        if (places[i] == places[i - 1] && (ports.empty() || ports.back() != port)) ports.push_back(port);
    }
    return ports;
}

} // namespace closeside::detail

#endif
