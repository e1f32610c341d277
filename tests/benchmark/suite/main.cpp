// SPDX-License-Identifier: BSL-1.0
// Runs every benchmark, one after another, and puts what they measured into one table.
#include "machine.hpp"
#include "report.hpp"

#include "benchmark/support/process.hpp"
#include "benchmark/support/program.hpp"

#include <CLI/CLI.hpp>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <chrono>
#include <exception>
#include <fstream>
#include <iostream>
#include <stdexcept>
#include <string>
#include <vector>

namespace {

struct entry {
    std::string name;
    std::string program;
};

const std::vector<entry> benchmarks{
#include "benchmark_list.inc"
};

nlohmann::ordered_json run_one(const entry& e, bool smoke) {
    std::cerr << e.name << " ..." << std::flush;
    std::vector<std::string> command{e.program, "--json"};
    if (smoke) command.emplace_back("--smoke");
    const auto result = benchmark_support::run_process(command, std::chrono::minutes(10));
    std::cerr << " " << std::chrono::duration_cast<std::chrono::seconds>(result.time).count() << " s\n" << result.err;
    if (result.status == benchmark_support::status_skipped) return {{"benchmark", e.name}};
    if (result.status != 0) throw std::runtime_error(e.name + " ended with status " + std::to_string(result.status));
    return nlohmann::ordered_json::parse(result.out);
}

} // namespace

int main(int argc, char** argv) try {
    bool smoke = false;
    std::string json;
    std::vector<std::string> only;
    CLI::App app("Measures what closeside costs, against its peers, and prints the tables in Markdown.");
    app.add_flag("--smoke", smoke, "Everything once and small, to see that it works");
    app.add_option("--json", json, "Writes what was measured to this file, too");
    app.add_option("--only", only, "Runs this one; repeatable (default: all)")->allow_extra_args(false);
    CLI11_PARSE(app, argc, argv);
    for (const std::string& name : only) {
        bool known = false;
        for (const entry& e : benchmarks) known = known || e.name == name;
        if (!known) throw std::invalid_argument("--only " + name + ": there is no such benchmark");
    }

    const benchmark_suite::machine machine = benchmark_suite::this_machine();
    if (!machine.optimised) std::cerr << "WARNING: built without optimisation; configure with --preset benchmark\n";
    nlohmann::ordered_json results = nlohmann::ordered_json::array();
    for (const entry& e : benchmarks)
        if (only.empty() || std::ranges::find(only, e.name) != only.end()) results.push_back(run_one(e, smoke));
    const auto all = benchmark_suite::as_json(machine, std::move(results));
    if (!json.empty() && !(std::ofstream(json) << all.dump(2) << "\n").flush())
        throw std::runtime_error("cannot write " + json);
    benchmark_suite::print_markdown(std::cout, all);
    return std::cout.flush() ? 0 : 1;
} catch (const std::exception& e) {
    std::cerr << "closeside-benchmark: " << e.what() << "\n";
    return 1;
}
