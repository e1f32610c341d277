// SPDX-License-Identifier: BSL-1.0
#ifndef CLOSESIDE_TESTS_SUPPORT_PACKETS_WIRE_FORMAT_HPP
#define CLOSESIDE_TESTS_SUPPORT_PACKETS_WIRE_FORMAT_HPP

#include "support/packets/segment.hpp"

#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

#include <sys/socket.h>

namespace packets {

using bytes = std::vector<std::uint8_t>;

/// One end of a connection of either version of IP.
struct address {
    ::sockaddr_storage storage{};

    const ::sockaddr* get() const { return reinterpret_cast<const ::sockaddr*>(&storage); }
    bool is_v6() const { return storage.ss_family == AF_INET6; }
    std::uint16_t port() const;
    friend bool operator==(const address& a, const address& b);
};

/// "192.0.2.2" or "2001:db8::2". Throws std::invalid_argument for anything else.
address at(const char* text, std::uint16_t port);

/// A segment between two addresses, its numbers as they stand in the header.
struct packet {
    address from;
    address to;
    segment tcp;
};

/// With both checksums. A SYN has an MSS of 1000, and no other option but the timestamp.
bytes encode(const packet& p);

/// Nothing for what is not TCP. Throws std::runtime_error if a checksum is wrong.
std::optional<packet> decode(const bytes& from);

/// ICMP's echo request from one IPv4 address to another.
bytes echo_request(const address& from, const address& to, std::uint16_t number);

/// The number of the echo reply that this is, if it is one.
std::optional<std::uint16_t> echo_reply(const bytes& packet);

} // namespace packets

#endif
