// SPDX-License-Identifier: BSL-1.0
// An HTTP/1.1 server by Boost.Beast as one runs it: keep-alive, pipelining, a bound on every wait, the close that each
// situation calls for, figures of how connections end, and a stop that loses no request. Start `http_server`, then
// `curl -v http://[::1]:8080/`, `/bytes/1000`, `/stream/1000`, `/metrics`; SIGTERM stops it, a second one cuts.
#include <closeside/closeside.hpp>
#include <closeside/host.hpp>

#include "time_limit.hpp"

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/buffer.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/experimental/awaitable_operators.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/signal_set.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/write.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/core/string.hpp>
#include <boost/beast/http.hpp>

#include <CLI/CLI.hpp>

#include <algorithm>
#include <chrono>
#include <csignal>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <ctime>
#include <exception>
#include <iostream>
#include <string>
#include <string_view>
#include <tuple>
#include <utility>
#include <variant>

namespace cs = closeside;
namespace net = boost::asio;
namespace http = boost::beast::http;
using namespace net::experimental::awaitable_operators;
using namespace std::chrono_literals;

namespace {

// Whoever does not expect the end sees our FIN at once: idle clients, refused requests, HTTP/1.0, replies that the end of
// the connection ends. What such a client still sends is drained, since RST would destroy the reply on its way.
constexpr cs::close_policy front_end = cs::policies::graceful;
// Whoever has had `Connection: close` and the length closes within moments, so that the TIME-WAIT is the client's.
constexpr cs::close_policy told = cs::policies::peer_first;

using stream = cs::stream<front_end>;
using request_parser = http::request_parser<http::string_body>;
using request = request_parser::value_type;
using response = http::response<http::string_body>;
using clock_type = std::chrono::steady_clock;

constexpr auto no_throw = net::as_tuple(net::use_awaitable);
constexpr auto header_time = 30s; // for a request's header
constexpr auto piece_time = 30s;  // for each piece of a request's body or of a reply: a slow client is served on

struct arguments {
    std::string address = "::";
    std::uint16_t port = 8080;
    double idle = 30;              // seconds
    std::uint32_t body = 1u << 20; // bytes
    double notice = 1, within = 30;
    bool log = false;
};

clock_type::duration seconds(double s) {
    return std::chrono::duration_cast<clock_type::duration>(std::chrono::duration<double>(s));
}

struct server {
    const arguments& given;
    net::io_context io{1};
    cs::orderly_stop stop{io};
    cs::statistics figures{io};
};

struct connection {
    connection(stream accepted, server& serving) : client(std::move(accepted)), at(serving) {}

