// SPDX-License-Identifier: BSL-1.0
#include "pictures.hpp"
#include "result.hpp"
#include "variant.hpp"

#include "../labs.hpp"

#include <future>
#include <string>
#include <utility>
#include <vector>

namespace lab {

namespace {

using namespace std::chrono_literals;
using namespace loss;

struct dimensions {
    std::vector<unsigned> percents;
    client_plan plan;
    client_plan slow_plan;
};

// Few, or the reader's pace would not show.
constexpr unsigned percent_for_slow = 5;

// For the picture: few, so that every segment can be recorded.
constexpr client_plan samples{.connections = 12, .at_once = 12, .limit = 6s};

std::future<outcome> start(const variant& what, const client_plan& plan) {
    return std::async(std::launch::async, [=] { return loss::run(what, plan); });
}

/// Every variant at the same time: they share no host, and most of the time is spent waiting.
results run_all(const dimensions& size) {
    std::vector<std::pair<variant, std::future<outcome>>> running;
    for (const unsigned percent : size.percents)
        for (const ending how : endings) {
            const variant what{.how = how, .percent = percent};
            running.emplace_back(what, start(what, size.plan));
        }
    for (const ending how : endings_for_slow) {
        const variant what{.how = how, .percent = percent_for_slow, .slow = true};
        running.emplace_back(what, start(what, size.slow_plan));
    }
    results all;
    for (auto& [what, found] : running) all.push_back(evaluate(what, found.get()));
    return all;
}

void draw_picture(report& r, const results& all, const outcome& plain_close, const outcome& graceful) {
    std::vector<svg::panel> panels;
    for (const auto& diagram : {truncated(plain_close), complete(graceful)})
        if (diagram) panels.push_back(*diagram);
    if (panels.size() < 2) r.notes.push_back("the picture lacks a sequence: no recorded connection went that way");
    panels.push_back(shares(all));
    r.picture = svg::stacked(panels);
    r.picture_title = "A reply on a lossy path, and the close that truncates it";
    r.picture_description =
        "Above, the segments of a real connection: the server writes its reply and calls close() while input is "
        "unread; its kernel sends a reset, and the client gets a part of the reply. In the middle, the same under "
        "policies::graceful: the server half-closes and drains, lost segments are sent again, and the reply is whole. "
        "Below, what share of clients got how much of the reply.";
}

std::string list(const std::vector<unsigned>& percents) {
    std::string text;
    for (const unsigned percent : percents) text += (text.empty() ? "" : " and ") + std::to_string(percent);
    return text;
}

} // namespace

report run_loss(const settings& chosen) {
    const dimensions size = chosen.quick ? dimensions{.percents = {15},
                                                      .plan = {.connections = 80, .at_once = 80, .limit = 7s},
                                                      .slow_plan = {.connections = 80, .at_once = 80, .limit = 20s}}
                                         : dimensions{.percents = {5, 20},
                                                      .plan = {.connections = 250, .at_once = 30, .limit = 20s},
                                                      .slow_plan = {.connections = 250, .at_once = 125, .limit = 30s}};
    auto plain_close = start({.how = ending::plain_close, .percent = 10, .recorded = true}, samples),
         graceful = start({.how = ending::graceful, .percent = 10, .recorded = true}, samples);
    const results all = run_all(size);
    report r;
    r.setting = {"server - clients, " + list(size.percents) +
                     " % of the segments lost at random each way, in packets of 1500 bytes; the kernel's default "
                     "sysctls, every one.",
                 std::to_string(size.plan.connections) + " connections for each way to close, " +
                     std::to_string(size.plan.at_once) +
                     " at a time; the clients send more input while the server replies and closes,",
                 "and give up " + std::to_string(size.plan.limit.count() / 1000) +
                     " s after connect(2). Those of peer_first close once they have the reply; others wait up to 1 s "
                     "for the server to.",
                 "Slow clients take 2 KiB of their reply each tenth of a second, 3.2 s in all, send nothing meanwhile, "
                 "and lose " +
                     std::to_string(percent_for_slow) + " % of the segments."};
    r.tables.push_back(table_of(all));
    check_claims(r, all);
    draw_picture(r, all, plain_close.get(), graceful.get());
    return r;
}

} // namespace lab
