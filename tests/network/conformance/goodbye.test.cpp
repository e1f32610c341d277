// SPDX-License-Identifier: BSL-1.0
#include "support/run_program.hpp"

#include <closeside/acceptor.hpp>
#include <closeside/policy.hpp>
#include <closeside/stream.hpp>

#include <asio/awaitable.hpp>
#include <asio/buffer.hpp>
#include <asio/co_spawn.hpp>
#include <asio/detached.hpp>
#include <asio/io_context.hpp>
#include <asio/read.hpp>
#include <asio/read_until.hpp>
#include <asio/redirect_error.hpp>
#include <asio/steady_timer.hpp>
#include <asio/use_awaitable.hpp>
#include <asio/write.hpp>
#include <doctest/doctest.h>

#include <algorithm>
#include <chrono>
#include <map>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include <unistd.h>

// peer_first as it is shipped, with its real patience: a peer that says goodbye is not taken for one that asks for more.
namespace {

namespace cs = closeside;
using asio::use_awaitable;
using asio::ip::tcp;
using namespace std::chrono_literals;
using clock_type = std::chrono::steady_clock;

constexpr int connections = 1000;
constexpr int at_a_time = 200;

const std::string request(100, 'q');
const std::string reply(1000, 'r');

struct outcomes {
    int success = 0;
    int still_sends = 0;
    int peer_first = 0;
    std::map<std::string, int> others;

    int all() const {
        int n = success + still_sends;
        for (const auto& [text, count] : others) n += count;
        return n;
    }
    void note(const cs::error_code& ec, const cs::close_report& report) {
        peer_first += report.first_fin == cs::fin_sender::peer;
        if (!ec)
            ++success;
        else if (ec == cs::error::peer_still_sends && report.limit == cs::close_limit::input)
            ++still_sends;
        else
            ++others[ec.message() + ", " + to_string(report)];
    }
};

using stream = cs::stream<cs::policies::peer_first>;

/// One request, its reply, which ends the connection, and the close.
asio::awaitable<void> serve(stream client, outcomes& seen) {
    std::string asked(request.size(), '\0');
    co_await asio::async_read(client, asio::buffer(asked), use_awaitable);
    co_await asio::async_write(client, asio::buffer(reply), use_awaitable);
    client.async_close([&seen](cs::error_code ec, const cs::close_report& report) { seen.note(ec, report); });
}

asio::awaitable<void> serve_all(cs::acceptor<cs::policies::peer_first>& listener, int count, outcomes& seen) {
    for (int i = 0; i < count; ++i)
        asio::co_spawn(listener.get_executor(), serve(co_await listener.async_accept(use_awaitable), seen),
                       asio::detached);
}

asio::awaitable<void> pause(clock_type::duration d) {
    asio::steady_timer timer(co_await asio::this_coro::executor, d);
    co_await timer.async_wait(use_awaitable);
}

asio::awaitable<tcp::socket> ask(tcp::endpoint server, std::string requests) {
    tcp::socket s(co_await asio::this_coro::executor);
    co_await s.async_connect(server, use_awaitable);
    co_await asio::async_write(s, asio::buffer(requests), use_awaitable);
    std::string answer(reply.size(), '\0');
    co_await asio::async_read(s, asio::buffer(answer), use_awaitable);
    co_return s;
}

/// Its second request was there before the reply.
asio::awaitable<void> pipelines(tcp::endpoint server) {
    tcp::socket s = co_await ask(server, request + request);
    co_await pause(20ms);
}

/// As TLS and WebSocket clients do.
asio::awaitable<void> says_goodbye(tcp::endpoint server) {
    tcp::socket s = co_await ask(server, request);
    co_await asio::async_write(s, asio::buffer("goodbye!", 8), use_awaitable);
    co_await pause(45ms);
}

/// Takes no notice of the reply's end, and gets to know ours how long after?
asio::awaitable<void> asks_again(tcp::endpoint server, std::vector<clock_type::duration>& until_end) {
    tcp::socket s = co_await ask(server, request);
    co_await pause(20ms);
    co_await asio::async_write(s, asio::buffer(request), use_awaitable);
    const auto asked = clock_type::now();
    char byte;
    cs::error_code ec;
    co_await s.async_read_some(asio::buffer(&byte, 1), asio::redirect_error(use_awaitable, ec));
    if (ec == asio::error::eof) until_end.push_back(clock_type::now() - asked);
}

/// `count` of these clients at the same time.
template <class Client>
void run_clients(int count, outcomes& seen, Client client) {
    asio::io_context io;
    cs::acceptor<cs::policies::peer_first> listener(io, tcp::endpoint(asio::ip::address_v4::loopback(), 0));
    const tcp::endpoint server = listener.local_endpoint();
    asio::co_spawn(io, serve_all(listener, count, seen), asio::detached);
    for (int i = 0; i < count; ++i) asio::co_spawn(io, client(server), asio::detached);
    io.run_for(20s);
}

void check_that_none_is_taken_for_a_request(const outcomes& seen) {
    for (const auto& [text, count] : seen.others) MESSAGE(count << " x " << text);
    CHECK(seen.all() == connections);
    CHECK(seen.still_sends == 0);
    CHECK(seen.success == connections);
    CHECK(seen.peer_first == connections);
}

/// As curl expects it.
asio::awaitable<void> serve_http(stream client, outcomes& seen) {
    std::string asked;
    co_await asio::async_read_until(client, asio::dynamic_buffer(asked), "\r\n\r\n", use_awaitable);
    static const std::string answer = "HTTP/1.1 200 OK\r\nContent-Length: 5\r\nConnection: close\r\n\r\nhello";
    co_await asio::async_write(client, asio::buffer(answer), use_awaitable);
    client.async_close([&seen](cs::error_code ec, const cs::close_report& report) { seen.note(ec, report); });
}

asio::awaitable<void> serve_http_to_all(cs::acceptor<cs::policies::peer_first>& listener, outcomes& seen) {
    for (int i = 0; i < connections; ++i)
        asio::co_spawn(listener.get_executor(), serve_http(co_await listener.async_accept(use_awaitable), seen),
                       asio::detached);
}

} // namespace

