// SPDX-License-Identifier: BSL-1.0
// An HTTPS server with coroutines: keep-alive, a bound on every wait, and the close that each situation calls for. Make
// a certificate by `openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 30 -subj /CN=localhost
// -keyout key.pem -out cert.pem`, start `https_server`, then `curl -kv https://localhost:8443/large -o /dev/null`; its
// log has a line for each connection. The context of TLS and all that is set on it is plain Asio and OpenSSL.
#include <closeside/closeside.hpp>
#include <closeside/ssl.hpp>

#include <asio/awaitable.hpp>
#include <asio/buffer.hpp>
#include <asio/co_spawn.hpp>
#include <asio/detached.hpp>
#include <asio/experimental/awaitable_operators.hpp>
#include <asio/io_context.hpp>
#include <asio/read_until.hpp>
#include <asio/redirect_error.hpp>
#include <asio/signal_set.hpp>
#include <asio/ssl/context.hpp>
#include <asio/steady_timer.hpp>
#include <asio/use_awaitable.hpp>
#include <asio/write.hpp>

#include <CLI/CLI.hpp>
#include <openssl/ssl.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <chrono>
#include <csignal>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <exception>
#include <iostream>
#include <map>
#include <sstream>
#include <string>
#include <utility>

namespace cs = closeside;
using namespace asio::experimental::awaitable_operators;
using namespace std::chrono_literals;

