// SPDX-License-Identifier: BSL-1.0
// The reverse proxy of HTTP/1.1: requests are read whole, so that they can be sent again; replies are passed on as they
// come. Upgrades (WebSocket) are not passed on.
#include "proxy.hpp"

#include <boost/asio/buffer.hpp>
#include <boost/asio/experimental/awaitable_operators.hpp>
#include <boost/asio/write.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/core/string.hpp>
#include <boost/beast/http.hpp>

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <tuple>
#include <utility>
#include <variant>
#include <vector>

namespace proxying {

namespace http = boost::beast::http;
using namespace net::experimental::awaitable_operators;
using namespace std::chrono_literals;

namespace {

using request = http::request<http::string_body>;
using reply_parser = http::response_parser<http::buffer_body>;

constexpr auto piece_time = 60s;               // for each piece of a request, and of a reply
constexpr std::uint64_t body_limit = 8u << 20; // of a request

struct asking {
    request message;
    unsigned version = 11; // of the client, and its wish
    bool keep_alive = false;
};

struct connection {
    connection(stream accepted, proxy& proxying) : client(std::move(accepted)), at(proxying) {}

    stream client;
    proxy& at;
    cs::orderly_stop::member here{at.stop, client};
    time_limit<stream> limit{client};
    boost::beast::flat_buffer input;
};

/// How the client takes part in the end of the connection.
enum class outcome { goes_on, client_knows, client_does_not_know, reply_is_cut };

net::awaitable<outcome> refuse(connection& c, http::status status) {
    http::response<http::string_body> reply(status, 11);
    reply.keep_alive(false);
    reply.body() = std::string(http::obsolete_reason(status)) + '\n';
    reply.prepare_payload();
    c.limit.set(piece_time);
    const auto [ec, size] = co_await http::async_write(c.client, reply, no_throw);
    co_return ec ? outcome::reply_is_cut : outcome::client_does_not_know;
}

/// Fields that are for the next hop alone (RFC 9110, 7.6.1). The framing is told anew.
template <class Message>
void remove_hop_by_hop(Message& message) {
    std::vector<std::string> names{"Connection", "Keep-Alive", "Proxy-Connection", "TE", "Trailer",
                                   "Upgrade",    "Expect"};
    for (const auto name : http::token_list(message[http::field::connection])) names.emplace_back(name);
    for (const std::string& name : names) message.erase(name);
}

/// Sent twice it does what it does once (RFC 9110, 9.2.2).
bool is_idempotent(http::verb method) {
    switch (method) {
    case http::verb::get:
    case http::verb::head:
    case http::verb::put:
    case http::verb::delete_:
    case http::verb::options:
    case http::verb::trace: return true;
    default: return false;
    }
}

/// Sends the request, and reads the header of its reply.
net::awaitable<cs::error_code> ask(connection& c, upstream& up, request& asked, boost::beast::flat_buffer& input,
                                   std::optional<reply_parser>& parser) {
    asked.keep_alive(++up.requests < c.at.given.requests && !c.here.stopping());
    c.limit.set(piece_time);
    auto [ec, size] = co_await http::async_write(up.server, asked, no_throw);
    do { // some 1xx come before the reply
        parser.emplace();
        parser->body_limit(boost::none);
        parser->skip(asked.method() == http::verb::head);
        c.limit.set(piece_time);
        if (!ec) std::tie(ec, size) = co_await http::async_read_header(up.server, input, *parser, no_throw);
    } while (!ec && http::to_status_class(parser->get().result()) == http::status_class::informational);
    co_return ec;
}

/// The reply as it comes, piece by piece. False if there is but a part of it.
net::awaitable<bool> pass_on_reply(connection& c, stream& server, boost::beast::flat_buffer& input,
                                   reply_parser& parser, bool header_alone) {
    std::array<char, 16 * 1024> data;
    http::response_serializer<http::buffer_body> rest(parser.get());
    c.limit.set(piece_time);
    auto [ec, size] = co_await http::async_write_header(c.client, rest, no_throw);
    while (!ec && !header_alone && !rest.is_done()) {
        auto& body = parser.get().body();
        body = {.data = data.data(), .size = data.size(), .more = true};
        c.limit.set(piece_time);
        if (!parser.is_done()) std::tie(ec, size) = co_await http::async_read_some(server, input, parser, no_throw);
        if (ec && ec != http::error::need_buffer) co_return false;
        size = data.size() - body.size;
        body = {.data = size == 0 ? nullptr : data.data(), .size = size, .more = !parser.is_done()};
        std::tie(ec, size) = co_await http::async_write(c.client, rest, no_throw);
        if (ec == http::error::need_buffer) ec = {};
    }
    co_return !ec;
}

/// One attempt. Nothing if the server had ended a connection of the pool before the request came.
net::awaitable<std::optional<outcome>> attempt(connection& c, upstream& up, asking& asked) {
    const cs::orderly_stop::member member(c.at.stop, up.server); // busy, as the client is
    const bool from_pool = up.requests != 0, is_head = asked.message.method() == http::verb::head;
    boost::beast::flat_buffer input;
    std::optional<reply_parser> parser;
    const cs::error_code ec = co_await ask(c, up, asked.message, input, parser);
    const bool too_late = ec == net::error::operation_aborted;
    if (ec && from_pool && !too_late && !parser->got_some()) co_return std::nullopt;
    if (ec) co_return co_await refuse(c, too_late ? http::status::gateway_timeout : http::status::bad_gateway);

    http::response<http::buffer_body>& reply = parser->get();
    const http::status status = reply.result();
    const bool has_body = !is_head && status != http::status::no_content && status != http::status::not_modified;
    const bool has_length = reply.has_content_length() || !has_body;
    const bool ends_with_connection = !has_length && asked.version < 11;
    // Of a proxy that stops: requests that are here already get their replies, and the last one says so.
    const bool stopping = c.here.stopping() && c.input.size() == 0;
    const bool last = ends_with_connection || stopping || !asked.keep_alive;
    const bool server_goes_on = asked.message.keep_alive() && reply.keep_alive();
    remove_hop_by_hop(reply);
    reply.version(asked.version);
    if (asked.version < 11) reply.erase(http::field::transfer_encoding);
    if (!has_length && !ends_with_connection) reply.chunked(true); // it may have been by the end of the connection
    reply.keep_alive(!last);
    if (!co_await pass_on_reply(c, up.server, input, *parser, is_head)) co_return outcome::reply_is_cut;
    up.next = server_goes_on && input.size() == 0 ? upstream::is_idle : upstream::is_told;
    if (!last) co_return outcome::goes_on;
    co_return ends_with_connection || asked.version < 11 ? outcome::client_does_not_know : outcome::client_knows;
}

void give_back(proxy& here, upstream up) {
    if (up.next == upstream::is_cut) return up.server.abort();
    if (up.next == upstream::is_idle) return here.idle.put(std::move(up));
    up.server.async_close(told_server, [&here](const cs::error_code& ec, const cs::close_report& report) {
        log(here, "server", ec, report);
    });
}

net::awaitable<outcome> pass_on(connection& c, asking asked) {
    while (true) {
        std::optional<upstream> up;
        // What must not be sent twice does not go where it may find the end of the connection.
        if (is_idempotent(asked.message.method())) up = c.at.idle.take();
        if (!up) up = co_await connect(c.at);
        if (!up) co_return co_await refuse(c, http::status::bad_gateway);
        c.limit.watch_too(&up->server);
        const std::optional<outcome> end = co_await attempt(c, *up, asked);
        c.limit.watch_too(nullptr);
        give_back(c.at, std::move(*up));
        if (end) co_return *end;
    }
}

/// False if the client has ended the connection, is idle for too long, or the proxy stops. Of all waits a stop ends this
/// one alone.
net::awaitable<bool> next_input(connection& c) {
    c.limit.set(seconds(c.at.given.idle));
    const auto [ec, size] = co_await c.client.async_read_some(c.input.prepare(4096), c.here.idle(no_throw));
    c.input.commit(size);
    co_return !ec;
}

bool is_refused(const cs::error_code& ec) {
    return ec && ec.category() == http::make_error_code(http::error::bad_method).category() &&
           ec != http::error::end_of_stream && ec != http::error::partial_message;
}

net::awaitable<outcome> serve_one(connection& c) {
    if (c.input.size() == 0 && !co_await next_input(c)) co_return outcome::client_does_not_know;
    http::request_parser<http::string_body> parser;
    parser.body_limit(body_limit);
    c.limit.set(piece_time);
    auto [ec, size] = co_await http::async_read_header(c.client, c.input, parser, no_throw);
    if (!ec && c.input.size() == 0 && boost::beast::iequals(parser.get()[http::field::expect], "100-continue")) {
        static const std::string go_on = "HTTP/1.1 100 Continue\r\n\r\n";
        std::tie(ec, size) = co_await net::async_write(c.client, net::buffer(go_on), no_throw);
    }
    while (!ec && !parser.is_done()) {
        c.limit.set(piece_time);
        std::tie(ec, size) = co_await http::async_read_some(c.client, c.input, parser, no_throw);
    }
    if (ec == http::error::body_limit) co_return co_await refuse(c, http::status::payload_too_large);
    if (is_refused(ec)) co_return co_await refuse(c, http::status::bad_request);
    if (ec) co_return outcome::client_does_not_know;

    asking asked{.message = parser.release()};
    request& message = asked.message;
    if (message.method() == http::verb::connect) co_return co_await refuse(c, http::status::method_not_allowed);
    asked.version = message.version();
    asked.keep_alive = message.keep_alive();
    remove_hop_by_hop(message);
    message.version(11);
    message.insert(http::field::via, asked.version < 11 ? "1.0 closeside" : "1.1 closeside");
    cs::error_code gone;
    const tcp::endpoint client = c.client.remote_endpoint(gone);
    if (!gone) message.insert("X-Forwarded-For", client.address().to_string());
    message.prepare_payload();
    co_return co_await pass_on(c, std::move(asked));
}

net::awaitable<outcome> serve_all(connection& c) {
    outcome end = outcome::goes_on;
    while (end == outcome::goes_on) end = co_await serve_one(c);
    co_return end;
}

} // namespace

net::awaitable<void> http_session(stream accepted, proxy& here) {
    connection c(std::move(accepted), here);
    const outcome end = std::get<0>(co_await (serve_all(c) || c.limit.watch()));
    if (end == outcome::reply_is_cut) c.client.abort(); // a part of a reply must not look like the whole
    co_await close(c.client, end == outcome::client_knows ? told : untold, "client", here);
}

} // namespace proxying
