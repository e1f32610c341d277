// SPDX-License-Identifier: BSL-1.0
#include <closeside/beast.hpp>

#include <closeside/acceptor.hpp>
#include <closeside/ssl.hpp>

#include "support/certificate.hpp"

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/connect.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/read.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/write.hpp>
#include <boost/beast/core.hpp>
#include <boost/beast/http.hpp>
#include <boost/beast/ssl.hpp>
#include <boost/beast/websocket.hpp>
#include <boost/beast/websocket/ssl.hpp>

#include <doctest/doctest.h>

#include <chrono>
#include <string>
#include <thread>
#include <utility>

namespace cs = closeside;
namespace net = boost::asio;
namespace beast = boost::beast;
namespace http = beast::http;
namespace websocket = beast::websocket;
using net::use_awaitable;
using net::ip::tcp;
using namespace std::chrono_literals;

namespace {

constexpr cs::close_policy front_end{.drain_time = 3s, .drain_idle = 400ms};
using stream = cs::stream<front_end>;
using tls_stream = cs::ssl_stream<front_end>;
using clock_type = std::chrono::steady_clock;

constexpr auto no_throw = net::as_tuple(use_awaitable);

/// How a client ends a WebSocket.
enum class client_end { closes, falls_silent };

struct outcome {
    cs::error_code ec;
    clock_type::duration took{};
    bool done = false;
};

/// One message back and forth, then the server closes.
template <class Next>
net::awaitable<void> serve(Next next, outcome& seen) {
    websocket::stream<Next> ws(std::move(next));
    ws.set_option(websocket::stream_base::timeout::suggested(beast::role_type::server));
    co_await ws.async_accept(use_awaitable);
    beast::flat_buffer message;
    co_await ws.async_read(message, use_awaitable);
    co_await ws.async_write(message.data(), use_awaitable);
    const auto begin = clock_type::now();
    const auto [ec] = co_await ws.async_close(websocket::close_code::normal, no_throw);
    seen = {ec, clock_type::now() - begin, true};
}

template <class Next>
net::awaitable<Next> handshaken(Next next) {
    co_await next.async_handshake(net::ssl::stream_base::server, use_awaitable);
    co_return next;
}

/// The client's WebSocket, over whatever it is.
template <class Ws>
net::awaitable<void> talk(Ws& ws, client_end how, const outcome& server) {
    co_await ws.async_handshake("localhost", "/", use_awaitable);
    co_await ws.async_write(net::buffer("hello", 5), use_awaitable);
    beast::flat_buffer message;
    co_await ws.async_read(message, use_awaitable);
    CHECK(beast::buffers_to_string(message.data()) == "hello");
    message.clear();
    if (how == client_end::closes) {
        const auto [ec, n] = co_await ws.async_read(message, no_throw); // answers the close frame, and tears down
        CHECK(ec == websocket::error::closed);
        CHECK(n == 0);
        co_return;
    }
    // Answers the server's close frame by hand, says nothing more, and keeps the connection.
    char frame[64];
    co_await ws.next_layer().async_read_some(net::buffer(frame), use_awaitable);
    const unsigned char answer[] = {0x88, 0x82, 0, 0, 0, 0, 0x03, 0xe8}; // close, 1000, masked by zero
    co_await net::async_write(ws.next_layer(), net::buffer(answer), use_awaitable);
    net::steady_timer timer(ws.get_executor());
    const auto end = clock_type::now() + 5s;
    while (!server.done && clock_type::now() < end) {
        timer.expires_after(5ms);
        co_await timer.async_wait(use_awaitable);
    }
}

struct server {
    net::io_context io;
    cs::acceptor<front_end> listener{io, {net::ip::address_v4::loopback(), 0}};
    net::ssl::context context = tests::server_context<net::ssl::context>();
    outcome seen;

    tcp::socket connected() {
        tcp::socket s(io);
        s.connect(listener.local_endpoint());
        return s;
    }

    template <class... Session>
    void run(Session... sessions) {
        const auto failed = [](std::exception_ptr e) {
            if (e) CHECK_NOTHROW(std::rethrow_exception(e));
        };
        (net::co_spawn(io, std::move(sessions), failed), ...);
        io.run_for(10s);
        CHECK(seen.done);
    }

    /// `make`: the layer below the server's WebSocket, from the accepted stream.
    template <class Make>
    void websocket_over_tls(client_end how, Make make) {
        net::ssl::context client_context(net::ssl::context::tls_client);
        websocket::stream<net::ssl::stream<tcp::socket>> ws(connected(), client_context);
        run([&, this]() -> net::awaitable<void> { co_await serve(co_await handshaken(make(listener.accept())), seen); },
            [&, this]() -> net::awaitable<void> {
                co_await ws.next_layer().async_handshake(net::ssl::stream_base::client, use_awaitable);
                co_await talk(ws, how, seen);
            });
    }
    template <class Make>
    void websocket_over_tls_ends(Make make) {
        SUBCASE("the client closes") {
            websocket_over_tls(client_end::closes, make);
            CHECK_FALSE(seen.ec);
            CHECK(seen.took < 350ms);
        }
        SUBCASE("the client falls silent after its close frame") {
            websocket_over_tls(client_end::falls_silent, make);
            CHECK(seen.ec == cs::error::drain_time_over);
            CHECK(seen.took >= 400ms);
            CHECK(seen.took < 800ms);
        }
    }
};

} // namespace

