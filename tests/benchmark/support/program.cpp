// SPDX-License-Identifier: BSL-1.0
#include "program.hpp"

#include <CLI/CLI.hpp>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <exception>
#include <iomanip>
#include <iostream>

namespace benchmark_support {

namespace {

nlohmann::ordered_json as_json(const comparison& c) {
    nlohmann::ordered_json row{{"what", c.what}, {"unit", c.unit}, {"ours", c.ours}, {"our_value", c.our_value}};
    if (!c.theirs.empty()) {
        row["theirs"] = c.theirs;
        row["their_value"] = c.their_value;
        row["ratio"] = c.ratio;
        row["lowest_ratio"] = c.lowest_ratio;
        row["highest_ratio"] = c.highest_ratio;
    }
    if (c.wanted.is != aim::kind::none) {
        row["aim"] = c.wanted.text(c.unit);
        row["met"] = c.met();
    }
    return row;
}

void print_text(std::ostream& out, const std::vector<comparison>& rows) {
    std::string what;
    for (const comparison& c : rows) {
        if (c.what + c.unit != what) out << "\n" << c.what << ", " << c.unit << "\n";
        what = c.what + c.unit;
        out << "  " << c.ours << " " << std::setprecision(5) << c.our_value;
        if (!c.theirs.empty())
            out << "; " << c.theirs << " " << c.their_value << "; ratio " << c.ratio << " (" << c.lowest_ratio << " to "
                << c.highest_ratio << ")";
        if (c.wanted.is != aim::kind::none)
            out << "; aim " << c.wanted.text(c.unit) << (c.met() ? ", met" : ", NOT met");
        out << "\n";
    }
}

} // namespace

int run(int argc, char** argv, const benchmark& b) try {
    options o{b.rounds, false};
    bool json = false;
    CLI::App app(b.description);
    app.add_option("--rounds", o.rounds, "How often each one is measured (default: " + std::to_string(o.rounds) + ")")
        ->check(CLI::Range(1, 1000));
    app.add_flag("--smoke", o.smoke, "Everything once and small, to see that it works");
    app.add_flag("--json", json, "Prints JSON instead of text");
    CLI11_PARSE(app, argc, argv);
    if (o.smoke) o.rounds = 1;

    const std::vector<comparison> rows = b.measure(o);
    if (rows.empty()) return status_skipped;
    if (json) {
        nlohmann::ordered_json list = nlohmann::ordered_json::array();
        for (const comparison& c : rows) list.push_back(as_json(c));
        std::cout
            << nlohmann::ordered_json{{"benchmark", b.name}, {"rounds", o.rounds}, {"rows", std::move(list)}}.dump(2)
            << "\n";
    } else {
        print_text(std::cout, rows);
    }
    return std::cout.flush() ? 0 : 1;
} catch (const std::exception& e) {
    std::cerr << argv[0] << ": " << e.what() << "\n";
    return 1;
}

} // namespace benchmark_support
