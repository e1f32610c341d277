// SPDX-License-Identifier: BSL-1.0
#ifndef CLOSESIDE_LAB_SLOW_PEER_SERVER_HPP
#define CLOSESIDE_LAB_SLOW_PEER_SERVER_HPP

#include "scoreboard.hpp"

#include <chrono>
#include <cstddef>
#include <cstdint>

namespace lab::slow_peer {

enum class serving : std::uint8_t {
    closeside_streams, ///< every kind, each on its port
    blocking_linger,   ///< plain Asio with a positive SO_LINGER; its peers are those of the last kind
    nothing            ///< the control: only the echo
};

/// SO_LINGER of serving::blocking_linger.
inline constexpr std::chrono::seconds blocking_linger_time{1};

/// Holds connections, echoes on one more port, and closes all on demand, on one thread; never returns.
/** It makes room in Asio's own tables for `peers` connections first, so that what is allocated later, and not given back,
 *  belongs to closes. */
int serve(serving what, std::uint16_t echo_at, std::size_t peers, scoreboard& board);

} // namespace lab::slow_peer

#endif
