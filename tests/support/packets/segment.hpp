// SPDX-License-Identifier: BSL-1.0
#ifndef CLOSESIDE_TESTS_SUPPORT_PACKETS_SEGMENT_HPP
#define CLOSESIDE_TESTS_SUPPORT_PACKETS_SEGMENT_HPP

#include <cstdint>
#include <optional>
#include <source_location>
#include <string>

namespace packets {

/// A TCP segment as a script writes it. Numbers are relative: each side's SYN is 0, its first byte of data 1.
/** What a script sends has these values and nothing left open. Of what it expects, flags, sequence number,
 *  acknowledgement and length must be as written; window and timestamp only where they are. PSH counts for nothing. */
struct segment {
    bool is_syn = false;
    bool is_fin = false;
    bool is_rst = false;
    bool is_from_zero = false; ///< its sequence number is 0 itself, and not relative
    std::uint32_t sequence = 0;
    std::uint32_t length = 0;
    std::optional<std::uint32_t> acknowledges{}; ///< the ACK flag, and its number
    std::optional<std::uint16_t> window{};       ///< as it stands in the header
    std::optional<std::uint32_t> timestamp{};    ///< TSval
    std::optional<std::uint32_t> echo{};         ///< TSecr
    std::source_location where = std::source_location::current();

    segment ack(std::uint32_t n) const {
        segment s = *this;
        s.acknowledges = n;
        return s;
    }
    segment fin() const {
        segment s = *this;
        s.is_fin = true;
        return s;
    }
    segment win(std::uint16_t n) const {
        segment s = *this;
        s.window = n;
        return s;
    }
    /// Sent: with this TSval, and the TSval seen last as the echo.
    segment at_time(std::uint32_t n) const {
        segment s = *this;
        s.timestamp = n;
        return s;
    }
    /// Expected: with this TSecr.
    segment echoes(std::uint32_t n) const {
        segment s = *this;
        s.echo = n;
        return s;
    }

    /// How much of the sequence space it takes.
    std::uint32_t space() const { return length + (is_syn ? 1 : 0) + (is_fin ? 1 : 0); }
};

inline segment syn(std::uint32_t sequence, std::source_location where = std::source_location::current()) {
    return {.is_syn = true, .sequence = sequence, .where = where};
}

inline segment data(std::uint32_t sequence, std::uint32_t length,
                    std::source_location where = std::source_location::current()) {
    return {.sequence = sequence, .length = length, .where = where};
}

inline segment fin(std::uint32_t sequence, std::source_location where = std::source_location::current()) {
    return {.is_fin = true, .sequence = sequence, .where = where};
}

inline segment rst(std::uint32_t sequence, std::source_location where = std::source_location::current()) {
    return {.is_rst = true, .sequence = sequence, .where = where};
}

/// What answers a segment without ACK (RFC 9293, 3.10.7.1): <SEQ=0><ACK=SEG.SEQ+SEG.LEN><CTL=RST,ACK>.
inline segment rst_from_zero(std::uint32_t acknowledged, std::source_location where = std::source_location::current()) {
    return {.is_rst = true, .is_from_zero = true, .acknowledges = acknowledged, .where = where};
}

/// Neither data nor a flag but ACK, where that is set.
inline segment empty(std::uint32_t sequence, std::source_location where = std::source_location::current()) {
    return {.sequence = sequence, .where = where};
}

/// As tcpdump and packetdrill have it: "F. 1:1(0) ack 1 win 65535".
inline std::string to_string(const segment& s) {
    std::string text = std::string(s.is_syn ? "S" : "") + (s.is_fin ? "F" : "") + (s.is_rst ? "R" : "");
    if (s.acknowledges) text += '.';
    text += ' ' + std::to_string(s.sequence) + ':' + std::to_string(s.sequence + s.length) + '(' +
            std::to_string(s.length) + ')';
    if (s.acknowledges) text += " ack " + std::to_string(*s.acknowledges);
    if (s.window) text += " win " + std::to_string(*s.window);
    if (s.timestamp) text += " TSval " + std::to_string(*s.timestamp);
    if (s.echo) text += " TSecr " + std::to_string(*s.echo);
    return text;
}

/// Is `seen`, of which all is known, what was written?
inline bool matches(const segment& seen, const segment& wanted) {
    return seen.is_syn == wanted.is_syn && seen.is_fin == wanted.is_fin && seen.is_rst == wanted.is_rst &&
           seen.is_from_zero == wanted.is_from_zero && seen.sequence == wanted.sequence &&
           seen.length == wanted.length && seen.acknowledges == wanted.acknowledges &&
           (!wanted.window || seen.window == wanted.window) &&
           (!wanted.timestamp || seen.timestamp == wanted.timestamp) && (!wanted.echo || seen.echo == wanted.echo);
}

} // namespace packets

#endif
