// SPDX-License-Identifier: BSL-1.0
#include "support/connection.hpp"
#include "support/run_program.hpp"
#include "support/running_program.hpp"

#include <doctest/doctest.h>

#include <string>

namespace {

unsigned short port_in(const std::string& line) {
    const std::string before = "127.0.0.1:";
    return static_cast<unsigned short>(std::stoi(line.substr(line.find(before) + before.size())));
}

} // namespace

TEST_CASE("echo_server echoes, lets its client close first, logs the report and stops on SIGINT") {
    tests::running_program server({CLOSESIDE_ECHO_SERVER, "--address", "127.0.0.1", "--port", "0"});
    const std::string first = server.line_with("echoing on");
    REQUIRE_FALSE(first.empty());
    const tcp::endpoint at(asio::ip::address_v4::loopback(), port_in(first));
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

    const auto second =
        tests::run_program({CLOSESIDE_ECHO_SERVER, "--address", "127.0.0.1", "--port", std::to_string(at.port())});
    CHECK(second.status == 1);
    CHECK(second.err.find("a live listener") != std::string::npos);

    CHECK(server.stop() == 0);
}

TEST_CASE("echo_server names a wrong argument and what it would take") {
    const auto address = tests::run_program({CLOSESIDE_ECHO_SERVER, "--address", "here"});
    CHECK(address.status != 0);
    CHECK(address.err.find("'here' is not an IP address") != std::string::npos);
    const auto port = tests::run_program({CLOSESIDE_ECHO_SERVER, "--port", "70000"});
    CHECK(port.status != 0);
    CHECK(port.err.find("70000 not in range") != std::string::npos);
}
