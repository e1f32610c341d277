// SPDX-License-Identifier: BSL-1.0
#include "follow_address.hpp"

#include <algorithm>
#include <charconv>

#include <arpa/inet.h>
#include <netinet/in.h>

namespace check::follow {

namespace {

constexpr std::array<std::uint8_t, 12> mapped{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};

} // namespace

std::optional<end_point> make_end_point(std::span<const std::uint8_t> address, std::uint16_t port) {
    end_point e{{}, port};
    if (address.size() == 4) {
        std::ranges::copy(mapped, e.address.begin());
        std::ranges::copy(address, e.address.begin() + mapped.size());
    } else if (address.size() == 16) {
        std::ranges::copy(address, e.address.begin());
    } else {
        return std::nullopt;
    }
    return e;
}

bool is_ipv4(const end_point& e) { return std::ranges::equal(std::span(e.address).first(mapped.size()), mapped); }

std::string to_string(const end_point& e) {
    char text[INET6_ADDRSTRLEN] = "?";
    if (is_ipv4(e)) {
        ::inet_ntop(AF_INET, e.address.data() + mapped.size(), text, sizeof text);
        return std::string(text) + ":" + std::to_string(e.port);
    }
    ::inet_ntop(AF_INET6, e.address.data(), text, sizeof text);
    return "[" + std::string(text) + "]:" + std::to_string(e.port);
}

bool address_block::contains(const end_point& e) const {
    for (unsigned bit = 0; bit != bits; ++bit) {
        const unsigned mask = 0x80u >> bit % 8;
        if (((e.address[bit / 8] ^ from.address[bit / 8]) & mask) != 0) return false;
    }
    return true;
}

std::optional<address_block> parse_address_block(const std::string& text) {
    const std::size_t slash = text.find('/');
    const std::string address = text.substr(0, slash);
    std::array<std::uint8_t, 16> bytes{};
    address_block block;
    unsigned most = 128;
    if (::inet_pton(AF_INET, address.c_str(), bytes.data()) == 1) {
        block.from = *make_end_point(std::span(bytes).first(4), 0);
        most = 32;
    } else if (::inet_pton(AF_INET6, address.c_str(), bytes.data()) == 1) {
        block.from = *make_end_point(bytes, 0);
    } else {
        return std::nullopt;
    }
    if (slash == text.npos) return block;
    unsigned bits = 0;
    const char* const end = text.data() + text.size();
    const auto [stopped, error] = std::from_chars(text.data() + slash + 1, end, bits);
    if (error != std::errc() || stopped != end || bits > most) return std::nullopt;
    block.bits = bits + (128 - most);
    return block;
}

} // namespace check::follow
