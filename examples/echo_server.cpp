// SPDX-License-Identifier: BSL-1.0
// An echo server whose clients close first. Start it, type into `nc -N ::1 7007`, and read its log: one line for each
// connection that ended, with who sent the first FIN and who is left with TIME-WAIT.
#include <closeside/closeside.hpp>
#include <closeside/host.hpp>

#include <asio/awaitable.hpp>
#include <asio/buffer.hpp>
#include <asio/co_spawn.hpp>
#include <asio/detached.hpp>
#include <asio/io_context.hpp>
#include <asio/redirect_error.hpp>
#include <asio/signal_set.hpp>
#include <asio/use_awaitable.hpp>
#include <asio/write.hpp>

#include <CLI/CLI.hpp>

#include <array>
#include <csignal>
#include <cstdint>
#include <iostream>
#include <utility>

namespace cs = closeside;
using namespace std::chrono_literals;
using asio::ip::tcp;

// [snippet]
inline constexpr cs::close_policy front_end{
    .closes_first = cs::side::peer, // the client goes first and keeps the TIME-WAIT
    .patience = 5s,                 // ... if it does so within 5 s of taking the last of our reply; then we go first
    .linger2 = 10s};                // an orphan of ours leaves FIN-WAIT-2 after 10 s

asio::awaitable<void> session(cs::stream<front_end> client) {
    std::array<char, 16 * 1024> data;
    cs::error_code ec;
    auto no_throw = asio::redirect_error(asio::use_awaitable, ec);
    while (!ec) {
        const std::size_t n = co_await client.async_read_some(asio::buffer(data), no_throw);
        if (!ec) co_await asio::async_write(client, asio::buffer(data, n), no_throw);
    }
    const cs::error_code ended = ec; // the end of file, as a rule
    const cs::close_report report = co_await client.async_close(no_throw);
    std::clog << "closed: " << ec.message() << ": " << report << " (read: " << ended.message() << ")\n";
}
// [end snippet]

namespace {

asio::awaitable<void> accept_loop(cs::acceptor<front_end>& listener) {
    while (true) {
        cs::stream<front_end> client = co_await listener.async_accept(asio::use_awaitable);
        asio::co_spawn(listener.get_executor(), session(std::move(client)), asio::detached);
    }
}

void serve(const tcp::endpoint& endpoint) {
    cs::warn_at_startup<front_end>(std::clog);

    asio::io_context io;
    cs::acceptor<front_end> listener(io, endpoint);
    std::clog << "echoing on " << listener.local_endpoint() << ", closing with " << to_string(front_end) << '\n';

    // Sessions that are still alive are dropped with the context. The kernel goes on delivering what is in their send
    // queues; a reply that is still being written is cut. logged_server shows a stop that waits for it.
    asio::signal_set stop(io, SIGINT, SIGTERM);
    stop.async_wait([&](cs::error_code, int) { io.stop(); });
    asio::co_spawn(io, accept_loop(listener), asio::detached);
    io.run();
}

} // namespace

int main(int argc, char** argv) {
    CLI::App app{"Echoes what it receives, until the client closes."};
    std::string address = "::1";
    int port = 7007;
    app.add_option("--address", address, "IP address to listen on")
        ->check([](const std::string& text) {
            cs::error_code ec;
            asio::ip::make_address(text, ec);
            return ec ? "'" + text + "' is not an IP address; give one such as 127.0.0.1 or ::1" : std::string();
        })
        ->capture_default_str();
    app.add_option("--port", port, "TCP port; 0 lets the kernel choose")
        ->check(CLI::Range(0, 65535))
        ->capture_default_str();
    CLI11_PARSE(app, argc, argv);
    try {
        serve({asio::ip::make_address(address), static_cast<std::uint16_t>(port)});
    } catch (const std::exception& e) {
        std::cerr << "echo_server: " << e.what() << '\n';
        return 1;
    }
}
