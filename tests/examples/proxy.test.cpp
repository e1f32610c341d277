// SPDX-License-Identifier: BSL-1.0
#include "examples/http_client.hpp"
#include "examples/server_under_test.hpp"
#include "support/connection.hpp"
#include "support/run_program.hpp"
#include "support/running_program.hpp"

#include <asio/buffer.hpp>
#include <asio/io_context.hpp>
#include <asio/ip/tcp.hpp>
#include <asio/read.hpp>
#include <asio/read_until.hpp>
#include <asio/write.hpp>
#include <doctest/doctest.h>

#include <cerrno>
#include <csignal>
#include <set>
#include <string>
#include <vector>

using tests::get;
using tests::read_until;
using tests::received;
using tests::send_text;

namespace {

/// The server behind the proxy, driven by hand.
struct behind {
    explicit behind(const std::vector<std::string>& options = {}) : proxy(arguments(options)) {
        at = tests::endpoint_of(proxy, "passing on from");
    }

    std::vector<std::string> arguments(const std::vector<std::string>& options) const {
        std::vector<std::string> all{CLOSESIDE_PROXY, "--port", "0",
                                     "--log",         "--to",   "127.0.0.1:" + std::to_string(port())};
        all.insert(all.end(), options.begin(), options.end());
        return all;
    }
    unsigned short port() const { return listener.local_endpoint().port(); }
    void terminate() {
        REQUIRE(::kill(proxy.pid(), SIGTERM) == 0);
        REQUIRE(proxy.line_with("stopping") != "");
    }

    asio::io_context io;
    tcp::acceptor listener{io, {asio::ip::address_v4::loopback(), 0}};
    tests::running_program proxy;
    tcp::endpoint at;
};

/// The header of the next request.
std::string request_at(tcp::socket& server) {
    std::string text;
    closeside::error_code ec;
    asio::read_until(server, asio::dynamic_buffer(text), "\r\n\r\n", ec);
    return ec ? ec.message() : text;
}

void reply_from(tcp::socket& server, const std::string& text) { asio::write(server, asio::buffer(text)); }

const std::string hello = "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello";

/// What ends a connection on which nothing more comes.
closeside::error_code end_of(tcp::socket& server) {
    char byte;
    closeside::error_code ec;
    server.read_some(asio::buffer(&byte, 1), ec);
    return ec;
}

} // namespace

