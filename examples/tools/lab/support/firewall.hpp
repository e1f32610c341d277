// SPDX-License-Identifier: BSL-1.0
#ifndef CLOSESIDE_LAB_SUPPORT_FIREWALL_HPP
#define CLOSESIDE_LAB_SUPPORT_FIREWALL_HPP

#include "observed.hpp"

#include <cstddef>
#include <cstdint>
#include <string>

namespace lab {

/// `h` loses each TCP segment that arrives, or passes through it, with this probability, 0 to 99 percent.
/** On a router both directions are lossy; between two hosts without one, call it for both. A capture on the interface
 *  still sees the segment arrive. Calling it again replaces the share. */
void lose_at_random(const host& h, unsigned percent);

/// `router` puts its own address in place of that of TCP connections which leave through the interface `outside`; it must
/// forward().
/** The kernel's own NAT: it keeps the port if it is free, and takes it for free as soon as it has forgotten its last
 *  connection, net.netfilter.nf_conntrack_tcp_timeout_time_wait seconds after both FINs. */
void masquerade(const host& router, const std::string& outside);

/// The same with these ports alone: a connection from a port that is none of them gets one, from a random one on the first
/// that is free.
void masquerade(const host& router, const std::string& outside, std::uint16_t first, std::uint16_t last);

/// The same for the ports of one client from `first` on: `used_twice` of them leave from the ports `outside_first` and up, and
/// the next `used_twice` from the same ports again.
/** A port always leaves from the same one (an endpoint-independent mapping, RFC 5382): a retransmitted SYN, too. */
void map_ports_twice(const host& router, const std::string& outside, const std::string& address, std::uint16_t first,
                     std::size_t used_twice, std::uint16_t outside_first);

/// `router` drops resets on their way through it, as some firewalls do.
void drop_resets(const host& router);

} // namespace lab

#endif
