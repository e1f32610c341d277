// SPDX-License-Identifier: BSL-1.0
#include "examples/server_under_test.hpp"
#include "support/connection.hpp"
#include "support/running_program.hpp"

#include <doctest/doctest.h>

#include <csignal>
#include <cstddef>
#include <string>

TEST_CASE("process_per_connection serves each client in a process of its own, and a stop cuts no reply") {
    tests::running_program server({CLOSESIDE_PROCESS_PER_CONNECTION, "0"});
    const tcp::endpoint at = tests::endpoint_of(server);
    test_peer done(at), idle(at), late(at);
    for (test_peer* const peer : {&done, &idle}) {
        peer->send(100'000);
        CHECK(peer->read(100'000).bytes == 100'000); // the parent's disown() has left the wire alone
    }
    done.half_close();
    CHECK(done.read().error == 0);
    CHECK(server.line_with("closed:").starts_with("closed: Success: first_fin=peer ended_by=fin time_wait=peer"));

    const std::size_t sent = tests::leave_in_mid_reply(late);
    REQUIRE(::kill(server.pid(), SIGTERM) == 0); // the parent tells its children
    CHECK(idle.read().error == 0);
    idle.close();
    CHECK(server.line_with("closed:").starts_with("closed: Success: first_fin=local"));
    const test_peer::result got = late.read();
    CHECK(got.error == 0);
    late.close();
    // Every byte was echoed, or never read: no reply was begun and not finished.
    CHECK(got.bytes + tests::discarded_in(server.line_with("closed:")) == sent);
    CHECK(server.stop(0) == 0); // after the last of its children
}
