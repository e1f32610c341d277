// SPDX-License-Identifier: BSL-1.0
#ifndef CLOSESIDE_LAB_SUPPORT_SVG_HPP
#define CLOSESIDE_LAB_SUPPORT_SVG_HPP

#include <cstdint>
#include <string>
#include <vector>

// Small pictures that a person can read as text, too, and that suit a light and a dark page.
namespace lab::svg {

/// What a colour says; the style sheet in document() knows a shade of each for light and dark.
enum class tone : std::uint8_t { ink, muted, good, bad, first, second, third };

enum class anchor : std::uint8_t { start, middle, end };

/// A part of a picture, drawn from (0,0) down and to the right.
struct panel {
    double width = 0;
    double height = 0;
    std::string body; ///< SVG elements

    void text(double x, double y, const std::string& content, tone t = tone::ink, anchor a = anchor::start);
    void heading(double x, double y, const std::string& content);
    void line(double x1, double y1, double x2, double y2, tone t = tone::ink, bool dashed = false);
    void arrow(double x1, double y1, double x2, double y2, tone t = tone::ink); ///< its head at (x2,y2)
    void cross(double x, double y, tone t = tone::bad);                         ///< where something got lost
    void path(const std::string& d, tone t);                                    ///< a line without filling
    void dot(double x, double y, tone t);
};

/// One below the other, or side by side.
panel stacked(const std::vector<panel>& panels, double gap = 24);
panel beside(const std::vector<panel>& panels, double gap = 24);

/// The whole file. `title` and `description` are for those who cannot see it.
std::string document(const panel& content, const std::string& title, const std::string& description);

/// A number with one digit after the point at most, as coordinates are written.
std::string number(double value);

/// With & < > " replaced.
std::string escaped(const std::string& text);

} // namespace lab::svg

#endif
