// SPDX-License-Identifier: BSL-1.0
// What counting sockets by state costs: closeside-check and count_states against ss, netstat and reading /proc.
#include "campaign.hpp"

#include "benchmark/support/comparison.hpp"
#include "benchmark/support/program.hpp"

#include <algorithm>
#include <cstdint>
#include <iostream>
#include <string>
#include <vector>

namespace {

using benchmark_states::result;
using benchmark_support::aim;
using benchmark_support::comparison;
using benchmark_support::series;

/// With so many sockets a tool has to be quick.
constexpr std::uint32_t many = 100'000;

series milliseconds(const result& r) {
    series s{r.name, {}};
    for (const auto& m : r.rounds) s.rounds.push_back(m.time.count() / 1e6);
    return s;
}

aim wanted(const result& theirs) {
    if (theirs.sockets != many || theirs.name == benchmark_states::summary_of_ss) return {};
    if (theirs.name.starts_with("ss ")) return benchmark_support::ratio_at_most(1.0 / 8);
    if (theirs.name.starts_with("netstat")) return benchmark_support::ratio_at_most(1.0 / 15);
    return {};
}

/// Programs against our program, calls against our call.
void add_rows(std::vector<comparison>& rows, const std::vector<result>& results) {
    for (const result& theirs : results) {
        const std::string what = std::to_string(theirs.sockets) + " sockets in TIME-WAIT";
        const auto& reference = theirs.is_process ? benchmark_states::our_process : benchmark_states::our_call;
        if (theirs.name == reference) continue;
        if (theirs.name == "time_wait_quick") {
            rows.push_back(alone(what, "ms", milliseconds(theirs)));
            continue;
        }
        const auto ours = std::ranges::find(results, reference, &result::name);
        rows.push_back(compare(what, "ms", milliseconds(*ours), milliseconds(theirs), wanted(theirs)));
    }
}

std::vector<comparison> measure(const benchmark_support::options& o) {
    const auto contenders = benchmark_states::all_contenders();
    std::vector<comparison> rows;
    for (const std::uint32_t sockets : o.smoke ? std::vector{0u, 100u} : std::vector{0u, 1'000u, 10'000u, many}) {
        if (!benchmark_states::enter_own_network()) {
            std::cerr << "SKIPPED: neither root nor user namespaces give the right to a network namespace\n";
            return {};
        }
        add_rows(rows, benchmark_states::measure(contenders, sockets, o.rounds));
    }
    return rows;
}

} // namespace

int main(int argc, char** argv) {
    return benchmark_support::run(
        argc, argv,
        {"states", "Compares ways of counting TCP sockets by state, in network namespaces of its own.", 9, measure});
}
