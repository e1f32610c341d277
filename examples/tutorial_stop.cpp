// SPDX-License-Identifier: BSL-1.0
// Step 4 of the tutorial (README.md): a server of large replies that stops without cutting one. `tutorial_stop [port]`
#include <closeside/closeside.hpp>

#include "number.hpp"

#include <asio/awaitable.hpp>
#include <asio/buffer.hpp>
#include <asio/co_spawn.hpp>
#include <asio/detached.hpp>
#include <asio/io_context.hpp>
#include <asio/redirect_error.hpp>
#include <asio/signal_set.hpp>
#include <asio/use_awaitable.hpp>
#include <asio/write.hpp>

#include <array>
#include <csignal>
#include <cstddef>
#include <exception>
#include <iostream>
#include <string>
#include <utility>

#include <unistd.h>

namespace cs = closeside;
using namespace std::chrono_literals;

using connection = cs::stream<cs::policies::graceful>;
const std::string reply(16'000'000, 'x');

/// Every line that a client sends is answered by 16 MB.
asio::awaitable<void> session(connection client, cs::orderly_stop& stop) {
    cs::orderly_stop::member here(stop, client);
    std::array<char, 4096> data;
    cs::error_code ec;
    auto no_throw = asio::redirect_error(asio::use_awaitable, ec);
    while (!ec && !here.stopping()) {
        const std::size_t n = co_await client.async_read_some(asio::buffer(data), here.idle(no_throw));
        if (ec || data[n - 1] != '\n') continue;
        std::cout << "replying" << std::endl;
        co_await asio::async_write(client, asio::buffer(reply), no_throw);
    }
    const cs::close_report report = co_await client.async_close(no_throw);
    std::cout << "closed: " << ec.message() << ": " << report << std::endl;
}

asio::awaitable<void> accept_loop(cs::acceptor<connection::policy>& listener, cs::orderly_stop& stop) {
    cs::error_code ec;
    while (ec != asio::error::operation_aborted) { // the stop closes the listener
        connection client = co_await listener.async_accept(asio::redirect_error(asio::use_awaitable, ec));
        if (!ec) asio::co_spawn(listener.get_executor(), session(std::move(client), stop), asio::detached);
    }
}

int main(int argc, char** argv) try {
    asio::io_context io(1);
    cs::acceptor<connection::policy> listener(io,
                                              {asio::ip::address_v4::loopback(), number(argc > 1 ? argv[1] : "7004")});
    cs::orderly_stop stop(io);
    stop.add(listener);
    asio::signal_set signals(io, SIGINT, SIGTERM);
    signals.async_wait([&](cs::error_code, int) {
        signals.clear(); // a second signal ends the process
        stop.async_stop({.within = 20s}, [](cs::error_code, const cs::stop_report& report) {
            std::cout << "stopped: " << report << std::endl;
        });
    });
    std::cout << "serving on " << listener.local_endpoint() << ", process " << ::getpid() << std::endl;
    asio::co_spawn(io, accept_loop(listener, stop), asio::detached);
    io.run(); // until the last connection has ended
} catch (const std::exception& e) {
    std::cerr << "tutorial_stop: " << e.what() << '\n';
    return 1;
}
