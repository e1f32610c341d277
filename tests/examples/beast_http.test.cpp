// SPDX-License-Identifier: BSL-1.0
#include "support/connection.hpp"
#include "support/run_program.hpp"
#include "support/running_program.hpp"

#include <doctest/doctest.h>

#include <csignal>
#include <cstddef>
#include <string>
#include <vector>

#include <sys/socket.h>

namespace {

struct running_server {
    explicit running_server(const std::string& idle_seconds = "30")
        : program({CLOSESIDE_BEAST_HTTP, "0", idle_seconds}) {
        const std::string first = program.line_with("serving on");
        REQUIRE_FALSE(first.empty());
        port = first.substr(first.rfind(':') + 1);
    }

    std::string url(const std::string& path) const { return "http://127.0.0.1:" + port + path; }
    tcp::endpoint endpoint() const {
        return {asio::ip::address_v4::loopback(), static_cast<unsigned short>(std::stoi(port))};
    }

    tests::running_program program;
    std::string port;
};

std::string curl(std::vector<std::string> arguments) {
    const std::vector<std::string> first{CLOSESIDE_CURL, "-s", "--max-time", "8"};
    arguments.insert(arguments.begin(), first.begin(), first.end());
    return tests::run_program(arguments).out;
}

bool is_missing(const std::string& program, const char* name) {
    if (program.empty()) MESSAGE("SKIPPED: ", name, " is not installed");
    return program.empty();
}

} // namespace

TEST_CASE("beast_http keeps a connection for curl's next request, and curl closes first") {
    if (is_missing(CLOSESIDE_CURL, "curl")) return;
    running_server server;
    CHECK(curl({"-w", "%{num_connects}", server.url("/a"), server.url("/b")}) ==
          "GET /a, 0 bytes\n1GET /b, 0 bytes\n0");
    CHECK(server.program.line_with("closed:").starts_with("closed: Success: first_fin=peer"));
    CHECK(server.program.stop() == 0);
}

TEST_CASE("beast_http leaves the TIME-WAIT to every client that asks it to close") {
    if (is_missing(CLOSESIDE_CURL, "curl")) return;
    running_server server;
    constexpr int connections = 200;
    const std::string said = curl({"-H", "Connection: close", server.url("/[1-200]")});
    CHECK(said.ends_with("GET /200, 0 bytes\n"));
    for (int i = 0; i < connections; ++i) {
        const std::string line = server.program.line_with("closed:");
        REQUIRE(line.starts_with("closed: Success: first_fin=peer ended_by=fin time_wait=peer"));
    }
}

TEST_CASE("beast_http refuses what it does not take, and the refusal arrives while the client still sends") {
    if (is_missing(CLOSESIDE_CURL, "curl")) return;
    running_server server;
    const std::string upload = "head -c 8000000 /dev/zero | " CLOSESIDE_CURL
                               " -s --max-time 8 -H Expect: -w '%{http_code}' --data-binary @- " +
                               server.url("/");
    CHECK(tests::run_program({"/bin/sh", "-c", upload}).out == "body limit exceeded\n413");
    const std::string line = server.program.line_with("closed:");
    CHECK(line.find("ended_by=fin") != std::string::npos);

    const std::string nonsense =
        "printf 'nonsense\\r\\n\\r\\n' | " CLOSESIDE_CURL " -s --max-time 8 telnet://127.0.0.1:";
    CHECK(tests::run_program({"/bin/sh", "-c", nonsense + server.port}).out.starts_with("HTTP/1.1 400"));
}

TEST_CASE("beast_http closes first where a client is idle for too long") {
    running_server server("1");
    test_peer client(server.endpoint());
    CHECK(client.read().error == 0); // the end of the stream
    client.close();
    CHECK(server.program.line_with("closed:").starts_with("closed: Success: first_fin=local ended_by=fin"));
}

TEST_CASE("beast_http serves wrk without an error") {
    if (is_missing(CLOSESIDE_WRK, "wrk")) return;
    running_server server;
    const std::string said =
        tests::run_program({CLOSESIDE_WRK, "-t1", "-c8", "-d1s", "--timeout", "5s", server.url("/")}).out;
    CHECK(said.find("requests in") != std::string::npos);
    CHECK(said.find("Socket errors") == std::string::npos);
    CHECK(said.find("Non-2xx") == std::string::npos);
}

TEST_CASE("beast_http, when it is stopped, answers what is under way, tells the client to go, and closes idle ones") {
    running_server server;
    test_peer idle(server.endpoint()), half(server.endpoint());
    const std::string begin = "GET /half HTTP/1.1\r\nHost:", end = " a\r\n\r\n";
    REQUIRE(::send(half.fd(), begin.data(), begin.size(), MSG_NOSIGNAL) == static_cast<ssize_t>(begin.size()));
    REQUIRE(::kill(server.program.pid(), SIGTERM) == 0);
    CHECK(idle.read().error == 0); // once the notice is over
    idle.close();
    CHECK(server.program.line_with("closed:").starts_with("closed: Success: first_fin=local ended_by=fin"));
    REQUIRE(::send(half.fd(), end.data(), end.size(), MSG_NOSIGNAL) == static_cast<ssize_t>(end.size()));
    std::string reply(1000, '\0');
    reply.resize(static_cast<std::size_t>(::recv(half.fd(), reply.data(), reply.size(), 0)));
    CHECK(reply.find("Connection: close\r\n") != std::string::npos);
    CHECK(reply.ends_with("GET /half, 0 bytes\n"));
    half.close();
    CHECK(server.program.line_with("closed:").starts_with("closed: Success: first_fin=peer ended_by=fin"));
    CHECK(server.program.stop(0) == 0);
}