TEST_CASE("peer_first: a request that was there before the reply is no input") {
    outcomes seen;
    for (int i = 0; i < connections; i += at_a_time) run_clients(at_a_time, seen, pipelines);
    check_that_none_is_taken_for_a_request(seen);
}

TEST_CASE("peer_first: a goodbye of 8 bytes with its FIN within 50 ms is no input") {
    outcomes seen;
    for (int i = 0; i < connections; i += at_a_time) run_clients(at_a_time, seen, says_goodbye);
    check_that_none_is_taken_for_a_request(seen);
}

TEST_CASE("peer_first: who sends the next request has our FIN within 250 ms") {
    outcomes seen;
    std::vector<clock_type::duration> until_end;
    run_clients(100, seen, [&](tcp::endpoint server) { return asks_again(server, until_end); });
    CHECK(seen.still_sends == 100);
    REQUIRE(until_end.size() == 100);
    const auto [shortest, longest] = std::minmax_element(until_end.begin(), until_end.end());
    const auto ms = [](clock_type::duration d) { return std::chrono::duration<double, std::milli>(d).count(); };
    MESSAGE("our FIN after " << ms(*shortest) << " to " << ms(*longest) << " ms");
    CHECK(*longest < 250ms);
    CHECK(*shortest > 150ms);
}

TEST_CASE("peer_first: curl, told of the end by Connection: close, closes first") {
    const std::string curl = "/usr/bin/curl";
    if (::access(curl.c_str(), X_OK) != 0) {
        MESSAGE("SKIPPED: no " << curl);
        return;
    }
    asio::io_context io;
    cs::acceptor<cs::policies::peer_first> listener(io, tcp::endpoint(asio::ip::address_v4::loopback(), 0));
    const std::string url = "http://127.0.0.1:" + std::to_string(listener.local_endpoint().port()) + "/[1-" +
                            std::to_string(connections) + "]";
    outcomes seen;
    asio::co_spawn(io, serve_http_to_all(listener, seen), asio::detached);
    std::thread server([&] { io.run_for(20s); });
    tests::program_result result{};
    try {
        result = tests::run_program({curl, "--silent", "--show-error", "--noproxy", "*", "--max-time", "9", url});
    } catch (const std::exception& e) {
        FAIL_CHECK(e.what());
        io.stop();
    }
    server.join();
    CHECK(result.status == 0);
    CHECK_MESSAGE(result.err.empty(), result.err);
    check_that_none_is_taken_for_a_request(seen);
}
