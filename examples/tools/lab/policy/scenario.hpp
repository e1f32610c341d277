// SPDX-License-Identifier: BSL-1.0
#ifndef CLOSESIDE_LAB_POLICY_SCENARIO_HPP
#define CLOSESIDE_LAB_POLICY_SCENARIO_HPP

#include "../support/observed.hpp"

#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <string_view>

namespace lab::policy {

/// What every cell shares.
struct settings {
    std::size_t reply_bytes = 4 << 20; ///< more than socket buffers hold
    std::size_t request_bytes = 16 << 10;
    std::chrono::milliseconds limit{1500}; ///< patience and drain_time, in place of the presets' 2 s and 30 s
    std::uint64_t drain_bytes = 64 << 20;
    std::chrono::milliseconds write_limit{2000}; ///< the server gives up writing the reply after this
    std::chrono::milliseconds peer_reaction{25}; ///< what loopback lacks: the round trip before a peer reacts
    /// No wait inside a cell is longer: each of the two limits may take twice its time after the last progress.
    std::chrono::milliseconds bound{12'000};
    table_source table = table_source::sock_diag; ///< where the TCP states come from
};

enum class peer_kind : std::uint8_t {
    closes_after_reply, ///< reads the whole reply, then closes
    closes_first,       ///< half-closes right after its request, then reads to the end
    keeps_sending,      ///< goes on sending until it has the whole reply, then closes
    never_closes,       ///< reads the whole reply and keeps the connection open
    stops_reading,      ///< reads half of the reply, then neither reads nor closes
    resets              ///< reads half of the reply, then resets the connection
};

inline constexpr std::array all_peers{peer_kind::closes_after_reply, peer_kind::closes_first,  peer_kind::keeps_sending,
                                      peer_kind::never_closes,       peer_kind::stops_reading, peer_kind::resets};

/// Whether the peer wants, and waits for, every byte of the reply.
constexpr bool reads_on(peer_kind p) noexcept { return p != peer_kind::stops_reading && p != peer_kind::resets; }

/// Whether the peer ends its side without being told to.
constexpr bool ends_by_itself(peer_kind p) noexcept {
    return p != peer_kind::never_closes && p != peer_kind::stops_reading;
}

enum class server_kind : std::uint8_t {
    graceful,
    graceful_unread,
    peer_first,
    peer_first_or_reset,
    abortive,
    abortive_destroyed,
    system,
    asio_close,
    asio_unread,
    asio_linger_destroyed,
    asio_linger_close
};

inline constexpr std::array all_servers{server_kind::graceful,         server_kind::graceful_unread,
                                        server_kind::peer_first,       server_kind::peer_first_or_reset,
                                        server_kind::abortive,         server_kind::abortive_destroyed,
                                        server_kind::system,           server_kind::asio_close,
                                        server_kind::asio_unread,      server_kind::asio_linger_destroyed,
                                        server_kind::asio_linger_close};

constexpr bool is_closeside(server_kind s) noexcept { return s < server_kind::asio_close; }

/// Whether the server closes without having read the second half of the request.
constexpr bool leaves_unread(server_kind s) noexcept {
    return s == server_kind::graceful_unread || s == server_kind::asio_unread;
}

/// The names that --only, --peer and the JSON use.
std::string_view name(peer_kind p) noexcept;
std::string_view name(server_kind s) noexcept;

} // namespace lab::policy

#endif