TEST_CASE("a WebSocket on a stream ends by its policy") {
    server s;
    websocket::stream<tcp::socket> ws(s.connected());
    SUBCASE("the client closes") {
        s.run([&]() -> net::awaitable<void> { co_await serve(s.listener.accept(), s.seen); },
              [&]() -> net::awaitable<void> { co_await talk(ws, client_end::closes, s.seen); });
        CHECK_FALSE(s.seen.ec);
        CHECK(s.seen.took < 350ms);
    }
    SUBCASE("the client falls silent after its close frame") {
        s.run([&]() -> net::awaitable<void> { co_await serve(s.listener.accept(), s.seen); },
              [&]() -> net::awaitable<void> { co_await talk(ws, client_end::falls_silent, s.seen); });
        CHECK(s.seen.ec == cs::error::drain_time_over);
        CHECK(s.seen.took >= 400ms);
        CHECK(s.seen.took < 800ms);
    }
}

TEST_CASE("a WebSocket on an ssl_stream ends by its policy, and costs no more") {
    server s;
    s.websocket_over_tls_ends([&](stream accepted) { return tls_stream(std::move(accepted), s.context); });
}

TEST_CASE("a WebSocket on Asio's TLS over a stream ends by its policy") {
    server s;
    s.websocket_over_tls_ends(
        [&](stream accepted) { return net::ssl::stream<stream>(std::move(accepted), s.context); });
}

TEST_CASE("a WebSocket on Beast's TLS over a stream ends by its policy") {
    server s;
    s.websocket_over_tls_ends(
        [&](stream accepted) { return beast::ssl_stream<stream>(std::move(accepted), s.context); });
}

TEST_CASE("Beast's blocking teardown is close_and_wait") {
    server s;
    std::thread client([&s] {
        tcp::socket socket(s.io);
        socket.connect(s.listener.local_endpoint());
        websocket::stream<tcp::socket> ws(std::move(socket));
        ws.handshake("localhost", "/");
        beast::flat_buffer message;
        cs::error_code ec;
        ws.read(message, ec);
    });
    websocket::stream<stream> ws(s.listener.accept());
    ws.accept();
    cs::error_code ec;
    ws.close(websocket::close_code::normal, ec);
    CHECK_FALSE(ec);
    CHECK_FALSE(ws.next_layer().is_open());
    client.join();
}

TEST_CASE("beast::close_socket keeps the policy") {
    server s;
    tcp::socket client = s.connected();
    const auto serve_unread_input = [&](auto close) {
        stream accepted = s.listener.accept();
        net::write(client, net::buffer("unread", 6));
        net::write(accepted, net::buffer("reply", 5));
        while (accepted.available() != 6) std::this_thread::yield();
        close(accepted);
        CHECK_FALSE(accepted.is_open());
        std::string got;
        cs::error_code ec;
        net::read(client, net::dynamic_buffer(got), ec);
        CHECK(got == "reply");
        CHECK(ec == net::error::eof);
    };
    SUBCASE("by the stream") {
        serve_unread_input([](stream& accepted) { beast::close_socket(beast::get_lowest_layer(accepted)); });
    }
    SUBCASE("by its lowest_layer()") {
        serve_unread_input([](stream& accepted) { beast::close_socket(accepted.lowest_layer()); });
    }
}

TEST_CASE("HTTP goes over an ssl_stream as over any stream") {
    server s;
    net::ssl::context client_context(net::ssl::context::tls_client);
    net::ssl::stream<tcp::socket> client(s.connected(), client_context);
    std::string body;
    cs::error_code ended;
    s.run(
        [&]() -> net::awaitable<void> {
            tls_stream tls = co_await handshaken(tls_stream(s.listener.accept(), s.context));
            beast::flat_buffer buffer;
            http::request<http::string_body> asked;
            co_await http::async_read(tls, buffer, asked, use_awaitable);
            http::response<http::string_body> reply(http::status::ok, 11, std::string(100'000, 'b'));
            reply.keep_alive(false);
            reply.prepare_payload();
            co_await http::async_write(tls, reply, use_awaitable);
            const auto [ec, report] = co_await tls.async_close(no_throw);
            CHECK(report.close_notify_sent);
            s.seen = {ec, {}, true};
        },
        [&]() -> net::awaitable<void> {
            co_await client.async_handshake(net::ssl::stream_base::client, use_awaitable);
            http::request<http::empty_body> request(http::verb::get, "/", 11);
            co_await http::async_write(client, request, use_awaitable);
            beast::flat_buffer buffer;
            http::response<http::string_body> reply;
            co_await http::async_read(client, buffer, reply, use_awaitable);
            body = reply.body();
            char byte;
            std::size_t n = 0;
            std::tie(ended, n) = co_await client.async_read_some(net::buffer(&byte, 1), no_throw);
            client.next_layer().close();
        });
    CHECK_FALSE(s.seen.ec);
    CHECK(body.size() == 100'000);
    CHECK(ended == net::error::eof); // and not stream_truncated
}
