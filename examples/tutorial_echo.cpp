// SPDX-License-Identifier: BSL-1.0
// Step 1 of the tutorial (README.md): an echo server that says how each connection has ended. `tutorial_echo [port]`
#include <closeside/closeside.hpp>

#include "number.hpp"

#include <asio/awaitable.hpp>
#include <asio/buffer.hpp>
#include <asio/co_spawn.hpp>
#include <asio/detached.hpp>
#include <asio/io_context.hpp>
#include <asio/redirect_error.hpp>
#include <asio/use_awaitable.hpp>
#include <asio/write.hpp>

#include <array>
#include <cstddef>
#include <exception>
#include <iostream>
#include <utility>

namespace cs = closeside;

using connection = cs::stream<cs::policies::peer_first>; // the client closes first, and keeps the TIME-WAIT

asio::awaitable<void> session(connection client) {
    std::array<char, 4096> data;
    cs::error_code ec;
    auto no_throw = asio::redirect_error(asio::use_awaitable, ec);
    while (!ec) {
        const std::size_t n = co_await client.async_read_some(asio::buffer(data), no_throw);
        if (!ec) co_await asio::async_write(client, asio::buffer(data, n), no_throw);
    }
    const cs::close_report report = co_await client.async_close(no_throw);
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
                                              {asio::ip::address_v4::loopback(), number(argc > 1 ? argv[1] : "7001")});
    std::cout << "echoing on " << listener.local_endpoint() << std::endl;
    asio::co_spawn(io, accept_loop(listener), asio::detached);
    io.run();
} catch (const std::exception& e) {
    std::cerr << "tutorial_echo: " << e.what() << '\n';
    return 1;
}
