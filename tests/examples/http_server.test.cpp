// SPDX-License-Identifier: BSL-1.0
#include "examples/http_client.hpp"
#include "examples/server_under_test.hpp"
#include "support/connection.hpp"
#include "support/run_program.hpp"
#include "support/running_program.hpp"

#include <doctest/doctest.h>

#include <cerrno>
#include <csignal>
#include <cstddef>
#include <list>
#include <string>
#include <vector>

using tests::curl;
using tests::get;
using tests::is_missing;
using tests::read_until;
using tests::received;
using tests::send_text;

namespace {

struct running_server {
    explicit running_server(const std::vector<std::string>& options = {}) : program(arguments(options)) {
        at = tests::endpoint_of(program, "serving on");
        url = "http://127.0.0.1:" + std::to_string(at.port());
    }

    static std::vector<std::string> arguments(const std::vector<std::string>& options) {
        std::vector<std::string> all{CLOSESIDE_HTTP_SERVER, "--port", "0", "--log"};
        all.insert(all.end(), options.begin(), options.end());
        return all;
    }

    std::string closed() { return program.line_with("closed:"); }
    /// What it reads from here on it reads as a server that stops.
    void terminate() {
        REQUIRE(::kill(program.pid(), SIGTERM) == 0);
        REQUIRE(program.line_with("stopping") != "");
    }

    tests::running_program program;
    tcp::endpoint at;
    std::string url;
};

const std::string client_first = "closed: Success: first_fin=peer ended_by=fin time_wait=peer";
const std::string server_first = "closed: Success: first_fin=local ended_by=fin time_wait=local";
constexpr std::size_t large = 500'000;
const std::string large_body(large, 'x');

std::size_t count(const std::string& text, const std::string& what) {
    std::size_t n = 0;
    for (std::size_t at = 0; (at = text.find(what, at)) != std::string::npos; at += what.size()) ++n;
    return n;
}

} // namespace

TEST_CASE("http_server keeps a connection for curl's next request, and curl closes first") {
    if (is_missing(CLOSESIDE_CURL, "curl")) return;
    running_server server;
    CHECK(curl({"-w", "%{num_connects}", server.url + "/", server.url + "/"}) == "hello\n1hello\n0");
    CHECK(server.closed().starts_with(client_first));
    CHECK(server.program.stop(SIGTERM) == 0);
}

TEST_CASE("http_server answers requests that come all at once, in their order") {
    running_server server;
    test_peer client(server.at);
    send_text(client, get("/bytes/3") + get("/stream/4") + get("/nothing") + get("/bytes/100000") +
                          get("/", "Connection: close\r\n") + get("/bytes/1"));
    const received all = read_until(client, "hello\n");
    CHECK(count(all.text, "HTTP/1.1 200 OK") == 4);
    CHECK(all.text.find("\r\n\r\nxxxHTTP/1.1 200 OK") != std::string::npos);
    CHECK(all.text.find("4\r\nxxxx\r\n0\r\n\r\nHTTP/1.1 404") != std::string::npos);
    CHECK(count(all.text, "Connection: close") == 1); // and nothing after it
    client.close();
    CHECK(server.closed().starts_with(client_first));
}

TEST_CASE("http_server leaves the TIME-WAIT to every client that asks it to close") {
    if (is_missing(CLOSESIDE_CURL, "curl")) return;
    running_server server;
    CHECK(curl({"-H", "Connection: close", server.url + "/bytes/[1-200]"}).size() == 200 * 201 / 2);
    for (int i = 0; i < 200; ++i) REQUIRE(server.closed().starts_with(client_first));
}

TEST_CASE("http_server ends an HTTP/1.0 reply at once, whose length the client need not know") {
    running_server server;
    test_peer without_length(server.at), with_length(server.at), kept(server.at);
    send_text(without_length, get("/stream/" + std::to_string(large), {}, "1.0"));
    const received streamed = read_until(without_length);
    CHECK(streamed.ended);
    CHECK(streamed.text.find("Content-Length") == std::string::npos);
    CHECK(streamed.text.ends_with("\r\n\r\n" + large_body));
    without_length.close();
    CHECK(server.closed().starts_with(server_first));

    send_text(with_length, get("/", {}, "1.0"));
    CHECK(read_until(with_length).text.ends_with("Content-Length: 6\r\n\r\nhello\n"));
    with_length.close();
    CHECK(server.closed().starts_with(server_first));

    for (int i = 0; i < 2; ++i) {
        send_text(kept, get("/", "Connection: keep-alive\r\n", "1.0"));
        CHECK(read_until(kept, "hello\n").text.find("Connection: keep-alive") != std::string::npos);
    }
    if (!is_missing(CLOSESIDE_CURL, "curl")) CHECK(curl({"-0", server.url + "/stream/3"}) == "xxx");
}

