// SPDX-License-Identifier: BSL-1.0
#include "svg.hpp"

#include <algorithm>
#include <cmath>
#include <cstdio>

namespace lab::svg {

namespace {

constexpr double margin = 16;

// currentColor and not custom properties: other programs than browsers draw these, too.
const char* const style = R"(<style>
text{font:12px system-ui,sans-serif;fill:currentColor}
.h{font-weight:600;font-size:13px}
path,line{fill:none;stroke:currentColor;stroke-width:1.5}
.f{fill:currentColor;stroke:none}
.d{stroke-dasharray:2 5;stroke-width:1}
.page{fill:#fff}.ink{color:#1f2328}.muted{color:#656d76}.good{color:#1a7f37}.bad{color:#cf222e}
.first{color:#0969da}.second{color:#bc4c00}.third{color:#8250df}
@media (prefers-color-scheme:dark){
.page{fill:#0d1117}.ink{color:#e6edf3}.muted{color:#8d96a0}.good{color:#3fb950}.bad{color:#f85149}
.first{color:#4493f8}.second{color:#e38e3c}.third{color:#ab7df8}}
</style>
)";

const char* name(tone t) {
    switch (t) {
    case tone::ink: return "ink";
    case tone::muted: return "muted";
    case tone::good: return "good";
    case tone::bad: return "bad";
    case tone::first: return "first";
    case tone::second: return "second";
    case tone::third: return "third";
    }
    return "ink";
}

std::string attribute(const char* key, double value) { return std::string(" ") + key + "=\"" + number(value) + '"'; }

std::string classes(tone t, const char* more = "") { return std::string(" class=\"") + name(t) + more + '"'; }

std::string moved(const panel& p, double x, double y) {
    return "<g transform=\"translate(" + number(x) + ' ' + number(y) + ")\">\n" + p.body + "</g>\n";
}

} // namespace

std::string number(double value) {
    char text[32];
    std::snprintf(text, sizeof text, "%.1f", value);
    std::string result = text;
    if (result.ends_with(".0")) result.resize(result.size() - 2);
    return result == "-0" ? "0" : result;
}

std::string escaped(const std::string& text) {
    std::string result;
    for (const char c : text) {
        switch (c) {
        case '&': result += "&amp;"; break;
        case '<': result += "&lt;"; break;
        case '>': result += "&gt;"; break;
        case '"': result += "&quot;"; break;
        default: result += c;
        }
    }
    return result;
}

void panel::text(double x, double y, const std::string& content, tone t, anchor a) {
    const char* const where = a == anchor::middle ? " text-anchor=\"middle\""
                              : a == anchor::end  ? " text-anchor=\"end\""
                                                  : "";
    body += "<text" + attribute("x", x) + attribute("y", y) + classes(t) + where + '>' + escaped(content) + "</text>\n";
}

void panel::heading(double x, double y, const std::string& content) {
    body += "<text" + attribute("x", x) + attribute("y", y) + classes(tone::ink, " h") + '>' + escaped(content) +
            "</text>\n";
}

void panel::line(double x1, double y1, double x2, double y2, tone t, bool dashed) {
    body += "<line" + attribute("x1", x1) + attribute("y1", y1) + attribute("x2", x2) + attribute("y2", y2) +
            classes(t, dashed ? " d" : "") + "/>\n";
}

void panel::arrow(double x1, double y1, double x2, double y2, tone t) {
    constexpr double length = 9, half_width = 3.5;
    const double size = std::max(std::hypot(x2 - x1, y2 - y1), 1.0);
    const double dx = (x2 - x1) / size, dy = (y2 - y1) / size;
    const double bx = x2 - length * dx, by = y2 - length * dy;
    line(x1, y1, bx, by, t);
    body += "<path d=\"M" + number(x2) + ' ' + number(y2) + 'L' + number(bx - half_width * dy) + ' ' +
            number(by + half_width * dx) + 'L' + number(bx + half_width * dy) + ' ' + number(by - half_width * dx) +
            "z\"" + classes(t, " f") + "/>\n";
}

void panel::cross(double x, double y, tone t) {
    constexpr double r = 5;
    path('M' + number(x - r) + ' ' + number(y - r) + 'L' + number(x + r) + ' ' + number(y + r) + 'M' + number(x - r) +
             ' ' + number(y + r) + 'L' + number(x + r) + ' ' + number(y - r),
         t);
}

void panel::path(const std::string& d, tone t) { body += "<path d=\"" + d + '"' + classes(t) + "/>\n"; }

void panel::dot(double x, double y, tone t) {
    body += "<circle" + attribute("cx", x) + attribute("cy", y) + " r=\"2.5\"" + classes(t, " f") + "/>\n";
}

panel stacked(const std::vector<panel>& panels, double gap) {
    panel all;
    for (const panel& p : panels) {
        if (all.height > 0) all.height += gap;
        all.body += moved(p, 0, all.height);
        all.height += p.height;
        all.width = std::max(all.width, p.width);
    }
    return all;
}

panel beside(const std::vector<panel>& panels, double gap) {
    panel all;
    for (const panel& p : panels) {
        if (all.width > 0) all.width += gap;
        all.body += moved(p, all.width, 0);
        all.width += p.width;
        all.height = std::max(all.height, p.height);
    }
    return all;
}

std::string document(const panel& content, const std::string& title, const std::string& description) {
    const std::string width = number(content.width + 2 * margin), height = number(content.height + 2 * margin);
    return "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 " + width + ' ' + height + "\" width=\"" + width +
           "\" height=\"" + height + "\" role=\"img\" aria-labelledby=\"t d\">\n<title id=\"t\">" + escaped(title) +
           "</title>\n<desc id=\"d\">" + escaped(description) + "</desc>\n" + style + "<rect width=\"" + width +
           "\" height=\"" + height + "\" rx=\"6\" class=\"page\"/>\n" + moved(content, margin, margin) + "</svg>\n";
}

} // namespace lab::svg
