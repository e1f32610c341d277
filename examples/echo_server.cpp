// SPDX-License-Identifier: BSL-1.0
// An echo server whose clients close first: `echo_server [address [port]]`. It logs how each connection ended.
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

#include <array>
#include <charconv>
#include <csignal>
#include <cstddef>
#include <cstdint>
#include <exception>
#include <iostream>
#include <stdexcept>
#include <string>
#include <system_error>
#include <utility>

namespace cs = closeside;
using namespace std::chrono_literals;

inline constexpr cs::close_policy front_end{
    .closes_first = cs::side::peer, // the client goes first and keeps the TIME-WAIT
    .patience = 5s,                 // ... if it does so within 5 s of taking the last of our reply; then we go first
    .linger2 = 10s};                // an orphan of ours leaves FIN-WAIT-2 after 10 s

asio::awaitable<void> session(cs::stream<front_end> client, cs::orderly_stop& stop) {
    cs::orderly_stop::member here(stop, client); // a stop ends idle reads, and no reply
    std::array<char, 16 * 1024> data;
    cs::error_code ec;
    auto no_throw = asio::redirect_error(asio::use_awaitable, ec);
    while (!ec) {
        const std::size_t n = co_await client.async_read_some(asio::buffer(data), here.idle(no_throw));
        if (!ec) co_await asio::async_write(client, asio::buffer(data, n), no_throw);
    }
    const cs::error_code ended = ec; // the end of file, as a rule
    const cs::close_report report = co_await client.async_close(no_throw);
    std::clog << "closed: " << ec.message() << ": " << report << " (read: " << ended.message() << ")\n";
}

asio::awaitable<void> accept_loop(cs::acceptor<front_end>& listener, cs::orderly_stop& stop) {
    cs::error_code ec;
    while (ec != asio::error::operation_aborted) { // the stop closes the listener
        auto client = co_await listener.async_accept(asio::redirect_error(asio::use_awaitable, ec));
        if (!ec) asio::co_spawn(listener.get_executor(), session(std::move(client), stop), asio::detached);
    }
}

/// A port, or another number of the command line.
std::uint16_t number(const std::string& text) {
    std::uint16_t n = 0;
    const char* const end = text.data() + text.size();
    const auto [rest, ec] = std::from_chars(text.data(), end, n);
    if (ec != std::errc() || rest != end) throw std::invalid_argument("'" + text + "' is not a number from 0 to 65535");
    return n;
}

int main(int argc, char** argv) {
    try {
        cs::warn_at_startup<front_end>(std::clog); // what this host's sysctls mean for such a program
        const auto address = asio::ip::make_address(argc > 1 ? argv[1] : "::1");
        const std::uint16_t port = argc > 2 ? number(argv[2]) : 7007;
        asio::io_context io(1);
        cs::acceptor<front_end> listener(io, {address, port});
        cs::orderly_stop stop(io);
        stop.add(listener);
        asio::signal_set signals(io, SIGINT, SIGTERM);
        std::clog << "echoing on " << listener.local_endpoint() << ", closing with " << to_string(front_end) << '\n';
        signals.async_wait([&](cs::error_code, int) {
            signals.clear(); // a second signal ends the process
            stop.async_stop({.within = 20s}, asio::detached);
        });
        asio::co_spawn(io, accept_loop(listener, stop), asio::detached);
        io.run(); // until the last connection has ended
    } catch (const std::exception& e) {
        std::cerr << "echo_server: " << e.what() << '\n';
        return 1;
    }
}
