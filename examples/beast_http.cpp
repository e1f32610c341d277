// SPDX-License-Identifier: BSL-1.0
// An HTTP server by Boost.Beast: keep-alive, a bound on every wait, and the close that each situation calls for. Start
// `beast_http [port [seconds of idleness]]`, then `curl -v http://[::1]:8080/`; its log has a line for each connection.
#include <closeside/closeside.hpp>
#include <closeside/host.hpp>

#include "number.hpp"

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/experimental/awaitable_operators.hpp>
#include <boost/asio/signal_set.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/strand.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/http.hpp>

#include <chrono>
#include <csignal>
#include <cstdint>
#include <cstdlib>
#include <exception>
#include <iostream>
#include <string>
#include <utility>
#include <variant>

namespace cs = closeside;
namespace net = boost::asio;
namespace http = boost::beast::http;
using namespace net::experimental::awaitable_operators;
using namespace std::chrono_literals;

namespace {

// Idle clients and broken requests: we close first, and drain, so that nothing of a last reply is lost.
constexpr cs::close_policy front_end = cs::policies::graceful;
// Clients that `Connection: close` has told: they close first within moments, and keep the TIME-WAIT.
constexpr cs::close_policy told = cs::policies::peer_first;

using stream = cs::stream<front_end>;
using request = http::request<http::string_body>;
using response = http::response<http::string_body>;

constexpr auto no_throw = net::as_tuple(net::use_awaitable);

response answer(const request& asked) {
    response reply(http::status::ok, asked.version());
    reply.set(http::field::content_type, "text/plain");
    reply.keep_alive(asked.keep_alive());
    reply.body() = std::string(asked.method_string()) + " " + std::string(asked.target()) + ", " +
                   std::to_string(asked.body().size()) + " bytes\n";
    reply.prepare_payload();
    return reply;
}

response refusal(const boost::system::error_code& ec) {
    response reply(ec == http::error::body_limit ? http::status::payload_too_large : http::status::bad_request, 11);
    reply.keep_alive(false);
    reply.body() = ec.message() + "\n";
    reply.prepare_payload();
    return reply;
}

bool is_of_http(const boost::system::error_code& ec) {
    return ec && ec.category() == http::make_error_code(http::error::bad_method).category() &&
           ec != http::error::end_of_stream && ec != http::error::partial_message;
}

net::awaitable<void> session(stream client, cs::orderly_stop& stop, std::chrono::seconds idle_time) {
    cs::orderly_stop::member here(stop, client);
    net::steady_timer limit(client.get_executor());
    boost::beast::flat_buffer buffer;
    bool client_knows = false;
    for (bool more = true; more;) {
        request asked;
        limit.expires_after(idle_time);
        if (buffer.size() == 0) { // idle: a stop may end this wait, and no other
            const auto waited =
                co_await (client.async_wait(stream::wait_read, here.idle(no_throw)) || limit.async_wait(no_throw));
            if (waited.index() == 1 || std::get<0>(std::get<0>(waited))) break;
        }
        const auto read = co_await (http::async_read(client, buffer, asked, no_throw) || limit.async_wait(no_throw));
        if (read.index() == 1) break; // the time-out cancels the read, and the close is the type's
        const boost::system::error_code ec = std::get<0>(std::get<0>(read));
        if (ec && !is_of_http(ec)) break; // the end of the stream, as a rule

        response reply = ec ? refusal(ec) : answer(asked);
        if (here.stopping()) reply.keep_alive(false); // served once more, and told to go
        limit.expires_after(30s);
        const auto written = co_await (http::async_write(client, reply, no_throw) || limit.async_wait(no_throw));
        if (written.index() == 1 || std::get<0>(std::get<0>(written))) break;
        client_knows = !ec && !reply.keep_alive();
        more = reply.keep_alive();
    }
    const auto [ec, report] = co_await client.async_close(client_knows ? told : front_end, no_throw);
    std::clog << "closed: " << ec.message() << ": " << report << '\n';
}

net::awaitable<void> accept_loop(cs::acceptor<front_end>& listener, cs::orderly_stop& stop,
                                 std::chrono::seconds idle_time) {
    while (true) {
        auto [ec, client] = co_await listener.async_accept(no_throw);
        if (ec == net::error::operation_aborted) co_return; // the stop has closed the listener
        if (!ec) net::co_spawn(listener.get_executor(), session(std::move(client), stop, idle_time), net::detached);
    }
}

} // namespace

int main(int argc, char** argv) {
    try {
        cs::warn_at_startup<front_end, told>(std::clog);
        net::io_context io(1);
        const std::uint16_t port = argc > 1 ? number(argv[1]) : 8080;
        const std::chrono::seconds idle_time(argc > 2 ? number(argv[2]) : 30);
        cs::acceptor<front_end> listener(io, {net::ip::address_v6::any(), port});
        cs::orderly_stop stop(io);
        stop.add(listener);
        net::signal_set signals(io, SIGINT, SIGTERM);
        std::clog << "serving on " << listener.local_endpoint() << '\n';
        signals.async_wait([&](const boost::system::error_code&, int) {
            signals.clear(); // a second signal ends the process
            stop.async_stop({.notice = 300ms, .within = 30s}, net::detached);
        });
        net::co_spawn(io, accept_loop(listener, stop, idle_time), net::detached);
        io.run(); // until the last connection has ended
    } catch (const std::exception& e) {
        std::cerr << "beast_http: " << e.what() << '\n';
        return EXIT_FAILURE;
    }
}
