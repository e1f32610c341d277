// SPDX-License-Identifier: BSL-1.0
#ifndef CLOSESIDE_REPORT_HPP
#define CLOSESIDE_REPORT_HPP

#include <closeside/close_policy.hpp>

#include <chrono>
#include <cstdint>
#include <iosfwd>
#include <string>

namespace closeside {

/// Whose FIN came first.
enum class fin_sender : std::uint8_t {
    none, ///< neither side had sent one
    local,
    peer,
    unknown ///< what could tell was gone when the close began, or the kernel does not show it (Multipath TCP)
};

/// What ended the connection, as far as it was known when the descriptor was released.
enum class ending : std::uint8_t {
    fin,           ///< a FIN from this side, the other, or both
    reset_by_us,   ///< RST from this host: an abort, or close(2) over unread input
    reset_by_peer, ///< RST from the peer
    failed,        ///< there was no connection, or the kernel gave it up, e.g. ETIMEDOUT; the error code says which
    unknown        ///< it had ended before the close began, and the program has taken the error that told how
};

/// Who is left with the connection in TIME-WAIT: for 60 s its 4-tuple belongs to the dead connection there.
/** It says whose TIME-WAIT it is to hold. A host whose table is full (tcp_max_tw_buckets) drops it at once and counts
 *  TCPTimeWaitOverflow. */
enum class time_wait_holder : std::uint8_t {
    nobody,
    local,
    peer,
    both,           ///< the FINs crossed (CLOSING): simultaneous close
    left_to_kernel, ///< our FIN was first and the peer's had not come: the orphan in FIN-WAIT-1 or FIN-WAIT-2 decides
    unknown
};

/// The limit that cut the close short, whatever on_limit then did; the first if several ran out.
enum class close_limit : std::uint8_t {
    none,
    patience,
    input, ///< side::peer: the peer sent more instead of its FIN
    drain_time,
    drain_idle,
    drain_bytes,
    linger,
    cancelled,
    shed ///< ended to make room for others
};

/// What became of the bytes that async_close was given to send as the connection's last.
enum class last_bytes_fate : std::uint8_t {
    none,    ///< there were none
    sent,    ///< all are in the send queue, before our FIN
    not_sent ///< there was no room for all of them within the limits, or no connection any more
};

/// What really happened when a connection was closed, looked up in the kernel up to the moment of release.
/** A plain value. After the descriptor is gone nothing can be looked up any more: if the end was still open the
 *  report says so (time_wait_holder::left_to_kernel). It tells of a connection that this descriptor alone holds: close(2)
 *  is silent while another descriptor (dup, fork, SCM_RIGHTS) holds the socket, and no system call tells of one. */
struct close_report {
    fin_sender first_fin = fin_sender::none;               ///< whose FIN came first
    ending ended_by = ending::fin;                         ///< what ended the connection
    time_wait_holder time_wait = time_wait_holder::nobody; ///< who is left with TIME-WAIT
    close_limit limit = close_limit::none;                 ///< the limit that cut the close short
    /// Bytes from the peer that the close read and threw away.
    std::uint64_t discarded = 0;
    /// Bytes of ours that the peer had not acknowledged when the descriptor was released (SIOCOUTQ, without the FIN).
    /** After an ending by FIN the kernel goes on sending them; after a reset they are lost. */
    std::uint64_t unacknowledged = 0;
    last_bytes_fate last_bytes = last_bytes_fate::none; ///< what became of those that async_close was given
    /// From the start of the close to the release of the descriptor.
    std::chrono::microseconds elapsed{};

    friend bool operator==(const close_report&, const close_report&) = default;
};

/// The name of a value, as reports and logs print it.
constexpr const char* to_string(side s) noexcept { return s == side::local ? "local" : "peer"; }

/// The name of a value, as reports and logs print it.
constexpr const char* to_string(fin_sender s) noexcept {
    switch (s) {
    case fin_sender::none: return "none";
    case fin_sender::local: return "local";
    case fin_sender::peer: return "peer";
    case fin_sender::unknown: return "unknown";
    }
    return "?";
}

/// The name of a value, as reports and logs print it.
constexpr const char* to_string(ending e) noexcept {
    switch (e) {
    case ending::fin: return "fin";
    case ending::reset_by_us: return "reset_by_us";
    case ending::reset_by_peer: return "reset_by_peer";
    case ending::failed: return "failed";
    case ending::unknown: return "unknown";
    }
    return "?";
}

/// The name of a value, as reports and logs print it.
constexpr const char* to_string(time_wait_holder h) noexcept {
    switch (h) {
    case time_wait_holder::nobody: return "nobody";
    case time_wait_holder::local: return "local";
    case time_wait_holder::peer: return "peer";
    case time_wait_holder::both: return "both";
    case time_wait_holder::left_to_kernel: return "left_to_kernel";
    case time_wait_holder::unknown: return "unknown";
    }
    return "?";
}

/// The name of a value, as reports and logs print it.
constexpr const char* to_string(close_limit l) noexcept {
    switch (l) {
    case close_limit::none: return "none";
    case close_limit::patience: return "patience";
    case close_limit::input: return "input";
    case close_limit::drain_time: return "drain_time";
    case close_limit::drain_idle: return "drain_idle";
    case close_limit::drain_bytes: return "drain_bytes";
    case close_limit::linger: return "linger";
    case close_limit::cancelled: return "cancelled";
    case close_limit::shed: return "shed";
    }
    return "?";
}

/// The name of a value, as reports and logs print it.
constexpr const char* to_string(last_bytes_fate f) noexcept {
    switch (f) {
    case last_bytes_fate::none: return "none";
    case last_bytes_fate::sent: return "sent";
    case last_bytes_fate::not_sent: return "not_sent";
    }
    return "?";
}

/// One line for a log: `first_fin=local ended_by=fin time_wait=local limit=none discarded=0 unacknowledged=0 …`.
inline std::string to_string(const close_report& r) {
    std::string text = std::string("first_fin=") + to_string(r.first_fin);
    text += std::string(" ended_by=") + to_string(r.ended_by);
    text += std::string(" time_wait=") + to_string(r.time_wait);
    text += std::string(" limit=") + to_string(r.limit);
    text += " discarded=" + std::to_string(r.discarded);
    text += " unacknowledged=" + std::to_string(r.unacknowledged);
    text += std::string(" last_bytes=") + to_string(r.last_bytes);
    text += " elapsed_us=" + std::to_string(r.elapsed.count());
    return text;
}

/// Writes to_string(report); a template, so that <ostream> is the caller's to include.
template <class Traits>
std::basic_ostream<char, Traits>& operator<<(std::basic_ostream<char, Traits>& out, const close_report& r) {
    const std::string text = to_string(r);
    return out.write(text.data(), static_cast<std::streamsize>(text.size()));
}

} // namespace closeside

#endif
