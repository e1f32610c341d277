// SPDX-License-Identifier: BSL-1.0
// A proxy. `proxy --to localhost:8081` is a reverse proxy of HTTP/1.1 (http.cpp), with a pool of connections to the server
// behind it; `proxy --tcp --to localhost:5432` passes bytes on, and each side's end. SIGTERM stops it without losing a
// request, a second one cuts.
#include "proxy.hpp"

#include <closeside/host.hpp>

#include <boost/asio/buffer.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/experimental/awaitable_operators.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/signal_set.hpp>
#include <boost/asio/write.hpp>

#include <CLI/CLI.hpp>

#include <array>
#include <csignal>
#include <cstdlib>
#include <exception>
#include <iostream>
#include <stdexcept>
#include <string>
#include <tuple>
#include <variant>

namespace proxying {

using namespace net::experimental::awaitable_operators;
using namespace std::chrono_literals;

void log(const proxy& here, const std::string& whose, const cs::error_code& ec, const cs::close_report& report) {
    if (here.given.log) std::clog << whose + " closed: " + ec.message() + ": " + to_string(report) + '\n';
}

net::awaitable<void> close(stream& end, const cs::close_policy& how, std::string whose, proxy& here) {
    if (!end.is_open()) { // by abort()
        if (here.given.log) std::clog << whose + " reset\n";
        co_return;
    }
    const auto [ec, report] = co_await end.async_close(how, no_throw);
    log(here, whose, ec, report);
}

net::awaitable<std::optional<upstream>> connect(proxy& here) {
    net::steady_timer limit(here.io, 5s);
    auto done =
        co_await (cs::async_connect<untold>(here.io.get_executor(), here.to, no_throw) || limit.async_wait(no_throw));
    if (done.index() == 1 || std::get<0>(std::get<0>(done))) co_return std::nullopt;
    co_return upstream{.server = std::get<1>(std::move(std::get<0>(done)))};
}

namespace {

/// Until `from` has sent its FIN, which is passed on behind its last byte. An error ends both directions: by RST, since
/// a part of a message must not look like the whole.
net::awaitable<void> pass_on(stream& from, stream& to, time_limit<stream>& limit, clock_type::duration idle) {
    std::array<char, 16 * 1024> data;
    cs::error_code ec;
    std::size_t size = 0;
    while (!ec) {
        limit.set(idle);
        std::tie(ec, size) = co_await from.async_read_some(net::buffer(data), no_throw);
        if (!ec) std::tie(ec, size) = co_await net::async_write(to, net::buffer(data, size), no_throw);
    }
    if (ec == net::error::eof) {
        // The kernel tells of a reset once, and then of the end: the direction that has been told goes first.
        co_await net::post(from.get_executor(), net::use_awaitable);
        to.shutdown(stream::shutdown_send, ec); // the report will know of it
    } else {
        from.abort();
        to.abort();
    }
}

/// A proxy of bytes does not know what is idle: when it stops, both ends of each pair have until the deadline.
net::awaitable<void> tcp_session(stream client, proxy& here) {
    const cs::orderly_stop::member member(here.stop, client);
    std::optional<upstream> found = co_await connect(here);
    if (!found) co_return client.abort();
    stream& server = found->server;
    time_limit<stream> limit(client);
    limit.watch_too(&server);
    const auto idle = seconds(here.given.idle);
    co_await ((pass_on(client, server, limit, idle) && pass_on(server, client, limit, idle)) || limit.watch());
    // If neither was reset, both have sent their FIN, and been sent one: nothing is left to wait for.
    co_await (close(client, untold, "client", here) && close(server, untold, "server", here));
}

net::awaitable<void> accept_loop(cs::acceptor<untold>& listener, proxy& here) {
    while (true) {
        auto [ec, client] = co_await listener.async_accept(no_throw);
        if (ec == net::error::operation_aborted) co_return; // the stop has closed it, and nobody was waiting
        if (ec) continue;
        auto session = here.given.tcp ? tcp_session(std::move(client), here) : http_session(std::move(client), here);
        net::co_spawn(here.io, std::move(session), net::detached);
    }
}

net::awaitable<void> reap(proxy& here) {
    for (cs::error_code ec; !ec;) {
        here.idle.reap(seconds(here.given.pool_idle));
        here.reaping.expires_after(1s);
        std::tie(ec) = co_await here.reaping.async_wait(no_throw);
    }
    here.idle.reap(0s);
}

/// For `notice` each connection is served once more and told to go. Then idle ones are closed; busy ones may finish, and
/// whoever has not `within` the time is reset.
net::awaitable<void> stop_at_signal(net::signal_set& signals, proxy& here) {
    co_await signals.async_wait(no_throw);
    signals.async_wait([&](const cs::error_code& ec, int) {
        if (!ec) here.stop.now(); // a second signal
    });
    std::clog << "stopping\n";
    const auto [ec, report] = co_await here.stop.async_stop(
        {.notice = seconds(here.given.notice), .within = seconds(here.given.within)}, no_throw);
    signals.cancel();
    here.reaping.cancel();
    std::clog << "stopped: " << report << '\n';
}

void run(const arguments& given) {
    cs::warn_at_startup<untold, told, told_server>(std::clog);
    proxy here{.given = given};
    const std::size_t colon = given.to.rfind(':');
    if (colon == std::string::npos) throw std::invalid_argument("'" + given.to + "' is not host:port");
    std::string host = given.to.substr(0, colon);
    std::erase_if(host, [](char c) { return c == '[' || c == ']'; }); // of an IPv6 address
    here.to = tcp::resolver(here.io).resolve(host, given.to.substr(colon + 1));
    cs::acceptor<untold> listener(here.io, {tcp::v6(), given.port}, net::socket_base::max_listen_connections,
                                  tcp::no_delay(true));
    here.stop.add(listener);
    net::signal_set signals(here.io, SIGINT, SIGTERM);
    std::clog << "passing on from " << listener.local_endpoint() << '\n';
    net::co_spawn(here.io, accept_loop(listener, here), net::detached);
    net::co_spawn(here.io, reap(here), net::detached);
    net::co_spawn(here.io, stop_at_signal(signals, here), net::detached);
    here.io.run(); // until the last connection has ended
}

void add_options(CLI::App& app, arguments& given) {
    app.option_defaults()->always_capture_default();
    app.add_option("--to", given.to, "Server behind the proxy, host:port")->required();
    app.add_option("--port", given.port, "TCP port; 0 lets the kernel choose")->check(CLI::Range(0, 65535));
    app.add_option("--idle", given.idle, "Seconds that a client may wait between requests")
        ->check(CLI::Range(0.001, 86400.0));
    app.add_option("--pool-idle", given.pool_idle,
                   "Seconds that a connection to the server may wait for the next request")
        ->check(CLI::Range(0.0, 86400.0));
    app.add_option("--requests", given.requests, "Requests on a connection to the server")
        ->check(CLI::Range(1u, 1u << 30));
    app.add_option("--notice", given.notice, "Seconds of a stop in which clients are told to go")
        ->check(CLI::Range(0.0, 3600.0));
    app.add_option("--within", given.within, "Seconds that a stop takes at most")->check(CLI::Range(0.001, 3600.0));
    app.add_flag("--tcp", given.tcp, "Pass bytes on, whatever they mean");
    app.add_flag("--log", given.log, "Write a line for each connection that has ended");
}

} // namespace

} // namespace proxying

int main(int argc, char** argv) {
    CLI::App app{"A reverse proxy of HTTP/1.1, or of TCP, with the close that each situation calls for."};
    proxying::arguments given;
    proxying::add_options(app, given);
    CLI11_PARSE(app, argc, argv);
    try {
        proxying::run(given);
    } catch (const std::exception& e) {
        std::cerr << "proxy: " << e.what() << '\n';
        return EXIT_FAILURE;
    }
}
