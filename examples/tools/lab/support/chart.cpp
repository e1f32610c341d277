// SPDX-License-Identifier: BSL-1.0
#include "chart.hpp"

#include <algorithm>
#include <cmath>
#include <cstdio>

namespace lab {

namespace {

using svg::anchor;
using svg::number;
using svg::tone;

/// Maps values onto a stretch of pixels and knows where the ticks belong.
class scale {
public:
    scale(const axis& a, double lowest, double highest, double from, double to)
        : logarithmic_(a.logarithmic), low_(a.low.value_or(a.logarithmic ? lowest : std::min(0.0, lowest))),
          high_(a.high.value_or(highest)), from_(from), to_(to) {
        if (!(high_ > low_)) high_ = logarithmic_ ? low_ * 10 : low_ + 1;
    }

    double operator()(double value) const {
        const double v = std::clamp(value, low_, high_);
        const double share = logarithmic_ ? std::log(v / low_) / std::log(high_ / low_) : (v - low_) / (high_ - low_);
        return from_ + share * (to_ - from_);
    }

    std::vector<double> ticks() const {
        std::vector<double> found;
        if (logarithmic_) {
            for (double t = std::pow(10, std::ceil(std::log10(low_) - 1e-9)); t <= high_ * 1.0001; t *= 10)
                found.push_back(t);
            return found;
        }
        const double rough = (high_ - low_) / 5, power = std::pow(10, std::floor(std::log10(rough)));
        const double step = power * (rough / power > 5 ? 10 : rough / power > 2 ? 5 : rough / power > 1 ? 2 : 1);
        for (double t = std::ceil(low_ / step - 1e-9) * step; t <= high_ + step * 1e-6; t += step) found.push_back(t);
        return found;
    }

private:
    bool logarithmic_;
    double low_;
    double high_;
    double from_;
    double to_;
};

std::string tick_text(double value) {
    char text[32];
    std::snprintf(text, sizeof text, "%.6g", std::abs(value) < 1e-12 ? 0.0 : value);
    return text;
}

template <class Value>
std::pair<double, double> extremes(const chart& what, Value value) {
    std::pair<double, double> found{HUGE_VAL, -HUGE_VAL};
    for (const series& s : what.lines)
        for (const auto& point : s.points)
            found = {std::min(found.first, value(point)), std::max(found.second, value(point))};
    return found.first <= found.second ? found : std::pair{0.0, 1.0};
}

void draw_series(svg::panel& p, const series& s, const scale& x, const scale& y) {
    if (s.shape == drawn_as::dots) {
        for (const auto& [px, py] : s.points) p.dot(x(px), y(py), s.tone);
        return;
    }
    std::string d;
    for (const auto& [px, py] : s.points) {
        if (s.shape == drawn_as::steps && !d.empty())
            d += 'H' + number(x(px)) + 'V' + number(y(py));
        else
            d += (d.empty() ? 'M' : 'L') + number(x(px)) + ' ' + number(y(py));
    }
    if (!d.empty()) p.path(d, s.tone);
}

} // namespace

svg::panel draw(const chart& what, double width, double height) {
    const double left = 52, right = width - 8, top = 48, bottom = height - 40;
    const auto [low_x, high_x] = extremes(what, [](const auto& point) { return point.first; });
    const auto [low_y, high_y] = extremes(what, [](const auto& point) { return point.second; });
    const scale x(what.x, low_x, high_x, left, right), y(what.y, low_y, high_y, bottom, top);
    svg::panel p{.width = width, .height = height, .body = {}};
    p.heading(0, 13, what.title);
    for (const double t : y.ticks()) {
        p.line(left, y(t), right, y(t), tone::muted, true);
        p.text(left - 6, y(t) + 4, tick_text(t), tone::muted, anchor::end);
    }
    for (const double t : x.ticks()) {
        p.line(x(t), bottom, x(t), bottom + 4, tone::muted);
        p.text(x(t), bottom + 17, tick_text(t), tone::muted, anchor::middle);
    }
    p.line(left, bottom, right, bottom, tone::muted);
    p.text(right, height - 6, what.x.label, tone::muted, anchor::end);
    p.text(0, top - 12, what.y.label, tone::muted);
    double legend = right;
    for (auto s = what.lines.rbegin(); s != what.lines.rend(); ++s) {
        draw_series(p, *s, x, y);
        p.text(legend, top - 12, s->name, s->tone, anchor::end);
        legend -= 7.0 * static_cast<double>(s->name.size()) + 16; // about the width of the text
    }
    return p;
}

std::vector<std::pair<double, double>> share_up_to(std::vector<double> values, std::size_t count) {
    std::sort(values.begin(), values.end());
    const double whole = static_cast<double>(std::max({count, values.size(), std::size_t{1}}));
    std::vector<std::pair<double, double>> points;
    for (std::size_t i = 0; i < values.size(); ++i) {
        if (i == 0) points.emplace_back(values[i], 0.0);
        points.emplace_back(values[i], static_cast<double>(i + 1) / whole);
    }
    return points;
}

} // namespace lab