TEST_CASE("proxy, of TCP, passes on each side's half-close, and is not stopped before both have ended") {
    behind here({"--tcp"});
    test_peer client(here.at);
    tcp::socket server = here.listener.accept();
    client.send(100'000);
    client.half_close();
    closeside::error_code ec;
    std::string request;
    CHECK(asio::read(server, asio::dynamic_buffer(request), ec) == 100'000);
    CHECK(ec == asio::error::eof);

    here.terminate();
    asio::write(server, asio::buffer(std::string(200'000, 'r')));
    server.close();
    const test_peer::result reply = client.read();
    CHECK(reply.bytes == 200'000);
    CHECK(reply.error == 0);
    const std::set<std::string> lines{here.proxy.line_with("closed:"), here.proxy.line_with("closed:")};
    CHECK(lines.begin()->starts_with("client closed: Success: "));
    CHECK(lines.rbegin()->starts_with("server closed: Success: first_fin=local ended_by=fin"));
    CHECK(here.proxy.line_with("stopped:").find("cut=0") != std::string::npos);
    CHECK(here.proxy.stop(0) == 0);
}

TEST_CASE("proxy, of TCP, passes a reset on as a reset, and resets those that have not ended by the deadline") {
    behind here({"--tcp", "--within", "0.3"});
    test_peer client(here.at), stays(here.at);
    tcp::socket server = here.listener.accept(), other = here.listener.accept();
    for (test_peer* const c : {&client, &stays}) c->send(1);
    char byte;
    for (tcp::socket* const s : {&server, &other}) REQUIRE(asio::read(*s, asio::buffer(&byte, 1)) == 1);
    server.set_option(asio::socket_base::linger(true, 0));
    server.close();
    // Either may be the first that was accepted behind the proxy.
    here.terminate();
    CHECK(client.read().error == ECONNRESET);
    CHECK(stays.read().error == ECONNRESET);
    CHECK(end_of(other) == asio::error::connection_reset);
    CHECK(here.proxy.stop(0) == 0);
}

TEST_CASE("proxy passes a request on without what is for one hop, and uses its connection for the next client's") {
    behind here;
    test_peer first(here.at);
    send_text(first, get("/a", "Connection: keep-alive, Mine\r\nMine: 1\r\nKeep-Alive: 5\r\nYours: 2\r\n"));
    tcp::socket server = here.listener.accept();
    const std::string request = request_at(server);
    CAPTURE(request);
    CHECK(request.starts_with("GET /a HTTP/1.1\r\nHost: test\r\n"));
    CHECK(request.find("Mine") == std::string::npos);
    CHECK(request.find("Keep-Alive") == std::string::npos);
    CHECK(request.find("Yours: 2\r\n") != std::string::npos);
    CHECK(request.find("Via: 1.1 closeside\r\n") != std::string::npos);
    CHECK(request.find("X-Forwarded-For: ::ffff:127.0.0.1\r\n") != std::string::npos);
    reply_from(server, "HTTP/1.1 200 OK\r\nContent-Length: 5\r\nKeep-Alive: 7\r\nYours: 3\r\n\r\nhello");
    const std::string reply = read_until(first, "hello").text;
    CHECK(reply == "HTTP/1.1 200 OK\r\nContent-Length: 5\r\nYours: 3\r\n\r\nhello");

    test_peer second(here.at);
    send_text(second, get("/b", "Connection: close\r\n"));
    CHECK(request_at(server).starts_with("GET /b HTTP/1.1"));
    reply_from(server, hello);
    CHECK(read_until(second, "hello").text.find("Connection: close") != std::string::npos);
    second.close();
    CHECK(here.proxy.line_with("closed:").starts_with("client closed: Success: first_fin=peer ended_by=fin"));
}

TEST_CASE("proxy sends a request again that a connection of the pool has lost, and one that it must not on a new one") {
    behind here;
    test_peer client(here.at);
    send_text(client, get("/a"));
    tcp::socket server = here.listener.accept();
    request_at(server);
    reply_from(server, hello);
    CHECK(read_until(client, "hello").error == 0);

    send_text(client, get("/b"));
    CHECK(request_at(server).starts_with("GET /b")); // and it ends the connection for having been idle
    server.close();
    server = here.listener.accept();
    CHECK(request_at(server).starts_with("GET /b"));
    reply_from(server, hello);
    CHECK(read_until(client, "hello").text.starts_with("HTTP/1.1 200"));

    send_text(client, "POST /c HTTP/1.1\r\nHost: test\r\nContent-Length: 0\r\n\r\n");
    tcp::socket fresh = here.listener.accept();
    CHECK(request_at(fresh).starts_with("POST /c"));
    fresh.close();
    CHECK(read_until(client).text.starts_with("HTTP/1.1 502"));

    // One whose end is known is not tried.
    test_peer again(here.at);
    server.close();
    send_text(again, get("/d"));
    fresh = here.listener.accept();
    CHECK(request_at(fresh).starts_with("GET /d"));
}

TEST_CASE("proxy tells the server of the last request on a connection, and leaves it the TIME-WAIT") {
    behind here({"--requests", "2"});
    test_peer client(here.at);
    send_text(client, get("/a"));
    tcp::socket server = here.listener.accept();
    CHECK(request_at(server).find("Connection:") == std::string::npos);
    reply_from(server, hello);
    CHECK(read_until(client, "hello").error == 0);
    send_text(client, get("/b"));
    CHECK(request_at(server).find("Connection: close\r\n") != std::string::npos);
    reply_from(server, "HTTP/1.1 200 OK\r\nContent-Length: 5\r\nConnection: close\r\n\r\nhello");
    server.close();
    CHECK(read_until(client, "hello").text.find("Connection: close") == std::string::npos);
    CHECK(here.proxy.line_with("server").starts_with(
        "server closed: Success: first_fin=peer ended_by=fin time_wait=peer"));
}

TEST_CASE("proxy resets connections that are idle in its pool for too long, and those that are left when it stops") {
    behind here({"--pool-idle", "0.01"});
    const auto use_and_wait = [&](const std::string& target) {
        test_peer client(here.at);
        send_text(client, get(target));
        tcp::socket server = here.listener.accept();
        request_at(server);
        reply_from(server, hello);
        CHECK(read_until(client, "hello").error == 0);
        return server;
    };
    tcp::socket reaped = use_and_wait("/a");
    CHECK(end_of(reaped) == asio::error::connection_reset);
    tcp::socket left = use_and_wait("/b");
    CHECK(here.proxy.stop(SIGTERM) == 0);
    CHECK(end_of(left) == asio::error::connection_reset);
}

TEST_CASE("proxy passes on replies without a length: in chunks, or to HTTP/1.0 with the end of the connection") {
    behind here;
    for (const std::string form : {"Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n", "\r\nhello"}) {
        for (const std::string version : {"1.1", "1.0"}) {
            test_peer client(here.at);
            send_text(client, get("/", {}, version));
            tcp::socket server = here.listener.accept();
            request_at(server);
            reply_from(server, "HTTP/1.1 200 OK\r\nConnection: close\r\n" + form);
            server.close();
            const bool in_chunks = version == "1.1";
            const std::string body = in_chunks ? "\r\n\r\n5\r\nhello\r\n0\r\n\r\n" : "\r\n\r\nhello";
            const received r = read_until(client, in_chunks ? body : "");
            CHECK(r.text.starts_with("HTTP/" + version + " 200 OK\r\n"));
            CHECK(r.text.ends_with(body));
            CHECK(r.ended == !in_chunks);
        }
    }
}

TEST_CASE("proxy never lets a part of a reply look like the whole") {
    behind here;
    for (const std::string form :
         {"Content-Length: 6\r\n\r\nhello", "Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n"}) {
        test_peer client(here.at);
        send_text(client, get("/"));
        tcp::socket server = here.listener.accept();
        request_at(server);
        reply_from(server, "HTTP/1.1 200 OK\r\n" + form);
        read_until(client, form.substr(form.find("hello")));
        server.close();
        CHECK(read_until(client).error == ECONNRESET);
    }
}

TEST_CASE("proxy refuses what it cannot pass on, and says why") {
    tests::running_program proxy({CLOSESIDE_PROXY, "--port", "0", "--to", "127.0.0.1:1"}); // where nobody listens
    const tcp::endpoint at = tests::endpoint_of(proxy, "passing on from");
    const auto reply_to = [&](const std::string& text) {
        test_peer client(at);
        send_text(client, text);
        const received r = read_until(client);
        CHECK(r.ended);
        return r.text.substr(0, 12);
    };
    CHECK(reply_to("nonsense\r\n\r\n") == "HTTP/1.1 400");
    CHECK(reply_to("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n") ==
          "HTTP/1.1 400");
    CHECK(reply_to("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 99999999\r\n\r\n") == "HTTP/1.1 413");
    CHECK(reply_to("CONNECT a:1 HTTP/1.1\r\nHost: a\r\n\r\n") == "HTTP/1.1 405");
    CHECK(reply_to(get("/")) == "HTTP/1.1 502");

    for (const std::string bad : {"99999", "80x"}) {
        const auto said = tests::run_program({CLOSESIDE_PROXY, "--to", "localhost:1", "--port", bad});
        CHECK(said.status != 0);
        CHECK((said.out + said.err).find(bad) != std::string::npos);
    }
    const auto said = tests::run_program({CLOSESIDE_PROXY, "--to", "nowhere"});
    CHECK(said.err.find("'nowhere' is not host:port") != std::string::npos);
}

TEST_CASE("proxy, when it is stopped, has the reply to a request that is under way, and tells its client to go") {
    behind here({"--notice", "0.1"});
    test_peer client(here.at), idle(here.at);
    send_text(client, get("/"));
    tcp::socket server = here.listener.accept();
    request_at(server);
    here.terminate();
    CHECK(read_until(idle).ended); // once the notice is over
    idle.close();
    reply_from(server, "HTTP/1.1 200 OK\r\nContent-Length: 500000\r\n\r\n" + std::string(500'000, 'x'));
    const received r = read_until(client, std::string(500'000, 'x'));
    CHECK(r.text.find("Connection: close") != std::string::npos);
    client.close();
    CHECK(here.proxy.line_with("stopped:").find("cut=0 left_over=0") != std::string::npos);
    CHECK(here.proxy.stop(0) == 0);
}

TEST_CASE("proxy, when it is stopped, resets whoever waits for a server that does not answer by the deadline") {
    behind here({"--notice", "0.1", "--within", "0.3"});
    test_peer client(here.at);
    send_text(client, get("/"));
    tcp::socket server = here.listener.accept();
    request_at(server);
    here.terminate();
    CHECK(read_until(client).error == ECONNRESET);
    CHECK(end_of(server) == asio::error::connection_reset);
    CHECK(here.proxy.line_with("stopped:").find("left_over=0") != std::string::npos);
    CHECK(here.proxy.stop(0) == 0);
}
