// SPDX-License-Identifier: BSL-1.0
#ifndef CLOSESIDE_LAB_POOL_VARIANT_HPP
#define CLOSESIDE_LAB_POOL_VARIANT_HPP

#include "clients.hpp"
#include "meetings.hpp"

#include "../nat/server.hpp"

#include <chrono>
#include <cstdint>

namespace lab::pool {

/// What one run differs in.
struct variant {
    nat::ending how = nat::ending::graceful;
    double in_time = 0; ///< of the clients, those that close first
};

struct dimensions {
    std::uint16_t ports = 0; ///< that the NAT has
    double per_second = 0;
    std::chrono::seconds warm_up{}; ///< that are not judged
    std::chrono::seconds time{};    ///< that are
};

/// How long the NAT remembers a connection.
inline constexpr std::chrono::seconds reuse{1};

struct outcome {
    connects made;
    meetings seen;
};

/// Clients behind a NAT of few ports, which it chooses at random, and a server. Blocks until it is over.
outcome run(const variant& chosen, const dimensions& size);

} // namespace lab::pool

#endif
