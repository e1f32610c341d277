// SPDX-License-Identifier: BSL-1.0
#include "segment.hpp"

#include <algorithm>

namespace observation {

namespace {

constexpr std::size_t ipv4_header = 20, ipv6_header = 40, fixed_tcp_header = 20;

constexpr std::uint8_t fin_flag = 0x01, syn_flag = 0x02, rst_flag = 0x04, ack_flag = 0x10;
constexpr std::uint8_t end_of_options = 0, no_operation = 1, timestamps_option = 8;

std::uint16_t two_bytes(const std::uint8_t* at) { return static_cast<std::uint16_t>(at[0] << 8 | at[1]); }

std::uint32_t four_bytes(const std::uint8_t* at) {
    return static_cast<std::uint32_t>(two_bytes(at)) << 16 | two_bytes(at + 2);
}

std::optional<std::uint32_t> timestamp_in(const std::uint8_t* option, const std::uint8_t* end) {
    while (end - option >= 2 && *option != end_of_options) {
        if (*option == no_operation) {
            ++option;
            continue;
        }
        const std::uint8_t length = option[1];
        if (length < 2 || end - option < length) return std::nullopt;
        if (*option == timestamps_option && length == 10) return four_bytes(option + 2);
        option += length;
    }
    return std::nullopt;
}

} // namespace

std::optional<segment> parse_segment(const std::uint8_t* packet, std::size_t size) {
    if (size < ipv4_header) return std::nullopt;
    const bool v4 = packet[0] >> 4 == 4;
    const std::size_t ip_header = v4 ? 4u * (packet[0] & 0x0fu) : ipv6_header;
    if (ip_header < ipv4_header || size < ip_header + fixed_tcp_header) return std::nullopt;
    const std::uint8_t* const tcp = packet + ip_header;
    const std::size_t tcp_header = 4u * (tcp[12] >> 4);
    if (tcp_header < fixed_tcp_header) return std::nullopt;
    const std::size_t whole = v4 ? two_bytes(packet + 2) : ipv6_header + two_bytes(packet + 4);
    const std::uint8_t flags = tcp[13];
    segment s;
    s.from = {v4 ? four_bytes(packet + 12) : 0, two_bytes(tcp)};
    s.to = {v4 ? four_bytes(packet + 16) : 0, two_bytes(tcp + 2)};
    s.syn = (flags & syn_flag) != 0;
    s.fin = (flags & fin_flag) != 0;
    s.rst = (flags & rst_flag) != 0;
    s.ack = (flags & ack_flag) != 0;
    s.sequence = four_bytes(tcp + 4);
    s.acknowledged = four_bytes(tcp + 8);
    if (whole > ip_header + tcp_header) s.length = static_cast<std::uint32_t>(whole - ip_header - tcp_header);
    if (tcp_header > fixed_tcp_header)
        s.timestamp = timestamp_in(tcp + fixed_tcp_header, packet + std::min(size, ip_header + tcp_header));
    return s;
}

} // namespace observation