    stream client;
    server& at;
    cs::orderly_stop::member here{at.stop, client};
    time_limit<stream> limit{client};
    boost::beast::flat_buffer input; // of a client that pipelines, the next requests too
};

/// The form of RFC 9110, made once a second.
const std::string& date() {
    static std::time_t made = 0;
    static std::string text;
    const std::time_t now = std::time(nullptr);
    if (now == made) return text;
    made = now;
    char buffer[64];
    std::tm utc{};
    text.assign(buffer, std::strftime(buffer, sizeof buffer, "%a, %d %b %Y %H:%M:%S GMT", ::gmtime_r(&now, &utc)));
    return text;
}

response reply_with(http::status status, unsigned version, std::string body) {
    response reply(status, version);
    reply.set(http::field::server, "closeside");
    reply.set(http::field::date, date());
    reply.set(http::field::content_type, "text/plain");
    reply.body() = std::move(body);
    reply.prepare_payload(); // the length
    return reply;
}

/// The number in `/bytes/<number>`, at most 16 MiB.
std::size_t size_in(std::string_view target) {
    const std::string digits(target.substr(target.rfind('/') + 1));
    return std::min(std::strtoul(digits.c_str(), nullptr, 10), 16ul << 20);
}

/// What a program would put its own in the place of.
response answer(const request& asked, const server& here) {
    const std::string_view target(asked.target().data(), asked.target().size());
    const unsigned version = asked.version();
    const bool reads = asked.method() == http::verb::get || asked.method() == http::verb::head;
    if (!reads && asked.method() != http::verb::post && asked.method() != http::verb::put)
        return reply_with(http::status::method_not_allowed, version, "no such method here\n");
    if (target.starts_with("/bytes/")) return reply_with(http::status::ok, version, std::string(size_in(target), 'x'));
    if (target.starts_with("/stream/")) { // as if the length were not known beforehand
        response reply = reply_with(http::status::ok, version, std::string(size_in(target), 'x'));
        reply.content_length(boost::none);
        if (version >= 11) reply.chunked(true); // in HTTP/1.0 the end of the connection ends it
        return reply;
    }
    if (target == "/metrics") {
        response reply = reply_with(http::status::ok, version, open_metrics(here.figures.snapshot()));
        reply.set(http::field::content_type, "application/openmetrics-text; version=1.0.0; charset=utf-8");
        return reply;
    }
    if (target != "/") return reply_with(http::status::not_found, version, "no such thing here\n");
    return reply_with(http::status::ok, version,
                      reads ? "hello\n" : "got " + std::to_string(asked.body().size()) + " bytes\n");
}

bool is_refused(const cs::error_code& ec) {
    return ec && ec.category() == http::make_error_code(http::error::bad_method).category() &&
           ec != http::error::end_of_stream && ec != http::error::partial_message;
}

response refusal(const cs::error_code& ec) {
    const http::status status = ec == http::error::body_limit     ? http::status::payload_too_large
                                : ec == http::error::header_limit ? http::status::request_header_fields_too_large
                                                                  : http::status::bad_request;
    return reply_with(status, 11, ec.message() + '\n');
}

/// False if the client has ended the connection, is idle for too long, or the server stops. Of all waits a stop ends this
/// one alone.
net::awaitable<bool> next_input(connection& c) {
    c.limit.set(seconds(c.at.given.idle));
    const auto [ec, size] = co_await c.client.async_read_some(c.input.prepare(4096), c.here.idle(no_throw));
    c.input.commit(size);
    co_return !ec;
}

/// A request that is too large is refused by its header, before it has been sent.
net::awaitable<cs::error_code> read_request(connection& c, request_parser& parser) {
    parser.body_limit(c.at.given.body);
    c.limit.set(header_time);
    auto [ec, size] = co_await http::async_read_header(c.client, c.input, parser, no_throw);
    if (ec) co_return ec;
    if (parser.get().version() >= 11 && parser.get().count(http::field::host) != 1)
        co_return http::make_error_code(http::error::bad_field);
    if (boost::beast::iequals(parser.get()[http::field::expect], "100-continue") && c.input.size() == 0) {
        static const std::string go_on = "HTTP/1.1 100 Continue\r\n\r\n";
        std::tie(ec, size) = co_await net::async_write(c.client, net::buffer(go_on), no_throw);
    }
    while (!ec && !parser.is_done()) {
        c.limit.set(piece_time);
        std::tie(ec, size) = co_await http::async_read_some(c.client, c.input, parser, no_throw);
    }
    co_return ec;
}

net::awaitable<cs::error_code> write_reply(connection& c, response& reply, bool header_alone) {
    http::response_serializer<http::string_body> rest(reply);
    rest.split(header_alone);
    cs::error_code ec;
    while (!ec && !rest.is_done() && !(header_alone && rest.is_header_done())) {
        c.limit.set(piece_time);
        std::tie(ec, std::ignore) = co_await http::async_write_some(c.client, rest, no_throw);
    }
    co_return ec;
}

/// How the client takes part in the end of the connection.
enum class outcome { client_knows, client_does_not_know, reply_is_cut };

net::awaitable<outcome> converse(connection& c) {
    while (true) {
        if (c.input.size() == 0 && !co_await next_input(c)) co_return outcome::client_does_not_know;
        request_parser parser;
        const cs::error_code ec = co_await read_request(c, parser);
        // Half a request, and then the end, or too long a wait.
        if (ec && !is_refused(ec)) co_return outcome::client_does_not_know;
        const request& asked = parser.get();
        response reply = ec ? refusal(ec) : answer(asked, c.at);

        const bool ends_with_connection = !reply.has_content_length() && !reply.chunked();
        // Of a server that stops: requests that are here already get their replies, and the last one says so.
        const bool stopping = c.here.stopping() && c.input.size() == 0;
        const bool last = ec || ends_with_connection || stopping || !asked.keep_alive();
        reply.keep_alive(!last);
        if (co_await write_reply(c, reply, asked.method() == http::verb::head)) co_return outcome::reply_is_cut;
        if (!last) continue;
        co_return ec || ends_with_connection || asked.version() < 11 ? outcome::client_does_not_know
                                                                     : outcome::client_knows;
    }
}

net::awaitable<void> session(stream accepted, server& at) {
    connection c(std::move(accepted), at);
    const outcome end = std::get<0>(co_await (converse(c) || c.limit.watch()));
    if (end == outcome::reply_is_cut) {
        c.client.abort(); // a part of a reply must not look like the whole
        if (at.given.log) std::clog << "reset\n";
        co_return;
    }
    const auto [ec, report] = co_await c.client.async_close(end == outcome::client_knows ? told : front_end, no_throw);
    if (at.given.log) std::clog << "closed: " + ec.message() + ": " + to_string(report) + '\n';
}

net::awaitable<void> accept_loop(cs::acceptor<front_end>& listener, server& here) {
    while (true) {
        auto [ec, client] = co_await listener.async_accept(no_throw);
        if (ec == net::error::operation_aborted) co_return; // the stop has closed it, and nobody was waiting
        if (!ec) net::co_spawn(here.io, session(std::move(client), here), net::detached);
    }
}

/// For `notice` each connection is served once more and told to go. Then idle ones are closed; busy ones may finish, and
/// whoever has not `within` the time is reset.
net::awaitable<void> stop_at_signal(net::signal_set& signals, server& here) {
    co_await signals.async_wait(no_throw);
    signals.async_wait([&](const cs::error_code& ec, int) {
        if (!ec) here.stop.now(); // a second signal
    });
    std::clog << "stopping\n";
    const auto [ec, report] = co_await here.stop.async_stop(
        {.notice = seconds(here.given.notice), .within = seconds(here.given.within)}, no_throw);
    signals.cancel();
    std::clog << "stopped: " << report << '\n';
}

void serve(const arguments& given) {
    cs::warn_at_startup<front_end, told>(std::clog);
    server here{.given = given};
    // Accepted connections inherit no_delay: the end of a reply does not wait for an acknowledgement of its beginning.
    cs::acceptor<front_end> listener(here.io, {net::ip::make_address(given.address), given.port},
                                     net::socket_base::max_listen_connections, net::ip::tcp::no_delay(true));
    here.stop.add(listener);
    net::signal_set signals(here.io, SIGINT, SIGTERM);
    std::clog << "serving on " << listener.local_endpoint() << '\n';
    net::co_spawn(here.io, accept_loop(listener, here), net::detached);
    net::co_spawn(here.io, stop_at_signal(signals, here), net::detached);
    here.io.run(); // until the last connection has ended
}

void add_options(CLI::App& app, arguments& given) {
    app.option_defaults()->always_capture_default();
    app.add_option("--address", given.address, "IP address to listen on")->check([](const std::string& text) {
        cs::error_code ec;
        net::ip::make_address(text, ec);
        return ec ? "'" + text + "' is not an IP address; give one such as 127.0.0.1 or ::1" : std::string();
    });
    app.add_option("--port", given.port, "TCP port; 0 lets the kernel choose")->check(CLI::Range(0, 65535));
    app.add_option("--idle", given.idle, "Seconds that a client may wait between requests")
        ->check(CLI::Range(0.001, 86400.0));
    app.add_option("--body", given.body, "Bytes that the body of a request may have")->check(CLI::Range(0u, 1u << 30));
    app.add_option("--notice", given.notice, "Seconds of a stop in which clients are told to go")
        ->check(CLI::Range(0.0, 3600.0));
    app.add_option("--within", given.within, "Seconds that a stop takes at most")->check(CLI::Range(0.001, 3600.0));
    app.add_flag("--log", given.log, "Write a line for each connection that has ended");
}

} // namespace

int main(int argc, char** argv) {
    CLI::App app{"An HTTP/1.1 server with the close that each situation calls for."};
    arguments given;
    add_options(app, given);
    CLI11_PARSE(app, argc, argv);
    try {
        serve(given);
    } catch (const std::exception& e) {
        std::cerr << "http_server: " << e.what() << '\n';
        return EXIT_FAILURE;
    }
}
