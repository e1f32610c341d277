// SPDX-License-Identifier: BSL-1.0
#include "examples/server_under_test.hpp"
#include "support/connection.hpp"
#include "support/run_program.hpp"
#include "support/running_program.hpp"

#include <asio/buffer.hpp>
#include <asio/io_context.hpp>
#include <asio/ip/tcp.hpp>
#include <asio/read_until.hpp>
#include <asio/write.hpp>
#include <doctest/doctest.h>

#include <string>

namespace {

/// Answers one request, with `field` in the header. `server_first`: closes before the client does.
std::string logged_for(const std::string& field, bool server_first) {
    asio::io_context io;
    tcp::acceptor listener(io, {asio::ip::address_v4::loopback(), 0});
    tests::running_program client(
        {CLOSESIDE_CLIENT, "127.0.0.1", std::to_string(listener.local_endpoint().port()), "/file"});
    tcp::socket server = listener.accept();
    std::string request;
    asio::read_until(server, asio::dynamic_buffer(request), "\r\n\r\n");
    CHECK(request.starts_with("GET /file HTTP/1.1\r\n"));
    asio::write(server, asio::buffer("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n" + field + "\r\nhello"));
    closeside::error_code ec;
    char end;
    if (server_first) server.shutdown(tcp::socket::shutdown_send);
    server.read_some(asio::buffer(&end, 1), ec);
    CHECK(ec == asio::error::eof);
    server.close();
    const std::string line = client.line_with("closed:");
    CHECK(client.stop(0) == 0);
    return line;
}

} // namespace

TEST_CASE("client closes first on a connection that the server would keep, and second on one that it ends") {
    CHECK(logged_for("", false).starts_with("closed: Success: first_fin=local ended_by=fin"));
    CHECK(logged_for("Connection: close\r\n", true)
              .starts_with("closed: Success: first_fin=peer ended_by=fin time_wait=peer"));
}

TEST_CASE("client tries again until there is a server, and gives up after five attempts") {
    unsigned short port;
    {
        asio::io_context io;
        port = tcp::acceptor(io, {own_loopback(), 0}).local_endpoint().port();
    }
    tests::running_program waits({CLOSESIDE_CLIENT, own_loopback().to_string(), std::to_string(port)});
    CHECK(waits.line_with("attempt 1: Connection refused") != "");
    asio::io_context io;
    tcp::acceptor listener(io, {own_loopback(), port});
    tcp::socket server = listener.accept();
    std::string request;
    asio::read_until(server, asio::dynamic_buffer(request), "\r\n\r\n");
    asio::write(server, asio::buffer(std::string("HTTP/1.1 204 No Content\r\n\r\n")));
    server.close();
    CHECK(waits.line_with("closed:").starts_with("closed: Success"));
    CHECK(waits.stop(0) == 0);

    listener.close();
    const auto gives_up = tests::run_program({CLOSESIDE_CLIENT, own_loopback().to_string(), std::to_string(port)});
    CHECK(gives_up.status == 1);
    CHECK(gives_up.err.find("attempt 5: Connection refused") != std::string::npos);
}
