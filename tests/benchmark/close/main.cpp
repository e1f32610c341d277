// SPDX-License-Identifier: BSL-1.0
// What one graceful close costs: ours against a lingering close by hand, Beast's teardown and libuv.
#include "contenders.hpp"
#include "cost.hpp"

#include "benchmark/support/comparison.hpp"
#include "benchmark/support/instruments.hpp"
#include "benchmark/support/program.hpp"

#include <algorithm>
#include <string>
#include <utility>
#include <vector>

namespace {

using namespace benchmark_close;
using benchmark_support::aim;
using benchmark_support::comparison;
using benchmark_support::series;

struct quantity {
    std::string unit;
    double close_cost::*of;
};

struct measured {
    contender who;
    std::vector<close_cost> rounds;

    series of(const quantity& q) const {
        series s{who.name, {}};
        for (const close_cost& c : rounds) s.rounds.push_back(c.*q.of);
        return s;
    }
    bool resets() const {
        return std::ranges::any_of(rounds, [](const close_cost& c) { return c.resets; });
    }
};

/// Fewer than the peer; if the peer needs none at all, none either.
aim fewer_than(const series& theirs) {
    const bool none = std::ranges::all_of(theirs.rounds, [](double n) { return n == 0; });
    return none ? benchmark_support::ratio_at_most(1) : benchmark_support::ratio_below(1);
}

aim wanted(const measured& their, const measured& our, const scenario& s, const quantity& q) {
    if (!s.has_aims) return {};
    if (q.of == &close_cost::instructions && their.who.is_yardstick)
        if (const auto most = s.most_instructions.find(our.who.name); most != s.most_instructions.end())
            return benchmark_support::ratio_at_most(most->second);
    return fewer_than(their.of(q));
}

comparison compare_with(const measured& their, const measured& our, const scenario& s, const quantity& q) {
    series theirs = their.of(q);
    if (!their.resets()) return compare(s.name, q.unit, our.of(q), theirs, wanted(their, our, s, q));
    // A drain that stops half-way costs little; it is shown, but it is nothing to be measured by.
    theirs.name += ", which resets its peer,";
    return compare(s.name, q.unit, our.of(q), theirs);
}

std::vector<comparison> rows_of(const scenario& s, const std::vector<measured>& all, const quantity& q) {
    using kind = contender::kind;
    std::vector<comparison> rows;
    for (const measured& our : all) {
        if (our.who.is == kind::peer) continue;
        const bool limited = q.of == &close_cost::allocations;
        if (limited || our.who.is == kind::ours_by_itself)
            rows.push_back(
                alone(s.name, q.unit, our.of(q),
                      limited && s.has_aims ? benchmark_support::value_at_most(our.who.most_allocations) : aim{}));
        if (our.who.is == kind::ours_by_itself) continue;
        for (const measured& their : all)
            if (their.who.is == kind::peer) rows.push_back(compare_with(their, our, s, q));
    }
    return rows;
}

std::vector<comparison> measure_closes(const benchmark_support::options& o) {
    const instruments available{benchmark_support::can_count_system_calls(),
                                benchmark_support::can_count_instructions()};
    std::vector<quantity> quantities;
    if (available.system_calls) quantities.push_back({"system calls", &close_cost::system_calls});
    if (available.instructions) quantities.push_back({"instructions", &close_cost::instructions});
    quantities.push_back({"allocations", &close_cost::allocations});

    std::vector<scenario> scenarios = all_scenarios();
    if (o.smoke) scenarios.resize(1);
    std::vector<comparison> rows;
    for (const scenario& s : scenarios) {
        std::vector<measured> all;
        for (const contender& c : all_contenders()) all.push_back({c, {}});
        for (unsigned round = 0; round != o.rounds; ++round)
            for (std::size_t i = 0; i != all.size(); ++i) {
                measured& m = all[(i + round) % all.size()];
                m.rounds.push_back(measure(m.who, s, available));
            }
        for (const quantity& q : quantities)
            for (comparison& row : rows_of(s, all, q)) rows.push_back(std::move(row));
    }
    return rows;
}

} // namespace

int main(int argc, char** argv) {
    return benchmark_support::run(
        argc, argv,
        {"close", "Compares what one graceful close costs: system calls, instructions and allocations, by count.", 1,
         measure_closes});
}
