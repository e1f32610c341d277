// SPDX-License-Identifier: BSL-1.0
// What it costs a server, and the machine, that closeside-check follows how its connections end.
#include "follower.hpp"

#include "benchmark/serve/contender.hpp"
#include "benchmark/serve/round.hpp"
#include "benchmark/support/comparison.hpp"
#include "benchmark/support/program.hpp"
#include "observation/memory_file.hpp"

#include <array>
#include <cstddef>
#include <iostream>
#include <sstream>
#include <string>
#include <vector>

namespace {

namespace bs = benchmark_support;
using namespace benchmark_serve;
using namespace benchmark_follow;

struct condition {
    way how;
    const char* name;
};

constexpr std::array conditions{
    condition{way::not_at_all, "not followed"}, condition{way::trace_alone, "traced, and read by nobody"},
    condition{way::text, "followed, text to /dev/null"}, condition{way::json, "followed, JSON to a file"}};

/// By condition and server: each round's figures.
using results = std::array<std::vector<std::vector<measurement>>, conditions.size()>;

struct figure {
    double measurement::*value;
    const char* unit;
};

constexpr std::array figures{
    figure{&measurement::connections_per_second, "connections/s"},
    figure{&measurement::microseconds, "µs of the server's processor time"},
    figure{&measurement::microseconds_of_both, "µs of both ends' processor time"},
    figure{&measurement::microseconds_beside, "µs of the follower's processor time"},
};

bs::series series_of(const char* name, const std::vector<measurement>& rounds, double measurement::*value) {
    bs::series s{name, {}};
    for (const measurement& m : rounds) s.rounds.push_back(m.*value);
    return s;
}

std::vector<contender> servers() { return {our_presets().front(), plain_close(client::closes_at_end)}; }

std::vector<bs::comparison> measure(const bs::options& o) {
    if (!can_follow()) {
        std::cerr << "SKIPPED: no right to a network namespace and a tracefs\n";
        return {};
    }
    const std::vector<contender> contenders = servers();
    const unsigned bursts = o.smoke ? 1 : 8;
    results all;
    for (auto& of : all) of.resize(contenders.size());
    bs::series told{conditions.back().name, {}}, incomplete{conditions.back().name, {}};
    for (unsigned round = 0; round != o.rounds; ++round)
        for (std::size_t turn = 0; turn != conditions.size(); ++turn) {
            const std::size_t i = (turn + round) % conditions.size();
            const observation::descriptor file = observation::memory_file();
            const auto measured =
                measure_round(contenders, bursts, [&] { return follow(conditions[i].how, file.get()); });
            for (std::size_t c = 0; c != contenders.size(); ++c) all[i][c].push_back(measured[c]);
            if (conditions[i].how != way::json) continue;
            double endings = 0, missed = 0;
            std::istringstream(observation::content_of(file)) >> endings >> missed;
            told.rounds.push_back(endings / connections_of_round(contenders.size(), bursts + 1));
            incomplete.rounds.push_back(missed);
        }

    std::vector<bs::comparison> rows;
    for (const figure& f : figures)
        for (std::size_t c = 0; c != contenders.size(); ++c)
            for (std::size_t i = 1; i != conditions.size(); ++i) {
                const std::string what = "accept, request, 1 KiB, close: " + contenders[c].name;
                const bs::series followed = series_of(conditions[i].name, all[i][c], f.value);
                rows.push_back(
                    f.value == &measurement::microseconds_beside
                        ? bs::alone(what, f.unit, followed)
                        : bs::compare(what, f.unit, followed, series_of(conditions[0].name, all[0][c], f.value)));
            }
    rows.push_back(bs::alone("both ends of every connection are told of", "endings for each connection", told,
                             bs::aim{bs::aim::kind::at_least, 2, false}));
    rows.push_back(bs::alone("something could not be followed", "rounds", incomplete, bs::value_at_most(0)));
    return rows;
}

} // namespace

int main(int argc, char** argv) {
    return bs::run(argc, argv,
                   {"follow",
                    "The servers of the serve benchmark, while closeside-check follows how their connections end, and "
                    "while it does not.",
                    11, measure});
}
