// SPDX-License-Identifier: BSL-1.0
#include "support/packets/wire_format.hpp"

#include <algorithm>
#include <cstring>
#include <stdexcept>

#include <arpa/inet.h>
#include <netinet/in.h>

namespace packets {

namespace {

constexpr std::uint8_t fin_flag = 0x01, syn_flag = 0x02, rst_flag = 0x04, ack_flag = 0x10;
constexpr std::uint8_t end_of_options = 0, no_operation = 1, mss_option = 2, timestamps_option = 8;
constexpr std::uint8_t reply_type = 0, request_type = 8;
constexpr std::size_t ipv4_header = 20, ipv6_header = 40, tcp_header = 20;
constexpr std::uint16_t segment_size = 1000;

void put2(bytes& to, std::uint32_t n) {
    to.push_back(static_cast<std::uint8_t>(n >> 8));
    to.push_back(static_cast<std::uint8_t>(n));
}

void put4(bytes& to, std::uint32_t n) {
    put2(to, n >> 16);
    put2(to, n);
}

void set2(bytes& in, std::size_t at, std::uint16_t n) {
    in[at] = static_cast<std::uint8_t>(n >> 8);
    in[at + 1] = static_cast<std::uint8_t>(n);
}

std::uint16_t get2(const bytes& from, std::size_t at) {
    return static_cast<std::uint16_t>(from.at(at) << 8 | from.at(at + 1));
}

std::uint32_t get4(const bytes& from, std::size_t at) {
    return static_cast<std::uint32_t>(get2(from, at)) << 16 | get2(from, at + 2);
}

/// The sum of RFC 1071, before it is complemented.
std::uint16_t sum(const bytes& of, std::size_t begin, std::size_t end, std::uint32_t total = 0) {
    for (std::size_t i = begin; i < end; i += 2)
        total += static_cast<std::uint32_t>(of[i] << 8 | (i + 1 < end ? of[i + 1] : 0));
    while (total > 0xffff) total = (total & 0xffff) + (total >> 16);
    return static_cast<std::uint16_t>(total);
}

/// Of the addresses of the IP header, the protocol and the length: what TCP's checksum begins with.
std::uint16_t pseudo_header(const bytes& packet, bool v6, std::size_t tcp_size) {
    const auto rest = static_cast<std::uint32_t>(IPPROTO_TCP + tcp_size);
    return v6 ? sum(packet, 8, ipv6_header, rest) : sum(packet, 12, ipv4_header, rest);
}

const void* address_bytes(const address& a) {
    return a.is_v6() ? static_cast<const void*>(&reinterpret_cast<const ::sockaddr_in6*>(&a.storage)->sin6_addr)
                     : &reinterpret_cast<const ::sockaddr_in*>(&a.storage)->sin_addr;
}

void put_address(bytes& to, const address& a) {
    const auto* const from = static_cast<const std::uint8_t*>(address_bytes(a));
    to.insert(to.end(), from, from + (a.is_v6() ? 16 : 4));
}

address take_address(const bytes& from, std::size_t where, bool v6, std::uint16_t port) {
    address a = at(v6 ? "::" : "0.0.0.0", port);
    std::memcpy(const_cast<void*>(address_bytes(a)), from.data() + where, v6 ? 16 : 4);
    return a;
}

bytes ip_header(const address& from, const address& to, std::uint8_t protocol, std::size_t payload) {
    bytes b;
    if (from.is_v6()) {
        put4(b, 0x60000000);
        put2(b, static_cast<std::uint32_t>(payload));
        b.push_back(protocol);
        b.push_back(64);
    } else {
        put2(b, 0x4500);
        put2(b, static_cast<std::uint32_t>(ipv4_header + payload));
        put4(b, 0x00004000); // may not be fragmented
        b.push_back(64);
        b.push_back(protocol);
        put2(b, 0);
    }
    put_address(b, from);
    put_address(b, to);
    if (!from.is_v6()) set2(b, 10, static_cast<std::uint16_t>(~sum(b, 0, ipv4_header)));
    return b;
}

bytes options_of(const segment& s) {
    bytes b;
    if (s.is_syn) {
        put2(b, mss_option << 8 | 4);
        put2(b, segment_size);
    }
    if (s.timestamp) {
        put4(b, no_operation << 24 | no_operation << 16 | timestamps_option << 8 | 10);
        put4(b, *s.timestamp);
        put4(b, s.echo.value_or(0));
    }
    return b;
}

void read_options(const bytes& from, std::size_t at, std::size_t end, segment& into) {
    while (at + 1 < end && from[at] != end_of_options) {
        if (from[at] == no_operation) {
            ++at;
            continue;
        }
        if (from[at] == timestamps_option && from[at + 1] == 10) {
            into.timestamp = get4(from, at + 2);
            into.echo = get4(from, at + 6);
        }
        at += std::max<std::size_t>(from[at + 1], 2);
    }
}

} // namespace

std::uint16_t address::port() const {
    return ntohs(reinterpret_cast<const ::sockaddr_in*>(&storage)->sin_port); // both families have it there
}

bool operator==(const address& a, const address& b) {
    return a.storage.ss_family == b.storage.ss_family && a.port() == b.port() &&
           std::memcmp(address_bytes(a), address_bytes(b), a.is_v6() ? 16 : 4) == 0;
}

address at(const char* text, std::uint16_t port) {
    address a;
    auto& v4 = reinterpret_cast<::sockaddr_in&>(a.storage);
    auto& v6 = reinterpret_cast<::sockaddr_in6&>(a.storage);
    if (::inet_pton(AF_INET, text, &v4.sin_addr) == 1) {
        v4.sin_family = AF_INET;
    } else if (::inet_pton(AF_INET6, text, &v6.sin6_addr) == 1) {
        v6.sin6_family = AF_INET6;
    } else {
        throw std::invalid_argument(std::string("not an IP address: ") + text);
    }
    v4.sin_port = htons(port);
    return a;
}

bytes encode(const packet& p) {
    const segment& s = p.tcp;
    const bytes options = options_of(s);
    const std::size_t header = tcp_header + options.size(), size = header + s.length;
    bytes b = ip_header(p.from, p.to, IPPROTO_TCP, size);
    const std::size_t begin = b.size();
    put2(b, p.from.port());
    put2(b, p.to.port());
    put4(b, s.sequence);
    put4(b, s.acknowledges.value_or(0));
    b.push_back(static_cast<std::uint8_t>(header / 4 << 4));
    b.push_back(static_cast<std::uint8_t>((s.is_syn ? syn_flag : 0) | (s.is_fin ? fin_flag : 0) |
                                          (s.is_rst ? rst_flag : 0) | (s.acknowledges ? ack_flag : 0)));
    put2(b, s.window.value_or(0));
    put4(b, 0); // checksum, urgent pointer
    b.insert(b.end(), options.begin(), options.end());
    b.insert(b.end(), s.length, 'p');
    const std::uint16_t pseudo = pseudo_header(b, p.from.is_v6(), size);
    set2(b, begin + 16, static_cast<std::uint16_t>(~sum(b, begin, b.size(), pseudo)));
    return b;
}

std::optional<packet> decode(const bytes& from) {
    if (from.size() < ipv4_header) return std::nullopt;
    const bool v6 = from[0] >> 4 == 6;
    const std::size_t begin = v6 ? ipv6_header : 4u * (from[0] & 0x0fu);
    if (from.size() < begin + tcp_header || from[v6 ? 6 : 9] != IPPROTO_TCP) return std::nullopt;
    const std::size_t size = from.size() - begin;
    if (!v6 && sum(from, 0, begin) != 0xffff) throw std::runtime_error("the kernel sent a wrong IP checksum");
    if (sum(from, begin, from.size(), pseudo_header(from, v6, size)) != 0xffff)
        throw std::runtime_error("the kernel sent a wrong TCP checksum");
    const std::size_t header = 4u * (from[begin + 12] >> 4);
    const std::uint8_t flags = from[begin + 13];
    packet p;
    p.from = take_address(from, v6 ? 8 : 12, v6, get2(from, begin));
    p.to = take_address(from, v6 ? 24 : 16, v6, get2(from, begin + 2));
    p.tcp.is_syn = (flags & syn_flag) != 0;
    p.tcp.is_fin = (flags & fin_flag) != 0;
    p.tcp.is_rst = (flags & rst_flag) != 0;
    p.tcp.sequence = get4(from, begin + 4);
    p.tcp.length = static_cast<std::uint32_t>(size - header);
    if ((flags & ack_flag) != 0) p.tcp.acknowledges = get4(from, begin + 8);
    p.tcp.window = get2(from, begin + 14);
    read_options(from, begin + tcp_header, begin + header, p.tcp);
    return p;
}

bytes echo_request(const address& from, const address& to, std::uint16_t number) {
    bytes b = ip_header(from, to, IPPROTO_ICMP, 8);
    const std::size_t begin = b.size();
    put4(b, std::uint32_t{request_type} << 24);
    put2(b, 0);
    put2(b, number);
    set2(b, begin + 2, static_cast<std::uint16_t>(~sum(b, begin, b.size())));
    return b;
}

std::optional<std::uint16_t> echo_reply(const bytes& packet) {
    if (packet.size() < ipv4_header + 8 || packet[0] != 0x45 || packet[9] != IPPROTO_ICMP) return std::nullopt;
    if (packet[ipv4_header] != reply_type) return std::nullopt;
    return get2(packet, ipv4_header + 6);
}

} // namespace packets
