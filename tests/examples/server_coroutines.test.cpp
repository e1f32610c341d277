// SPDX-License-Identifier: BSL-1.0
#include "examples/server_under_test.hpp"
#include "support/connection.hpp"
#include "support/running_program.hpp"

#include <doctest/doctest.h>

#include <csignal>
#include <string>

TEST_CASE("server_coroutines lets a client close first that it has told, and closes first on an idle one") {
    tests::running_program server({CLOSESIDE_SERVER_COROUTINES, "0", "1"});
    const tcp::endpoint at = tests::endpoint_of(server);
    test_peer told(at);
    tests::send_text(told, "3\nquit\n");
    CHECK(told.read(8).bytes == 8); // "xxx\nbye\n"
    told.close();
    CHECK(server.line_with("closed:").starts_with("closed: Success: first_fin=peer ended_by=fin time_wait=peer"));

    test_peer idle(at);
    CHECK(idle.read().error == 0);
    idle.close();
    CHECK(server.line_with("closed:").starts_with("closed: Success: first_fin=local ended_by=fin"));
    CHECK(server.stop() == 0);
}

TEST_CASE("server_coroutines, when it is stopped, finishes a reply of 32 MiB, and ends idle connections") {
    tests::running_program server({CLOSESIDE_SERVER_COROUTINES, "0"});
    const tcp::endpoint at = tests::endpoint_of(server);
    test_peer idle(at), late(at);
    tests::send_text(late, "33554432\n");
    CHECK(late.read(1).bytes == 1); // the reply has begun
    REQUIRE(::kill(server.pid(), SIGTERM) == 0);
    CHECK(idle.read().error == 0);
    idle.close();
    CHECK(server.line_with("closed:").starts_with("closed: Success: first_fin=local"));

    const test_peer::result rest = late.read();
    CHECK(rest.error == 0);
    CHECK(rest.bytes == 33554432); // and the line end
    late.close();
    CHECK(server.line_with("closed:").starts_with("closed: Success: first_fin=local"));
    CHECK(server.stop(0) == 0); // it ends by itself
}
