// SPDX-License-Identifier: BSL-1.0
#include "comparison.hpp"

#include <algorithm>
#include <array>
#include <cstdio>
#include <stdexcept>

namespace benchmark_support {

bool aim::met_by(double value) const noexcept {
    switch (is) {
    case kind::none: return true;
    case kind::below: return value < bound;
    case kind::at_most: return value <= bound;
    case kind::at_least: return value >= bound;
    }
    return false;
}

std::string aim::text(const std::string& unit) const {
    if (is == kind::none) return {};
    std::array<char, 32> number{};
    std::snprintf(number.data(), number.size(), "%g", bound);
    const char* const sign = is == kind::below ? "< " : is == kind::at_most ? "≤ " : "≥ ";
    return sign + std::string(number.data()) + (of_ratio ? " ×" : " " + unit);
}

double median(std::vector<double> values) {
    if (values.empty()) throw std::invalid_argument("the median of no values");
    std::ranges::sort(values);
    const std::size_t middle = values.size() / 2;
    return values.size() % 2 != 0 ? values[middle] : (values[middle - 1] + values[middle]) / 2;
}

comparison compare(const std::string& what, const std::string& unit, const series& ours, const series& theirs,
                   const aim& wanted) {
    if (ours.rounds.size() != theirs.rounds.size())
        throw std::invalid_argument(what + ": " + ours.name + " and " + theirs.name + " went through unlike rounds");
    comparison c = alone(what, unit, ours, wanted);
    c.theirs = theirs.name;
    c.their_value = median(theirs.rounds);
    std::vector<double> ratios;
    for (std::size_t i = 0; i != ours.rounds.size(); ++i) {
        const double our = ours.rounds[i], their = theirs.rounds[i];
        // Nothing against nothing is a draw: 0 setsockopt is as good as 0 setsockopt.
        ratios.push_back(our == their ? 1 : our / their);
    }
    c.ratio = median(ratios);
    c.lowest_ratio = *std::ranges::min_element(ratios);
    c.highest_ratio = *std::ranges::max_element(ratios);
    return c;
}

comparison alone(const std::string& what, const std::string& unit, const series& ours, const aim& wanted) {
    comparison c;
    c.what = what;
    c.unit = unit;
    c.ours = ours.name;
    c.our_value = median(ours.rounds);
    c.wanted = wanted;
    return c;
}

} // namespace benchmark_support
