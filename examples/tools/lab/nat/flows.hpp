// SPDX-License-Identifier: BSL-1.0
#ifndef CLOSESIDE_LAB_NAT_FLOWS_HPP
#define CLOSESIDE_LAB_NAT_FLOWS_HPP

#include "observation/segment.hpp"

#include <cstdint>
#include <optional>
#include <vector>

namespace lab::nat {

/// The segments of one connection, or of one attempt at it, as the server's interface saw them.
struct flow {
    std::uint16_t port = 0; ///< the NAT's
    std::vector<observation::segment> segments;

    bool answered() const;   ///< the server sent a SYN ACK
    bool challenged() const; ///< the server answered a SYN by an ACK: the port's last connection was still in TIME-WAIT
};

/// Tells apart the connections that used the same port one after the other: each begins with a SYN of its own sequence number.
std::vector<flow> flows_of(const std::vector<observation::segment>& segments);

/// How far the timestamp of a connection's SYN is behind the last that the same port's connection before it sent; nothing if
/// it is not, or if one of them has none.
std::optional<std::uint32_t> timestamp_behind(const flow& before, const flow& after);

} // namespace lab::nat

#endif
