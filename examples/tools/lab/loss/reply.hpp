// SPDX-License-Identifier: BSL-1.0
#ifndef CLOSESIDE_LAB_LOSS_REPLY_HPP
#define CLOSESIDE_LAB_LOSS_REPLY_HPP

#include <cstddef>
#include <cstdint>
#include <string_view>
#include <vector>

namespace lab::loss {

/// A request is its number, in this host's byte order.
using request = std::uint32_t;

inline constexpr std::size_t reply_size = 64 << 10;

/// What the server answers to a request: no two have the same reply, and no two parts of one are alike.
inline std::vector<char> reply_to(request number) {
    std::vector<char> reply(reply_size);
    std::uint64_t state = number + 1;
    for (char& byte : reply) {
        state = state * 6364136223846793005u + 1442695040888963407u; // Knuth's linear congruential generator
        byte = static_cast<char>(state >> 56);
    }
    return reply;
}

/// FNV-1a over bytes that come in parts.
class hash {
public:
    void add(std::string_view bytes) noexcept {
        for (const char byte : bytes) value_ = (value_ ^ static_cast<unsigned char>(byte)) * 0x100000001b3u;
    }
    friend bool operator==(const hash&, const hash&) = default;

private:
    std::uint64_t value_ = 0xcbf29ce484222325u;
};

} // namespace lab::loss

#endif
