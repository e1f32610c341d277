// SPDX-License-Identifier: BSL-1.0
#include <closeside/stream.hpp>

#include "support/connection.hpp"

#include <asio/buffer.hpp>

#include <doctest/doctest.h>

#include <array>
#include <chrono>
#include <string>

namespace cs = closeside;
namespace kv = kernel_view;
using namespace std::chrono_literals;

namespace {

constexpr cs::close_policy graceful = cs::policies::graceful;
constexpr cs::close_policy patient{.closes_first = cs::side::peer, .patience = 300ms, .drain_time = 100ms};

template <cs::close_policy P>
using stream = cs::stream<P>;
using ends = cs::stream<graceful>;

/// What a read has come to.
struct read_result {
    int calls = 0;
    cs::error_code ec;
    std::size_t bytes = 0;
    std::array<char, 64> buffer{};

    template <class Stream>
    void start(Stream& s) {
        calls = 0;
        s.async_read_some(asio::buffer(buffer), [this](cs::error_code e, std::size_t n) {
            ++calls;
            ec = e;
            bytes = n;
        });
    }
};

} // namespace

TEST_CASE("shutdown_send is a half-close: the peer's answer is read, the report knows who was first") {
    connection<graceful> c;
    c.stream->send(asio::buffer(std::string("request")));
    c.stream->shutdown(ends::shutdown_send);
    CHECK(c.local_becomes(kv::fin_wait2));
    CHECK(c.peer.read().bytes == 7);
    c.peer.send(20);
    read_result got;
    got.start(*c.stream);
    REQUIRE(c.run_until([&] { return got.calls == 1; }));
    CHECK(got.bytes == 20);

    close_result result;
    c.stream->async_close(result.handler());
    c.peer.close();
    REQUIRE(c.run_until([&] { return result.calls == 1; }));
    CHECK_FALSE(result.ec);
    CHECK(result.report.first_fin == cs::fin_sender::local);
    CHECK(result.report.time_wait == cs::time_wait_holder::local);
    CHECK(c.local_state() == kv::time_wait);
}

TEST_CASE("shutdown_both sends our FIN, cancels what is under way, and keeps reading possible") {
    connection<graceful> c;
    read_result pending;
    pending.start(*c.stream);
    c.io.poll();
    cs::error_code ec = asio::error::eof;
    c.stream->shutdown(ends::shutdown_both, ec);
    CHECK_FALSE(ec);
    REQUIRE(c.run_until([&] { return pending.calls == 1; }));
    CHECK(pending.ec == asio::error::operation_aborted);
    CHECK(c.local_becomes(kv::fin_wait2));

    // After SHUT_RD the kernel would answer this with RST.
    c.peer.send(30);
    read_result got;
    got.start(*c.stream);
    REQUIRE(c.run_until([&] { return got.calls == 1; }));
    CHECK(got.bytes == 30);
    CHECK(c.local_state() == kv::fin_wait2);
    CHECK(c.peer.read_available().error == 0); // end of file, no reset
    c.peer.half_close();
    got.start(*c.stream);
    REQUIRE(c.run_until([&] { return got.calls == 1; }));
    CHECK(got.ec == asio::error::eof);
}

TEST_CASE("after shutdown_both a close under peer_first reports no FIN that the peer has not sent") {
    for (const bool through_layer : {false, true}) {
        CAPTURE(through_layer);
        connection<patient> c;
        if (through_layer)
            c.stream->lowest_layer().shutdown(ends::shutdown_both);
        else
            c.stream->shutdown(ends::shutdown_both);
        close_result result;
        c.stream->async_close(result.handler());
        REQUIRE(c.run_until([&] { return result.calls == 1; }));
        CHECK(result.ec == cs::error::patience_over);
        CHECK(result.report.first_fin == cs::fin_sender::local);
        CHECK(result.report.time_wait == cs::time_wait_holder::left_to_kernel);
        CHECK(c.peer_state() == kv::close_wait);
    }
}

TEST_CASE("after shutdown_both a close waits for the peer's FIN and says whose was first") {
    connection<patient> c;
    c.stream->shutdown(ends::shutdown_both);
    close_result result;
    c.stream->async_close(result.handler());
    c.io.poll();
    CHECK(result.calls == 0);
    c.peer.close();
    REQUIRE(c.run_until([&] { return result.calls == 1; }));
    CHECK_FALSE(result.ec);
    CHECK(result.report.first_fin == cs::fin_sender::local);
    CHECK(result.report.time_wait == cs::time_wait_holder::local);
    CHECK(c.local_state() == kv::time_wait);
}

TEST_CASE("shutdown_both, then close(), as ported programs say it: the reply arrives whole") {
    connection<graceful> c;
    c.peer.send(20'000);
    const std::string reply(64 * 1024, 'r');
    REQUIRE(c.stream->send(asio::buffer(reply)) == reply.size());
    cs::error_code ignored;
    c.stream->shutdown(ends::shutdown_both, ignored);
    c.stream->close();
    CHECK_FALSE(c.stream->is_open());
    const auto got = c.peer.read();
    CHECK(got.bytes == reply.size());
    CHECK(got.error == 0);
    c.peer.close();
    REQUIRE(c.run_until([&] { return c.local_state() == kv::time_wait; }));
}

TEST_CASE("shutdown_receive is Asio's: reads end at once, and data after our FIN draws RST") {
    connection<graceful> c;
    c.stream->shutdown(ends::shutdown_receive);
    CHECK(c.local_state() == kv::established);
    read_result got;
    got.start(*c.stream);
    REQUIRE(c.run_until([&] { return got.calls == 1; }));
    CHECK(got.ec == asio::error::eof);
    c.stream->shutdown(ends::shutdown_send);
    CHECK(c.peer_becomes(kv::close_wait));
    c.peer.send(10);
    CHECK(kv::eventually([&] { return c.peer_state() == kv::none || c.peer_state() == kv::close; }));
    CHECK(c.local_state() == kv::none);
}

TEST_CASE("shutdown fails as Asio's does") {
    asio::io_context io;
    stream<graceful> closed(io);
    tcp::socket plain(io);
    stream<graceful> unconnected(io, tcp::v4());
    tcp::socket plain_unconnected(io, tcp::v4());
    for (const auto what : {ends::shutdown_receive, ends::shutdown_send, ends::shutdown_both}) {
        CAPTURE(static_cast<int>(what));
        cs::error_code ours, asios;
        closed.shutdown(what, ours);
        plain.shutdown(what, asios);
        CHECK(ours == asios);
        CHECK(ours == asio::error::bad_descriptor);
        unconnected.shutdown(what, ours);
        plain_unconnected.shutdown(what, asios);
        CHECK(ours == asios);
        CHECK(ours == asio::error::not_connected);
        CHECK_THROWS_AS(closed.shutdown(what), cs::system_error);
    }
}
