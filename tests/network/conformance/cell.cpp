// SPDX-License-Identifier: BSL-1.0
#include "cell.hpp"

#include <sys/socket.h>
#include <unistd.h>

namespace conformance {

const char* to_string(way_out w) noexcept {
    switch (w) {
    case way_out::async_close: return "async_close";
    case way_out::with_last_bytes: return "async_close with last bytes";
    case way_out::plain_socket: return "async_close(plain socket)";
    case way_out::cancel_partial: return "async_close, cancelled: partial";
    case way_out::cancel_terminal: return "async_close, cancelled: terminal";
    case way_out::blocking_close: return "close_and_wait()";
    case way_out::abort: return "abort()";
    case way_out::destructor: return "destructor";
    case way_out::move_assignment: return "move-assignment";
    case way_out::coroutine_throws: return "exception out of a coroutine";
    case way_out::scope_throws: return "exception out of a scope";
    case way_out::context_gone: return "io_context destroyed";
    case way_out::context_gone_mid_close: return "io_context destroyed mid-close";
    case way_out::nobody_took: return "accepted by nobody";
    }
    return "?";
}

const char* to_string(peer_kind p) noexcept {
    switch (p) {
    case peer_kind::closes_on_eof: return "closes on EOF";
    case peer_kind::closes_first: return "closes first";
    case peer_kind::simultaneous: return "simultaneous";
    case peer_kind::floods: return "floods";
    case peer_kind::trickles: return "trickles";
    case peer_kind::silent: return "silent";
    case peer_kind::resets_at_once: return "resets at once";
    case peer_kind::resets_mid_drain: return "resets mid-drain";
    case peer_kind::half_closes_first: return "half-closes first";
    case peer_kind::stops_reading: return "stops reading";
    case peer_kind::pipelined: return "pipelined, closes later";
    case peer_kind::asks_later: return "asks later";
    case peer_kind::goodbye: return "goodbye, then FIN";
    case peer_kind::urgent: return "urgent byte unread";
    case peer_kind::shared: return "socket shared";
    case peer_kind::shut_rd: return "SHUT_RD by the program";
    case peer_kind::shut_rd_later: return "SHUT_RD by the program, closes later";
    case peer_kind::shut_rd_trickles: return "SHUT_RD by the program, trickles";
    case peer_kind::shut_both_later: return "SHUT_RDWR by the program, closes later";
    case peer_kind::our_fin_alone: return "FIN by the program, silent";
    case peer_kind::our_fin_before: return "FIN by the program, then the peer's";
    case peer_kind::our_fin_after: return "the peer's FIN, then the program's";
    case peer_kind::fins_crossed: return "FIN by the program and the peer's crossed";
    case peer_kind::took_reset: return "ECONNRESET read";
    case peer_kind::took_timeout: return "ETIMEDOUT read";
    case peer_kind::fin_data_reset: return "data, FIN, RST before";
    case peer_kind::connecting: return "connecting";
    case peer_kind::refused: return "connect refused";
    case peer_kind::unconnected: return "never connected";
    case peer_kind::multipath_closes_on_eof: return "Multipath TCP, closes on EOF";
    case peer_kind::multipath_closes_first: return "Multipath TCP, closes first";
    case peer_kind::multipath_took_reset: return "Multipath TCP, ECONNRESET read";
    case peer_kind::multipath_silent: return "Multipath TCP, silent";
    case peer_kind::reads_slowly: return "reads slowly while it sends";
    }
    return "?";
}

namespace {

/// The connection is there in both directions when the close begins; what it then meets is theirs, with or without them.
bool takes_last_bytes(peer_kind p) noexcept {
    switch (p) {
    case peer_kind::closes_on_eof:
    case peer_kind::half_closes_first:
    case peer_kind::silent:
    case peer_kind::trickles:
    case peer_kind::stops_reading:
    case peer_kind::pipelined:
    case peer_kind::asks_later:
    case peer_kind::goodbye: return true;
    default: return false;
    }
}

bool kernel_has_multipath() noexcept {
    const int fd = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, multipath_tcp);
    if (fd >= 0) ::close(fd);
    return fd >= 0;
}

} // namespace

bool exists(const cell_id& id) noexcept {
    static const bool multipath = kernel_has_multipath();
    if (id.way == way_out::with_last_bytes && !takes_last_bytes(id.peer)) return false;
    if (id.way == way_out::nobody_took && program_acts_first(id.peer)) return false;
    return !is_multipath(id.peer) || (multipath && id.policy.linger2 == cs::fin_wait2::system);
}

std::string to_string(const cell_id& id) {
    return std::string(id.policy_name) + " | " + to_string(id.way) + " | " + to_string(id.peer) +
           (id.v6 ? " | IPv6" : " | IPv4");
}

} // namespace conformance
