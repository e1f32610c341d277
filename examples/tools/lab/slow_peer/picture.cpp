// SPDX-License-Identifier: BSL-1.0
#include "healthy.hpp"
#include "result.hpp"

#include "../support/chart.hpp"

#include <cmath>
#include <optional>

namespace lab::slow_peer {

namespace {

using svg::tone;

/// A point where either coordinate has moved visibly, for a picture that stays small.
std::vector<std::pair<double, double>> thinned(const std::vector<std::pair<double, double>>& all, double visible_x,
                                               double visible_y) {
    std::vector<std::pair<double, double>> points;
    for (std::size_t i = 0; i < all.size(); ++i) {
        const bool last = i + 1 == all.size();
        if (last || points.empty() || std::abs(all[i].first - points.back().first) >= visible_x ||
            std::abs(all[i].second - points.back().second) >= visible_y)
            points.push_back(all[i]);
    }
    return points;
}

/// The share of round trips that took longer, down to one in a thousand.
std::vector<std::pair<double, double>> slower_than(const std::vector<double>& rising) {
    std::vector<std::pair<double, double>> points;
    for (double share = 1; share >= 0.00099; share /= 1.1)
        points.emplace_back(quantile(rising, 1 - share), 100 * share);
    return points;
}

} // namespace

void draw_picture(report& r, const outcome& found, const blocked& contender) {
    const std::vector<std::pair<double, double>> all = waiting_over_time(found.closes);
    const double visible = static_cast<double>(found.closes.size()) / 100;
    chart waiting{.title = "Peers that trickle, stall or never read: closes that wait, on one thread",
                  .x = {.label = "seconds since the first close", .low = 0, .high = std::nullopt},
                  .y = {.label = "closes", .low = 0, .high = static_cast<double>(found.closes.size())},
                  .lines = {{"waiting", tone::first, drawn_as::line, thinned(all, 0.05, visible)}}};
    chart latency{.title = "A healthy connection on that thread: round trips that take longer",
                  .x = {.label = "milliseconds", .logarithmic = true, .low = 0.01, .high = 10000},
                  .y = {.label = "% of round trips", .logarithmic = true, .low = 0.1, .high = 100},
                  .lines = {{"idle", tone::muted, drawn_as::line, slower_than(found.healthy.idle)},
                            {"closes wait", tone::good, drawn_as::line, slower_than(found.healthy.waiting)},
                            {"blocking SO_LINGER, " + std::to_string(contender.closes.size()) + " closes", tone::bad,
                             drawn_as::line, slower_than(contender.waiting)}}};
    r.picture = svg::stacked({draw(waiting), draw(latency)});
    r.picture_title =
        "Thousands of closes wait for slow peers; a healthy connection on the same thread does not feel it";
    r.picture_description =
        "Above, the number of closes that wait: it rises while they begin, stays, and falls to nothing when their "
        "limits, 2 to 5 seconds, run out, or peers that read slowly have all. Below, the share of a healthy "
        "connection's round trips that take longer "
        "than "
        "a time: with all those closes waiting it is about what it is on the idle server, while a few closes under "
        "plain "
        "Asio with SO_LINGER of 1 second keep most round trips waiting for as long.";
}

} // namespace lab::slow_peer
