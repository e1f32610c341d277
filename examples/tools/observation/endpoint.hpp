// SPDX-License-Identifier: BSL-1.0
#ifndef CLOSESIDE_OBSERVATION_ENDPOINT_HPP
#define CLOSESIDE_OBSERVATION_ENDPOINT_HPP

#include <compare>
#include <cstdint>
#include <string>

#include <netinet/in.h>

namespace observation {

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

/// As bind(2) and connect(2) take it.
::sockaddr_in socket_address(endpoint e) noexcept;

} // namespace observation

#endif
