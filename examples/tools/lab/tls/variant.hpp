// SPDX-License-Identifier: BSL-1.0
#ifndef CLOSESIDE_LAB_TLS_VARIANT_HPP
#define CLOSESIDE_LAB_TLS_VARIANT_HPP

#include <array>
#include <chrono>
#include <cstdint>
#include <string>

namespace lab::tls {

/// How the server ends a connection once its reply is written.
enum class server_kind : std::uint8_t {
    graceful, ///< ssl_stream::async_close under this policy, and so on
    peer_first,
    peer_first_or_reset,
    abortive,
    system,
    dropped,        ///< ssl_stream<graceful> is destroyed
    asio_destroyed, ///< asio::ssl::stream<tcp::socket> is destroyed
    asio_shutdown   ///< its async_shutdown, shutdown_limit at most, then close()
};

inline constexpr std::array all_servers{
    server_kind::graceful, server_kind::peer_first, server_kind::peer_first_or_reset, server_kind::dropped,
    server_kind::abortive, server_kind::system,     server_kind::asio_destroyed,      server_kind::asio_shutdown};

/// What the client does after its request.
enum class peer_kind : std::uint8_t {
    answers,        ///< reads until the end, answers close_notify with its own, and closes
    s_client,       ///< openssl s_client
    curl,           ///< the program
    keeps_sending,  ///< sends on while it reads until the end, then as `answers`
    never_closes,   ///< reads until the end and keeps the connection open
    closes_first,   ///< has the whole reply, reads once more, sends close_notify and closes: what curl does
    closes_unread,  ///< closes with the whole reply and never reads on: its kernel resets over our close_notify
    stops_half_way, ///< reads half of the reply, then neither reads nor closes
    resets          ///< reads half of the reply, then resets the connection
};

inline constexpr std::array all_peers{peer_kind::answers,       peer_kind::s_client,       peer_kind::curl,
                                      peer_kind::keeps_sending, peer_kind::never_closes,   peer_kind::closes_first,
                                      peer_kind::closes_unread, peer_kind::stops_half_way, peer_kind::resets};

enum class protocol : std::uint8_t {
    tcp, ///< without TLS, for comparison
    tls1_2,
    tls1_3
};

/// One cell: a server, a peer, and what they speak.
struct variant {
    server_kind server{};
    peer_kind peer{};
    protocol over = protocol::tls1_3;

    friend bool operator==(const variant&, const variant&) = default;
};

// In place of the presets' 2 s, 5 s and 30 s.
inline constexpr std::chrono::milliseconds patience{600}, drain_idle{600}, drain_time{2000};
inline constexpr std::chrono::milliseconds shutdown_limit{1500}; ///< of asio_shutdown
inline constexpr std::chrono::milliseconds bound{15'000};        ///< no wait inside a cell is longer

constexpr bool is_closeside(server_kind s) noexcept { return s < server_kind::asio_destroyed; }

/// A policy that loses nothing to a peer that reads.
constexpr bool is_orderly(server_kind s) noexcept {
    return s <= server_kind::peer_first_or_reset || s == server_kind::dropped;
}
constexpr bool waits_for_peer(server_kind s) noexcept {
    return s == server_kind::peer_first || s == server_kind::peer_first_or_reset;
}

/// Whether the peer reads until the server's end of the connection, and so tells how that looked.
constexpr bool reads_to_the_end(peer_kind p) noexcept {
    return p == peer_kind::answers || p == peer_kind::s_client || p == peer_kind::keeps_sending ||
           p == peer_kind::never_closes;
}
constexpr bool closes_first(peer_kind p) noexcept { return p == peer_kind::curl || p == peer_kind::closes_first; }
constexpr bool wants_the_reply(peer_kind p) noexcept {
    return reads_to_the_end(p) || closes_first(p) || p == peer_kind::closes_unread;
}
constexpr bool answers(peer_kind p) noexcept { return reads_to_the_end(p) && p != peer_kind::never_closes; }
constexpr bool is_program(peer_kind p) noexcept { return p == peer_kind::s_client || p == peer_kind::curl; }

/// What a peer that has read everything and then does nothing costs by the policy; zero: nothing.
std::chrono::milliseconds cost_of_silence(server_kind s) noexcept;

const char* to_string(server_kind s) noexcept;
const char* to_string(peer_kind p) noexcept;
const char* to_string(protocol p) noexcept;

/// "peer_first, curl, TLS 1.3"
std::string name_of(const variant& v);

} // namespace lab::tls

#endif
