// SPDX-License-Identifier: BSL-1.0
#ifndef CLOSESIDE_LAB_SUPPORT_SEQUENCE_DIAGRAM_HPP
#define CLOSESIDE_LAB_SUPPORT_SEQUENCE_DIAGRAM_HPP

#include "svg.hpp"

#include "observation/segment.hpp"

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace lab {

enum class row_kind : std::uint8_t {
    rightwards,      ///< a segment from the left host to the right one
    leftwards,       ///< the other way
    lost_rightwards, ///< it never arrives
    lost_leftwards,
    left_state, ///< `text` at the left lifeline: "TIME-WAIT"
    right_state,
    pause ///< `text` across both, where time passes or rows were left out
};

/// One line of the diagram; time runs down, row by row, not to scale.
struct sequence_row {
    row_kind kind = row_kind::pause;
    std::optional<std::chrono::system_clock::duration> at; ///< since the beginning; printed at the margin
    std::string text;                                      ///< "SYN", on the arrow
    std::string remark;                                    ///< at the right margin
    svg::tone tone = svg::tone::ink;
};

struct sequence_diagram {
    std::string title;
    std::string left; ///< whose lifeline it is: "server 198.51.100.2:80"
    std::string right;
    std::vector<sequence_row> rows;
};

/// The flags, and what else a reader wants to know of a segment: "SYN ACK", "FIN ACK", "64 bytes", "RST".
std::string label_of(const observation::segment& s);

/// An arrow for one captured segment; `left` is the address of the host on the left.
sequence_row row_of(const observation::segment& s, std::uint32_t left, std::chrono::system_clock::time_point origin);

svg::panel draw(const sequence_diagram& diagram, double width = 720);

} // namespace lab

#endif
