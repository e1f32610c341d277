// SPDX-License-Identifier: BSL-1.0
#include "examples/server_under_test.hpp"
#include "support/connection.hpp"
#include "support/foreign_socket.hpp"
#include "support/run_program.hpp"
#include "support/running_program.hpp"

#include <doctest/doctest.h>

#include <csignal>
#include <string>

TEST_CASE(
    "socket_activation takes systemd's listener over, with the connection that has woken it, and stops on SIGTERM") {
    if (std::string(CLOSESIDE_SOCKET_ACTIVATE).empty()) {
        MESSAGE("SKIPPED: systemd-socket-activate is not installed (package systemd)");
        return;
    }
    // Nobody else is given its port meanwhile; systemd's listener has SO_REUSEADDR, too.
    const tests::foreign_socket reserved({asio::ip::address_v4::loopback(), 0}, {.reuse_address = true});
    const tcp::endpoint listener = reserved.local();
    const std::string at = "127.0.0.1:" + std::to_string(listener.port());
    tests::running_program server({CLOSESIDE_SOCKET_ACTIVATE, "-l", at, CLOSESIDE_SOCKET_ACTIVATION});
    server.line_with("Listening on");
    test_peer first(listener);
    CHECK(server.line_with("echoing on").find(at) != std::string::npos);
    first.send(1000);
    CHECK(first.read(1000).bytes == 1000);
    first.half_close();
    CHECK(first.read().error == 0);
    CHECK(server.line_with("closed:").starts_with("closed: Success: first_fin=peer"));

    test_peer idle(listener);
    idle.send(1);
    CHECK(idle.read(1).bytes == 1);
    REQUIRE(::kill(server.pid(), SIGTERM) == 0);
    CHECK(idle.read().error == 0);
    idle.close();
    CHECK(server.line_with("closed:").starts_with("closed: Success: first_fin=local"));
    CHECK(server.stop(0) == 0);
}

TEST_CASE("socket_activation says how it is to be started") {
    const auto alone = tests::run_program({CLOSESIDE_SOCKET_ACTIVATION});
    CHECK(alone.status == 1);
    CHECK(alone.err.find("systemd-socket-activate") != std::string::npos);
}
