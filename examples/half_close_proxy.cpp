// SPDX-License-Identifier: BSL-1.0
// A TCP proxy that passes on what each side sends, and each side's end: `half_close_proxy port host service`. A client
// that has sent its request and half-closed still gets its reply. Its log has a line for each pair of connections.
#include <closeside/closeside.hpp>

#include "number.hpp"

#include <asio/awaitable.hpp>
#include <asio/buffer.hpp>
#include <asio/co_spawn.hpp>
#include <asio/detached.hpp>
#include <asio/experimental/awaitable_operators.hpp>
#include <asio/io_context.hpp>
#include <asio/ip/tcp.hpp>
#include <asio/post.hpp>
#include <asio/redirect_error.hpp>
#include <asio/signal_set.hpp>
#include <asio/use_awaitable.hpp>
#include <asio/write.hpp>

#include <array>
#include <chrono>
#include <csignal>
#include <cstddef>
#include <cstdlib>
#include <exception>
#include <iostream>
#include <utility>

namespace cs = closeside;
using namespace asio::experimental::awaitable_operators;
using namespace std::chrono_literals;
using asio::ip::tcp;

namespace {

constexpr cs::close_policy policy = cs::policies::graceful;
using stream = cs::stream<policy>;

auto into(cs::error_code& ec) { return asio::redirect_error(asio::use_awaitable, ec); }

/// Until `from` has sent its FIN, which is passed on behind its last byte. An error ends both directions: by RST, since
/// a part of a message must not look like the whole.
asio::awaitable<void> pass_on(stream& from, stream& to) {
    std::array<char, 16 * 1024> data;
    cs::error_code ec;
    while (!ec) {
        const std::size_t n = co_await from.async_read_some(asio::buffer(data), into(ec));
        if (!ec) co_await asio::async_write(to, asio::buffer(data, n), into(ec));
    }
    if (ec == asio::error::eof) {
        // The kernel tells of a reset once, and then of the end: the direction that has been told goes first.
        co_await asio::post(from.get_executor(), asio::use_awaitable);
        to.shutdown(stream::shutdown_send, ec); // the report will know of it
    } else {
        from.abort();
        to.abort();
    }
}

/// A proxy does not know what is idle: when it stops, both ends of each pair have until the deadline to end it.
asio::awaitable<void> serve(stream client, tcp::resolver::results_type to, cs::orderly_stop& stop) {
    const cs::orderly_stop::member here(stop, client);
    cs::error_code ec, client_ec, server_ec;
    stream server = co_await cs::async_connect<policy>(client.get_executor(), to, into(ec));
    if (ec) {
        std::clog << "closed: cannot connect: " << ec.message() << '\n';
        client.abort();
        co_return;
    }
    co_await (pass_on(client, server) && pass_on(server, client));
    if (!client.is_open()) {
        std::clog << "closed: reset\n";
        co_return;
    }
    // Both have sent their FIN, and been sent one: nothing is left to wait for.
    const auto [client_report, server_report] =
        co_await (client.async_close(into(client_ec)) && server.async_close(into(server_ec)));
    std::clog << "closed: client " << client_ec.message() << ": " << client_report << "; server " << server_ec.message()
              << ": " << server_report << '\n';
}

asio::awaitable<void> accept_loop(cs::acceptor<policy>& listener, tcp::resolver::results_type to,
                                  cs::orderly_stop& stop) {
    cs::error_code ec;
    while (ec != asio::error::operation_aborted) { // the stop closes the listener
        auto client = co_await listener.async_accept(into(ec));
        if (!ec) asio::co_spawn(listener.get_executor(), serve(std::move(client), to, stop), asio::detached);
    }
}

} // namespace

int main(int argc, char** argv) {
    if (argc != 4) {
        std::cerr << "usage: half_close_proxy port host service\n";
        return EXIT_FAILURE;
    }
    try {
        asio::io_context io(1);
        const auto to = tcp::resolver(io).resolve(argv[2], argv[3]);
        cs::acceptor<policy> listener(io, {tcp::v4(), number(argv[1])});
        cs::orderly_stop stop(io);
        stop.add(listener);
        asio::signal_set signals(io, SIGINT, SIGTERM);
        std::clog << "passing on from " << listener.local_endpoint() << '\n';
        signals.async_wait([&](cs::error_code, int) {
            signals.clear(); // a second signal ends the process
            stop.async_stop({.within = 20s}, asio::detached);
        });
        asio::co_spawn(io, accept_loop(listener, to, stop), asio::detached);
        io.run(); // until the last connection has ended
    } catch (const std::exception& e) {
        std::cerr << "half_close_proxy: " << e.what() << '\n';
        return EXIT_FAILURE;
    }
}
