// SPDX-License-Identifier: BSL-1.0
// What a close costs that waits among many: heap, processor time to start it, to end it and to let it expire, and how
// long the loop does nothing else when all expire at once.
#include "run.hpp"

#include "benchmark/support/program.hpp"

#include <algorithm>
#include <array>
#include <iostream>
#include <string>
#include <vector>

namespace {

using benchmark_support::compare;
using benchmark_support::comparison;
using benchmark_waiting::cost;
using benchmark_waiting::ending;

struct contender {
    const char* name;
    benchmark_waiting::server_maker make;
};

enum : std::size_t { ours, dropped, hand, lean };
constexpr std::array<contender, 4> contenders{
    {{"stream<P>::async_close", benchmark_waiting::close_by_policy},
     {"stream<P> dropped", benchmark_waiting::drop_by_policy},
     {"Asio by hand, 1 KiB buffer each", benchmark_waiting::close_by_hand},
     {"Asio by hand, one buffer for all", benchmark_waiting::close_by_hand_sharing}}};

/// So many that end at once must not hold up the loop; more show nothing else.
constexpr unsigned many = 10'000;

/// What one contender took, round by round.
struct costs {
    std::vector<double> bytes, start, answer, expire, longest_turn;
};
using all_costs = std::array<costs, contenders.size()>;

all_costs measure_all(unsigned closes, unsigned rounds) {
    all_costs all;
    for (unsigned round = 0; round != rounds; ++round)
        for (std::size_t i = 0; i != contenders.size(); ++i) {
            const std::size_t turn = (i + round) % contenders.size();
            costs& of = all[turn];
            const cost answered = benchmark_waiting::run(contenders[turn].make, closes, ending::peers_answer);
            of.bytes.push_back(answered.bytes);
            of.start.push_back(answered.start);
            of.answer.push_back(answered.end);
            // The size of a buffer takes memory, but no time.
            if (turn == hand) continue;
            const auto run = [&](ending e) { return benchmark_waiting::run(contenders[turn].make, closes, e); };
            of.expire.push_back(run(ending::limit_over).end);
            if (closes <= many) of.longest_turn.push_back(run(ending::limits_over_at_once).longest_turn);
        }
    return all;
}

void add_rows(std::vector<comparison>& rows, unsigned closes, const std::string& what, const all_costs& all) {
    const auto add = [&](const char* unit, std::vector<double> costs::*part, double bound, auto our, auto their) {
        rows.push_back(compare(what, unit, {contenders[our].name, all[our].*part},
                               {contenders[their].name, all[their].*part}, benchmark_support::ratio_at_most(bound)));
    };
    for (const auto our : {ours, dropped})
        for (const auto their : {hand, lean}) add("bytes of heap each", &costs::bytes, 0.5, our, their);
    for (const auto our : {ours, dropped}) add("µs of CPU to start each", &costs::start, 1, our, lean);
    for (const auto our : {ours, dropped}) add("µs of CPU to end each, the peers answer", &costs::answer, 1, our, lean);
    for (const auto our : {ours, dropped})
        add("µs of CPU to end each, the limit is over", &costs::expire, 1, our, lean);
    if (closes > many) return;
    for (const auto our : {ours, dropped})
        rows.push_back(compare(what, "µs of CPU in the longest turn of the loop, all limits over at once",
                               {contenders[our].name, all[our].longest_turn},
                               {contenders[lean].name, all[lean].longest_turn},
                               closes < many ? benchmark_support::aim{} : benchmark_support::ratio_at_most(0.25)));
}

std::string in_words(unsigned closes) {
    const std::string number =
        closes < 1000 ? std::to_string(closes) : std::to_string(closes / 1000) + ",000"; // whole thousands all
    return number + " closes";
}

/// As many as there may be descriptors.
unsigned possible(unsigned closes) {
    constexpr unsigned spare = 100;
    const unsigned allowed = benchmark_waiting::descriptors_allowed(closes + spare);
    if (allowed >= closes + spare) return closes;
    const unsigned less = allowed < spare ? 0 : (allowed - spare) / 1000 * 1000;
    std::cerr << "LIMITED: " << less << " closes at once in place of " << closes << ", since only " << allowed
              << " files can be open; raise that (ulimit -n) or run as root\n";
    return less;
}

std::vector<comparison> measure(const benchmark_support::options& o) {
    if (!benchmark_waiting::has_right_to_networks()) {
        std::cerr << "SKIPPED: neither root nor user namespaces give the right to a network namespace\n";
        return {};
    }
    std::vector<comparison> rows;
    unsigned first = 0, last = 0;
    double first_bytes = 0, last_bytes = 0;
    for (const unsigned wanted : o.smoke ? std::vector{100u} : std::vector{1'000u, 10'000u, 100'000u}) {
        const unsigned closes = possible(wanted);
        if (closes <= last) break;
        // Many connections take long to open, and are an average in themselves.
        const unsigned rounds = std::clamp(o.rounds * 6'000 / closes, 1u, o.rounds);
        const all_costs all = measure_all(closes, rounds);
        add_rows(rows, closes, in_words(closes) + " waiting", all);
        last = closes;
        last_bytes = benchmark_support::median(all[ours].bytes);
        if (first != 0) continue;
        first = closes;
        first_bytes = last_bytes;
    }
    if (last != first)
        rows.push_back(benchmark_support::alone(
            "bytes of heap of one of " + in_words(last) + " to one of " + in_words(first), "×",
            {contenders[ours].name, {last_bytes / first_bytes}}, benchmark_support::value_at_most(1.2)));
    return rows;
}

} // namespace

int main(int argc, char** argv) {
    return benchmark_support::run(argc, argv,
                                  {"waiting",
                                   "Heap and processor time of many closes that wait at once on silent peers: our own "
                                   "against a socket and a steady_timer each.",
                                   5, measure});
}
