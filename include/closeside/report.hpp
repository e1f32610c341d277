// SPDX-License-Identifier: BSL-1.0
#ifndef CLOSESIDE_REPORT_HPP
#define CLOSESIDE_REPORT_HPP

#include <closeside/close_policy.hpp>

#include <chrono>
#include <cstdint>
#include <iosfwd>
#include <optional>
#include <string>

namespace closeside {

/// What ended the connection, as far as it was known when the descriptor was released.
enum class ending : std::uint8_t {
    fin,           ///< a FIN from this side, the other, or both
    reset_by_us,   ///< RST from this host: an abort, or close(2) over unread input
    reset_by_peer, ///< RST from the peer
    failed         ///< the kernel gave up without a segment from the peer, e.g. ETIMEDOUT; the error code says why
};

/// Who is left with the connection in TIME-WAIT: for 60 s its 4-tuple belongs to the dead connection there.
enum class time_wait_holder : std::uint8_t {
    nobody,
    local,
    peer,
    both,          ///< the FINs crossed (CLOSING): simultaneous close
    left_to_kernel ///< our FIN was first and the peer's had not come: the orphan in FIN-WAIT-1 or FIN-WAIT-2 decides
};

/// The limit that cut the close short, whatever on_limit then did.
enum class close_limit : std::uint8_t { none, patience, drain_time, drain_bytes, linger, cancelled };

/// What really happened when a connection was closed, looked up in the kernel up to the moment of release.
/** A plain value. After the descriptor is gone nothing can be looked up any more: where the end was still open the
 *  report says so (time_wait_holder::left_to_kernel). */
struct close_report {
    /// Whose FIN came first; none while neither side had sent one.
    std::optional<side> first_fin;
    ending ended_by = ending::fin;
    time_wait_holder time_wait = time_wait_holder::nobody;
    close_limit limit = close_limit::none;
    /// Bytes from the peer that the close read and threw away.
    std::uint64_t discarded = 0;
    /// Bytes of ours that the peer had not acknowledged when the descriptor was released (SIOCOUTQ, without the FIN).
    /** After an ending by FIN the kernel goes on sending them; after a reset they are lost. */
    std::uint64_t unacknowledged = 0;
    /// From the start of the close to the release of the descriptor.
    std::chrono::microseconds elapsed{};

    friend bool operator==(const close_report&, const close_report&) = default;
};

constexpr const char* to_string(side s) noexcept { return s == side::local ? "local" : "peer"; }

constexpr const char* to_string(ending e) noexcept {
    switch (e) {
    case ending::fin: return "fin";
    case ending::reset_by_us: return "reset_by_us";
    case ending::reset_by_peer: return "reset_by_peer";
    case ending::failed: return "failed";
    }
    return "?";
}

constexpr const char* to_string(time_wait_holder h) noexcept {
    switch (h) {
    case time_wait_holder::nobody: return "nobody";
    case time_wait_holder::local: return "local";
    case time_wait_holder::peer: return "peer";
    case time_wait_holder::both: return "both";
    case time_wait_holder::left_to_kernel: return "left_to_kernel";
    }
    return "?";
}

constexpr const char* to_string(close_limit l) noexcept {
    switch (l) {
    case close_limit::none: return "none";
    case close_limit::patience: return "patience";
    case close_limit::drain_time: return "drain_time";
    case close_limit::drain_bytes: return "drain_bytes";
    case close_limit::linger: return "linger";
    case close_limit::cancelled: return "cancelled";
    }
    return "?";
}

/// One line for a log: `first_fin=local ended_by=fin time_wait=local limit=none discarded=0 unacknowledged=0 …`.
inline std::string to_string(const close_report& r) {
    std::string text = "first_fin=";
    text += r.first_fin ? to_string(*r.first_fin) : "none";
    text += std::string(" ended_by=") + to_string(r.ended_by);
    text += std::string(" time_wait=") + to_string(r.time_wait);
    text += std::string(" limit=") + to_string(r.limit);
    text += " discarded=" + std::to_string(r.discarded);
    text += " unacknowledged=" + std::to_string(r.unacknowledged);
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
