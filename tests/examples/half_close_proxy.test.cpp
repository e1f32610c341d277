// SPDX-License-Identifier: BSL-1.0
#include "examples/server_under_test.hpp"
#include "support/connection.hpp"
#include "support/running_program.hpp"

#include <asio/buffer.hpp>
#include <asio/io_context.hpp>
#include <asio/ip/tcp.hpp>
#include <asio/read.hpp>
#include <asio/write.hpp>
#include <doctest/doctest.h>

#include <csignal>
#include <string>

namespace {

/// A server behind the proxy, driven by hand.
struct behind {
    asio::io_context io;
    tcp::acceptor listener{io, {asio::ip::address_v4::loopback(), 0}};
    tests::running_program proxy{
        {CLOSESIDE_HALF_CLOSE_PROXY, "0", "127.0.0.1", std::to_string(listener.local_endpoint().port())}};
    test_peer client{tests::endpoint_of(proxy)};
    tcp::socket server = listener.accept();
};

} // namespace

TEST_CASE("half_close_proxy passes on the client's half-close, and the reply that comes after it") {
    behind here;
    here.client.send(100'000);
    here.client.half_close();
    closeside::error_code ec;
    std::string request;
    CHECK(asio::read(here.server, asio::dynamic_buffer(request), ec) == 100'000);
    CHECK(ec == asio::error::eof);

    // Stopped in the meantime, it waits for the reply.
    REQUIRE(::kill(here.proxy.pid(), SIGTERM) == 0);
    asio::write(here.server, asio::buffer(std::string(200'000, 'r')));
    here.server.close();
    const test_peer::result reply = here.client.read();
    CHECK(reply.bytes == 200'000);
    CHECK(reply.error == 0);
    const std::string line = here.proxy.line_with("closed:");
    CAPTURE(line);
    CHECK(line.starts_with("closed: client Success: "));
    CHECK(line.find("server Success: first_fin=local ended_by=fin") != std::string::npos);
    CHECK(here.proxy.stop(0) == 0);
}

TEST_CASE("half_close_proxy passes a reset on as a reset") {
    behind here;
    here.client.send(1);
    char byte;
    REQUIRE(asio::read(here.server, asio::buffer(&byte, 1)) == 1); // the proxy has connected, and passes on
    here.server.set_option(asio::socket_base::linger(true, 0));
    here.server.close();
    CHECK(here.client.read().error == ECONNRESET);
    CHECK(here.proxy.line_with("closed: reset") != "");
    CHECK(here.proxy.stop() == 0);
}
