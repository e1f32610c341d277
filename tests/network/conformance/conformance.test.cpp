// SPDX-License-Identifier: BSL-1.0
#include "counted.hpp"
#include "matrix.hpp"

#include <doctest/doctest.h>

#include <vector>

using namespace std::chrono_literals;
using namespace conformance;

namespace {

/// The same policy with waits that a test can afford.
constexpr cs::close_policy hurried(cs::close_policy p) {
    if (p.patience.count != 0) p.patience = 400ms; // above the 200 ms that input leaves of it
    if (p.drain_time.count != 0) p.drain_time = 250ms;
    return p;
}

constexpr cs::close_policy graceful = hurried(cs::policies::graceful);
constexpr cs::close_policy peer_first = hurried(cs::policies::peer_first);
constexpr cs::close_policy peer_first_or_reset = hurried(cs::policies::peer_first_or_reset);
constexpr cs::close_policy abortive = hurried(cs::policies::abortive);
constexpr cs::close_policy plain = hurried(cs::policies::system);

constexpr cs::close_policy front_end = hurried({.closes_first = cs::side::peer, .linger2 = 10s});
constexpr cs::close_policy strict =
    hurried({.on_limit = cs::limit_action::abort, .on_destroy = cs::destroy_action::abort});
constexpr cs::close_policy acknowledged = hurried({.linger = cs::lingering::until_acked(1s)});
constexpr cs::close_policy no_fin_wait2{.linger2 = cs::fin_wait2::skip, .drain_time = cs::close_duration{0}};
constexpr cs::close_policy brief =
    hurried({.closes_first = cs::side::peer, .drain_bytes = 2000, .on_destroy = cs::destroy_action::close});
constexpr cs::close_policy impatient{.drain_time = 500ms, .drain_idle = 150ms};

} // namespace

TEST_CASE("graceful") { run_policy<graceful>("graceful"); }
TEST_CASE("peer_first") { run_policy<peer_first>("peer_first"); }
TEST_CASE("peer_first_or_reset") { run_policy<peer_first_or_reset>("peer_first_or_reset"); }
TEST_CASE("abortive") { run_policy<abortive>("abortive"); }
TEST_CASE("system") { run_policy<plain>("system"); }
TEST_CASE("front end: peer first, then our FIN, and FIN-WAIT-2 for 10 s") { run_policy<front_end>("front end"); }
TEST_CASE("strict: RST at the limit and on destruction") { run_policy<strict>("strict"); }
TEST_CASE("until_acked") { run_policy<acknowledged>("until_acked"); }
TEST_CASE("no FIN-WAIT-2") { run_policy<no_fin_wait2>("no FIN-WAIT-2"); }
TEST_CASE("brief: 2000 bytes at most, close on destruction") { run_policy<brief>("brief"); }
TEST_CASE("impatient: 150 ms without a byte") { run_policy<impatient>("impatient"); }

namespace {

std::vector<policy_under_test> all_policies() {
    return {under_test<graceful>("graceful"),
            under_test<peer_first>("peer_first"),
            under_test<peer_first_or_reset>("peer_first_or_reset"),
            under_test<abortive>("abortive"),
            under_test<plain>("system"),
            under_test<front_end>("front end"),
            under_test<strict>("strict"),
            under_test<acknowledged>("until_acked"),
            under_test<no_fin_wait2>("no FIN-WAIT-2"),
            under_test<brief>("brief"),
            under_test<impatient>("impatient")};
}

} // namespace

TEST_CASE("a slow reader that goes on sending gets its reply, however the stream is dropped") {
    run_slow_readers(all_policies());
}

TEST_CASE("statistics count what a capture shows, on every way out, or say unknown") { run_counted(all_policies()); }
