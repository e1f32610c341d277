// SPDX-License-Identifier: BSL-1.0
#ifndef EXAMPLES_SHARED_SEGMENT_HPP
#define EXAMPLES_SHARED_SEGMENT_HPP

#include <chrono>
#include <compare>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>

namespace examples {

/// One end of an IPv4 connection, both numbers in host byte order.
struct endpoint {
    std::uint32_t address = 0;
    std::uint16_t port = 0;

    friend auto operator<=>(const endpoint&, const endpoint&) = default;
};

/// "192.0.2.1:80"
std::string to_string(endpoint e);

/// "192.0.2.1" as a number in host byte order. Throws std::invalid_argument for anything but a dotted quad.
std::uint32_t ipv4(const std::string& dotted);

/// The header of one TCP segment.
struct segment {
    std::chrono::system_clock::time_point when; ///< the kernel's time stamp
    bool outgoing = false;                      ///< leaves the host that recorded it
    endpoint from;
    endpoint to;
    bool syn = false;
    bool fin = false;
    bool rst = false;
    bool ack =
        false; ///< on a RST: sent by a close or an abort; without it: the answer to a segment (RFC 9293, 3.10.7.1)
    std::uint32_t sequence = 0;
    std::uint32_t acknowledged = 0;         ///< the field; it means something where `ack` is set
    std::uint32_t length = 0;               ///< bytes of data
    std::optional<std::uint32_t> timestamp; ///< TSval, where the segment carries the option
};

/// Reads the headers off an IPv4 packet, cut off after `size` bytes; nothing if there is no whole fixed TCP header.
/** `when` and `outgoing` are left to the caller. */
std::optional<segment> parse_segment(const std::uint8_t* packet, std::size_t size);

} // namespace examples

#endif
