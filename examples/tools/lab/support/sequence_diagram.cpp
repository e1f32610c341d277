// SPDX-License-Identifier: BSL-1.0
#include "sequence_diagram.hpp"

#include <cstdio>

namespace lab {

namespace {

using svg::anchor;
using svg::tone;

constexpr double row_height = 26;
constexpr double slope = 7; // how far an arrow falls on its way: segments take time
constexpr double top = 56;

std::string time_text(std::chrono::system_clock::duration at) {
    char text[32];
    const double seconds = std::chrono::duration<double>(at).count();
    std::snprintf(text, sizeof text, seconds < 9.9995 ? "%.4f s" : "%.3f s", seconds);
    return text;
}

/// Where things stand, from left to right.
struct layout {
    double time_end;
    double left;
    double right;
    double remark;
};

void draw_arrow(svg::panel& p, const sequence_row& row, const layout& at, double y) {
    const bool rightwards = row.kind == row_kind::rightwards || row.kind == row_kind::lost_rightwards;
    const bool lost = row.kind == row_kind::lost_rightwards || row.kind == row_kind::lost_leftwards;
    const double from = rightwards ? at.left : at.right, to = rightwards ? at.right : at.left;
    const double reach = lost ? 0.6 : 1;
    p.arrow(from, y - slope / 2, from + (to - from) * reach, y - slope / 2 + slope * reach, row.tone);
    if (lost) p.cross(from + (to - from) * (reach + 0.04), y - slope / 2 + slope * reach);
    p.text((at.left + at.right) / 2, y - 4, row.text, row.tone, anchor::middle);
}

void draw_row(svg::panel& p, const sequence_row& row, const layout& at, double y) {
    if (row.at) p.text(at.time_end, y + 4, time_text(*row.at), tone::muted, anchor::end);
    if (!row.remark.empty()) p.text(at.remark, y + 4, row.remark, row.tone == tone::ink ? tone::muted : row.tone);
    switch (row.kind) {
    case row_kind::left_state: p.text(at.left + 8, y + 4, row.text, row.tone); break;
    case row_kind::right_state: p.text(at.right - 8, y + 4, row.text, row.tone, anchor::end); break;
    case row_kind::pause:
        p.text((at.left + at.right) / 2, y + 4, row.text, row.tone == tone::ink ? tone::muted : row.tone,
               anchor::middle);
        break;
    default: draw_arrow(p, row, at, y);
    }
}

} // namespace

std::string label_of(const observation::segment& s) {
    std::string text;
    const auto add = [&text](const std::string& word) { text += (text.empty() ? "" : " ") + word; };
    if (s.syn) add("SYN");
    if (s.fin) add("FIN");
    if (s.rst) add("RST");
    if (s.ack && (text.empty() || s.syn) && s.length == 0) add("ACK");
    if (s.length > 0) add((text.empty() ? "" : "+ ") + std::to_string(s.length) + " bytes");
    return text;
}

sequence_row row_of(const observation::segment& s, std::uint32_t left, std::chrono::system_clock::time_point origin) {
    return {.kind = s.from.address == left ? row_kind::rightwards : row_kind::leftwards,
            .at = s.when - origin,
            .text = label_of(s),
            .remark = {},
            .tone = s.rst ? tone::bad : tone::ink};
}

svg::panel draw(const sequence_diagram& diagram, double width) {
    const layout at{.time_end = 58, .left = 84, .right = width * 0.56, .remark = width * 0.56 + 18};
    svg::panel p{.width = width, .height = top + row_height * static_cast<double>(diagram.rows.size()) + 4, .body = {}};
    p.heading(0, 13, diagram.title);
    p.text(at.left, 38, diagram.left, tone::first, anchor::start);
    p.text(at.right, 38, diagram.right, tone::second, anchor::end);
    p.line(at.left, 44, at.left, p.height, tone::first);
    p.line(at.right, 44, at.right, p.height, tone::second);
    double y = top + row_height / 2 - 4;
    for (const sequence_row& row : diagram.rows) {
        draw_row(p, row, at, y);
        y += row_height;
    }
    return p;
}

} // namespace lab
