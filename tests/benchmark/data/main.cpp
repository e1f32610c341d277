// SPDX-License-Identifier: BSL-1.0
// Instructions per read and write: through closeside::stream against the socket that is in it.
#include "benchmark/support/comparison.hpp"
#include "benchmark/support/instruments.hpp"
#include "benchmark/support/program.hpp"

#include <string>
#include <vector>

namespace {

using namespace benchmark_support;

std::vector<comparison> measure_data(const options& o) {
    if (!can_count_instructions()) return {};
    const unsigned count = o.smoke ? 64 : 4096;
    std::vector<comparison> rows;
    for (const std::string operation : {"read_some", "write_some", "async_read_some", "async_write_some", "co_await"}) {
        series ours{"stream<P>", {}}, theirs{"tcp::socket", {}};
        for (unsigned round = 0; round != o.rounds; ++round) {
            ours.rounds.push_back(instructions_per_operation({CLOSESIDE_DATA_OURS, operation}, count, o.smoke));
            theirs.rounds.push_back(instructions_per_operation({CLOSESIDE_DATA_ASIO, operation}, count, o.smoke));
        }
        const std::string what = operation == "co_await" ? "co_await async_read_some" : operation;
        rows.push_back(compare(what + " of 16 bytes", "instructions", ours, theirs, ratio_at_most(1.001)));
    }
    return rows;
}

} // namespace

int main(int argc, char** argv) {
    return run(argc, argv,
               {"data", "Compares the instructions of reading and writing through a stream and through a plain socket.",
                1, measure_data});
}
