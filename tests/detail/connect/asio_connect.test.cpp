// SPDX-License-Identifier: BSL-1.0
#include <closeside/detail/connect/asio_connect.hpp>

#include "support/connection.hpp"
#include "support/foreign_socket.hpp"
#include "support/kernel_view.hpp"

#include <closeside/connect.hpp>

#include <asio/awaitable.hpp>
#include <asio/bind_cancellation_slot.hpp>
#include <asio/cancellation_signal.hpp>
#include <asio/co_spawn.hpp>
#include <asio/connect.hpp>
#include <asio/detached.hpp>
#include <asio/use_awaitable.hpp>
#include <asio/use_future.hpp>

#include <doctest/doctest.h>

#include <array>
#include <chrono>
#include <optional>
#include <vector>

#include <netinet/tcp.h>

namespace cs = closeside;
namespace kv = kernel_view;
using namespace std::chrono_literals;
using namespace tests;

namespace {

constexpr cs::close_policy upstream{.linger2 = 7s, .drain_time = 100ms};
constexpr cs::close_policy abortive = cs::policies::abortive;
using stream_type = cs::stream<upstream>;

const asio::ip::address loopback = asio::ip::address_v4::loopback();

/// An endpoint on which nothing listens, for as long as this lives.
struct refusing {
    foreign_socket bound{tcp::endpoint(own_loopback(), 0)};
    tcp::endpoint at = bound.local();
};

int linger2_of(stream_type& stream) {
    int value = -7;
    socklen_t size = sizeof value;
    REQUIRE(::getsockopt(stream.socket().native_handle(), IPPROTO_TCP, TCP_LINGER2, &value, &size) == 0);
    return value;
}

struct connect_result {
    int calls = 0;
    cs::error_code ec;
    tcp::endpoint endpoint;

    auto handler() {
        return [this](cs::error_code e, tcp::endpoint at) {
            ++calls;
            ec = e;
            endpoint = at;
        };
    }
};

} // namespace

TEST_CASE("asio::connect on a stream tries each endpoint, and the connection carries the policy") {
    asio::io_context io;
    tcp::acceptor listener(io, {loopback, 0});
    const refusing nobody;
    const std::vector<tcp::endpoint> both{nobody.at, listener.local_endpoint()};
    const auto odd_one = [&](const cs::error_code& last, const tcp::endpoint& next) {
        CHECK_FALSE(last);
        return next != nobody.at;
    };
    stream_type stream(io);
    cs::error_code ec = asio::error::eof;

    SUBCASE("a sequence") { CHECK(asio::connect(stream, both) == both[1]); }
    SUBCASE("a sequence, with ec") { CHECK(asio::connect(stream, both, ec) == both[1]); }
    SUBCASE("a sequence and a condition") { CHECK(asio::connect(stream, both, odd_one) == both[1]); }
    SUBCASE("a sequence and a condition, with ec") { CHECK(asio::connect(stream, both, odd_one, ec) == both[1]); }
    SUBCASE("iterators") { CHECK(asio::connect(stream, both.begin(), both.end()) == both.begin() + 1); }
    SUBCASE("iterators, with ec") { CHECK(asio::connect(stream, both.begin(), both.end(), ec) == both.begin() + 1); }
    SUBCASE("iterators and a condition") {
        CHECK(asio::connect(stream, both.begin(), both.end(), odd_one) == both.begin() + 1);
    }
    SUBCASE("iterators and a condition, with ec") {
        CHECK(asio::connect(stream, both.begin(), both.end(), odd_one, ec) == both.begin() + 1);
    }
    SUBCASE("without asio:: in front") { CHECK(connect(stream, both) == both[1]); }
    SUBCASE("a resolver's results") {
        const auto results = tcp::resolver::results_type::create(listener.local_endpoint(), "here", "there");
        CHECK(asio::connect(stream, results) == listener.local_endpoint());
    }
    CHECK(stream.is_open());
    CHECK(stream.socket().remote_endpoint() == listener.local_endpoint());
    CHECK(linger2_of(stream) == 7);
    CHECK((!ec || ec == asio::error::eof)); // untouched, or success
}

TEST_CASE("asio::connect tells the last error, that there was none to try, and ends by its policy what was connected") {
    asio::io_context io;
    const refusing nobody;
    cs::error_code ec;
    stream_type stream(io);
    CHECK(asio::connect(stream, std::array{nobody.at}, ec) == tcp::endpoint());
    CHECK(ec == asio::error::connection_refused);
    asio::connect(stream, std::vector<tcp::endpoint>(), ec);
    CHECK(ec == asio::error::not_found);
    CHECK_THROWS_AS(asio::connect(stream, std::array{nobody.at}), cs::system_error);

    tcp::acceptor listener(io, {loopback, 0});
    cs::stream<abortive> moving(io);
    asio::connect(moving, std::array{listener.local_endpoint()});
    tcp::socket first = listener.accept();
    asio::connect(moving, std::array{listener.local_endpoint()});
    char byte = 0;
    first.read_some(asio::buffer(&byte, 1), ec);
    CHECK(ec == asio::error::connection_reset);
}

