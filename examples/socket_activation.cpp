// SPDX-License-Identifier: BSL-1.0
// A server whose listeners are there before it: `systemd-socket-activate -l 127.0.0.1:7014 socket_activation`, or a
// .socket unit of systemd. While the server is restarted, clients wait in the backlog and none is refused.
#include <closeside/closeside.hpp>

#include "service_manager.hpp"

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
#include <chrono>
#include <csignal>
#include <cstddef>
#include <exception>
#include <iostream>
#include <list>
#include <stdexcept>
#include <utility>

namespace cs = closeside;
using namespace std::chrono_literals;

namespace {

constexpr cs::close_policy front_end = cs::policies::graceful;
using stream = cs::stream<front_end>;
using acceptor = cs::acceptor<front_end>;

asio::awaitable<void> session(stream client, cs::orderly_stop& stop) {
    cs::orderly_stop::member here(stop, client); // a stop ends idle reads, and no reply
    std::array<char, 16 * 1024> data;
    cs::error_code ec;
    auto no_throw = asio::redirect_error(asio::use_awaitable, ec);
    while (!ec) {
        const std::size_t n = co_await client.async_read_some(asio::buffer(data), here.idle(no_throw));
        if (!ec) co_await asio::async_write(client, asio::buffer(data, n), no_throw);
    }
    const cs::close_report report = co_await client.async_close(no_throw);
    std::clog << "closed: " << ec.message() << ": " << report << '\n';
}

asio::awaitable<void> accept_loop(acceptor& listener, cs::orderly_stop& stop) {
    cs::error_code ec;
    while (ec != asio::error::operation_aborted) {
        stream client = co_await listener.async_accept(asio::redirect_error(asio::use_awaitable, ec));
        if (!ec) asio::co_spawn(listener.get_executor(), session(std::move(client), stop), asio::detached);
    }
}

} // namespace

int main() {
    try {
        using service_manager::first_passed;
        const int passed = service_manager::passed_descriptors();
        if (passed == 0)
            throw std::runtime_error(
                "no listener was passed on: start it by systemd-socket-activate or a .socket unit");
        asio::io_context io(1);
        cs::orderly_stop stop(io);
        std::list<acceptor> listeners;
        asio::signal_set signals(io, SIGINT, SIGTERM);
        for (int fd = first_passed; fd < first_passed + passed; ++fd) {
            // Gives it the policy's options. Connections that wait have systemd's, and get ours as they are accepted.
            acceptor& listener = listeners.emplace_back(acceptor::adopt(io, fd));
            std::clog << "echoing on " << listener.local_endpoint() << '\n';
            asio::co_spawn(io, accept_loop(listener, stop), asio::detached);
        }
        signals.async_wait([&](cs::error_code, int) {
            signals.clear(); // a second signal ends the process
            // systemd holds the listeners too: its backlog stays, and the next process takes what waits there.
            for (acceptor& listener : listeners) listener.close();
            stop.async_stop({.within = 20s}, asio::detached);
        });
        io.run(); // until the last connection has ended
    } catch (const std::exception& e) {
        std::cerr << "socket_activation: " << e.what() << '\n';
        return 1;
    }
}