TEST_CASE("http_server refuses a body by its length, and takes what still comes until the client has the refusal") {
    running_server server({"--body", "1000"});
    test_peer client(server.at);
    send_text(client, "POST / HTTP/1.1\r\nHost: test\r\nContent-Length: 8000000\r\n\r\n");
    const received refused = read_until(client);
    CHECK(refused.text.starts_with("HTTP/1.1 413"));
    CHECK(refused.text.find("Connection: close") != std::string::npos);
    CHECK(refused.ended);
    client.send(8'000'000);
    client.close();
    const std::string line = server.closed();
    CAPTURE(line);
    CHECK(line.starts_with(server_first));
    CHECK(tests::discarded_in(line) == 8'000'000);

    test_peer chunks(server.at);
    send_text(chunks, "POST / HTTP/1.1\r\nHost: test\r\nTransfer-Encoding: chunked\r\n\r\n800\r\n" +
                          std::string(0x800, 'b') + "\r\n");
    CHECK(read_until(chunks).text.starts_with("HTTP/1.1 413"));
}

TEST_CASE("http_server's refusal is seen by curl, in the middle of an upload and before it") {
    if (is_missing(CLOSESIDE_CURL, "curl")) return;
    running_server server;
    for (const std::string expect : {"-H Expect:", "-H 'Expect: 100-continue' --expect100-timeout 8"}) {
        const std::string upload = "head -c 8000000 /dev/zero | " CLOSESIDE_CURL " -s --max-time 8 " + expect +
                                   " -w '%{http_code}' --data-binary @- " + server.url;
        CHECK(tests::run_program({"/bin/sh", "-c", upload}).out == "body limit exceeded\n413");
    }
    CHECK(curl({"-H", "Expect: 100-continue", "--expect100-timeout", "8", "-d", "12345", server.url}) ==
          "got 5 bytes\n");
}

TEST_CASE("http_server refuses what is no request, and says so") {
    running_server server;
    const auto reply_to = [&](const std::string& text) {
        test_peer client(server.at);
        send_text(client, text);
        client.half_close(); // else the server waits for a client that has been told
        const received r = read_until(client);
        CHECK(r.ended);
        return r.text.substr(0, 12);
    };
    CHECK(reply_to("nonsense\r\n\r\n") == "HTTP/1.1 400");
    CHECK(reply_to("GET / HTTP/1.1\r\n\r\n") == "HTTP/1.1 400"); // for which host?
    CHECK(reply_to("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n") ==
          "HTTP/1.1 400");
    CHECK(reply_to(get("/", "Long: " + std::string(9000, 'l') + "\r\n")) == "HTTP/1.1 431");
    CHECK(reply_to("DELETE / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n") == "HTTP/1.1 405");
    CHECK(reply_to("HEAD /stream/5 HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n") == "HTTP/1.1 200");
}

TEST_CASE("http_server sends its FIN first where a client is idle for too long") {
    running_server server({"--idle", "0.2"});
    test_peer fresh(server.at), served(server.at);
    send_text(served, get("/"));
    CHECK(read_until(served, "hello\n").error == 0);
    for (test_peer* const idle : {&fresh, &served}) {
        CHECK(read_until(*idle).ended);
        idle->close();
        CHECK(server.closed().starts_with(server_first));
    }
}

TEST_CASE("http_server tells at /metrics how connections have ended") {
    running_server server;
    test_peer client(server.at);
    send_text(client, get("/", "Connection: close\r\n"));
    CHECK(read_until(client, "hello\n").error == 0);
    client.close();
    CHECK(server.closed().starts_with(client_first));
    test_peer asks(server.at);
    send_text(asks, get("/metrics"));
    const received r = read_until(asks, "# EOF\n");
    CAPTURE(r.text);
    CHECK(r.text.find("Content-Type: application/openmetrics-text; version=1.0.0") != std::string::npos);
    CHECK(r.text.find("closeside_connection_time_waits_total{network_transport=\"tcp\",holder=\"peer\"} 1\n") !=
          std::string::npos);
}