TEST_CASE("asio::async_connect on a stream tries each endpoint, and the connection carries the policy") {
    asio::io_context io;
    tcp::acceptor listener(io, {loopback, 0});
    const refusing nobody;
    const std::vector<tcp::endpoint> both{nobody.at, listener.local_endpoint()};
    stream_type stream(io);
    connect_result result;
    std::vector<cs::error_code> seen;
    const auto all = [&](const cs::error_code& last, const tcp::endpoint&) {
        seen.push_back(last);
        return true;
    };
    using iterator = std::vector<tcp::endpoint>::const_iterator;
    const auto by_iterator = [&](cs::error_code ec, iterator i) { result.handler()(ec, *i); };

    SUBCASE("a sequence, which need not outlive the call") {
        asio::async_connect(stream, std::vector(both), result.handler());
    }
    SUBCASE("a sequence and a condition") { asio::async_connect(stream, both, all, result.handler()); }
    SUBCASE("iterators") { asio::async_connect(stream, both.begin(), both.end(), by_iterator); }
    SUBCASE("iterators and a condition") { asio::async_connect(stream, both.begin(), both.end(), all, by_iterator); }
    SUBCASE("a coroutine") {
        asio::co_spawn(
            io,
            [&]() -> asio::awaitable<void> {
                result.endpoint = co_await asio::async_connect(stream, both, asio::use_awaitable);
                ++result.calls;
            },
            asio::detached);
    }
    CHECK(result.calls == 0);
    io.run();
    CHECK(result.calls == 1);
    CHECK_FALSE(result.ec);
    CHECK(result.endpoint == both[1]);
    CHECK(linger2_of(stream) == 7);
    if (!seen.empty()) {
        CHECK(seen.size() == 2);
        CHECK(seen.back() == asio::error::connection_refused);
    }
}

TEST_CASE("asio::async_connect fails as Asio's does, and never from inside its initiating function") {
    asio::io_context io;
    const refusing nobody;
    stream_type stream(io);
    connect_result result;
    cs::error_code expected;
    SUBCASE("nobody answers") {
        asio::async_connect(stream, std::array{nobody.at, nobody.at}, result.handler());
        expected = asio::error::connection_refused;
    }
    SUBCASE("nothing to try") {
        asio::async_connect(stream, std::vector<tcp::endpoint>(), result.handler());
        expected = asio::error::not_found;
    }
    SUBCASE("nothing that is wanted") {
        asio::async_connect(
            stream, std::array{nobody.at}, [](const cs::error_code&, const tcp::endpoint&) { return false; },
            result.handler());
        expected = asio::error::not_found;
    }
    CHECK(result.calls == 0);
    io.run();
    CHECK(result.calls == 1);
    CHECK(result.ec == expected);
    CHECK(result.endpoint == tcp::endpoint());
}

TEST_CASE("A cancelled or closed asio::async_connect tries no further endpoint") {
    asio::io_context io;
    foreign_socket full = foreign_socket(tcp::endpoint(own_loopback(), 0)).listening(0);
    const test_peer first(full.local());
    tcp::acceptor answers(io, {loopback, 0});
    answers.non_blocking(true);
    stream_type stream(io);
    connect_result result;
    asio::cancellation_signal signal;
    const std::vector<tcp::endpoint> ways(3, full.local());
    std::vector<tcp::endpoint> to = ways;
    to.push_back(answers.local_endpoint());
    asio::async_connect(stream, to, asio::bind_cancellation_slot(signal.slot(), result.handler()));
    io.poll();
    REQUIRE(result.calls == 0);
    SUBCASE("cancelled") { signal.emit(asio::cancellation_type::partial); }
    SUBCASE("closed") { stream.close(); }
    io.run_for(5s);
    CHECK(result.calls == 1);
    CHECK(result.ec == asio::error::operation_aborted);
    cs::error_code ec;
    answers.accept(ec);
    CHECK(ec == asio::error::would_block);
}

TEST_CASE("A stream whose executor has a default token connects with co_await alone") {
    asio::io_context io;
    tcp::acceptor listener(io, {loopback, 0});
    tcp::endpoint reached;
    asio::co_spawn(
        io,
        [&]() -> asio::awaitable<void> {
            auto stream = asio::use_awaitable.as_default_on(cs::stream<upstream>(io));
            reached = co_await asio::async_connect(stream, std::array{listener.local_endpoint()});
            CHECK(co_await stream.async_write_some(asio::buffer("hello", 5)) == 5);
            auto made = co_await cs::async_connect<upstream>(stream.get_executor(), listener.local_endpoint());
            CHECK(made.is_open());
        },
        asio::detached);
    io.run();
    CHECK(reached == listener.local_endpoint());
}

TEST_CASE("A resolver's iterator alone stands for the rest of its results, as older programs have it") {
    asio::io_context io;
    tcp::acceptor listener(io, {loopback, 0});
    const refusing nobody;
    const std::vector<tcp::endpoint> both{nobody.at, listener.local_endpoint()};
    const auto results = tcp::resolver::results_type::create(both.begin(), both.end(), "", "");
    stream_type stream(io);
    cs::error_code ec = asio::error::eof;

    SUBCASE("connect") { CHECK(asio::connect(stream, results.begin())->endpoint() == both[1]); }
    SUBCASE("connect, with ec") { CHECK(asio::connect(stream, results.begin(), ec)->endpoint() == both[1]); }
    SUBCASE("async_connect") {
        auto connected = asio::async_connect(stream, results.begin(), asio::use_future);
        io.run();
        CHECK(connected.get()->endpoint() == both[1]);
    }
    SUBCASE("all refuse") {
        const auto none = tcp::resolver::results_type::create(nobody.at, "", "");
        CHECK_THROWS_AS(asio::connect(stream, none.begin()), cs::system_error);
        CHECK(asio::connect(stream, none.begin(), ec) == decltype(none.begin())());
        CHECK(ec == asio::error::connection_refused);
        return;
    }
    CHECK(linger2_of(stream) == 7);
}
