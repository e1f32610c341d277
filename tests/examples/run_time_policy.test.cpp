// SPDX-License-Identifier: BSL-1.0
#include "examples/server_under_test.hpp"
#include "support/connection.hpp"
#include "support/run_program.hpp"
#include "support/running_program.hpp"

#include <doctest/doctest.h>

#include <string>
#include <vector>

namespace {

/// What it logs of a connection whose peer reads the greeting, and then closes if `closes`.
std::string closed_by(std::vector<std::string> policy, bool closes) {
    policy.insert(policy.begin(), {CLOSESIDE_RUN_TIME_POLICY, "0"});
    tests::running_program server(policy);
    test_peer peer(tests::endpoint_of(server));
    char first;
    REQUIRE(::recv(peer.fd(), &first, 1, 0) == 1);
    if (closes) {
        peer.half_close();
        CHECK(peer.read().error == 0);
    }
    const std::string line = server.line_with("closed:");
    CHECK(server.stop() == 0);
    return line;
}

} // namespace

TEST_CASE("run_time_policy closes as the command line says") {
    CHECK(closed_by({"local"}, true).find("ended_by=fin") != std::string::npos);
    CHECK(closed_by({"peer", "4000"}, true).starts_with("closed: Success: first_fin=peer ended_by=fin time_wait=peer"));
    CHECK(closed_by({"peer", "50", "abort"}, false).find("ended_by=reset_by_us") != std::string::npos);
}

TEST_CASE("run_time_policy refuses a policy that contradicts itself, in the compiler's words") {
    const auto refused = tests::run_program({CLOSESIDE_RUN_TIME_POLICY, "0", "peer", "0"});
    CHECK(refused.status == 1);
    CHECK(refused.err.find("patience") != std::string::npos);
    CHECK(tests::run_program({CLOSESIDE_RUN_TIME_POLICY, "0", "both"}).err.find("'both' is neither") !=
          std::string::npos);
}
