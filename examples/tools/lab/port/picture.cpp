// SPDX-License-Identifier: BSL-1.0
#include "result.hpp"

#include "../support/chart.hpp"

#include <algorithm>

namespace lab::port {

namespace {

using closeside::side;
using svg::tone;

constexpr double rounds_shown = 4;

/// The running count of connects; a point where it has moved visibly, for a picture that stays small.
std::vector<std::pair<double, double>> count_over(const std::vector<double>& at, double seconds, double highest) {
    std::vector<std::pair<double, double>> points{{0.0, 0.0}};
    for (std::size_t i = 0; i < at.size() && at[i] <= seconds; ++i) {
        const double count = static_cast<double>(i + 1);
        if (count > highest) return points; // it leaves the chart
        const bool last = i + 1 == at.size() || at[i + 1] > seconds;
        const bool pause = !last && at[i + 1] - at[i] > seconds / 100;
        if (!last && !pause && at[i] - points.back().first < seconds / 300) continue;
        points.emplace_back(at[i], count);
        if (pause) points.emplace_back(at[i + 1], count);
    }
    if (points.back().second + 1 < highest) points.emplace_back(seconds, points.back().second);
    return points;
}

const result& find(const results& all, path way, int tw_reuse, side closes_first) {
    return *std::find_if(all.begin(), all.end(), [&](const result& one) {
        return one.what.way == way && one.what.tw_reuse == tw_reuse && one.what.timestamps &&
               one.what.closes_first == closes_first;
    });
}

svg::panel chart_of(const results& all, path way, const char* title, const dimensions& size) {
    const double delay = std::chrono::duration<double>(size.delay).count();
    const double seconds = rounds_shown * delay, ports = static_cast<double>(size.ports);
    const double highest = (rounds_shown + 1) * ports;
    const auto counted = [&](int tw_reuse, side first) {
        return count_over(find(all, way, tw_reuse, first).found.made.at, seconds, highest);
    };
    const double capacity = find(all, way, 1, side::local).found.capacity;
    chart c{.title = title,
            .x = {.label = "seconds", .low = 0, .high = seconds},
            .y = {.label = "connects made", .low = 0, .high = highest},
            .lines = {}};
    const bool reused = way == path::loopback; // with tw_reuse = 2
    c.lines.push_back({"what the host check foretells",
                       tone::muted,
                       drawn_as::line,
                       {{0.0, ports}, {seconds, std::min(highest, ports + capacity * seconds)}}});
    c.lines.push_back({reused ? "tw_reuse = 0" : "tw_reuse = 2 (default)", tone::bad, drawn_as::line,
                       counted(reused ? 0 : 2, side::local)});
    c.lines.push_back({reused ? "tw_reuse = 2 (default)" : "tw_reuse = 1", tone::first, drawn_as::line,
                       counted(reused ? 2 : 1, side::local)});
    c.lines.push_back({"server first", tone::good, drawn_as::line, counted(0, side::peer)});
    return draw(c);
}

} // namespace

void draw_picture(report& r, const results& all, const dimensions& size) {
    const std::string from = " from " + std::to_string(size.ports) + " ports: connects made over time";
    r.picture = svg::stacked({chart_of(all, path::loopback, ("Over loopback" + from).c_str(), size),
                              chart_of(all, path::veth, ("Between two hosts" + from).c_str(), size)});
    r.picture_title = "How many connects a small range of local ports allows";
    r.picture_description =
        "With a client that closes first, each port allows one connect and is then bound. Over loopback, with "
        "tcp_tw_reuse = 2, and between hosts with 1, all ports are re-used after tcp_tw_reuse_delay: a staircase along "
        "the "
        "line that the host check's capacity foretells. Without that, connects end when each port was used once. With "
        "a server "
        "that closes first no port is held, and the line leaves the chart at once.";
}

} // namespace lab::port
