// SPDX-License-Identifier: BSL-1.0
#ifndef CLOSESIDE_TESTS_CONFORMANCE_JUDGE_HPP
#define CLOSESIDE_TESTS_CONFORMANCE_JUDGE_HPP

#include "cell.hpp"

#include <cstdint>
#include <string>
#include <vector>

namespace conformance {

/// Differences between report and kernel that no program can avoid, each recognised by the evidence of its very case.
enum class race : std::uint8_t {
    fin_in_half_close, ///< the peer's FIN came between the look before our FIN and our FIN
    assassination,     ///< RFC 1337: an old acknowledgement, overtaken on another processor, ended TIME-WAIT
    closing_passed,    ///< the FINs crossed, and CLOSING was over before the socket could be asked
    fin_before_abort,  ///< the peer's FIN came between the last look at the socket and our RST
    reset_behind_fin,  ///< the peer's RST came behind its FIN, and nobody waits for the report
    input_at_close     ///< input came between the last look and close(2), which then answers with RST
};

inline constexpr race all_races[] = {race::fin_in_half_close, race::assassination,    race::closing_passed,
                                     race::fin_before_abort,  race::reset_behind_fin, race::input_at_close};

const char* to_string(race) noexcept;

struct judgement {
    std::vector<std::string> mismatches;
    std::vector<race> races;
};

/// Holds what was told and what was promised against the kernel's tables and the segments.
judgement judge(const evidence& e);

/// The same of what an ending is counted as, whatever the way out: each label is right, or unknown.
judgement judge_counted(const evidence& e);

/// Everything that was seen, for the message of a mismatch.
std::string to_string(const evidence& e);

} // namespace conformance

#endif
