// SPDX-License-Identifier: BSL-1.0
#include "report.hpp"

#include <nlohmann/json.hpp>

#include <algorithm>
#include <array>
#include <cstdlib>
#include <iomanip>
#include <ostream>
#include <utility>

namespace benchmark_states {

namespace {

double median(std::vector<double> values) {
    std::ranges::sort(values);
    const std::size_t middle = values.size() / 2;
    return values.size() % 2 != 0 ? values[middle] : (values[middle - 1] + values[middle]) / 2;
}

struct summary {
    double median_ms;
    double min_ms;
    double max_ms;
    /// How many times as long as ours of the same kind, by the clock.
    double ratio;
    double processor_ms;
    /// The same by processor time.
    double processor_ratio;
};

summary summarise(const result& r, const std::vector<result>& all) {
    const std::string& reference = r.is_process ? our_process : our_call;
    const auto ours = std::ranges::find_if(
        all, [&](const result& other) { return other.sockets == r.sockets && other.name == reference; });
    std::vector<double> times, ratios, processor_times, processor_ratios;
    for (std::size_t i = 0; i != r.rounds.size(); ++i) {
        const measurement &m = r.rounds[i], &o = ours->rounds.at(i);
        times.push_back(m.time.count() / 1e6);
        ratios.push_back(m.time / o.time);
        processor_times.push_back(m.processor_time.count() / 1e6);
        processor_ratios.push_back(m.processor_time / o.processor_time);
    }
    return {median(times),  *std::ranges::min_element(times), *std::ranges::max_element(times),
            median(ratios), median(processor_times),          median(processor_ratios)};
}

double load() {
    std::array<double, 1> average{};
    return ::getloadavg(average.data(), 1) == 1 ? average[0] : 0;
}

} // namespace

void print_table(std::ostream& out, const std::vector<result>& results) {
    out << "Medians of " << results.front().rounds.size() << " rounds in rotated order, load average " << load()
        << ". Ratio: to " << our_process << " for programs, to " << our_call << " for calls.\n";
    std::uint32_t sockets = results.front().sockets + 1;
    for (const result& r : results) {
        if (r.sockets != sockets)
            out << "\n"
                << r.sockets << " sockets in TIME-WAIT              ms, by the clock        of processor time\n";
        sockets = r.sockets;
        const summary s = summarise(r, results);
        out << "  " << std::left << std::setw(28) << r.name << std::right << std::fixed;
        for (const auto& [time, ratio] : {std::pair{s.median_ms, s.ratio}, {s.processor_ms, s.processor_ratio}})
            out << std::setprecision(3) << std::setw(11) << time << std::setprecision(1) << std::setw(9) << ratio
                << " x";
        out << std::defaultfloat << "\n";
    }
}

void print_json(std::ostream& out, const std::vector<result>& results) {
    nlohmann::ordered_json list = nlohmann::ordered_json::array();
    for (const result& r : results) {
        const summary s = summarise(r, results);
        list.push_back({{"sockets", r.sockets},
                        {"name", r.name},
                        {"kind", r.is_process ? "process" : "call"},
                        {"median_ms", s.median_ms},
                        {"min_ms", s.min_ms},
                        {"max_ms", s.max_ms},
                        {"ratio", s.ratio},
                        {"processor_ms", s.processor_ms},
                        {"processor_ratio", s.processor_ratio}});
    }
    out << nlohmann::ordered_json{{"rounds", results.front().rounds.size()},
                                  {"load_average", load()},
                                  {"results", std::move(list)}}
               .dump(2)
        << "\n";
}

} // namespace benchmark_states
