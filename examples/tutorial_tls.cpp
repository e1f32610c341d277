// SPDX-License-Identifier: BSL-1.0
// Step 3 of the tutorial (README.md): a reply over TLS. `tutorial_tls [port]`, where cert.pem and key.pem are.
#include <closeside/closeside.hpp>
#include <closeside/ssl.hpp>

#include "number.hpp"

#include <asio/awaitable.hpp>
#include <asio/buffer.hpp>
#include <asio/co_spawn.hpp>
#include <asio/detached.hpp>
#include <asio/experimental/awaitable_operators.hpp>
#include <asio/io_context.hpp>
#include <asio/read_until.hpp>
#include <asio/redirect_error.hpp>
#include <asio/ssl/context.hpp>
#include <asio/steady_timer.hpp>
#include <asio/use_awaitable.hpp>
#include <asio/write.hpp>

#include <exception>
#include <iostream>
#include <string>
#include <utility>

namespace cs = closeside;
using namespace asio::experimental::awaitable_operators;
using namespace std::chrono_literals;

using connection = cs::ssl_stream<cs::policies::peer_first>;

asio::awaitable<void> session(connection client) {
    std::string request;
    cs::error_code ec, late;
    auto no_throw = asio::redirect_error(asio::use_awaitable, ec);
    auto no_throw_either = asio::redirect_error(asio::use_awaitable, late);
    asio::steady_timer limit(client.get_executor(), 10s); // for the handshake and the request together
    co_await (client.async_handshake(connection::server, no_throw) || limit.async_wait(no_throw_either));
    if (!ec)
        co_await (asio::async_read_until(client, asio::dynamic_buffer(request, 8192), "\r\n\r\n", no_throw) ||
                  limit.async_wait(no_throw_either));
    static const std::string reply =
        "HTTP/1.1 200 OK\r\nContent-Length: 15\r\nConnection: close\r\n\r\nhello over TLS\n";
    if (!ec) co_await asio::async_write(client, asio::buffer(reply), no_throw);
    const cs::tls_close_report report = co_await client.async_close(no_throw);
    std::cout << "closed: " << ec.message() << ": " << report << std::endl;
}

asio::awaitable<void> accept_loop(cs::acceptor<connection::policy>& listener, asio::ssl::context& tls) {
    while (true) {
        connection client(co_await listener.async_accept(asio::use_awaitable), tls);
        asio::co_spawn(listener.get_executor(), session(std::move(client)), asio::detached);
    }
}

int main(int argc, char** argv) try {
    asio::io_context io(1);
    asio::ssl::context tls(asio::ssl::context::tls_server);
    tls.use_certificate_chain_file("cert.pem");
    tls.use_private_key_file("key.pem", asio::ssl::context::pem);
    cs::acceptor<connection::policy> listener(io,
                                              {asio::ip::address_v4::loopback(), number(argc > 1 ? argv[1] : "7003")});
    std::cout << "serving on " << listener.local_endpoint() << std::endl;
    asio::co_spawn(io, accept_loop(listener, tls), asio::detached);
    io.run();
} catch (const std::exception& e) {
    std::cerr << "tutorial_tls: " << e.what() << '\n';
    return 1;
}
