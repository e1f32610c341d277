// SPDX-License-Identifier: BSL-1.0
// Step 2 of the tutorial (README.md): one request of HTTP/1.1 a connection, by hand, and the close that suits its reply.
// `tutorial_http [port]`
#include <closeside/closeside.hpp>

#include "number.hpp"

#include <asio/awaitable.hpp>
#include <asio/buffer.hpp>
#include <asio/co_spawn.hpp>
#include <asio/detached.hpp>
#include <asio/experimental/awaitable_operators.hpp>
#include <asio/io_context.hpp>
#include <asio/read_until.hpp>
#include <asio/redirect_error.hpp>
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

using connection = cs::stream<cs::policies::graceful>; // for every connection whose client does not know of the end

asio::awaitable<void> session(connection client) {
    std::string request;
    cs::error_code ec, late;
    auto no_throw = asio::redirect_error(asio::use_awaitable, ec);
    asio::steady_timer limit(client.get_executor(), 10s);
    co_await (asio::async_read_until(client, asio::dynamic_buffer(request, 8192), "\r\n\r\n", no_throw) ||
              limit.async_wait(asio::redirect_error(asio::use_awaitable, late)));
    const bool is_get = !ec && request.starts_with("GET ");
    if (!ec) {
        const std::string body = is_get ? "hello\n" : "this server takes no uploads\n";
        const std::string reply = std::string("HTTP/1.1 ") + (is_get ? "200 OK" : "405 Method Not Allowed") +
                                  "\r\nContent-Length: " + std::to_string(body.size()) +
                                  "\r\nConnection: close\r\n\r\n" + body;
        co_await asio::async_write(client, asio::buffer(reply), no_throw);
    }
    // Who has asked for nothing more, and has been told, closes by itself. Who still uploads, or has sent nothing, does not.
    const cs::close_policy how = is_get ? cs::policies::peer_first : cs::policies::graceful;
    const cs::close_report report = co_await client.async_close(how, no_throw);
    std::cout << "closed: " << ec.message() << ": " << report << std::endl;
}

asio::awaitable<void> accept_loop(cs::acceptor<connection::policy>& listener) {
    while (true) {
        connection client = co_await listener.async_accept(asio::use_awaitable);
        asio::co_spawn(listener.get_executor(), session(std::move(client)), asio::detached);
    }
}

int main(int argc, char** argv) try {
    asio::io_context io(1);
    cs::acceptor<connection::policy> listener(io,
                                              {asio::ip::address_v4::loopback(), number(argc > 1 ? argv[1] : "7002")});
    std::cout << "serving on " << listener.local_endpoint() << std::endl;
    asio::co_spawn(io, accept_loop(listener), asio::detached);
    io.run();
} catch (const std::exception& e) {
    std::cerr << "tutorial_http: " << e.what() << '\n';
    return 1;
}
