// SPDX-License-Identifier: BSL-1.0
// What it costs the closing side to discard what its peer still sends.
#include "drains.hpp"
#include "sender.hpp"

#include "benchmark/support/process.hpp"
#include "benchmark/support/program.hpp"

#include <array>
#include <cstddef>
#include <cstdint>
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

enum : std::size_t { ours, epoll, epoll_uncopied, hand, hand_uncopied };
constexpr std::array<contender, 5> contenders{{{"stream<P>::async_close", benchmark_drain::drain_by_policy},
                                               {"epoll, 4 KiB buffer", benchmark_drain::drain_with_epoll},
                                               {"epoll, MSG_TRUNC", benchmark_drain::drain_with_epoll_uncopied},
                                               {"Asio by hand, 64 KiB buffer", benchmark_drain::drain_with_asio},
                                               {"Asio by hand, MSG_TRUNC", benchmark_drain::drain_with_asio_uncopied}}};

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
    const std::string at_full_speed = "the peer sends as fast as it can", at_one_gigabit = "the peer sends 1 Gbit/s";
    std::vector<comparison> rows{compare(at_full_speed, unit, fast[ours], fast[epoll], ratio_at_most(0.25)),
                                 compare(at_full_speed, unit, fast[ours], fast[hand], ratio_at_most(0.6))};
    // These do what a close does.
    for (const auto their : {epoll_uncopied, hand_uncopied})
        rows.push_back(compare(at_full_speed, unit, fast[ours], fast[their]));
    for (const auto their : {epoll, hand, epoll_uncopied, hand_uncopied})
        rows.push_back(compare(at_one_gigabit, unit, steady[ours], steady[their]));
    return rows;
}

} // namespace

int main(int argc, char** argv) {
    return benchmark_support::run(
        argc, argv,
        {"drain", "Processor time of draining a peer that still sends: a close against copying loops.", 5, measure});
}
