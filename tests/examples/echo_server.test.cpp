// SPDX-License-Identifier: BSL-1.0
#include "examples/server_under_test.hpp"
#include "support/connection.hpp"
#include "support/run_program.hpp"
#include "support/running_program.hpp"

#include <doctest/doctest.h>

#include <csignal>
#include <cstddef>
#include <string>

TEST_CASE("echo_server echoes, lets its client close first, logs the report and stops on SIGINT") {
    tests::running_program server({CLOSESIDE_ECHO_SERVER, "127.0.0.1", "0"});
    const tcp::endpoint at = tests::endpoint_of(server, "echoing on");
    {
        test_peer client(at);
        client.send(100'000);
        CHECK(client.read(100'000).bytes == 100'000);
        client.half_close();
        CHECK(client.read().error == 0);
    }
    CHECK(server.line_with("closed:").find("closed: Success: first_fin=peer ended_by=fin time_wait=peer limit=none") ==
          0);

    test_peer resets(at);
    resets.reset();
    // The read has taken the reset: the close cannot know of it any more, and does not guess.
    const std::string reset = server.line_with("closed:");
    CHECK(reset.find("first_fin=unknown ended_by=unknown time_wait=unknown") != std::string::npos);
    CHECK(reset.find("(read: Connection reset by peer)") != std::string::npos);

    const auto second = tests::run_program({CLOSESIDE_ECHO_SERVER, "127.0.0.1", std::to_string(at.port())});
    CHECK(second.status == 1);
    CHECK(second.err.find("a live listener") != std::string::npos);

    CHECK(server.stop() == 0);
}

TEST_CASE("echo_server, when it is stopped, finishes its reply, and closes first where the client is idle") {
    tests::running_program server({CLOSESIDE_ECHO_SERVER, "127.0.0.1", "0"});
    const tcp::endpoint at = tests::endpoint_of(server, "echoing on");
    test_peer idle(at), late(at);
    idle.send(1);
    CHECK(idle.read(1).bytes == 1);
    const std::size_t sent = tests::leave_in_mid_reply(late);
    REQUIRE(::kill(server.pid(), SIGTERM) == 0);
    CHECK(idle.read().error == 0);
    idle.close();
    CHECK(server.line_with("closed:").starts_with("closed: Success: first_fin=local"));

    const test_peer::result got = late.read();
    CHECK(got.error == 0);
    late.close();
    // Every byte was echoed, or never read: no reply was begun and not finished.
    CHECK(got.bytes + tests::discarded_in(server.line_with("closed:")) == sent);
    CHECK(server.stop(0) == 0); // it ends by itself
}

TEST_CASE("echo_server says what is wrong with its address") {
    const auto address = tests::run_program({CLOSESIDE_ECHO_SERVER, "here"});
    CHECK(address.status == 1);
    CHECK(address.err.find("echo_server: ") != std::string::npos);
}
