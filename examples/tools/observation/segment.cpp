// SPDX-License-Identifier: BSL-1.0
#include "segment.hpp"

#include <algorithm>
#include <stdexcept>

#include <arpa/inet.h>
#include <netinet/in.h>

namespace examples {

namespace {

constexpr std::size_t fixed_tcp_header = 20;

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

std::string to_string(endpoint e) {
    const in_addr address{.s_addr = htonl(e.address)};
    char text[INET_ADDRSTRLEN] = "?";
    ::inet_ntop(AF_INET, &address, text, sizeof text);
    return std::string(text) + ':' + std::to_string(e.port);
}

std::uint32_t ipv4(const std::string& dotted) {
    in_addr address{};
    if (::inet_pton(AF_INET, dotted.c_str(), &address) != 1)
        throw std::invalid_argument("no IPv4 address: '" + dotted + "'");
    return ntohl(address.s_addr);
}

std::optional<segment> parse_segment(const std::uint8_t* packet, std::size_t size) {
    if (size < 20) return std::nullopt;
    const std::size_t ip_header = 4u * (packet[0] & 0x0fu);
    if (size < ip_header + fixed_tcp_header) return std::nullopt;
    const std::uint8_t* const tcp = packet + ip_header;
    const std::size_t tcp_header = 4u * (tcp[12] >> 4);
    const std::size_t whole = two_bytes(packet + 2);
    const std::uint8_t flags = tcp[13];
    segment s;
    s.from = {four_bytes(packet + 12), two_bytes(tcp)};
    s.to = {four_bytes(packet + 16), two_bytes(tcp + 2)};
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

} // namespace examples
