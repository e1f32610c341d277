// SPDX-License-Identifier: BSL-1.0
// What the host check adds to the start of a server, next to a process of sysctl(8) that prints ten keys.
#include "audit_call.hpp"

#include "benchmark/support/comparison.hpp"
#include "benchmark/support/process.hpp"
#include "benchmark/support/program.hpp"

#include <chrono>
#include <iostream>
#include <sstream>
#include <stdexcept>
#include <string>
#include <vector>

namespace {

using namespace benchmark_audit;
using benchmark_support::comparison;
using benchmark_support::series;

/// As a start script asks for them. Every network namespace shows these, so that sysctl finds each.
const std::vector<std::string> sysctl_command{SYSCTL,
                                              "-n",
                                              "net.ipv4.tcp_tw_reuse",
                                              "net.ipv4.tcp_timestamps",
                                              "net.ipv4.tcp_fin_timeout",
                                              "net.ipv4.tcp_max_tw_buckets",
                                              "net.ipv4.tcp_rfc1337",
                                              "net.ipv4.tcp_syncookies",
                                              "net.ipv4.tcp_max_syn_backlog",
                                              "net.ipv4.tcp_orphan_retries",
                                              "net.ipv4.tcp_keepalive_time",
                                              "net.ipv4.ip_local_port_range"};

cost call_in_new_process() {
    std::istringstream printed(benchmark_support::run_checked({AUDIT_ONCE}).out);
    long long processor_time = 0, time = 0;
    if (!(printed >> processor_time >> time)) throw std::runtime_error(AUDIT_ONCE " did not print two numbers");
    return {std::chrono::nanoseconds(processor_time), std::chrono::nanoseconds(time)};
}

cost run_sysctl() {
    const auto result = benchmark_support::run_checked(sysctl_command);
    return {result.processor_time, result.time};
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

void add_rows(std::vector<comparison>& rows, const std::string& what, const std::string& unit, const series& ours,
              const series* theirs) {
    rows.push_back(alone(what, unit, ours, benchmark_support::value_at_most(0.3)));
    if (theirs) rows.push_back(compare(what, unit, ours, *theirs, benchmark_support::ratio_at_most(0.1)));
}

std::vector<comparison> measure_audit(const benchmark_support::options& o) {
    const bool has_peer = !sysctl_command.front().empty();
    if (!has_peer) std::cerr << "SKIPPED: sysctl was not installed when this was built\n";
    std::vector<contender> all{{"first call in a process", call_in_new_process, 20}, {"later calls", call_audit, 200}};
    if (has_peer) all.push_back({"sysctl with ten keys", run_sysctl, 20});
    call_audit(); // the later calls come after it

    for (unsigned round = 0; round != o.rounds; ++round)
        for (std::size_t i = 0; i != all.size(); ++i) all[(i + round) % all.size()].measure(o.smoke);

    std::vector<comparison> rows;
    for (contender& c : all) c.processor_time.name = c.time.name = c.name;
    const contender* const peer = has_peer ? &all.back() : nullptr;
    for (std::size_t i = 0; i != 2; ++i)
        add_rows(rows, "start-up audit", "ms of processor time", all[i].processor_time,
                 peer ? &peer->processor_time : nullptr);
    for (std::size_t i = 0; i != 2; ++i)
        add_rows(rows, "start-up audit", "ms", all[i].time, peer ? &peer->time : nullptr);
    return rows;
}

} // namespace

int main(int argc, char** argv) {
    return benchmark_support::run(
        argc, argv,
        {"audit", "Compares the host check at start-up, in-process, with a process of sysctl(8) that prints ten keys.",
         25, measure_audit});
}
