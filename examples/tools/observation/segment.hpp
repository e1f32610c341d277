// SPDX-License-Identifier: BSL-1.0
#ifndef CLOSESIDE_OBSERVATION_SEGMENT_HPP
#define CLOSESIDE_OBSERVATION_SEGMENT_HPP

#include "endpoint.hpp"

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>

namespace observation {

/// The header of one TCP segment. Of IPv6, the ports are kept and the addresses are not.
struct segment {
    std::chrono::system_clock::time_point when; ///< the kernel's time stamp
    bool outgoing = false;                      ///< leaves the host that recorded it
    endpoint from;
    endpoint to;
    bool syn = false;
    bool fin = false;
    bool rst = false;
    bool ack = false; ///< a RST without it answers a segment (RFC 9293, 3.10.7.1); with it, a close or an abort sent it
    std::uint32_t sequence = 0;
    std::uint32_t acknowledged = 0;         ///< the field; it means something if `ack` is set
    std::uint32_t length = 0;               ///< bytes of data
    std::optional<std::uint32_t> timestamp; ///< TSval, if the segment carries the option

    /// The sequence number after the last byte of data: that of the FIN.
    std::uint32_t end() const noexcept { return sequence + length; }
};

/// Reads the headers off an IPv4 or IPv6 packet, cut off after `size` bytes; nothing if there is no whole fixed TCP header.
/** `when` and `outgoing` are left to the caller. */
std::optional<segment> parse_segment(const std::uint8_t* packet, std::size_t size);

} // namespace observation

#endif
