// SPDX-License-Identifier: BSL-1.0
#include "endpoint.hpp"

#include <stdexcept>

#include <arpa/inet.h>

namespace observation {

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

::sockaddr_in socket_address(endpoint e) noexcept {
    ::sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(e.address);
    address.sin_port = htons(e.port);
    return address;
}

} // namespace observation
