// SPDX-License-Identifier: BSL-1.0
// The server on plain Asio: how a connection ends is a value, so that one kind of ending or ten is a matter of the table.
#include "answer.hpp"

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
#include <limits>
#include <memory>
#include <system_error>
#include <utility>

using asio::ip::tcp;
using namespace std::chrono_literals;

namespace {

constexpr std::size_t unlimited = std::numeric_limits<std::size_t>::max();

struct ending {
    unsigned short port;
    std::chrono::seconds limit = 30s;
    std::size_t bytes = unlimited;
    bool peer_first = false;
    bool abort_at_limit = false;
};

constexpr std::array endings{
    ending{8080},
    ending{8081, 2s},
    ending{8082, 30s, 64u << 20},
    ending{8083, 1s, 4096},
    ending{8084, 2s, unlimited, true, true},
    ending{8085, 60s, unlimited, true},
    ending{8086, 30s, unlimited, false, true},
    ending{8087, 10s, 256u << 10},
    ending{8088, 10s, unlimited, true},
    ending{8089, 0s, 0, false, true},
};

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

asio::awaitable<void> session(tcp::socket client, const ending& how) {
    co_await answer(client);
    co_await close_lingering(std::move(client), how);
}

asio::awaitable<void> accept_loop(tcp::acceptor listener, const ending& how) {
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

} // namespace

int main() {
    asio::io_context io;
    asio::signal_set stop(io, SIGINT, SIGTERM);
    stop.async_wait([&](std::error_code, int) { io.stop(); });
    for (const ending& how : endings)
        asio::co_spawn(io, accept_loop(tcp::acceptor(io, {tcp::v6(), how.port}), how), asio::detached);
    io.run();
}
