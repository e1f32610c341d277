// SPDX-License-Identifier: BSL-1.0
#ifndef CLOSESIDE_TESTS_NETWORK_PACKETS_TIME_WAIT_HPP
#define CLOSESIDE_TESTS_NETWORK_PACKETS_TIME_WAIT_HPP

#include "network/packets/vocabulary.hpp"

#include <closeside/host/detail/kernel_version.hpp>

#include <cstdint>

#include <sys/utsname.h>

namespace packets {

/// By our close; both sides' next number is 2, or the peer's comes behind so much data of its own.
inline void to_time_wait(script& s, std::uint32_t peers_data = 0) {
    if (peers_data != 0) {
        s << data(1, peers_data).ack(1) >> empty(1).ack(1 + peers_data);
        s.reads(peers_data);
    }
    const std::uint32_t end = 1 + peers_data;
    s.closes() >> fin(1).ack(end) << fin(end).ack(2) >> empty(2).ack(end + 1);
    s.in(time_wait).reports({.first_fin = fin_by::local, .time_wait = time_wait_of::local});
}

/// Does the kernel number a connection that a SYN makes of TIME-WAIT as it should?
/** Since Linux 6.10 (41eecbd712b7) by so much beyond the last number (tcp_timewait_state_process); before it by its clock,
 *  which RFC 1122, 4.2.2.13, only asks to be beyond. */
inline bool goes_beyond(const script& s, std::uint32_t last_number) {
    ::utsname names{};
    ::uname(&names);
    const auto release = closeside::host::detail::parse_kernel_version(names.release);
    const bool by_state = release && *release >= closeside::host::detail::kernel_version{6, 10};
    const std::uint32_t beyond = s.isn_moved() - last_number;
    return by_state ? beyond == 65535 + 2 : beyond != 0 && beyond < 0x80000000u;
}

} // namespace packets

#endif
