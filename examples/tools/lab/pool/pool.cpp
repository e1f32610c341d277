// SPDX-License-Identifier: BSL-1.0
#include "variant.hpp"

#include "../labs.hpp"
#include "../support/chart.hpp"

#include "check/capacity_simulation.hpp"

#include <closeside/policy.hpp>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdio>
#include <future>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

namespace lab {

namespace {

using namespace std::chrono_literals;
using namespace pool;

/// A share by the simulation: chance alone makes it differ from seed to seed.
struct expected {
    double mean = 0;
    double deviation = 0; ///< standard, of one run

    expected() = default;
    explicit expected(const std::vector<double>& runs) {
        const auto count = static_cast<double>(runs.size());
        for (const double r : runs) mean += r / count;
        for (const double r : runs) deviation += (r - mean) * (r - mean) / (count - 1);
        deviation = std::sqrt(deviation);
    }
};

/// One variant, and what the simulation makes of the same.
struct result {
    variant what;
    outcome found;
    double per_second = 0; ///< connects that were judged
    std::size_t connects = 0;
    std::size_t met = 0;
    std::size_t challenged = 0;
    check::simulated_load load{};
    expected simulated_met{};
    expected simulated_challenged{};

    double share(std::size_t part) const {
        return connects != 0 ? static_cast<double>(part) / static_cast<double>(connects) : 0;
    }
};

constexpr std::uint64_t seeds = 20;
constexpr auto patience_of_peer_first = static_cast<double>(closeside::policies::peer_first.patience.count) / 1000;

/// Both shares of each seed.
std::pair<expected, expected> simulate_often(check::simulated_load load) {
    std::vector<double> met, challenged;
    for (load.seed = 1; load.seed <= seeds; ++load.seed) {
        const check::simulated one = check::simulate(load);
        met.push_back(one.met_share());
        challenged.push_back(one.challenged_share());
    }
    return {expected(met), expected(challenged)};
}

result evaluate(const variant& what, outcome found, const dimensions& size) {
    result r{.what = what, .found = std::move(found)};
    const double from = static_cast<double>(size.warm_up.count());
    const auto seconds = static_cast<double>(size.time.count());
    for (const meeting& m : r.found.seen.all) {
        if (m.at < from) continue;
        ++r.connects;
        r.met += m.met ? 1 : 0;
        r.challenged += m.challenged ? 1 : 0;
    }
    const double lasted = r.found.made.seconds - from;
    r.per_second = lasted > 0 ? static_cast<double>(r.connects) / lasted : 0;
    r.load = {.per_second = std::max(r.per_second, 1.0),
              .spaces = 1,
              .ports = size.ports,
              .open_seconds = r.found.seen.open_seconds,
              .patience_seconds = nat::server_closes_first(what.how) ? 0 : patience_of_peer_first,
              .time_wait_share = nat::server_closes_first(what.how) ? 1 : 1 - what.in_time,
              .hold_with = static_cast<double>(reuse.count()),
              .hold_without = static_cast<double>(reuse.count()),
              .retries_elsewhere = true,
              .warm_up_seconds = from,
              .measured_seconds = seconds};
    std::tie(r.simulated_met, r.simulated_challenged) = simulate_often(r.load);
    return r;
}

std::string name_of(const variant& v) {
    return v.how == nat::ending::graceful
               ? "graceful"
               : "peer_first, " + std::to_string(std::lround(v.in_time * 100)) + " % in time";
}

table table_of(const std::vector<result>& all) {
    table t{.key = "variants",
            .title =
                "Connects through the NAT. Met: the port was in TIME-WAIT on the server, by the sequence numbers of "
                "its answers.\nSimulated: by the simulation of closeside-check capacity, with the same ports, rate "
                "and time.",
            .columns = {{"server", "server"},
                        {"connects", "connects"},
                        {"per_second", "1/s", 1},
                        {"failed", "failed"},
                        {"met", "met"},
                        {"met_percent", "met, %", 2},
                        {"simulated_met_percent", "simulated, %", 2},
                        {"challenged_percent", "challenged, %", 2},
                        {"simulated_challenged_percent", "simulated, %", 2}},
            .rows = {}};
    for (const result& r : all)
        t.rows.push_back({name_of(r.what), r.connects, r.per_second, r.found.made.failed, r.met, 100 * r.share(r.met),
                          100 * r.simulated_met.mean, 100 * r.share(r.challenged), 100 * r.simulated_challenged.mean});
    return t;
}

std::string percent(double share) {
    std::array<char, 32> text{};
    std::snprintf(text.data(), text.size(), "%.2f %%", 100 * share);
    return text.data();
}

/// Within 5 %, or four of the standard deviations that the simulation has between its own runs.
void check_share(report& r, const result& one, const char* what, std::size_t part, const expected& simulated) {
    const double found = one.share(part), chance = 4 * simulated.deviation / std::max(simulated.mean, 1e-9);
    const double bound = std::max(0.05, chance);
    r.check(part != 0 && std::abs(found / simulated.mean - 1) <= bound,
            name_of(one.what) + ": the simulation foretells the share of connects that " + what + ", within " +
                percent(bound) + (bound > 0.05 ? " of it: four standard deviations of so few." : " of it."),
            percent(found) + " of " + std::to_string(one.connects) + "; simulated " + percent(simulated.mean));
}

void check_claims(report& r, const std::vector<result>& all) {
    for (const result& one : all) {
        check_share(r, one, "meet a TIME-WAIT", one.met, one.simulated_met);
        check_share(r, one, "are challenged", one.challenged, one.simulated_challenged);
        r.check(100 * one.found.made.failed <= one.connects,
                name_of(one.what) +
                    ": but for one in a hundred all are answered within 5 s, though Linux's NAT forgets a challenged "
                    "client, whose next SYN may meet another TIME-WAIT.",
                std::to_string(one.found.made.failed) + " were not");
    }
}

/// The share of those that met one, second by second.
void draw_picture(report& r, const std::vector<result>& all, const dimensions& size) {
    const auto time = static_cast<double>((size.warm_up + size.time).count());
    const double step = std::max(1.0, std::floor(time / 12));
    chart c{.title = "Connects that meet a TIME-WAIT, as time goes on",
            .x = {.label = "time since the first connect, s", .low = 0, .high = time},
            .y = {.label = "share of connects, %", .low = 0, .high = 100},
            .lines = {}};
    using svg::tone;
    const std::array<std::pair<tone, tone>, 2> tones{{{tone::bad, tone::first}, {tone::good, tone::second}}};
    for (std::size_t i = 0; i != all.size(); ++i) {
        std::vector<std::pair<double, double>> seen, foretold;
        for (double from = 0; from + step <= time; from += step) {
            std::size_t connects = 0, met = 0;
            for (const meeting& m : all[i].found.seen.all) {
                if (m.at < from || m.at >= from + step) continue;
                ++connects;
                met += m.met ? 1 : 0;
            }
            const double middle = from + step / 2;
            if (connects != 0)
                seen.emplace_back(middle, 100 * static_cast<double>(met) / static_cast<double>(connects));
            check::simulated_load part = all[i].load;
            part.warm_up_seconds = from;
            part.measured_seconds = step;
            foretold.emplace_back(middle, 100 * check::simulate(part).met_share());
        }
        c.lines.push_back({name_of(all[i].what), tones[i].first, drawn_as::line, seen});
        c.lines.push_back({name_of(all[i].what) + ", simulated", tones[i].second, drawn_as::line, foretold});
    }
    r.picture = draw(c);
    r.picture_title = "A NAT of few ports: connects that meet a TIME-WAIT of the server";
    r.picture_description =
        "The share of connects whose port is still in TIME-WAIT on the server rises as the NAT goes through its ports, "
        "and is lower where most clients close first. The simulation of closeside-check capacity runs along.";
}

} // namespace

report run_pool(const settings& chosen) {
    const dimensions size = chosen.quick ? dimensions{.ports = 8000, .per_second = 800, .warm_up = 0s, .time = 10s}
                                         : dimensions{.ports = 30000, .per_second = 400, .warm_up = 65s, .time = 50s};
    const std::array variants{variant{nat::ending::graceful, 0}, variant{nat::ending::peer_first, 0.6}};
    std::vector<std::pair<variant, std::future<outcome>>> running;
    for (const variant& v : variants)
        running.emplace_back(v, std::async(std::launch::async, [&, v] { return pool::run(v, size); }));
    std::vector<result> all;
    for (auto& [what, found] : running) all.push_back(evaluate(what, found.get(), size));
    report r;
    r.setting = {"clients - NAT - server. The NAT has " + std::to_string(size.ports) +
                     " ports, forgets a connection after " + std::to_string(reuse.count()) +
                     " s and chooses at random; the server holds TIME-WAIT for 60 s.",
                 "Connects begin at " + std::to_string(std::lround(size.per_second)) + " a second for " +
                     std::to_string((size.warm_up + size.time).count()) + " s" +
                     (size.warm_up.count() == 0 ? "; at the beginning there is no TIME-WAIT."
                                                : ", and are judged after " + std::to_string(size.warm_up.count()) +
                                                      " s, when TIME-WAITs end as others begin.")};
    r.tables.push_back(table_of(all));
    check_claims(r, all);
    draw_picture(r, all, size);
    return r;
}

} // namespace lab
