// SPDX-License-Identifier: BSL-1.0
#ifndef CLOSESIDE_BENCHMARK_COMPILE_PLAIN_SERVER_HPP
#define CLOSESIDE_BENCHMARK_COMPILE_PLAIN_SERVER_HPP

#include "answer.hpp"
#include "endings.hpp"

#include <asio/awaitable.hpp>
#include <asio/buffer.hpp>
#include <asio/co_spawn.hpp>
#include <asio/detached.hpp>
#include <asio/io_context.hpp>
#include <asio/ip/tcp.hpp>
#include <asio/redirect_error.hpp>
#include <asio/signal_set.hpp>
#include <asio/steady_timer.hpp>
#include <asio/use_awaitable.hpp>

#include <array>
#include <chrono>
#include <csignal>
#include <cstddef>
#include <memory>
#include <system_error>
#include <utility>

namespace {

using asio::ip::tcp;

/// Shared with the timer's handler, which may be on its way when the connection is done.
struct connection {
    explicit connection(tcp::socket&& s) : socket(std::move(s)), timer(socket.get_executor()) {}

    tcp::socket socket;
    asio::steady_timer timer;
    bool over = false;
};

/// The lingering close: reads and discards until the peer's FIN, for as long and as much as `how` says. The time is not
/// extended while the peer takes our data, as a policy's would be.
asio::awaitable<void> close_lingering(tcp::socket socket, const ending& how) {
    const auto c = std::make_shared<connection>(std::move(socket));
    std::error_code ec;
    if (!how.peer_first && how.bytes != 0) c->socket.shutdown(tcp::socket::shutdown_send, ec);
    c->timer.expires_after(how.limit);
    c->timer.async_wait([c](std::error_code stopped) {
        std::error_code ignored;
        c->over = !stopped;
        if (c->over) c->socket.cancel(ignored);
    });
    std::array<char, 4096> sink;
    for (std::size_t discarded = 0; !ec && !c->over && discarded < how.bytes;)
        discarded +=
            co_await c->socket.async_read_some(asio::buffer(sink), asio::redirect_error(asio::use_awaitable, ec));
    c->timer.cancel();
    if (ec != asio::error::eof && how.abort_at_limit) c->socket.set_option(tcp::socket::linger(true, 0), ec);
    c->socket.close(ec);
}

/// Of an `ending`, or of what converts to one: then these coroutines are made for that type.
template <class Ending>
asio::awaitable<void> session(tcp::socket client, const Ending& how) {
    co_await answer(client);
    co_await close_lingering(std::move(client), how);
}

template <class Ending>
asio::awaitable<void> accept_loop(tcp::acceptor listener, const Ending& how) {
    asio::steady_timer pause(listener.get_executor());
    while (true) {
        std::error_code ec;
        tcp::socket client = co_await listener.async_accept(asio::redirect_error(asio::use_awaitable, ec));
        if (!ec) {
            asio::co_spawn(listener.get_executor(), session(std::move(client), how), asio::detached);
            continue;
        }
        // Without descriptors left the next accept would fail at once, and so on.
        pause.expires_after(100ms);
        co_await pause.async_wait(asio::use_awaitable);
    }
}

template <class Ending>
void listen(asio::io_context& io, unsigned short port, const Ending& how) {
    asio::co_spawn(io, accept_loop(tcp::acceptor(io, {tcp::v6(), port}), how), asio::detached);
}

} // namespace

#endif
