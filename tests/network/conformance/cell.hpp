// SPDX-License-Identifier: BSL-1.0
#ifndef CLOSESIDE_TESTS_CONFORMANCE_CELL_HPP
#define CLOSESIDE_TESTS_CONFORMANCE_CELL_HPP

#include "support/kernel_view.hpp"
#include "wire_record.hpp"

#include <closeside/close_policy.hpp>
#include <closeside/detail/asio/asio.hpp>
#include <closeside/report.hpp>

#include <asio/ip/tcp.hpp>

#include <array>
#include <chrono>
#include <cstdint>
#include <string>

namespace conformance {

namespace cs = closeside;
using asio::ip::tcp;
using wall_clock = std::chrono::system_clock; // the clock of the kernel's packet time stamps

/// Every way on which a connection can leave its stream.
enum class way_out : std::uint8_t {
    async_close,
    with_last_bytes, ///< async_close(last_bytes, token)
    plain_socket,    ///< closeside::async_close(tcp::socket&&, policy, token)
    cancel_partial,  ///< async_close, cancelled mid-way
    cancel_terminal,
    blocking_close,
    abort,
    destructor,
    move_assignment,
    coroutine_throws, ///< the stream lives in the frame of a coroutine that an exception ends
    scope_throws,
    context_gone, ///< the io_context is destroyed with the stream in it
    context_gone_mid_close,
    nobody_took ///< the io_context is destroyed with the accept, and the connection in the backlog
};

inline constexpr std::array all_ways{way_out::async_close,
                                     way_out::with_last_bytes,
                                     way_out::plain_socket,
                                     way_out::cancel_partial,
                                     way_out::cancel_terminal,
                                     way_out::blocking_close,
                                     way_out::abort,
                                     way_out::destructor,
                                     way_out::move_assignment,
                                     way_out::coroutine_throws,
                                     way_out::scope_throws,
                                     way_out::context_gone,
                                     way_out::context_gone_mid_close,
                                     way_out::nobody_took};

/// What the peer does, and what the connection had come through before the close began.
enum class peer_kind : std::uint8_t {
    closes_on_eof,     ///< reads until our FIN, then closes
    closes_first,      ///< has closed before
    simultaneous,      ///< closes at the same microsecond, from another thread
    floods,            ///< sends as fast as it can
    trickles,          ///< one byte every 20 ms, the first before
    silent,            ///< neither sends nor closes
    resets_at_once,    ///< has reset before
    resets_mid_drain,  ///< resets while the close is under way
    half_closes_first, ///< has sent 100 bytes and its FIN before; reads until our FIN, then closes
    stops_reading,     ///< reads nothing, and our send queue is full: our FIN cannot leave
    // As closes_on_eof, but …
    pipelined,  ///< 100 bytes of it had come before; closes at `later` without our FIN
    asks_later, ///< sends 100 bytes at `later`
    goodbye,    ///< sends 8 bytes at `later`, and its FIN 40 ms after
    urgent,     ///< an urgent byte of it is unread
    shared,     ///< another descriptor holds our socket
    shut_rd,    ///< the program has shut reading down
    // The program has …
    shut_rd_later,    ///< shut reading down; the peer half-closes at `later`
    shut_rd_trickles, ///< shut reading down; the peer trickles
    shut_both_later,  ///< shut down both ways; the peer closes at `later`
    our_fin_alone,    ///< half-closed; the peer is silent
    our_fin_before,   ///< half-closed, then the peer closed
    our_fin_after,    ///< half-closed behind the peer's FIN
    fins_crossed,     ///< half-closed as the peer did
    took_reset,       ///< read ECONNRESET
    took_timeout,     ///< read ETIMEDOUT
    fin_data_reset,   ///< not read 100 bytes, behind which the peer has sent FIN and RST
    // … connected, or not:
    connecting,  ///< nobody answers yet
    refused,     ///< and read ECONNREFUSED
    unconnected, ///< never tried
    // On Multipath TCP:
    multipath_closes_on_eof,
    multipath_closes_first,
    multipath_took_reset,
    multipath_silent,
    // In a group of its own:
    reads_slowly ///< 50 kB a second of a long reply, and sends 90 bytes a second until it has read our FIN
};

inline constexpr peer_kind last_peer = peer_kind::multipath_silent;

inline constexpr auto all_peers = [] {
    std::array<peer_kind, static_cast<std::size_t>(last_peer) + 1> all{};
    for (std::size_t i = 0; i < all.size(); ++i) all[i] = static_cast<peer_kind>(i);
    return all;
}();

inline constexpr int multipath_tcp = 262; // IPPROTO_MPTCP

/// When a peer does what it does later, if the close is not cut short; otherwise right after the cut.
inline constexpr auto later = std::chrono::milliseconds(120);

inline constexpr bool never_connected(peer_kind p) noexcept {
    return p >= peer_kind::connecting && p <= peer_kind::unconnected;
}
inline constexpr bool is_multipath(peer_kind p) noexcept {
    return p >= peer_kind::multipath_closes_on_eof && p <= peer_kind::multipath_silent;
}
/// Does the program do something to the connection before it closes it?
inline constexpr bool program_acts_first(peer_kind p) noexcept {
    return (p >= peer_kind::shared && p <= peer_kind::unconnected && p != peer_kind::fin_data_reset) ||
           p == peer_kind::multipath_took_reset;
}

const char* to_string(way_out) noexcept;
const char* to_string(peer_kind) noexcept;

inline constexpr bool tells_a_report(way_out w) noexcept { return w <= way_out::blocking_close; }

/// Ways that cut the close short after `cut_after`.
inline constexpr bool cuts_mid_way(way_out w) noexcept {
    return w == way_out::cancel_partial || w == way_out::cancel_terminal || w == way_out::context_gone_mid_close;
}

struct cell_id {
    const char* policy_name = "";
    cs::close_policy policy{};
    way_out way{};
    peer_kind peer{};
    bool v6 = false;
};

/// A connection that nobody accepts is not acted upon by the program; Multipath TCP has no TCP_LINGER2.
bool exists(const cell_id&) noexcept;

std::string to_string(const cell_id&);

/// What was seen of one close. Allocates nothing, so that counting allocations counts the library's.
struct evidence {
    cell_id id;
    tcp::endpoint local;
    tcp::endpoint peer;

    wall_clock::time_point started{};
    wall_clock::time_point cut{};
    wall_clock::time_point told{};
    int calls = 0;
    cs::error_code ec;
    cs::close_report report;
    observation::socket_entry local_when_told;
    observation::socket_entry peer_when_told;

    observation::socket_entry local_at_end;
    observation::socket_entry peer_at_end;
    wire_record wire;   ///< up to the moment at which local_at_end and peer_at_end were looked up
    bool taken = false; ///< the handler of an accept that was to be destroyed has run

    std::uint64_t written = 0; ///< by the stream
    std::uint64_t peer_sent = 0;
    std::uint64_t peer_received = 0; ///< by the peer's program
    std::uint64_t peer_unread = 0;   ///< in the peer's receive queue
    bool peer_saw_eof = false;
    bool peer_ended = false;
    int peer_error = 0;
    wall_clock::time_point peer_sent_on{}; ///< its first bytes after the close had begun
};

} // namespace conformance

#endif
