// SPDX-License-Identifier: BSL-1.0
#ifndef CLOSESIDE_CHECK_FOLLOW_ADDRESS_HPP
#define CLOSESIDE_CHECK_FOLLOW_ADDRESS_HPP

#include <array>
#include <compare>
#include <cstdint>
#include <optional>
#include <span>
#include <string>

namespace check::follow {

/// An address and a port, IPv4 as ::ffff:a.b.c.d whichever kind of socket it is: one connection has one name.
struct end_point {
    std::array<std::uint8_t, 16> address{};
    std::uint16_t port = 0;

    friend auto operator<=>(const end_point&, const end_point&) = default;
};

/// From 4 or 16 bytes; none of another size.
std::optional<end_point> make_end_point(std::span<const std::uint8_t> address, std::uint16_t port);

bool is_ipv4(const end_point& e);

/// `192.0.2.1:80`, `[2001:db8::1]:443`
std::string to_string(const end_point& e);

struct connection {
    end_point local, peer;

    friend auto operator<=>(const connection&, const connection&) = default;
};

/// An address, or a block of them.
struct address_block {
    end_point from;
    unsigned bits = 128; ///< of the sixteen bytes, so 96 more than of an IPv4 address

    bool contains(const end_point& e) const;
};

/// `192.0.2.1`, `192.0.2.0/24`, `2001:db8::/32`; nothing if it is none of these.
std::optional<address_block> parse_address_block(const std::string& text);

} // namespace check::follow

#endif
