// SPDX-License-Identifier: BSL-1.0
#include "result.hpp"

#include "../support/chart.hpp"

#include <string>

namespace lab::restart {

namespace {

using svg::anchor;
using svg::tone;

constexpr double width = 880, first_column = 250, row_height = 26;

svg::panel who_gets_the_port(const results& all) {
    const double step = (width - first_column) / static_cast<double>(newcomers.size());
    svg::panel p{.width = width, .height = 74 + row_height * static_cast<double>(all.size()), .body = {}};
    p.heading(0, 13, "A server is restarted: who gets the port at once?");
    p.text(0, 56, "the old server", tone::muted);
    p.text(first_column + 1.5 * step, 36, "a plain listener with", tone::muted, anchor::middle);
    p.text(first_column + 4 * step, 36, "closeside::acceptor", tone::muted, anchor::middle);
    for (std::size_t i = 0; i < newcomers.size(); ++i) {
        const std::string name = newcomers[i] == newcomer::acceptor ? "default policy" : to_string(newcomers[i]);
        p.text(first_column + (static_cast<double>(i) + 0.5) * step, 56, name, tone::ink, anchor::middle);
    }
    p.line(0, 64, width, 64, tone::muted);
    double y = 64 + row_height - 8;
    for (const result& r : all) {
        p.text(0, y, r.what.name);
        for (std::size_t i = 0; i < newcomers.size(); ++i) {
            const bool let_in = r.of(newcomers[i]).error == 0;
            p.text(first_column + (static_cast<double>(i) + 0.5) * step, y, let_in ? "yes" : "EADDRINUSE",
                   let_in ? tone::good : tone::bad, anchor::middle);
        }
        y += row_height;
    }
    return p;
}

svg::panel how_long(const std::vector<waited>& waits) {
    chart c{.title = "How long connections keep the port of a server without SO_REUSEADDR",
            .x = {.label = "s since the stop; each line ends where bind(2) with SO_REUSEADDR succeeds",
                  .low = 0,
                  .high = {}},
            .y = {.label = "connections", .low = 0, .high = {}},
            .lines = {}};
    const tone tones[] = {tone::good, tone::bad, tone::second, tone::third};
    for (std::size_t i = 1; i < waits.size(); ++i) {
        auto points = waits[i].counted;
        if (waits[i].seconds) points.emplace_back(*waits[i].seconds, 0.0);
        const std::string& name = waits[i].what.name;
        c.lines.push_back({name.substr(0, name.find(':')), tones[i % 4], drawn_as::steps, std::move(points)});
    }
    return draw(c, width);
}

} // namespace

svg::panel picture(const results& all, const std::vector<waited>& waits) {
    const svg::panel grid = who_gets_the_port(all);
    return waits.empty() ? grid : svg::stacked({grid, how_long(waits)});
}

} // namespace lab::restart
