// SPDX-License-Identifier: BSL-1.0
// What `closeside-check capacity --simulate` goes through, against the formulas and against itself.
#include "check/capacity_simulation.hpp"
#include "check/capacity_dice.hpp"

#include <closeside/host/closing_load.hpp>

#include <doctest/doctest.h>

#include <cmath>
#include <cstdint>
#include <initializer_list>
#include <optional>

namespace host = closeside::host;
using check::simulated;
using doctest::Approx;
using host::port_choice;

namespace {

constexpr check::simulation_size small{.connects = 1e5};

simulated simulate(const host::accepted_load& load, const host::time_wait_limits& limits = {},
                   const check::simulation_size& size = small) {
    return check::simulate(check::simulation_of(load, limits, size, 1));
}

} // namespace

TEST_CASE("the dice give exponential times and shares as odds, and one seed gives the same everywhere") {
    check::dice dice(1);
    constexpr int rolls = 200'000;
    double sum = 0;
    int later = 0, taken = 0;
    for (int i = 0; i != rolls; ++i) {
        const auto time = static_cast<double>(dice.exponential(1'000'000));
        sum += time;
        later += time > 1e6 ? 1 : 0;
        taken += dice.chance(check::dice::odds(0.25)) ? 1 : 0;
    }
    CHECK(sum / rolls == Approx(1e6).epsilon(0.01));
    CHECK(static_cast<double>(later) / rolls == Approx(std::exp(-1)).epsilon(0.01));
    CHECK(static_cast<double>(taken) / rolls == Approx(0.25).epsilon(0.02));
    check::dice again(42);
    CHECK(again.word() == 0x6ee5e2d6); // the halves of what std::mt19937_64 gives, which the standard fixes
    CHECK(check::dice(42).exponential(1'000'000'000) == 433'195'114);
}

TEST_CASE("formula and simulation agree on shares within 0.01 and on TIME-WAITs within 3 %, unless ports are short") {
    for (const port_choice choice : {port_choice::random, port_choice::sequential})
        for (const double reuse : {0.0, 1.0, 30.0, 120.0})
            for (const double use : {0.05, 0.3, 0.9})
                for (const double share : {1.0, 0.2})
                    for (const bool rfc1337 : {false, true}) {
                        host::accepted_load load{.time_wait_share = share,
                                                 .open_seconds = share < 1 ? 5.0 : 0.0,
                                                 .addresses = 4,
                                                 .ports = 2000,
                                                 .reuse_seconds = reuse,
                                                 .choice = choice};
                        load.per_second = 4 * use * 2000 / 65;
                        // Where many are locked out the formula is a fixed point of averages.
                        if (rfc1337 && use > 0.5) continue;
                        const host::time_wait_limits limits{.ignores_resets = rfc1337};
                        const auto foretold = host::forecast(load, limits);
                        const simulated seen = simulate(load, limits);
                        CAPTURE(to_string(choice));
                        CAPTURE(reuse);
                        CAPTURE(use);
                        CAPTURE(share);
                        CAPTURE(rfc1337);
                        CHECK(std::abs(foretold.refused - seen.refused_share()) < 0.01);
                        CHECK(std::abs(foretold.meet - seen.met_share()) < 0.01);
                        CHECK(std::abs(foretold.challenged - seen.challenged_share()) < 0.01);
                        CHECK(std::abs(foretold.timed_out - seen.timed_out_share()) < 0.01);
                        CHECK(foretold.time_waits == Approx(seen.time_waits).epsilon(0.03));
                    }
}

TEST_CASE("where ports are short formula and simulation still agree within 0.1") {
    for (const double reuse : {1.0, 30.0, 50.0, 120.0})
        for (const double use : {0.95, 1.0, 1.05, 3.0}) {
            CAPTURE(reuse);
            CAPTURE(use);
            host::accepted_load load{.addresses = 2, .ports = 1000, .reuse_seconds = reuse};
            load.per_second = 2 * use * 1000 / reuse;
            const auto foretold = host::forecast(load, {});
            const simulated seen = simulate(load);
            CHECK(std::abs(foretold.refused - seen.refused_share()) < 0.1);
            CHECK(std::abs(foretold.meet - seen.met_share()) < 0.1);
        }
}

TEST_CASE("tcp_max_tw_buckets is kept to, and what it takes away is foretold within 0.02") {
    const host::accepted_load load{.per_second = 100, .addresses = 4, .ports = 2000, .reuse_seconds = 1};
    const host::time_wait_limits limits{.buckets = 1000};
    const auto foretold = host::forecast(load, limits);
    const simulated seen = simulate(load, limits);
    CHECK(seen.time_waits <= 1000);
    CHECK(seen.time_waits > 980);
    CHECK(std::abs(foretold.without_time_wait - seen.without_share()) < 0.02);
    CHECK(std::abs(foretold.meet - seen.met_share()) < 0.02);
    const simulated none = simulate(load, {.buckets = 0});
    CHECK(none.met == 0);
    CHECK(none.without_share() == 1);
}

TEST_CASE("connections that this host opens are refused as foretold, at any share of TIME-WAITs") {
    for (const double share : {1.0, 0.3, 0.0})
        for (const double hold : {60.0, 1.0})
            for (const double use : {0.5, 1.3}) {
                CAPTURE(share);
                CAPTURE(hold);
                CAPTURE(use);
                host::opened_load load{
                    .time_wait_share = share, .destinations = 3, .ports = 2000, .hold_seconds = hold};
                load.per_second = use * 3 * 2000 / hold;
                const auto foretold = host::forecast(load, {});
                const auto how = check::simulation_of(load, {}, small, 1);
                const simulated seen = check::simulate(how);
                CHECK(std::abs(foretold.refused - seen.refused_share()) < 0.01);
                CHECK(foretold.time_waits == Approx(seen.time_waits / how.scale).epsilon(0.03));
            }
}

TEST_CASE("what is too large is simulated at a smaller scale, with the same shares") {
    host::accepted_load load{.per_second = 4000, .addresses = 1000, .ports = 1000, .reuse_seconds = 1};
    const host::time_wait_limits limits{.buckets = 100'000};
    const auto fewer = check::simulation_of(load, limits, {.connects = 1e5, .ports = 50'000}, 1);
    CHECK(fewer.spaces == 50);
    CHECK(fewer.scale == Approx(0.05));
    CHECK(fewer.per_second == Approx(200));
    CHECK(*fewer.max_time_waits == Approx(5000));
    const auto foretold = host::forecast(load, limits);
    const simulated seen = check::simulate(fewer);
    CHECK(std::abs(foretold.meet - seen.met_share()) < 0.02);
    CHECK(seen.time_waits / fewer.scale == Approx(foretold.time_waits).epsilon(0.03));

    // One address with more connects than are simulated: fewer of its ports.
    load = {.per_second = 1e6, .addresses = 1, .ports = 60'000, .reuse_seconds = 0};
    const auto narrower = check::simulation_of(load, {}, {.connects = 1e5}, 1);
    CHECK(narrower.ports == 66);
    CHECK(narrower.per_second == Approx(1e6 * 66 / 60'000));
}

TEST_CASE("one seed gives one result, to the last connect, and another seed another") {
    host::accepted_load load{.per_second = 50, .addresses = 3, .ports = 500, .reuse_seconds = 5};
    const auto of_seed = [&](std::uint64_t seed) {
        return check::simulate(check::simulation_of(load, {}, {.connects = 2e4}, seed));
    };
    const simulated a = of_seed(1), b = of_seed(1), c = of_seed(2);
    CHECK(a.connects == b.connects);
    CHECK(a.met == b.met);
    CHECK(a.time_waits == b.time_waits);
    CHECK(a.met != c.met);
    // With every compiler: whole numbers alone decide.
    CHECK(a.connects == 20057);
    CHECK(a.met == 17866);
    CHECK(a.challenged == 8945);
}
