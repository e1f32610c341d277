// SPDX-License-Identifier: BSL-1.0
// What counting sockets by state costs: closeside-check and count_states against ss, netstat and reading /proc.
#include "campaign.hpp"
#include "report.hpp"

#include <CLI/CLI.hpp>

#include <cstdint>
#include <exception>
#include <iostream>
#include <vector>

namespace {

/// The return code of a test that is skipped, as CMake knows it.
constexpr int status_skipped = 77;

} // namespace

int main(int argc, char** argv) try {
    std::vector<std::uint32_t> sockets{0, 1000, 10000, 100000};
    unsigned rounds = 9;
    bool json = false;
    CLI::App app("Compares ways of counting TCP sockets by state, in network namespaces of its own.");
    app.add_option("--sockets", sockets, "How many sockets in TIME-WAIT; repeatable (default: 0 1000 10000 100000)")
        ->check(CLI::Range(0, 1000000))
        ->allow_extra_args(false);
    app.add_option("--rounds", rounds, "How often each one counts; they must fit in 60 s (default: 9)")
        ->check(CLI::Range(1, 1000));
    app.add_flag("--json", json, "Prints JSON instead of a table");
    CLI11_PARSE(app, argc, argv);

    const auto contenders = benchmark_states::all_contenders();
    std::vector<benchmark_states::result> results;
    for (const std::uint32_t n : sockets) {
        if (!benchmark_states::enter_own_network()) {
            std::cerr << "SKIPPED: neither root nor user namespaces give the right to a network namespace\n";
            return status_skipped;
        }
        for (auto& r : benchmark_states::measure(contenders, n, rounds)) results.push_back(std::move(r));
    }
    (json ? benchmark_states::print_json : benchmark_states::print_table)(std::cout, results);
    return std::cout.flush() ? 0 : 1;
} catch (const std::exception& e) {
    std::cerr << "closeside-states-benchmark: " << e.what() << "\n";
    return 1;
}
