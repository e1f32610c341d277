// SPDX-License-Identifier: BSL-1.0
// System calls per accepted connection, its options and its close included: ours against plain Asio.
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
struct calls {
    series setsockopt;
    series all;
};

/// policies::system is the policy whose close is close(2) alone, as in the servers on plain Asio.
const std::map<std::string, std::string> subjects{
    {"ours-system", "ours, system's close"}, {"ours-peer-first", "ours, peer_first"},
    {"ours-graceful", "ours, graceful"},     {"by-hand", "Asio, options set by hand"},
    {"plain", "Asio, no options"},           {"plain-cloexec", "Asio, no options but close-on-exec"}};

void count(const std::string& subject, const std::string& at_once, calls& c) {
    const traced_program traced = count_system_calls({CLOSESIDE_ACCEPT_SUBJECT, subject, at_once});
    const double connections = std::stod(traced.out);
    const auto found = traced.calls.find("setsockopt");
    c.setsockopt.rounds.push_back(found == traced.calls.end() ? 0 : static_cast<double>(found->second) / connections);
    c.all.rounds.push_back(static_cast<double>(traced.all_calls()) / connections);
}

void add_rows(const std::string& what, const std::map<std::string, calls>& by, std::vector<comparison>& rows) {
    const calls &ours = by.at("ours-system"), &by_hand = by.at("by-hand"), &plain = by.at("plain");
    const std::string setsockopt = "setsockopt", all = "system calls";
    rows.push_back(alone(what, setsockopt, ours.setsockopt, value_at_most(0)));
    rows.push_back(compare(what, setsockopt, ours.setsockopt, by_hand.setsockopt));
    rows.push_back(compare(what, all, ours.all, plain.all, ratio_at_most(1)));
    rows.push_back(compare(what, all, ours.all, by_hand.all, ratio_at_most(1)));
    rows.push_back(compare(what, all, ours.all, by.at("plain-cloexec").all));
    // These do more than the others before they close.
    rows.push_back(compare(what, all, by.at("ours-peer-first").all, plain.all));
    rows.push_back(compare(what, all, by.at("ours-graceful").all, plain.all));
}

std::vector<comparison> measure_accepts(const options& o) {
    if (!can_count_system_calls()) return {};
    std::vector<comparison> rows;
    for (const std::string at_once : {"1", "32"}) {
        std::map<std::string, calls> by;
        for (const auto& [subject, name] : subjects) by[subject] = {{name, {}}, {name, {}}};
        for (unsigned round = 0; round != o.rounds; ++round)
            for (auto& [subject, c] : by) count(subject, at_once, c);
        add_rows("connection accepted, the client closes first, " + at_once + " at once", by, rows);
    }
    return rows;
}

} // namespace

int main(int argc, char** argv) {
    return run(argc, argv,
               {"accept",
                "Counts the system calls of an accepted connection with SO_LINGER, TCP_LINGER2, SO_KEEPALIVE and "
                "TCP_NODELAY set, ours against plain Asio.",
                1, measure_accepts});
}
