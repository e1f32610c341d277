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
    trickles,    ///< sends one byte a second, for ever
    stalls,      ///< sends nothing
    never_reads, ///< its receive window is full, so that neither the reply nor our FIN gets through
    reads_slowly ///< 1 KiB of its reply a second, and closes when it has all of it
};

inline constexpr closeside::close_policy graceful{.drain_time = 3s};
inline constexpr closeside::close_policy peer_first{
    .closes_first = closeside::side::peer, .patience = 3s, .drain_time = 2s};
inline constexpr closeside::close_policy until_acked{.linger = closeside::lingering::until_acked(3s), .drain_time = 2s};

/// A policy and peers that keep it waiting.
struct kind {
    const char* policy;
    behaviour peer;
    closeside::close_limit limit; ///< the first that is over
    std::chrono::milliseconds
        within;         ///< how long after their beginning these closes end; of who reads slowly: not before
    std::uint16_t port; ///< where the server takes them

    constexpr bool gets_reply() const noexcept { return peer == behaviour::never_reads || reads_slowly(); }
    constexpr bool reads_slowly() const noexcept { return peer == behaviour::reads_slowly; }
    /// From a peer that sends or takes something, limits count anew: then they may last twice as long.
    constexpr bool is_silent() const noexcept { return peer == behaviour::stalls; }
};

// A limit that is over begins the next phase, whose limit ends it: after peer_first's patience, or 200 ms after input, our
// FIN and drain_time. After its drain_time an until_acked close goes on waiting only if something is not acknowledged.
inline constexpr std::array kinds{
    kind{"graceful", behaviour::trickles, closeside::close_limit::drain_time, 3s, 8000},
    kind{"graceful", behaviour::stalls, closeside::close_limit::drain_time, 3s, 8001},
    kind{"graceful", behaviour::never_reads, closeside::close_limit::drain_time, 3s, 8002},
    kind{"graceful", behaviour::reads_slowly, closeside::close_limit::none, 3s, 8003},
    kind{"peer_first", behaviour::trickles, closeside::close_limit::input, 2200ms, 8004},
    kind{"peer_first", behaviour::stalls, closeside::close_limit::patience, 5s, 8005},
    kind{"peer_first", behaviour::never_reads, closeside::close_limit::patience, 5s, 8006},
    kind{"peer_first", behaviour::reads_slowly, closeside::close_limit::none, 3s, 8007},
    kind{"until_acked", behaviour::trickles, closeside::close_limit::drain_time, 2s, 8008},
    kind{"until_acked", behaviour::stalls, closeside::close_limit::drain_time, 2s, 8009},
    kind{"until_acked", behaviour::never_reads, closeside::close_limit::drain_time, 3s, 8010},
};
inline constexpr std::chrono::milliseconds longest_limit = 5s;

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
    case behaviour::reads_slowly: return "reads slowly";
    }
    return "?";
}

} // namespace lab::slow_peer

#endif
