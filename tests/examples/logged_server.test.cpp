// SPDX-License-Identifier: BSL-1.0
#include "examples/server_under_test.hpp"
#include "support/connection.hpp"
#include "support/fake_root.hpp"
#include "support/run_program.hpp"
#include "support/running_program.hpp"

#include <doctest/doctest.h>

#include <cerrno>
#include <csignal>
#include <string>
#include <utility>
#include <vector>

#include <sysexits.h>

using tests::fake_root;
using tests::running_program;

namespace {

std::vector<std::string> server(std::vector<std::string> more = {}) {
    more.insert(more.begin(), {CLOSESIDE_LOGGED_SERVER, "--address", "127.0.0.1", "--port", "0"});
    return more;
}

std::vector<std::string> server(const fake_root& root, std::vector<std::string> more = {}) {
    more.insert(more.end(), {"--root", root.path()});
    return server(std::move(more));
}

} // namespace

TEST_CASE("logged_server logs each finding at its level, serves in spite of them and closes what lives when it stops") {
    fake_root root;
    root.defaults().set("net.ipv4.tcp_rfc1337", "1").set("net.ipv4.tcp_syncookies", "0");
    running_program running(server(root));
    CHECK(running.line_with("CS101").find("[critical] CS101 critical: ") != std::string::npos);
    CHECK(running.line_with("CS201").find("[warning] CS201 warning: ") != std::string::npos);

    const tcp::endpoint at = endpoint_of(running, "echoing on");
    test_peer finishes(at), stays(at);
    for (test_peer* const peer : {&finishes, &stays}) {
        peer->send(100'000);
        CHECK(peer->read(100'000).bytes == 100'000);
    }
    finishes.close();
    CHECK(running.line_with("closed: ").find("first_fin=peer ended_by=fin") != std::string::npos);

    int signal = SIGTERM;
    SUBCASE("by SIGTERM") {}
    SUBCASE("by SIGINT") { signal = SIGINT; }
    REQUIRE(::kill(running.pid(), signal) == 0);
    CHECK(stays.read().error == 0);
    stays.close();
    CHECK(running.line_with("stopping, ").ends_with("within 20 s"));
    CHECK(running.line_with("closed: ").find("first_fin=local") != std::string::npos);
    CHECK(running.line_with("stopped: ").find("left_over=0") != std::string::npos);
    CHECK(running.stop(0) == 0); // it ends by itself
}

TEST_CASE("logged_server, when it is stopped, finishes the reply of a peer that reads late") {
    fake_root root;
    root.defaults();
    running_program running(server(root));
    test_peer late(endpoint_of(running, "echoing on"));
    tests::leave_in_mid_reply(late);
    REQUIRE(::kill(running.pid(), SIGTERM) == 0);
    REQUIRE(running.line_with("stopping, ") != "");

    const test_peer::result got = late.read();
    CHECK(got.error == 0);
    late.close();
    const std::string bytes = std::to_string(got.bytes);
    CHECK(running.line_with("closed: ").find("echoed " + bytes + " of " + bytes + " bytes") != std::string::npos);
    CHECK(running.line_with("stopped: ").find("left_over=0") != std::string::npos);
    CHECK(running.stop(0) == 0); // it ends by itself
}

TEST_CASE("logged_server, when it is stopped, cuts the reply of a peer that never reads, so that it can tell") {
    fake_root root;
    root.defaults();
    running_program running(server(root, {"--stop-within", "1"}));
    test_peer never(endpoint_of(running, "echoing on"));
    tests::leave_in_mid_reply(never);
    CHECK(running.stop(SIGTERM) == 0);
    CHECK(running.line_with("cut: ") != "");
    CHECK(running.line_with("stopped: ").find("left_over=0") != std::string::npos);
    CHECK(never.read().error == ECONNRESET);
}

TEST_CASE("logged_server --strict does not start on a host that would lock its clients out") {
    fake_root root;
    root.defaults().set("net.ipv4.tcp_rfc1337", "1");
    const auto refused = tests::run_program(server(root, {"--strict"}));
    CHECK(refused.status == EX_CONFIG);
    CHECK(refused.err.find("[critical] CS101 critical: ") != std::string::npos);
    CHECK(refused.err.find("[critical] not starting: this host's TCP settings endanger the program's connections") !=
          std::string::npos);
    CHECK(refused.err.find("echoing on") == std::string::npos);

    root.set("net.ipv4.tcp_rfc1337", "0").set("net.ipv4.tcp_syncookies", "0");
    running_program starts(server(root, {"--strict"}));
    CHECK(starts.line_with("CS201").find("[warning] ") != std::string::npos);
    endpoint_of(starts, "echoing on");
    CHECK(starts.stop() == 0);
}

TEST_CASE("logged_server judges by the exposure that it is told") {
    fake_root root;
    root.defaults().set("net.ipv4.tcp_rfc1337", "1");
    for (const char* const exposure : {"direct", "loopback"}) {
        running_program starts(server(root, {"--strict", "--exposure", exposure}));
        endpoint_of(starts, "echoing on");
        CHECK(starts.stop() == 0);
    }
    for (const char* const exposure : {"nat", "balancer"})
        CHECK(tests::run_program(server(root, {"--strict", "--exposure", exposure})).status == EX_CONFIG);
}

TEST_CASE("logged_server checks the host that it runs on") {
    running_program running(server());
    endpoint_of(running, "echoing on");
    CHECK(running.stop() == 0);
}

TEST_CASE("logged_server names a wrong argument, and says why it cannot listen") {
    const auto address = tests::run_program(server({"--address", "here"}));
    CHECK(address.status != 0);
    CHECK(address.err.find("here") != std::string::npos);
    const auto exposure = tests::run_program(server({"--exposure", "everywhere"}));
    CHECK(exposure.status != 0);
    CHECK(exposure.err.find("everywhere") != std::string::npos);
    for (const auto& [option, value] : {std::pair{"--rate", "0"}, {"--rate", "many"}, {"--port", "70000"}}) {
        const auto wrong = tests::run_program(server({option, value}));
        CHECK(wrong.status != 0);
        CHECK(wrong.err.find(value) != std::string::npos);
    }

    running_program first(server());
    const std::string port = std::to_string(endpoint_of(first, "echoing on").port());
    const auto second = tests::run_program({CLOSESIDE_LOGGED_SERVER, "--address", "127.0.0.1", "--port", port});
    CHECK(second.status == 1);
    CHECK(second.err.find("a live listener") != std::string::npos);
    CHECK(first.stop() == 0);
}