TEST_CASE("http_server serves wrk without an error") {
    if (is_missing(CLOSESIDE_WRK, "wrk")) return;
    running_server server;
    const std::string said =
        tests::run_program({CLOSESIDE_WRK, "-t1", "-c8", "-d1s", "--timeout", "5s", server.url}).out;
    CHECK(said.find("requests in") != std::string::npos);
    CHECK(said.find("Socket errors") == std::string::npos);
    CHECK(said.find("Non-2xx") == std::string::npos);
}

TEST_CASE("http_server, when it is stopped, loses no reply that is queued, and none to a request that is here") {
    running_server server({"--notice", "0.3", "--within", "8"});
    constexpr int replies = 10;
    std::list<test_peer> clients, halves;
    for (int i = 0; i < replies; ++i) {
        send_text(clients.emplace_back(server.at), get("/bytes/" + std::to_string(large)));
        send_text(halves.emplace_back(server.at), "GET /bytes/5 HTTP/1.1\r\nHost:");
    }
    test_peer pipelines(server.at);
    std::string many;
    for (int i = 0; i < replies; ++i) many += get("/bytes/" + std::to_string(large));
    send_text(pipelines, many);
    pipelines.half_close();
    // The server has got to all of them once it has answered this one.
    test_peer last(server.at);
    send_text(last, get("/", "Connection: close\r\n"));
    CHECK(read_until(last, "hello\n").error == 0);
    last.close();
    server.terminate();

    for (test_peer& half : halves) send_text(half, " test\r\n\r\n");
    for (test_peer& client : clients) CHECK(read_until(client).text.ends_with(large_body));
    for (test_peer& half : halves) {
        const received r = read_until(half, "xxxxx");
        CHECK(r.text.find("Connection: close") != std::string::npos);
        CHECK(r.error == 0);
        half.close();
    }
    const received all = read_until(pipelines);
    CHECK(count(all.text, "HTTP/1.1 200 OK") == replies);
    CHECK(count(all.text, "x") == replies * (large + 1)); // one in text/plain
    CHECK(all.error == 0);
    clients.clear();
    pipelines.close();
    CHECK(server.program.line_with("stopped:").find("cut=0 left_over=0") != std::string::npos);
    CHECK(server.program.stop(0) == 0);
}

TEST_CASE("http_server, when it is stopped, serves an idle client once more, tells it, and only then lets it go") {
    running_server server({"--notice", "5"});
    test_peer idle(server.at);
    send_text(idle, get("/"));
    CHECK(read_until(idle, "hello\n").text.find("Connection: close") == std::string::npos);
    server.terminate();
    send_text(idle, get("/"));
    CHECK(read_until(idle, "hello\n").text.find("Connection: close") != std::string::npos);
    idle.close();
    CHECK(server.closed().starts_with(client_first));
    CHECK(server.program.stop(0) == 0);
}

TEST_CASE("http_server, when it is stopped, closes idle connections by FIN after the notice, and resets half replies") {
    running_server server({"--notice", "0.1", "--within", "0.6"});
    test_peer idle(server.at), reads_nothing(server.at);
    send_text(idle, get("/"));
    CHECK(read_until(idle, "hello\n").error == 0);
    send_text(reads_nothing, get("/bytes/16777216"));
    REQUIRE(tests::has_input(reads_nothing));
    server.terminate();
    CHECK(read_until(idle).ended);
    idle.close();
    CHECK(server.closed().starts_with(server_first));
    CHECK(server.program.line_with("stopped:").find("cut=1") != std::string::npos);
    const received part = read_until(reads_nothing);
    CHECK(part.text.size() < 16'777'216);
    CHECK(part.error == ECONNRESET);
    CHECK(server.program.stop(0) == 0);
}

TEST_CASE("http_server ends at once by a second signal") {
    running_server server({"--notice", "60", "--within", "60"});
    test_peer reads_nothing(server.at);
    send_text(reads_nothing, get("/bytes/16777216"));
    REQUIRE(tests::has_input(reads_nothing));
    server.terminate();
    CHECK(server.program.stop(SIGTERM) == 0);
    CHECK(read_until(reads_nothing).error == ECONNRESET);
}

TEST_CASE("http_server says what is wrong with its arguments") {
    const auto refused = [](const std::string& option, const std::string& value) {
        const auto said = tests::run_program({CLOSESIDE_HTTP_SERVER, option, value});
        CHECK(said.status != 0);
        return (said.out + said.err).find(value) != std::string::npos;
    };
    CHECK(refused("--port", "65536"));
    CHECK(refused("--port", "80x"));
    CHECK(refused("--address", "localhost"));
    CHECK(refused("--idle", "-1"));
}
