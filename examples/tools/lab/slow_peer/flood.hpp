// SPDX-License-Identifier: BSL-1.0
#ifndef CLOSESIDE_LAB_SLOW_PEER_FLOOD_HPP
#define CLOSESIDE_LAB_SLOW_PEER_FLOOD_HPP

#include "../support/report.hpp"

#include <cstddef>
#include <cstdint>

namespace lab::slow_peer {

/// Who lingers on the connections that the server has done with.
enum class lingering_by : std::uint8_t {
    closeside, ///< stream<peer_first_or_reset>
    hand       ///< plain Asio: the same wait for the peer's FIN, and after EMFILE a pause
};

/// A server with room for so many descriptors, more peers than that which take a reply and never close, and then healthy
/// clients, one after the other.
struct flood {
    std::size_t peers = 0;
    std::size_t healthy = 0;
    std::size_t served = 0;     ///< of the healthy, each within a second
    double worst_ms = 0;        ///< of those
    std::size_t reset = 0;      ///< of the peers
    std::size_t ended = 0;      ///< of the peers, by FIN
    std::size_t time_waits = 0; ///< at the server
};

flood flood_with_slow_peers(lingering_by who, std::size_t peers, std::size_t healthy);

/// The table and the claims.
void add_flood(report& r, const flood& ours, const flood& by_hand);

} // namespace lab::slow_peer

#endif
