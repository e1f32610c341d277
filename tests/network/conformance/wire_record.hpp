// SPDX-License-Identifier: BSL-1.0
#ifndef CLOSESIDE_TESTS_CONFORMANCE_WIRE_RECORD_HPP
#define CLOSESIDE_TESTS_CONFORMANCE_WIRE_RECORD_HPP

#include "observation/segment.hpp"

#include <optional>
#include <string>

namespace conformance {

/// How a connection ended, from its segments alone. Bits, so that a promise may leave a choice.
namespace end {
inline constexpr unsigned silence = 1;            ///< neither FIN nor RST has left either side
inline constexpr unsigned orphan = 2;             ///< our FIN, and nothing from the peer
inline constexpr unsigned active = 4;             ///< our FIN, then the peer's, which acknowledges ours
inline constexpr unsigned passive = 8;            ///< the peer's FIN, then ours, which acknowledges the peer's
inline constexpr unsigned crossed = 16;           ///< both FINs, neither acknowledging the other
inline constexpr unsigned local_reset = 32;       ///< RST by a close or abort of ours, our FIN not before
inline constexpr unsigned fin_local_reset = 64;   ///< our FIN, then RST by a close or abort of ours
inline constexpr unsigned fin_answer_reset = 128; ///< our FIN, then RST in answer to a segment of the peer's
inline constexpr unsigned peer_reset = 256;       ///< the peer's RST, our FIN not before
inline constexpr unsigned fin_peer_reset = 512;   ///< our FIN, then the peer's RST
inline constexpr unsigned answer_reset = 2048;    ///< RST in answer to a segment of the peer's, our FIN not before
inline constexpr unsigned other = 1024;           ///< anything else; never promised
} // namespace end

std::string end_text(unsigned ends);

/// The segments of one connection.
struct wire_record {
    std::optional<observation::segment> our_fin, our_abort, our_answer, peer_fin, peer_rst; ///< the first of each
    bool our_fin_before_rst = false; ///< our FIN left before the first RST of either side

    /// TIME-WAIT assassination (RFC 1337): after both FINs an old segment drew an acknowledgement from TIME-WAIT, and
    /// the end that was closed already answered that with RST.
    bool assassinated() const noexcept;
    unsigned ending() const noexcept;
};

} // namespace conformance

#endif
