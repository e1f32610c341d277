// SPDX-License-Identifier: BSL-1.0
#ifndef CLOSESIDE_LAB_SUPPORT_FIREWALL_HPP
#define CLOSESIDE_LAB_SUPPORT_FIREWALL_HPP

#include "host.hpp"

#include <cstdint>
#include <string>

namespace lab {

/// `h` loses each TCP segment that arrives, or passes through it, with this probability, 0 to 99 percent.
/** On a router both directions are lossy; between two hosts without one, call it for both. A capture on the interface
 *  still sees the segment arrive. Calling it again replaces the share. */
void lose_at_random(const host& h, unsigned percent);

struct port_range {
    std::uint16_t first = 0;
    std::uint16_t last = 0;
};

/// `router` puts its own address on `outside` and a port of this range in place of those of TCP connections that leave
/// through that interface; it must forward().
/** The kernel's own NAT: it may give out a port again to another connection to the same server as soon as it has forgotten the
 *  last one, net.netfilter.nf_conntrack_tcp_timeout_time_wait seconds after both FINs. */
void masquerade(const host& router, const std::string& outside, port_range ports);

} // namespace lab

#endif