namespace {

constexpr cs::close_policy front_end = cs::policies::graceful; // a client that does not expect the end closes after us
using stream = cs::ssl_stream<front_end>;
auto into(cs::error_code& ec) { return asio::redirect_error(asio::use_awaitable, ec); }

struct arguments {
    std::uint16_t port = 8443;
    std::string certificate = "cert.pem", key = "key.pem";
    std::string name;                                 // of this host; empty: any
    unsigned wait = 30;                               // seconds
    cs::close_policy told = cs::policies::peer_first; // for clients that know that the connection ends
};

struct server {
    asio::io_context io{1};
    asio::ssl::context tls{asio::ssl::context::tls_server};
    std::chrono::seconds wait;
    cs::close_policy told;
    cs::orderly_stop stop{io};
};

/// ALPN: HTTP/1.1, or no connection with a client that wants something else alone.
int choose_protocol(SSL*, const unsigned char** chosen, unsigned char* size, const unsigned char* offered,
                    unsigned offered_size, void*) {
    static constexpr unsigned char ours[] = "\x08http/1.1";
    unsigned char* found = nullptr;
    if (SSL_select_next_proto(&found, size, ours, sizeof ours - 1, offered, offered_size) != OPENSSL_NPN_NEGOTIATED)
        return SSL_TLSEXT_ERR_ALERT_FATAL;
    *chosen = found;
    return SSL_TLSEXT_ERR_OK;
}

/// SNI: a server of many names would look for the context of this one, and call SSL_set_SSL_CTX.
int check_name(SSL* ssl, int* alert, void* own_name) {
    const char* const asked = SSL_get_servername(ssl, TLSEXT_NAMETYPE_host_name);
    if (asked == nullptr || *static_cast<const std::string*>(own_name) == asked) return SSL_TLSEXT_ERR_OK;
    *alert = SSL_AD_UNRECOGNIZED_NAME;
    return SSL_TLSEXT_ERR_ALERT_FATAL;
}

/// `given` has to outlive the context, for its name.
void prepare(asio::ssl::context& tls, const arguments& given) {
    tls.use_certificate_chain_file(given.certificate);
    tls.use_private_key_file(given.key, asio::ssl::context::pem);
    SSL_CTX* const context = tls.native_handle();
    SSL_CTX_set_min_proto_version(context, TLS1_2_VERSION);
    SSL_CTX_set_alpn_select_cb(context, choose_protocol, nullptr);
    if (!given.name.empty()) {
        SSL_CTX_set_tlsext_servername_callback(context, check_name);
        SSL_CTX_set_tlsext_servername_arg(context, const_cast<std::string*>(&given.name));
    }
    // In TLS 1.3 a ticket is data that the server sends unasked. A client that writes, never reads, and closes answers it
    // with RST, and that destroys what it wrote and the server has not read yet. Where every client reads a reply before
    // it closes, tickets may stay: they save most of the next handshake.
    SSL_CTX_set_num_tickets(context, 0);
}

struct request {
    std::string method, target;
    bool http_1_1 = false;
    bool refused = false; // neither GET nor HEAD, or with a body
    bool keep_alive = false;
};

request parse(const std::string& text) {
    std::string lower = text;
    std::transform(text.begin(), text.end(), lower.begin(),
                   [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
    const auto field = [&](const std::string& name) {
        const std::size_t at = lower.find("\r\n" + name + ':');
        if (at == std::string::npos) return std::string();
        const std::size_t value = at + name.size() + 3;
        return lower.substr(value, lower.find("\r\n", value) - value);
    };
    request asked;
    std::string version;
    std::istringstream(text.substr(0, text.find("\r\n"))) >> asked.method >> asked.target >> version;
    const std::string connection = field("connection"), length = field("content-length");
    asked.target.erase(std::min(asked.target.find('?'), asked.target.size()));
    asked.http_1_1 = version == "HTTP/1.1";
    asked.refused = (asked.method != "GET" && asked.method != "HEAD") || (!asked.http_1_1 && version != "HTTP/1.0") ||
                    length.find_first_not_of(" 0") != std::string::npos || !field("transfer-encoding").empty();
    asked.keep_alive = !asked.refused && connection.find("close") == std::string::npos &&
                       (asked.http_1_1 || connection.find("keep-alive") != std::string::npos);
    return asked;
}

/// Waits for input; false if the client is idle for too long, or the server stops, which ends no other wait. A wait that
/// ends loses no byte.
asio::awaitable<bool> next_input(stream& client, cs::orderly_stop::member& member, server& here) {
    cs::error_code ready, idle;
    asio::steady_timer limit(client.get_executor(), here.wait);
    const auto first = co_await (client.async_wait_input(member.idle(into(ready))) || limit.async_wait(into(idle)));
    co_return first.index() == 0 && !ready;
}

/// Asio's operations on TLS obey terminal cancellation alone, which is what `||` gives. Half a handshake, or half a
/// request, is of no further use: after a time-out there is nothing but the close.
asio::awaitable<void> handshake(stream& client, server& here, cs::error_code& ec) {
    cs::error_code late;
    asio::steady_timer limit(client.get_executor(), here.wait);
    const auto first = co_await (client.async_handshake(stream::server, into(ec)) || limit.async_wait(into(late)));
    if (first.index() == 1) ec = asio::error::timed_out;
}

/// One request within ten seconds. One that is in `input` already needs no wait.
asio::awaitable<request> read_request(stream& client, std::string& input, cs::error_code& ec) {
    cs::error_code late;
    asio::steady_timer limit(client.get_executor(), 10s);
    const auto read =
        co_await (asio::async_read_until(client, asio::dynamic_buffer(input, 8192), "\r\n\r\n", into(ec)) ||
                  limit.async_wait(into(late)));
    if (read.index() == 1) ec = asio::error::timed_out;
    if (ec) co_return request{};
    const request asked = parse(input.substr(0, std::get<0>(read)));
    input.erase(0, std::get<0>(read));
    co_return asked;
}

/// Within thirty seconds, else `ec` is set. Each reply has its length: no client needs the end of the connection for it.
asio::awaitable<void> write_reply(stream& client, const request& asked, bool keep_alive, cs::error_code& ec) {
    static const std::string small = "hello over TLS\n", large(1u << 20, 'x'), refusal = "no\n";
    const bool known = asked.target == "/" || asked.target == "/large";
    const std::string& body = asked.refused || !known ? refusal : asked.target == "/" ? small : large;
    const std::string head = "HTTP/1.1 " +
                             std::string(asked.refused ? "405 Refused"
                                         : known       ? "200 OK"
                                                       : "404 Not Found") +
                             "\r\nContent-Type: text/plain\r\nContent-Length: " + std::to_string(body.size()) +
                             "\r\nConnection: " + (keep_alive ? "keep-alive" : "close") + "\r\n\r\n";
    const std::array whole{asio::buffer(head), asio::buffer(body.data(), asked.method == "HEAD" ? 0 : body.size())};
    cs::error_code late;
    asio::steady_timer limit(client.get_executor(), 30s);
    const auto done = co_await (asio::async_write(client, whole, into(ec)) || limit.async_wait(into(late)));
    if (done.index() == 1) ec = asio::error::timed_out;
}

asio::awaitable<void> session(stream client, server& here) {
    cs::orderly_stop::member member(here.stop, client);
    std::string input;
    bool client_knows = false;
    unsigned replies = 0;
    cs::error_code ended, ec;
    co_await handshake(client, here, ended);
    for (bool more = !ended; more;) {
        // Not in the loop's condition: of `a && (b || co_await c)` g++ 12 evaluates c even where a is false.
        if (input.empty() && !co_await next_input(client, member, here)) break;
        const request asked = co_await read_request(client, input, ended);
        if (ended) break;
        more = asked.keep_alive && !member.stopping(); // served once more, and told to go
        co_await write_reply(client, asked, more, ended);
        if (ended) {
            client.abort(); // a part of a reply must not look like the whole
            std::clog << "cut: " << ended.message() << '\n';
            co_return;
        }
        ++replies;
        client_knows = !more && asked.http_1_1 && !asked.refused; // what is refused may still be under way to us
    }
    const cs::tls_close_report report = co_await client.async_close(client_knows ? here.told : front_end, into(ec));
    std::clog << "closed: " << ec.message() << ": " << report << " replies=" << replies;
    if (ended) std::clog << " (before: " << ended.message() << ')';
    std::clog << '\n';
}

asio::awaitable<void> accept_loop(cs::acceptor<front_end>& listener, server& here) {
    cs::error_code ec;
    while (ec != asio::error::operation_aborted) { // the stop closes the listener
        auto client = co_await listener.async_accept(into(ec));
        if (!ec) asio::co_spawn(here.io, session(stream(std::move(client), here.tls), here), asio::detached);
    }
}

void serve(const arguments& given) {
    server here{.wait = std::chrono::seconds(given.wait), .told = given.told};
    prepare(here.tls, given);
    cs::acceptor<front_end> listener(here.io, {asio::ip::tcp::v4(), given.port});
    here.stop.add(listener);
    asio::signal_set signals(here.io, SIGINT, SIGTERM);
    signals.async_wait([&](cs::error_code, int) {
        signals.clear(); // a second signal ends the process
        here.stop.async_stop({.notice = 300ms, .within = 60s}, asio::detached);
    });
    std::clog << "serving on " << listener.local_endpoint() << '\n';
    asio::co_spawn(here.io, accept_loop(listener, here), asio::detached);
    here.io.run(); // until the last connection has ended
}

void add_options(CLI::App& app, arguments& given) {
    app.add_option("--port", given.port, "TCP port; 0 lets the kernel choose")
        ->check(CLI::Range(0, 65535))
        ->capture_default_str();
    app.add_option("--certificate", given.certificate, "Certificate, and those that signed it (PEM)")
        ->capture_default_str();
    app.add_option("--key", given.key, "Private key (PEM)")->capture_default_str();
    app.add_option("--name", given.name, "Refuse clients that ask for a host of another name");
    app.add_option("--wait", given.wait, "Seconds for a handshake, and between requests")
        ->check(CLI::Range(1u, 3600u))
        ->capture_default_str();
    static const std::map<std::string, cs::close_policy> policies{{"graceful", cs::policies::graceful},
                                                                  {"peer_first", cs::policies::peer_first}};
    app.add_option_function<std::string>(
           "--policy", [&given](const std::string& name) { given.told = policies.at(name); },
           "Close of connections whose client was told by `Connection: close`")
        ->check(CLI::IsMember(policies))
        ->default_str("peer_first");
}

} // namespace

int main(int argc, char** argv) {
    CLI::App app{"Serves / and /large (1 MiB) by HTTP/1.1 over TLS, and says how each connection has ended."};
    arguments given;
    add_options(app, given);
    CLI11_PARSE(app, argc, argv);
    try {
        serve(given);
    } catch (const std::exception& e) {
        std::cerr << "https_server: " << e.what() << '\n';
        return EXIT_FAILURE;
    }
}
