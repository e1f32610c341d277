// SPDX-License-Identifier: BSL-1.0
// What the host check adds to the start of a server, next to ten keys printed by sysctl(8) or read by the server itself.
#include "audit_call.hpp"
#include "ten_keys.hpp"

#include "benchmark/support/comparison.hpp"
#include "benchmark/support/process.hpp"
#include "benchmark/support/program.hpp"

#include <chrono>
#include <cstddef>
#include <iostream>
#include <sstream>
#include <stdexcept>
#include <string>
#include <vector>

namespace {

using namespace benchmark_audit;
using benchmark_support::comparison;
using benchmark_support::series;

cost call_in_new_process() {
    std::istringstream printed(benchmark_support::run_checked({AUDIT_ONCE}).out);
    long long processor_time = 0, time = 0;
    if (!(printed >> processor_time >> time)) throw std::runtime_error(AUDIT_ONCE " did not print two numbers");
    return {std::chrono::nanoseconds(processor_time), std::chrono::nanoseconds(time)};
}

struct contender {
    std::string name;
    cost (*call)();
    unsigned repeats; ///< in a round, of which the median counts
    series processor_time{}, time{};

    void measure(bool smoke) {
        std::vector<double> processor_times, times;
        for (unsigned i = 0; i != (smoke ? 1 : repeats); ++i) {
            const cost c = call();
            processor_times.push_back(in_milliseconds(c.processor_time));
            times.push_back(in_milliseconds(c.time));
        }
        processor_time.rounds.push_back(benchmark_support::median(processor_times));
        time.rounds.push_back(benchmark_support::median(times));
    }

    static double in_milliseconds(std::chrono::nanoseconds t) {
        return std::chrono::duration<double, std::milli>(t).count();
    }
};

enum : std::size_t { first_call, later_calls, keys_in_process, keys_by_sysctl };

void add_rows(std::vector<comparison>& rows, const std::string& unit, const std::vector<contender>& all,
              series contender::*part) {
    const std::string what = "start-up audit";
    for (const auto ours : {first_call, later_calls}) {
        rows.push_back(alone(what, unit, all[ours].*part, benchmark_support::value_at_most(0.3)));
        if (all.size() > keys_by_sysctl)
            rows.push_back(
                compare(what, unit, all[ours].*part, all[keys_by_sysctl].*part, benchmark_support::ratio_at_most(0.1)));
    }
    // Both without a process; the audit reads more of them, and judges.
    rows.push_back(compare(what, unit, all[later_calls].*part, all[keys_in_process].*part));
}

std::vector<comparison> measure_audit(const benchmark_support::options& o) {
    std::vector<contender> all{{"first call in a process", call_in_new_process, 20},
                               {"later calls", call_audit, 200},
                               {"ten keys read in this process", read_ten_keys, 200}};
    if (has_sysctl())
        all.push_back({"a process of sysctl with ten keys", run_sysctl, 20});
    else
        std::cerr << "SKIPPED: sysctl was not installed when this was built\n";
    call_audit(); // the later calls come after it

    for (contender& c : all) c.processor_time.name = c.time.name = c.name;
    for (unsigned round = 0; round != o.rounds; ++round)
        for (std::size_t i = 0; i != all.size(); ++i) all[(i + round) % all.size()].measure(o.smoke);

    std::vector<comparison> rows;
    add_rows(rows, "ms of processor time", all, &contender::processor_time);
    add_rows(rows, "ms", all, &contender::time);
    return rows;
}

} // namespace

int main(int argc, char** argv) {
    return benchmark_support::run(
        argc, argv,
        {"audit",
         "Compares the host check at start-up, in-process, with ten keys: printed by a process "
         "of sysctl(8), and read in-process.",
         25, measure_audit});
}
