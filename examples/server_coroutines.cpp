// SPDX-License-Identifier: BSL-1.0
// A server with coroutines, and the close that each situation calls for. A line with a number asks for so many bytes,
// `quit` says goodbye. Start `server_coroutines [port [seconds of idleness]]`, then `nc -N 127.0.0.1 7010`; its log has
// a line for each connection.
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
#include <asio/signal_set.hpp>
#include <asio/steady_timer.hpp>
#include <asio/use_awaitable.hpp>
#include <asio/write.hpp>

#include <algorithm>
#include <chrono>
#include <csignal>
#include <cstdint>
#include <cstdlib>
#include <exception>
#include <iostream>
#include <string>
#include <utility>

namespace cs = closeside;
using namespace asio::experimental::awaitable_operators;
using namespace std::chrono_literals;

namespace {

constexpr cs::close_policy front_end = cs::policies::graceful; // a client that does not expect the end closes after us
constexpr cs::close_policy told = cs::policies::peer_first;    // `quit` has told it: it goes first, and has TIME-WAIT
using stream = cs::stream<front_end>;
auto into(cs::error_code& ec) { return asio::redirect_error(asio::use_awaitable, ec); }

struct server {
    asio::io_context io{1};
    std::chrono::seconds idle_time;
    cs::orderly_stop stop{io};
};

/// Waits for input; false if the client is idle for too long, or the server stops, which ends no other wait. A wait that
/// ends loses no byte.
asio::awaitable<bool> next_input(stream& client, cs::orderly_stop::member& member, server& here) {
    cs::error_code ready, idle;
    asio::steady_timer limit(client.get_executor(), here.idle_time);
    const auto first =
        co_await (client.async_wait(stream::wait_read, member.idle(into(ready))) || limit.async_wait(into(idle)));
    co_return first.index() == 0 && !ready;
}

/// One line within ten seconds. A line that is in `input` already needs no wait.
asio::awaitable<std::string> read_line(stream& client, std::string& input, cs::error_code& ec) {
    cs::error_code late;
    asio::steady_timer limit(client.get_executor(), 10s);
    const auto read = co_await (asio::async_read_until(client, asio::dynamic_buffer(input, 1024), '\n', into(ec)) ||
                                limit.async_wait(into(late)));
    if (read.index() == 1) ec = asio::error::timed_out;
    if (ec) co_return "";
    const std::string line = input.substr(0, std::get<0>(read) - 1);
    input.erase(0, std::get<0>(read));
    co_return line;
}

asio::awaitable<void> session(stream client, server& here) {
    cs::orderly_stop::member member(here.stop, client);
    std::string input;
    bool client_knows = false;
    cs::error_code ec, late;
    while (!client_knows) {
        if (input.empty() && !co_await next_input(client, member, here)) break;
        const std::string line = co_await read_line(client, input, ec);
        if (ec) break;
        const auto size = std::min(std::strtoul(line.c_str(), nullptr, 10), 64ul << 20);
        std::string reply = line == "quit" ? "" : std::string(size, 'x') + '\n';
        client_knows = line == "quit" || member.stopping(); // a server that stops serves each client once more
        if (client_knows) reply += "bye\n";
        asio::steady_timer limit(client.get_executor(), 30s);
        const auto done =
            co_await (asio::async_write(client, asio::buffer(reply), into(ec)) || limit.async_wait(into(late)));
        if (done.index() == 1) {
            client.abort(); // a part of a reply must not look like the whole
            std::clog << "cut: the client takes its reply too slowly\n";
            co_return;
        }
    }
    const cs::close_report report = co_await client.async_close(client_knows ? told : front_end, into(ec));
    std::clog << "closed: " << ec.message() << ": " << report << '\n';
}

asio::awaitable<void> accept_loop(cs::acceptor<front_end>& listener, server& here) {
    cs::error_code ec;
    while (ec != asio::error::operation_aborted) { // the stop closes the listener
        auto client = co_await listener.async_accept(into(ec));
        if (!ec) asio::co_spawn(here.io, session(std::move(client), here), asio::detached);
    }
}

} // namespace

int main(int argc, char** argv) {
    try {
        const std::uint16_t port = argc > 1 ? number(argv[1]) : 7010;
        server here{.idle_time = std::chrono::seconds(argc > 2 ? number(argv[2]) : 30)};
        cs::acceptor<front_end> listener(here.io, {asio::ip::tcp::v4(), port});
        asio::signal_set signals(here.io, SIGINT, SIGTERM);
        std::clog << "serving on " << listener.local_endpoint() << '\n';
        here.stop.add(listener);
        signals.async_wait([&](cs::error_code, int) {
            signals.clear(); // a second signal ends the process
            here.stop.async_stop({.notice = 300ms, .within = 60s}, asio::detached);
        });
        asio::co_spawn(here.io, accept_loop(listener, here), asio::detached);
        here.io.run(); // until the last connection has ended
    } catch (const std::exception& e) {
        std::cerr << "server_coroutines: " << e.what() << '\n';
        return EXIT_FAILURE;
    }
}
