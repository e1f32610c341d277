// SPDX-License-Identifier: BSL-1.0
// A write that is under way when its stream is closed or dropped is cut: what the socket has taken is delivered, the rest
// is not, and the peer sees an orderly end of a part. No policy can know that there was more to come. The cure: await the
// write before you close; if you will not wait any longer, abort(), so that the peer can tell.
//
// Sends the same reply in three ways over loopback, to a client that reads late, and prints what the client got.
#include <closeside/closeside.hpp>

#include <asio/awaitable.hpp>
#include <asio/buffer.hpp>
#include <asio/co_spawn.hpp>
#include <asio/detached.hpp>
#include <asio/io_context.hpp>
#include <asio/redirect_error.hpp>
#include <asio/steady_timer.hpp>
#include <asio/use_awaitable.hpp>
#include <asio/write.hpp>

#include <cstddef>
#include <exception>
#include <iostream>
#include <system_error>
#include <utility>
#include <vector>

namespace cs = closeside;
using namespace std::chrono_literals;
using asio::ip::tcp;

namespace {

using stream = cs::stream<cs::policies::graceful>;

const std::vector<char> reply(32 << 20, 'r'); // more than the buffers of both ends hold
constexpr auto time_to_reply = 100ms;         // over before the client begins to read
constexpr auto client_is_late = 300ms;

/// The loss: a time limit closes the stream, and the write is still under way.
asio::awaitable<void> closes_in_mid_write(stream client) {
    asio::steady_timer limit(client.get_executor(), time_to_reply);
    limit.async_wait([&](cs::error_code cancelled) {
        if (!cancelled) client.async_close(asio::detached);
    });
    cs::error_code cut;
    co_await asio::async_write(client, asio::buffer(reply), asio::redirect_error(asio::use_awaitable, cut));
}

/// The cure: the close begins when the write is over. How long the client may take to read is the close's to bound.
asio::awaitable<void> awaits_the_write(stream client) {
    cs::error_code ec;
    co_await asio::async_write(client, asio::buffer(reply), asio::redirect_error(asio::use_awaitable, ec));
    co_await client.async_close(asio::redirect_error(asio::use_awaitable, ec));
}

/// The cure of who will not wait: the cut shows.
asio::awaitable<void> aborts(stream client) {
    asio::steady_timer limit(client.get_executor(), time_to_reply);
    limit.async_wait([&](cs::error_code cancelled) {
        if (!cancelled) client.abort();
    });
    cs::error_code cut;
    co_await asio::async_write(client, asio::buffer(reply), asio::redirect_error(asio::use_awaitable, cut));
}

struct received {
    std::size_t bytes = 0;
    cs::error_code end;
};

asio::awaitable<void> read_late(tcp::endpoint server, received& got) {
    tcp::socket socket(co_await asio::this_coro::executor);
    co_await socket.async_connect(server, asio::use_awaitable);
    asio::steady_timer later(socket.get_executor(), client_is_late);
    co_await later.async_wait(asio::use_awaitable);
    std::vector<char> data(64 << 10);
    while (!got.end)
        got.bytes +=
            co_await socket.async_read_some(asio::buffer(data), asio::redirect_error(asio::use_awaitable, got.end));
}

void show(const char* name, asio::awaitable<void> (*serve)(stream)) {
    asio::io_context io;
    cs::acceptor<stream::policy> listener(io, {asio::ip::address_v4::loopback(), 0});
    received got;
    listener.async_accept([&](cs::error_code ec, stream client) {
        if (!ec) asio::co_spawn(io, serve(std::move(client)), asio::detached);
    });
    asio::co_spawn(io, read_late(listener.local_endpoint(), got), asio::detached);
    io.run_for(30s);
    std::cout << name << ": "
              << (got.bytes == reply.size() ? "whole"
                  : got.bytes == 0          ? "nothing"
                                            : "a part")
              << ", then: " << got.end.message() << '\n';
}

} // namespace

int main() try {
    show("closes in mid-write", closes_in_mid_write);
    show("awaits the write, then closes", awaits_the_write);
    show("gives up with abort()", aborts);
} catch (const std::exception& e) {
    std::cerr << "whole_reply: " << e.what() << '\n';
    return 1;
}
