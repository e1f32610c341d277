// SPDX-License-Identifier: BSL-1.0
#include "report.hpp"

#include <array>
#include <cmath>
#include <cstdio>
#include <ostream>
#include <string>

namespace benchmark_suite {

namespace {

using nlohmann::ordered_json;

/// Three digits that count, and no exponent.
std::string number(const ordered_json& value) {
    if (!value.is_number()) return "∞"; // JSON has none
    const double d = value;
    const double size = std::abs(d);
    std::array<char, 32> text{};
    const int decimals = size >= 100 || d == std::floor(d) ? 0 : size >= 10 ? 1 : size >= 1 ? 2 : 3;
    std::snprintf(text.data(), text.size(), "%.*f", decimals, d);
    return text.data();
}

/// A bar would end the cell of the table: `ss | wc`.
std::string text(const ordered_json& row, const char* member) {
    std::string cell;
    for (const char c : row.value(member, "")) {
        if (c == '|') cell += '\\';
        cell += c;
    }
    return cell;
}

std::string ratio(const ordered_json& row) {
    if (!row.contains("ratio")) return "";
    const std::string middle = number(row["ratio"]), low = number(row["lowest_ratio"]),
                      high = number(row["highest_ratio"]);
    return low == high ? middle : middle + " (" + low + " to " + high + ")";
}

std::string verdict(const ordered_json& row) {
    if (!row.contains("aim")) return "";
    return row["aim"].get<std::string>() + (row["met"] ? ", met" : ", **missed**");
}

} // namespace

ordered_json as_json(const machine& m, ordered_json benchmarks) {
    return {{"machine",
             {{"processor", m.processor},
              {"processors", m.processors},
              {"memory_gib", m.memory_gib},
              {"kernel", m.kernel},
              {"compiler", m.compiler},
              {"asio", m.asio},
              {"date", m.date},
              {"load_average", m.load_average},
              {"optimised", m.optimised}}},
            {"benchmarks", std::move(benchmarks)}};
}

void print_markdown(std::ostream& out, const ordered_json& all) {
    const ordered_json& m = all["machine"];
    out << m["processors"] << " processors " << m["processor"].get<std::string>() << ", " << number(m["memory_gib"])
        << " GiB; Linux " << m["kernel"].get<std::string>() << "; " << m["compiler"].get<std::string>() << ", Asio "
        << m["asio"].get<std::string>() << "; " << m["date"].get<std::string>() << "; load average "
        << number(m["load_average"]) << " at the start. Values are medians; a ratio is ours to theirs, the median of "
        << "the rounds' own (lowest to highest).\n";
    for (const ordered_json& b : all["benchmarks"]) {
        out << "\n### " << b["benchmark"].get<std::string>() << "\n\n";
        if (!b.contains("rows")) {
            out << "Not measured here.\n";
            continue;
        }
        out << b["rounds"] << (b["rounds"] == 1 ? " round" : " rounds") << "\n\n"
            << "| what | unit | ours | | theirs | | ratio | aim |\n|---|---|---|--:|---|--:|--:|---|\n";
        for (const ordered_json& row : b["rows"])
            out << "| " << text(row, "what") << " | " << text(row, "unit") << " | " << text(row, "ours") << " | "
                << number(row["our_value"]) << " | " << text(row, "theirs") << " | "
                << (row.contains("theirs") ? number(row["their_value"]) : "") << " | " << ratio(row) << " | "
                << verdict(row) << " |\n";
    }
}

} // namespace benchmark_suite
