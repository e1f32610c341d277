// SPDX-License-Identifier: BSL-1.0
#include "result.hpp"

#include "../support/chart.hpp"

#include <algorithm>
#include <cmath>
#include <string>
#include <utility>

namespace lab::orphan {

namespace {

using svg::tone;

constexpr double earliest = 0.1; // of the logarithmic axis, in seconds

using points = std::vector<std::pair<double, double>>;

/// Only where the count changes: the picture stays small.
points steps_of(const std::vector<sample>& samples, std::size_t sample::*count, double until) {
    points found;
    for (const sample& s : samples) {
        const auto value = static_cast<double>(s.*count);
        if (s.at < 0 || (!found.empty() && found.back().second == value)) continue;
        found.emplace_back(std::max(s.at, earliest), value);
    }
    if (!found.empty()) {
        found.insert(found.begin(), {earliest, found.front().second});
        found.emplace_back(until, found.back().second);
    }
    return found;
}

chart chart_of(std::string title, std::string counted) {
    return {
        .title = std::move(title),
        .x = {.label = "seconds since the descriptor was released", .logarithmic = true, .low = earliest, .high = {}},
        .y = {.label = std::move(counted), .low = {}, .high = {}},
        .lines = {}};
}

/// From the shortest life to the longest.
tone next_tone(std::size_t index) {
    constexpr tone tones[] = {tone::good, tone::first, tone::second, tone::third, tone::bad};
    return tones[std::min(index, std::size(tones) - 1)];
}

/// One line for each variant that is wanted, the shortest first.
template <class Wanted, class Name>
svg::panel draw_lines(const results& all, chart c, std::size_t sample::*count, Wanted wanted, Name name) {
    std::vector<const result*> shown;
    for (const result& one : all)
        if (wanted(one.what)) shown.push_back(&one);
    const auto length = [](const result* one) { return one->found.gone.value_or(0); };
    std::sort(shown.begin(), shown.end(), [&](const result* a, const result* b) { return length(a) < length(b); });
    const double until = shown.empty() ? 1 : std::max(1.0, length(shown.back()) * 1.2);
    c.x.high = until;
    std::size_t highest = 1;
    for (const result* one : shown)
        for (const sample& at : one->found.samples) highest = std::max(highest, at.*count);
    c.y.high = 1.1 * static_cast<double>(highest);
    for (std::size_t i = 0; i < shown.size(); ++i)
        c.lines.push_back(
            {name(shown[i]->what), next_tone(i), drawn_as::steps, steps_of(shown[i]->found.samples, count, until)});
    return draw(c);
}

} // namespace

void draw_picture(report& r, const results& all) {
    r.picture = svg::stacked(
        {draw_lines(
             all, chart_of("Peers that never close, by TCP_LINGER2", "orphans in FIN-WAIT-2"), &sample::fin_wait2,
             [](const variant& v) { return v.peers == behaviour::never_close; }, name_of_linger2),
         draw_lines(
             all, chart_of("Peers that do not acknowledge, by tcp_orphan_retries", "orphans in FIN-WAIT-1"),
             &sample::fin_wait1, [](const variant& v) { return v.peers == behaviour::silent; },
             [](const variant& v) {
                 return std::to_string(v.orphan_retries) + (v.orphan_retries == 1 ? " retry" : " retries");
             })});
    r.picture_title = "How long a server keeps connections that it has closed and whose peers have not";
    r.picture_description =
        "Orphans of the server over time, counted by sock_diag. In FIN-WAIT-2 they stay for TCP_LINGER2, or under the "
        "system "
        "default for tcp_fin_timeout; under fin_wait2::skip there are none. In FIN-WAIT-1, where the peers acknowledge "
        "nothing, each further tcp_orphan_retries about doubles the time.";
}

} // namespace lab::orphan
