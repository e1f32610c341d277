// SPDX-License-Identifier: BSL-1.0
#ifndef CLOSESIDE_LAB_SLOW_PEER_KINDS_HPP
#define CLOSESIDE_LAB_SLOW_PEER_KINDS_HPP

#include <closeside/policy.hpp>
#include <closeside/report.hpp>

#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>

namespace lab::slow_peer {

using namespace std::chrono_literals;

/// What peers do instead of closing.
enum class behaviour : std::uint8_t {
    trickles,   ///< sends one byte a second, for ever
    stalls,     ///< sends nothing
    never_reads ///< its receive window is full, so that neither the reply nor our FIN gets through
};

inline constexpr closeside::close_policy graceful{.drain_time = 3s};
inline constexpr closeside::close_policy peer_first{.closes_first = closeside::side::peer, .patience = 3s};
inline constexpr closeside::close_policy until_acked{.linger = closeside::lingering::until_acked(3s), .drain_time = 2s};

/// A policy and peers that keep it waiting.
struct kind {
    const char* policy;
    behaviour peer;
    closeside::close_limit limit;     ///< the one that ends these closes
    std::chrono::milliseconds within; ///< ... so long after their beginning
    std::uint16_t port;               ///< where the server takes them

    constexpr bool reads() const noexcept { return peer != behaviour::never_reads; }
};

// After its drain_time an until_acked close goes on waiting only where something is not acknowledged; the limit that it
// reports stays the first one.
inline constexpr std::array kinds{
    kind{"graceful", behaviour::trickles, closeside::close_limit::drain_time, 3s, 8000},
    kind{"graceful", behaviour::stalls, closeside::close_limit::drain_time, 3s, 8001},
    kind{"graceful", behaviour::never_reads, closeside::close_limit::drain_time, 3s, 8002},
    kind{"peer_first", behaviour::trickles, closeside::close_limit::patience, 3s, 8003},
    kind{"peer_first", behaviour::stalls, closeside::close_limit::patience, 3s, 8004},
    kind{"peer_first", behaviour::never_reads, closeside::close_limit::patience, 3s, 8005},
    kind{"until_acked", behaviour::trickles, closeside::close_limit::drain_time, 2s, 8006},
    kind{"until_acked", behaviour::stalls, closeside::close_limit::drain_time, 2s, 8007},
    kind{"until_acked", behaviour::never_reads, closeside::close_limit::drain_time, 3s, 8008},
};
inline constexpr std::chrono::milliseconds longest_limit = 3s;

inline constexpr std::uint16_t echo_port = 7;         ///< of the server that closes
inline constexpr std::uint16_t control_echo_port = 9; ///< of the one that has nothing else to do

/// Closes begin at this rate, as on a server that answers so many requests.
inline constexpr std::size_t closes_per_second = 10'000;
inline constexpr std::size_t most_peers = 10'000;

constexpr const char* to_string(behaviour b) noexcept {
    switch (b) {
    case behaviour::trickles: return "trickles";
    case behaviour::stalls: return "stalls";
    case behaviour::never_reads: return "never reads";
    }
    return "?";
}

} // namespace lab::slow_peer

#endif
