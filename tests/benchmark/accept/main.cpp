// SPDX-License-Identifier: BSL-1.0
// System calls and instructions per accepted connection, its options and its close included: ours against plain Asio.
#include "benchmark/support/comparison.hpp"
#include "benchmark/support/instruments.hpp"
#include "benchmark/support/program.hpp"

#include <cstdint>
#include <map>
#include <string>
#include <vector>

namespace {

using namespace benchmark_support;

/// By the name of the subject, one round each.
struct counts {
    series setsockopt;
    series calls;
    series instructions;
};

/// policies::system is the policy whose close is close(2) alone, as in the servers on plain Asio.
const std::map<std::string, std::string> subjects{
    {"ours-system", "ours, system's close"}, {"ours-peer-first", "ours, peer_first"},
    {"ours-graceful", "ours, graceful"},     {"by-hand", "Asio, options set by hand"},
    {"plain", "Asio, no options"},           {"plain-cloexec", "Asio, no options but close-on-exec"}};

struct instruments {
    bool system_calls;
    bool instructions;
};

void count(const std::string& subject, const std::string& at_once, const instruments& available, counts& c) {
    const std::vector<std::string> command{CLOSESIDE_ACCEPT_SUBJECT, subject, at_once};
    if (available.system_calls) {
        const traced_program traced = count_system_calls(command);
        const double connections = std::stod(traced.out);
        const auto found = traced.calls.find("setsockopt");
        const double setsockopt = found == traced.calls.end() ? 0 : static_cast<double>(found->second);
        c.setsockopt.rounds.push_back(setsockopt / connections);
        c.calls.rounds.push_back(static_cast<double>(traced.all_calls()) / connections);
    }
    if (available.instructions) {
        const counted_program counted = count_instructions(command);
        c.instructions.rounds.push_back(static_cast<double>(counted.instructions) / std::stod(counted.out));
    }
}

void add_rows_of_calls(const std::string& what, const std::map<std::string, counts>& by,
                       std::vector<comparison>& rows) {
    const counts &ours = by.at("ours-system"), &by_hand = by.at("by-hand"), &plain = by.at("plain");
    const std::string setsockopt = "setsockopt", all = "system calls";
    rows.push_back(alone(what, setsockopt, ours.setsockopt, value_at_most(0)));
    rows.push_back(compare(what, setsockopt, ours.setsockopt, by_hand.setsockopt));
    rows.push_back(compare(what, all, ours.calls, plain.calls, ratio_at_most(1)));
    rows.push_back(compare(what, all, ours.calls, by_hand.calls, ratio_at_most(1)));
    rows.push_back(compare(what, all, ours.calls, by.at("plain-cloexec").calls));
    // These do more than the others before they close.
    rows.push_back(compare(what, all, by.at("ours-peer-first").calls, plain.calls));
    rows.push_back(compare(what, all, by.at("ours-graceful").calls, plain.calls));
}

void add_rows_of_instructions(const std::string& what, const std::map<std::string, counts>& by,
                              std::vector<comparison>& rows) {
    const std::string unit = "instructions";
    const series &ours = by.at("ours-system").instructions, &plain = by.at("plain").instructions;
    rows.push_back(compare(what, unit, ours, plain, ratio_at_most(1.05)));
    rows.push_back(compare(what, unit, ours, by.at("by-hand").instructions));
    rows.push_back(compare(what, unit, by.at("ours-graceful").instructions, plain));
}

std::vector<comparison> measure_accepts(const options& o) {
    const instruments available{can_count_system_calls(), can_count_instructions()};
    std::vector<comparison> rows;
    for (const std::string at_once : o.smoke ? std::vector{"32"} : std::vector{"1", "32"}) {
        std::map<std::string, counts> by;
        for (const auto& [subject, name] : subjects) by[subject] = {{name, {}}, {name, {}}, {name, {}}};
        for (unsigned round = 0; round != o.rounds; ++round)
            for (auto& [subject, c] : by) count(subject, at_once, available, c);
        const std::string what = "connection accepted, the client closes first, " + at_once + " at once";
        if (available.system_calls) add_rows_of_calls(what, by, rows);
        if (available.instructions) add_rows_of_instructions(what, by, rows);
    }
    return rows;
}

} // namespace

int main(int argc, char** argv) {
    return run(argc, argv,
               {"accept",
                "Counts the system calls and instructions of an accepted connection with SO_LINGER, TCP_LINGER2, "
                "SO_KEEPALIVE and "
                "TCP_NODELAY set, ours against plain Asio.",
                1, measure_accepts});
}
