// SPDX-License-Identifier: BSL-1.0
// What it costs the closing side to discard what its peer still sends.
#include "drains.hpp"
#include "sender.hpp"

#include "benchmark/support/process.hpp"
#include "benchmark/support/program.hpp"

#include <array>
#include <stdexcept>
#include <string>
#include <vector>

namespace {

using benchmark_support::comparison;
using benchmark_support::series;

constexpr std::uint64_t mebibyte = 1 << 20;
constexpr std::uint64_t gibibyte = 1 << 30;

struct contender {
    const char* name;
    std::uint64_t (*drain)(int fd);
};

constexpr std::array<contender, 3> contenders{{{"stream<P>::async_close", benchmark_drain::drain_by_policy},
                                               {"epoll, 4 KiB buffer", benchmark_drain::drain_with_epoll},
                                               {"Asio by hand, 64 KiB buffer", benchmark_drain::drain_with_asio}}};

/// Milliseconds of processor time a GiB.
double measure_one(benchmark_drain::sender& peer, const benchmark_drain::load& load, const contender& c) {
    const int fd = peer.connect(load);
    const auto before = benchmark_support::own_processor_time();
    peer.begin();
    const std::uint64_t bytes = c.drain(fd);
    const std::chrono::duration<double, std::milli> used = benchmark_support::own_processor_time() - before;
    peer.finish();
    if (bytes != load.bytes)
        throw std::runtime_error(std::string(c.name) + " drained " + std::to_string(bytes) + " of " +
                                 std::to_string(load.bytes) + " bytes");
    return used.count() * gibibyte / static_cast<double>(bytes);
}

std::vector<series> measure_all(benchmark_drain::sender& peer, const benchmark_drain::load& load, unsigned rounds) {
    std::vector<series> all;
    for (const contender& c : contenders) all.push_back({c.name, {}});
    for (unsigned round = 0; round != rounds; ++round)
        for (std::size_t i = 0; i != contenders.size(); ++i) {
            const std::size_t turn = (i + round) % contenders.size();
            all[turn].rounds.push_back(measure_one(peer, load, contenders[turn]));
        }
    return all;
}

std::vector<comparison> measure(const benchmark_support::options& o) {
    benchmark_drain::sender peer; // before this process is bound to a processor, which a child would inherit
    benchmark_support::pin_to_processor(0);

    const std::string unit = "ms of CPU per GiB";
    const auto fast = measure_all(peer, {o.smoke ? 64 * mebibyte : 2 * gibibyte, 256 * 1024, {}}, o.rounds);
    // 16 KiB each 131 µs are 1 Gbit/s: most peers are slower than a processor, and wake the drain the more often.
    const auto steady =
        measure_all(peer, {(o.smoke ? 16 : 64) * mebibyte, 16 * 1024, std::chrono::microseconds(131)}, o.rounds);
    using benchmark_support::compare;
    using benchmark_support::ratio_at_most;
    return {compare("the peer sends as fast as it can", unit, fast[0], fast[1], ratio_at_most(0.25)),
            compare("the peer sends as fast as it can", unit, fast[0], fast[2], ratio_at_most(0.6)),
            compare("the peer sends 1 Gbit/s", unit, steady[0], steady[1]),
            compare("the peer sends 1 Gbit/s", unit, steady[0], steady[2])};
}

} // namespace

int main(int argc, char** argv) {
    return benchmark_support::run(
        argc, argv,
        {"drain", "Processor time of draining a peer that still sends: a close against copying loops.", 5, measure});
}
