// SPDX-License-Identifier: BSL-1.0
// A WebSocket echo server by Boost.Beast, over TLS or plain TCP: close frames, close_notify and the TCP close, each with
// a bound. Start `beast_websocket [port [cert.pem key.pem]]`; its log has a line for each connection. For a certificate:
// openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 30 -subj /CN=localhost -keyout key.pem -out cert.pem
#include <closeside/beast.hpp>
#include <closeside/closeside.hpp>
#include <closeside/host.hpp>
#include <closeside/ssl.hpp>

#include "number.hpp"

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/experimental/awaitable_operators.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/signal_set.hpp>
#include <boost/asio/ssl/context.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/websocket.hpp>

#include <chrono>
#include <csignal>
#include <cstdint>
#include <cstdlib>
#include <exception>
#include <iostream>
#include <optional>
#include <stdexcept>
#include <tuple>
#include <utility>
#include <variant>

namespace cs = closeside;
namespace net = boost::asio;
namespace websocket = boost::beast::websocket;
using namespace net::experimental::awaitable_operators;
using namespace std::chrono_literals;

namespace {

// After the close frames the server closes TCP first (RFC 6455, 7.1.1), and the client has nothing left to say: if it is
// alive, its FIN comes within a round trip.
constexpr cs::close_policy front_end{.drain_idle = 2s};
using stream = cs::stream<front_end>;

constexpr auto handshake_time = 10s; // for TLS, then for WebSocket; Beast bounds the exchange of close frames by it too
constexpr auto idle_time = 60s;      // Beast pings a silent client after half of it
constexpr auto stop_time = 5s;
constexpr auto no_throw = net::as_tuple(net::use_awaitable);

struct server {
    net::io_context io{1};
    std::optional<net::ssl::context> tls;
    cs::orderly_stop stop{io};
};

/// Until an operation fails: its error, `closed` after the client's close frame.
template <class WebSocket>
net::awaitable<cs::error_code> echo(WebSocket& ws) {
    boost::beast::flat_buffer message;
    while (true) {
        // A close frame is answered in here, and what lies below is closed by its policy before this completes; a limit
        // of that close that ran out is the error then.
        const auto [ec, size] = co_await ws.async_read(message, no_throw);
        if (ec) co_return ec;
        ws.binary(ws.got_binary());
        // A client that does not take it is idle to Beast.
        const auto [write_ec, written] = co_await ws.async_write(message.data(), no_throw);
        if (write_ec) co_return write_ec;
        message.consume(size);
    }
}

/// When the server stops: our close frame, beside a read and a write; the client's; then the close of what lies below. It
/// waits behind an echo that the client does not take: until the stop's deadline.
template <class WebSocket>
net::awaitable<void> close_at_stop(WebSocket& ws, net::steady_timer& stop, std::optional<cs::error_code>& outcome) {
    co_await stop.async_wait(no_throw); // cancelled once echo() is over: the next wait throws then
    const auto [ec] = co_await ws.async_close(websocket::close_code::going_away, no_throw);
    outcome = ec;
}

/// A connection that has no WebSocket, or has lost it: the close frames and their close have not been.
template <class Stream>
net::awaitable<void> close_below(Stream& client, const cs::error_code& why) {
    const auto [ec, report] = co_await client.async_close(no_throw);
    std::clog << "closed without close frames (" << why.message() << "): " << ec.message() << ": " << report << '\n';
}

template <class Stream>
net::awaitable<void> session(Stream client, server& here) {
    websocket::stream<Stream> ws(std::move(client));
    // A WebSocket always has a read pending: it is told of a stop, and ends by itself.
    net::steady_timer stop(ws.get_executor(), net::steady_timer::time_point::max());
    cs::orderly_stop::member member(here.stop, ws);
    member.on_stop([&stop] { stop.expires_at(net::steady_timer::time_point::min()); });
    ws.set_option(websocket::stream_base::timeout{handshake_time, idle_time, true});
    ws.read_message_max(1 << 20);

    cs::error_code ec = net::error::operation_aborted;
    const auto accepted = co_await (ws.async_accept(no_throw) || stop.async_wait(no_throw));
    if (accepted.index() == 0) ec = std::get<0>(std::get<0>(accepted));
    if (!ec) {
        std::optional<cs::error_code> stopped; // echo() fails by that close too, and may complete before it
        const auto ended = co_await (echo(ws) || close_at_stop(ws, stop, stopped));
        ec = stopped ? *stopped : std::get<0>(ended);
    }
    // Open: the client was none, or has ended it. Closed: by async_teardown, whose error Beast tells alone, or by close()
    // when a time-out of Beast's was over; then the policy's close goes on in the background, without close_notify.
    if (ws.next_layer().is_open())
        co_await close_below(ws.next_layer(), ec);
    else
        std::clog << "closed: " << ec.message() << '\n';
}

net::awaitable<void> tls_session(stream accepted, server& here) {
    cs::ssl_stream<front_end> client(std::move(accepted), *here.tls);
    net::steady_timer limit(client.get_executor(), handshake_time);
    cs::error_code ec;
    {
        cs::orderly_stop::member member(here.stop, client); // in this block: then the stream moves
        member.on_stop([&limit] { limit.expires_at(net::steady_timer::time_point::min()); });
        const auto done = co_await (client.async_handshake(client.server, no_throw) || limit.async_wait(no_throw));
        ec = member.stopping() ? net::error::operation_aborted : net::error::timed_out;
        if (done.index() == 0) ec = std::get<0>(std::get<0>(done));
    }
    if (ec)
        co_await close_below(client, ec);
    else
        co_await session(std::move(client), here);
}

net::awaitable<void> accept_loop(cs::acceptor<front_end>& listener, server& here) {
    while (true) {
        auto [ec, client] = co_await listener.async_accept(no_throw);
        if (ec == net::error::operation_aborted) co_return; // the stop has closed the listener
        if (ec) continue;
        if (here.tls)
            net::co_spawn(here.io, tls_session(std::move(client), here), net::detached);
        else
            net::co_spawn(here.io, session(std::move(client), here), net::detached);
    }
}

} // namespace

int main(int argc, char** argv) {
    try {
        if (argc == 3 || argc > 4) throw std::invalid_argument("usage: beast_websocket [port [cert.pem key.pem]]");
        cs::warn_at_startup<front_end>(std::clog);
        const std::uint16_t port = argc > 1 ? number(argv[1]) : 8080;
        server here;
        if (argc == 4) {
            // Whoever has read the reply to its handshake has read the session tickets that come before it.
            here.tls.emplace(net::ssl::context::tls_server);
            here.tls->use_certificate_chain_file(argv[2]);
            here.tls->use_private_key_file(argv[3], net::ssl::context::pem);
        }
        cs::acceptor<front_end> listener(here.io, {net::ip::address_v6::any(), port});
        here.stop.add(listener);
        net::signal_set signals(here.io, SIGINT, SIGTERM);
        std::clog << (here.tls ? "serving wss on " : "serving ws on ") << listener.local_endpoint() << '\n';
        signals.async_wait([&](const cs::error_code&, int) {
            signals.clear(); // a second signal ends the process
            here.stop.async_stop({.within = stop_time}, net::detached);
        });
        net::co_spawn(here.io, accept_loop(listener, here), net::detached);
        here.io.run(); // until the last connection has ended; every wait has a bound, and so has this
    } catch (const std::exception& e) {
        std::cerr << "beast_websocket: " << e.what() << '\n';
        return EXIT_FAILURE;
    }
}
