// SPDX-License-Identifier: BSL-1.0
// TLS: instructions per read and write through closeside::ssl_stream against asio::ssl::stream, and the cost of a close
// against async_shutdown with a timer.
#include "benchmark/close/cost.hpp"
#include "benchmark/support/comparison.hpp"
#include "benchmark/support/instruments.hpp"
#include "benchmark/support/program.hpp"

#include <string>
#include <utility>
#include <vector>

namespace {

using namespace benchmark_support;

struct data_size {
    std::string text;
    std::string ours;
    std::string theirs;
    unsigned count; ///< operations that are counted
};

std::vector<comparison> measure_data(const options& o) {
    const std::vector<data_size> sizes{{"16 bytes", CLOSESIDE_TLS_DATA_OURS_16, CLOSESIDE_TLS_DATA_ASIO_16, 1024},
                                       {"16 KiB", CLOSESIDE_TLS_DATA_OURS_16384, CLOSESIDE_TLS_DATA_ASIO_16384, 64}};
    std::vector<comparison> rows;
    for (const data_size& size : sizes) {
        const unsigned count = o.smoke ? 2 : size.count;
        for (const std::string operation :
             {"read_some", "write_some", "async_read_some", "async_write_some", "co_await"}) {
            series ours{"ssl_stream<P>", {}}, theirs{"asio::ssl::stream", {}};
            for (unsigned round = 0; round != o.rounds; ++round) {
                ours.rounds.push_back(instructions_per_operation({size.ours, operation}, count, o.smoke));
                theirs.rounds.push_back(instructions_per_operation({size.theirs, operation}, count, o.smoke));
            }
            const std::string what = operation == "co_await" ? "co_await async_read_some" : operation;
            rows.push_back(compare(what + " of " + size.text, "instructions", ours, theirs, ratio_at_most(1.01)));
            if (o.smoke) break;
        }
    }
    return rows;
}

#ifdef CLOSESIDE_TLS_CLOSE_SUBJECT
std::vector<comparison> measure_closes(const options& o, const benchmark_close::instruments& available) {
    using namespace benchmark_close;
    using kind = contender::kind;
    const std::string program = CLOSESIDE_TLS_CLOSE_SUBJECT;
    const std::vector<contender> ways{{"async_close, told to nobody", {program, "ours-detached"}, kind::ours},
                                      {"async_close with a report", {program, "ours-told"}, kind::ours},
                                      {"dropped", {program, "ours-dropped"}, kind::ours}};
    const contender by_hand{"async_shutdown with a timer", {program, "by-hand"}, kind::peer};
    std::vector<scenario> scenarios{{"one TLS close after another, the peers answer", {"alone", "answers"}},
                                    {"64 TLS closes at once, the peers answer", {"batch", "answers"}}};
    if (o.smoke) scenarios.resize(1);

    struct quantity {
        std::string unit;
        double close_cost::*of;
        bool counted;
        aim wanted;
    };
    const std::vector<quantity> quantities{
        {"system calls", &close_cost::system_calls, available.system_calls, ratio_below(1)},
        {"instructions", &close_cost::instructions, available.instructions, ratio_below(1)},
        {"allocations", &close_cost::allocations, true, {}}};

    std::vector<comparison> rows;
    for (const scenario& s : scenarios) {
        std::vector<std::vector<close_cost>> ours(ways.size());
        std::vector<close_cost> theirs;
        for (unsigned round = 0; round != o.rounds; ++round) {
            theirs.push_back(measure(by_hand, s, available));
            for (std::size_t i = 0; i != ways.size(); ++i) ours[i].push_back(measure(ways[i], s, available));
        }
        const auto of = [](const contender& c, const std::vector<close_cost>& rounds, const quantity& q) {
            series values{c.name, {}};
            for (const close_cost& cost : rounds) values.rounds.push_back(cost.*q.of);
            return values;
        };
        for (const quantity& q : quantities)
            for (std::size_t i = 0; q.counted && i != ways.size(); ++i)
                rows.push_back(compare(s.name, q.unit, of(ways[i], ours[i], q), of(by_hand, theirs, q), q.wanted));
    }
    return rows;
}
#else
std::vector<comparison> measure_closes(const options&, const benchmark_close::instruments&) { return {}; }
#endif

std::vector<comparison> measure_tls(const options& o) {
    const benchmark_close::instruments available{can_count_system_calls(), can_count_instructions()};
    std::vector<comparison> rows;
    if (available.instructions) rows = measure_data(o);
    for (comparison& row : measure_closes(o, available)) rows.push_back(std::move(row));
    return rows;
}

} // namespace

int main(int argc, char** argv) {
    return run(argc, argv,
               {"tls", "Compares what TLS costs on our stream and on Asio's: reading, writing and the close.", 1,
                measure_tls});
}
