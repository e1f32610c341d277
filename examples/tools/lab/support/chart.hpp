// SPDX-License-Identifier: BSL-1.0
#ifndef CLOSESIDE_LAB_SUPPORT_CHART_HPP
#define CLOSESIDE_LAB_SUPPORT_CHART_HPP

#include "svg.hpp"

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace lab {

enum class drawn_as : std::uint8_t {
    line,
    steps, ///< a value holds until the next point: counts, shares
    dots
};

struct series {
    std::string name; ///< printed in the legend
    svg::tone tone = svg::tone::first;
    drawn_as shape = drawn_as::line;
    std::vector<std::pair<double, double>> points; ///< by rising x
};

struct axis {
    std::string label;          ///< with the unit: "time to connect, ms"
    bool logarithmic = false;   ///< then every value is above 0
    std::optional<double> low;  ///< else 0, or the lowest value if logarithmic
    std::optional<double> high; ///< else the highest value
};

struct chart {
    std::string title;
    axis x;
    axis y;
    std::vector<series> lines;
};

svg::panel draw(const chart& what, double width = 720, double height = 240);

/// The share of `values` that is at most x, as steps: what most readers want to know of latencies.
/** Of a logarithmic axis, values below its low end belong on it. `count`, if larger than the number of values, is what the
 *  shares are of: those that never came are in the denominator alone. */
std::vector<std::pair<double, double>> share_up_to(std::vector<double> values, std::size_t count = 0);

} // namespace lab

#endif
