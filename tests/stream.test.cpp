// SPDX-License-Identifier: BSL-1.0
#include <closeside/stream.hpp>

#include "support/connection.hpp"
#include "support/interposed_calls.hpp"

#include <closeside/acceptor.hpp>
#include <closeside/error.hpp>

#include <asio/awaitable.hpp>
#include <asio/bind_cancellation_slot.hpp>
#include <asio/bind_executor.hpp>
#include <asio/buffer.hpp>
#include <asio/cancellation_signal.hpp>
#include <asio/co_spawn.hpp>
#include <asio/detached.hpp>
#include <asio/read.hpp>
#include <asio/steady_timer.hpp>
#include <asio/strand.hpp>
#include <asio/thread_pool.hpp>
#include <asio/use_awaitable.hpp>
#include <asio/use_future.hpp>
#include <asio/write.hpp>

#include <doctest/doctest.h>

#include <atomic>
#include <functional>
#include <future>
#include <memory>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include <fcntl.h>
#include <netinet/tcp.h>

namespace cs = closeside;
namespace kv = kernel_view;
using namespace std::chrono_literals;

namespace {

constexpr cs::close_policy quick{.drain_time = 200ms};
constexpr cs::close_policy quick_abort{.drain_time = 200ms, .on_limit = cs::limit_action::abort};
constexpr cs::close_policy impatient{.closes_first = cs::side::peer, .patience = 200ms, .drain_time = 200ms};
constexpr cs::close_policy impatient_abort{
    .closes_first = cs::side::peer, .patience = 200ms, .on_limit = cs::limit_action::abort};
constexpr cs::close_policy small_drain{.drain_time = 2s, .drain_bytes = 1000};
constexpr cs::close_policy floodable{.drain_time = 1s, .drain_bytes = 64u << 20};
constexpr cs::close_policy acknowledged{.linger = cs::lingering::until_acked(1s), .drain_time = 5s};
constexpr cs::close_policy acknowledged_only{.linger = cs::lingering::until_acked(1s),
                                             .drain_time = cs::close_duration{0}};
constexpr cs::close_policy no_fin_wait2{.linger2 = cs::fin_wait2::skip, .drain_time = cs::close_duration{0}};

const std::string big_reply(4u << 20, 'r');

/// Starts async_close and runs the context until it has completed.
template <cs::close_policy P>
close_result close_and_wait(connection<P>& c, const cs::close_policy& by = P) {
    close_result result;
    c.stream->async_close(by, result.handler());
    CHECK(result.calls == 0);
    REQUIRE(c.run_until([&] { return result.calls > 0; }));
    c.io.restart();
    c.io.poll();
    CHECK(result.calls == 1);
    CHECK_FALSE(c.stream->is_open());
    return result;
}

} // namespace

static_assert(sizeof(cs::stream<cs::policies::graceful>) == sizeof(tcp::socket));
static_assert(sizeof(cs::stream<quick_abort>) == sizeof(tcp::socket));
static_assert(!std::is_copy_constructible_v<cs::stream<quick>>);
static_assert(std::is_nothrow_move_constructible_v<cs::stream<quick>>);
static_assert(std::is_nothrow_move_assignable_v<cs::stream<quick>>);
static_assert(cs::stream<impatient>::policy == impatient);
static_assert(std::is_same_v<cs::stream<quick>::rebind_executor<asio::io_context::executor_type>::other,
                             cs::basic_stream<quick, asio::io_context::executor_type>>);

TEST_CASE("a graceful close sends our FIN, waits for the peer's and leaves TIME-WAIT here") {
    connection<cs::policies::graceful> c;
    close_result result;
    c.stream->async_close(result.handler());
    CHECK(c.local_becomes(kv::fin_wait2));
    CHECK(c.peer_state() == kv::close_wait);
    c.io.poll();
    CHECK(result.calls == 0);

    c.peer.close();
    REQUIRE(c.run_until([&] { return result.calls == 1; }));
    CHECK_FALSE(result.ec);
    CHECK(result.report.first_fin == cs::fin_sender::local);
    CHECK(result.report.ended_by == cs::ending::fin);
    CHECK(result.report.time_wait == cs::time_wait_holder::local);
    CHECK(result.report.limit == cs::close_limit::none);
    CHECK(result.report.unacknowledged == 0);
    CHECK(c.local_state() == kv::time_wait);
    CHECK(c.peer_state() == kv::none);
}

TEST_CASE("a peer_first close waits for the peer's FIN and leaves no TIME-WAIT here") {
    connection<cs::policies::peer_first> c;
    close_result result;
    c.stream->async_close(result.handler());
    c.io.poll();
    CHECK(c.local_state() == kv::established);

    c.peer.close();
    REQUIRE(c.run_until([&] { return result.calls == 1; }));
    CHECK_FALSE(result.ec);
    CHECK(result.report.first_fin == cs::fin_sender::peer);
    CHECK(result.report.time_wait == cs::time_wait_holder::peer);
    CHECK(c.peer_becomes(kv::time_wait));
    CHECK(c.local_state() == kv::none);
}

TEST_CASE("an abortive close resets the connection and nobody holds TIME-WAIT") {
    connection<cs::policies::abortive> c;
    const close_result result = close_and_wait(c);
    CHECK_FALSE(result.ec);
    CHECK(result.report.ended_by == cs::ending::reset_by_us);
    CHECK(result.report.time_wait == cs::time_wait_holder::nobody);
    CHECK(c.peer.read().error == ECONNRESET);
    CHECK(c.local_state() == kv::none);
    CHECK(c.peer_state() == kv::none);
}

TEST_CASE("a system close is close(2): FIN without unread input, RST with it") {
    SUBCASE("nothing unread") {
        connection<cs::policies::system> c;
        const close_result result = close_and_wait(c);
        CHECK_FALSE(result.ec);
        CHECK(result.report.first_fin == cs::fin_sender::local);
        CHECK(result.report.ended_by == cs::ending::fin);
        CHECK(result.report.time_wait == cs::time_wait_holder::left_to_kernel);
        CHECK(c.peer.read().error == 0);
        CHECK(c.local_becomes(kv::fin_wait2));
    }
    SUBCASE("unread input") {
        connection<cs::policies::system> c;
        c.peer.send(100);
        const close_result result = close_and_wait(c);
        CHECK_FALSE(result.ec);
        CHECK(result.report.ended_by == cs::ending::reset_by_us);
        CHECK(result.report.discarded == 0);
        CHECK(c.peer.read().error == ECONNRESET);
    }
    SUBCASE("the peer has closed") {
        connection<cs::policies::system> c;
        c.peer.half_close();
        REQUIRE(c.local_becomes(kv::close_wait));
        const close_result result = close_and_wait(c);
        CHECK_FALSE(result.ec);
        CHECK(result.report.first_fin == cs::fin_sender::peer);
        CHECK(result.report.time_wait == cs::time_wait_holder::peer);
        CHECK(c.peer_becomes(kv::time_wait));
    }
    SUBCASE("the peer has reset") {
        connection<cs::policies::system> c;
        c.peer.reset();
        REQUIRE(c.local_becomes(kv::none));
        const close_result result = close_and_wait(c);
        CHECK(result.ec == cs::error::reset_by_peer);
        CHECK(result.report.ended_by == cs::ending::reset_by_peer);
    }
}

TEST_CASE("a queued reply reaches a peer whose input we have not read, where a plain close loses most of it") {
    const auto lost_after = []<class C>(C& c) {
        c.peer.send(100'000);
        const std::size_t queued = c.fill_send_queue();
        REQUIRE(queued > 1'000'000);
        c.stream->async_close(asio::detached);
        test_peer::result got;
        std::thread reader([&] {
            got = c.peer.read();
            c.peer.close();
        });
        c.io.run_for(5s);
        reader.join();
        return std::pair(queued - got.bytes, got.error);
    };
    SUBCASE("graceful") {
        connection<cs::policies::graceful> c;
        CHECK(lost_after(c) == std::pair(std::size_t{0}, 0));
    }
    SUBCASE("close(2)") {
        connection<cs::policies::system> c;
        const auto [lost, error] = lost_after(c);
        CHECK(lost > 500'000);
        CHECK(error == ECONNRESET);
    }
}

TEST_CASE("input that arrives during the close is counted and discarded") {
    connection<cs::policies::graceful> c;
    c.peer.send(300'000);
    close_result result;
    c.stream->async_close(result.handler());
    c.peer.send(200'000);
    c.peer.half_close();
    REQUIRE(c.run_until([&] { return result.calls == 1; }));
    CHECK_FALSE(result.ec);
    CHECK(result.report.discarded == 500'000);
    CHECK(c.peer.read().error == 0);
}

TEST_CASE("a flood is discarded to its last byte, and whatever ends it wakes the close") {
    constexpr std::size_t flood = (3u << 20) + 17;
    connection<floodable> c;
    const int options_before = tests::setsockopt_calls;
    close_result result;
    c.stream->async_close(result.handler());
    std::thread peer;
    SUBCASE("a FIN") {
        peer = std::thread([&] {
            c.peer.send(flood);
            c.peer.half_close();
        });
        CHECK(c.run_until([&] { return result.calls == 1; }));
        CHECK_FALSE(result.ec);
        CHECK(result.report.discarded == flood);
        CHECK(result.report.time_wait == cs::time_wait_holder::local);
        CHECK(tests::setsockopt_calls > options_before); // SO_RCVLOWAT was raised
    }
    SUBCASE("silence") {
        peer = std::thread([&] { c.peer.send(flood); });
        CHECK(c.run_until([&] { return result.calls == 1; }));
        CHECK(result.ec == cs::error::drain_time_over);
        CHECK(result.report.discarded == flood);
        CHECK(result.report.elapsed < floodable.drain_time.count * 1ms + 1s);
    }
    SUBCASE("a reset") {
        peer = std::thread([&] {
            c.peer.send(flood);
            c.peer.reset();
        });
        CHECK(c.run_until([&] { return result.calls == 1; }));
        CHECK(result.ec == cs::error::reset_by_peer);
        CHECK(result.report.elapsed < floodable.drain_time.count * 1ms);
    }
    SUBCASE("on the calling thread too") {
        peer = std::thread([&] { c.peer.close(); });
        CHECK(c.run_until([&] { return result.calls == 1; }));
        peer.join();
        connection<floodable> other;
        peer = std::thread([&] {
            other.peer.send(flood);
            other.peer.half_close();
        });
        CHECK(other.stream->close_and_wait().discarded == flood);
        peer.join();
    }
    if (peer.joinable()) peer.join();
}

TEST_CASE("a close that tells nobody, asio::detached, ends the connection all the same") {
    connection<cs::policies::graceful> c;
    c.peer.send(1000);
    const int options_before = tests::setsockopt_calls;
    c.stream->async_close(asio::detached);
    CHECK_FALSE(c.stream->is_open());
    c.io.poll();
    c.peer.close();
    REQUIRE(c.run_until([&] { return c.local_state() == kv::time_wait; }));
    CHECK(tests::setsockopt_calls == options_before);
    c.io.restart();
    c.io.run_for(5s);
    CHECK(c.io.stopped());
    c.stream->async_close(asio::detached); // of a closed stream: nothing
    c.io.restart();
    CHECK(c.io.poll() == 0);
}

TEST_CASE("drain_time running out") {
    SUBCASE("on_limit = close: an orphan in FIN-WAIT-2 is left to the kernel") {
        connection<quick> c;
        const close_result result = close_and_wait(c);
        CHECK(result.ec == cs::error::drain_time_over);
        CHECK(result.ec == std::errc::timed_out);
        CHECK(result.report.limit == cs::close_limit::drain_time);
        CHECK(result.report.first_fin == cs::fin_sender::local);
        CHECK(result.report.time_wait == cs::time_wait_holder::left_to_kernel);
        CHECK(result.report.elapsed >= 200ms);
        CHECK(result.report.elapsed < 1s);
        const auto left = kv::find(c.local, c.peer.local());
        CHECK(left.state == kv::fin_wait2);
        CHECK(left.inode == 0);
    }
    SUBCASE("on_limit = abort resets") {
        connection<quick_abort> c;
        const close_result result = close_and_wait(c);
        CHECK(result.ec == cs::error::drain_time_over);
        CHECK(result.report.ended_by == cs::ending::reset_by_us);
        CHECK(result.report.time_wait == cs::time_wait_holder::nobody);
        CHECK(c.local_state() == kv::none);
    }
    SUBCASE("a trickling peer does not extend it") {
        connection<quick> c;
        close_result result;
        c.stream->async_close(result.handler());
        asio::steady_timer tick(c.io);
        std::function<void()> trickle = [&] {
            tick.expires_after(20ms);
            tick.async_wait([&](cs::error_code ec) {
                if (ec || result.calls != 0) return;
                c.peer.send(1);
                trickle();
            });
        };
        trickle();
        REQUIRE(c.run_until([&] { return result.calls == 1; }));
        CHECK(result.ec == cs::error::drain_time_over);
        CHECK(result.report.discarded >= 5);
        CHECK(result.report.elapsed < 1s);
    }
}

TEST_CASE("drain_bytes running out") {
    connection<small_drain> c;
    SUBCASE("exactly drain_bytes and FIN is within the limit") {
        c.peer.send(1000);
        c.peer.half_close();
        const close_result result = close_and_wait(c);
        CHECK_FALSE(result.ec);
        CHECK(result.report.discarded == 1000);
    }
    SUBCASE("one byte more is over it; what has arrived is emptied, so that the kernel goes on") {
        const std::size_t queued = c.fill_send_queue();
        c.peer.send(1001);
        const close_result result = close_and_wait(c);
        CHECK(result.ec == cs::error::drain_bytes_over);
        CHECK(result.report.limit == cs::close_limit::drain_bytes);
        CHECK(result.report.discarded == 1001);
        CHECK(result.report.ended_by == cs::ending::fin);
        CHECK(c.peer.read().bytes == queued);
    }
    SUBCASE("or RST, where on_limit says so") {
        c.peer.send(1001);
        const close_result result =
            close_and_wait(c, {.drain_time = 2s, .drain_bytes = 1000, .on_limit = cs::limit_action::abort});
        CHECK(result.ec == cs::error::drain_bytes_over);
        CHECK(result.report.ended_by == cs::ending::reset_by_us);
        CHECK(c.local_state() == kv::none);
        CHECK(c.peer_state() == kv::none);
    }
}

TEST_CASE("patience running out") {
    SUBCASE("on_limit = abort resets, so that TIME-WAIT does not land here") {
        connection<impatient_abort> c;
        const close_result result = close_and_wait(c);
        CHECK(result.ec == cs::error::patience_over);
        CHECK(result.report.limit == cs::close_limit::patience);
        CHECK(result.report.ended_by == cs::ending::reset_by_us);
        CHECK(result.report.elapsed >= 200ms);
        CHECK(result.report.elapsed < 1s);
        CHECK(c.local_state() == kv::none);
        CHECK(c.peer.read().error == ECONNRESET);
    }
    SUBCASE("on_limit = close sends our FIN and drains") {
        connection<impatient> c;
        const close_result result = close_and_wait(c);
        CHECK(result.ec == cs::error::patience_over);
        CHECK(result.report.first_fin == cs::fin_sender::local);
        CHECK(result.report.ended_by == cs::ending::fin);
        CHECK(result.report.time_wait == cs::time_wait_holder::left_to_kernel);
        CHECK(c.peer.read().error == 0);
        CHECK(c.local_becomes(kv::fin_wait2));
    }
}

TEST_CASE("a policy given to async_close replaces the type's for that close") {
    SUBCASE("an idle connection is kicked by our FIN, though the type lets the peer close first") {
        connection<cs::policies::peer_first> c;
        close_result result;
        c.stream->async_close(cs::policies::graceful, result.handler());
        CHECK(c.local_becomes(kv::fin_wait2));
        c.peer.close();
        REQUIRE(c.run_until([&] { return result.calls == 1; }));
        CHECK_FALSE(result.ec);
        CHECK(result.report.first_fin == cs::fin_sender::local);
    }
    SUBCASE("fewer bytes") {
        connection<cs::policies::graceful> c;
        c.peer.send(10);
        CHECK(close_and_wait(c, {.drain_bytes = 9}).ec == cs::error::drain_bytes_over);
    }
    SUBCASE("RST, where the type sends FIN") {
        connection<cs::policies::graceful> c;
        CHECK_FALSE(close_and_wait(c, cs::policies::abortive).ec);
        CHECK(c.peer.read().error == ECONNRESET);
    }
    SUBCASE("FIN, where the type sends RST") {
        connection<cs::policies::abortive> c;
        CHECK_FALSE(close_and_wait(c, cs::policies::system).ec);
        CHECK(c.peer.read().error == 0);
        CHECK(c.local_becomes(kv::fin_wait2));
    }
    SUBCASE("linger2 = system takes back what the type has set") {
        connection<no_fin_wait2> c;
        CHECK_FALSE(close_and_wait(c, cs::policies::system).ec);
        CHECK(c.local_becomes(kv::fin_wait2));
        CHECK(kv::find(c.local, c.peer.local()).timer_ms > 1000);
    }
    SUBCASE("linger2 of its own") {
        static constexpr cs::close_policy timed{.linger2 = 60s, .drain_time = 0s};
        connection<timed> c;
        CHECK_FALSE(close_and_wait(c, {.linger2 = 2s, .drain_time = 0s}).ec);
        CHECK(c.local_becomes(kv::fin_wait2));
        CHECK(kv::find(c.local, c.peer.local()).timer_ms <= 2000);
    }
}

TEST_CASE("a contradictory policy for one close is refused by the call itself, and the stream stays as it is") {
    connection<cs::policies::graceful> c;
    const cs::close_policy nonsense{.linger2 = 61s};
    close_result result;
    CHECK_THROWS_WITH_AS(c.stream->async_close(nonsense, result.handler()), cs::contradiction(nonsense),
                         std::invalid_argument);
    CHECK_THROWS_AS(c.stream->async_close(nonsense, asio::detached), std::invalid_argument);
    CHECK_THROWS_WITH_AS(c.stream->close_and_wait(nonsense), cs::contradiction(nonsense), std::invalid_argument);
    cs::error_code ec;
    c.stream->close_and_wait(nonsense, ec);
    CHECK(ec == asio::error::invalid_argument);
    CHECK(c.stream->is_open());
    CHECK(c.local_state() == kv::established);
    c.io.poll();
    CHECK(result.calls == 0);
}

TEST_CASE("a reset by the peer is told apart from every other ending") {
    SUBCASE("before a graceful close") {
        connection<cs::policies::graceful> c;
        c.peer.reset();
        REQUIRE(c.local_becomes(kv::none));
        const close_result result = close_and_wait(c);
        CHECK(result.ec == cs::error::reset_by_peer);
        CHECK(result.ec == std::errc::connection_reset);
        CHECK(result.report.ended_by == cs::ending::reset_by_peer);
        CHECK(result.report.time_wait == cs::time_wait_holder::nobody);
        CHECK(result.report.first_fin == cs::fin_sender::none);
    }
    SUBCASE("before the close, and a read has seen it") {
        connection<cs::policies::peer_first> c;
        c.peer.reset();
        char byte;
        cs::error_code ec;
        c.stream->read_some(asio::buffer(&byte, 1), ec);
        REQUIRE(ec == asio::error::connection_reset);
        const close_result result = close_and_wait(c);
        CHECK(result.ec == asio::error::not_connected);
        CHECK(result.report.ended_by == cs::ending::unknown);
        CHECK(result.report.first_fin == cs::fin_sender::unknown);
    }
    SUBCASE("while draining") {
        connection<cs::policies::graceful> c;
        close_result result;
        c.stream->async_close(result.handler());
        c.io.poll();
        c.peer.reset();
        REQUIRE(c.run_until([&] { return result.calls == 1; }));
        CHECK(result.ec == cs::error::reset_by_peer);
        CHECK(result.report.first_fin == cs::fin_sender::local);
        CHECK(c.local_state() == kv::none);
    }
    SUBCASE("with a reply that it has not read") {
        connection<cs::policies::graceful> c;
        const std::size_t queued = c.fill_send_queue();
        close_result result;
        c.stream->async_close(result.handler());
        c.io.poll();
        c.peer.reset();
        REQUIRE(c.run_until([&] { return result.calls == 1; }));
        CHECK(result.ec == cs::error::reset_by_peer);
        CHECK(result.report.unacknowledged > 0);
        CHECK(result.report.unacknowledged <= queued);
    }
}

TEST_CASE("the peer's FIN that came first is reported as such by a policy that meant to be first") {
    connection<cs::policies::graceful> c;
    c.peer.send(10);
    c.peer.half_close();
    REQUIRE(c.local_becomes(kv::close_wait));
    const close_result result = close_and_wait(c);
    CHECK_FALSE(result.ec);
    CHECK(result.report.first_fin == cs::fin_sender::peer);
    CHECK(result.report.time_wait == cs::time_wait_holder::peer);
    CHECK(result.report.discarded == 10);
    CHECK(c.peer_becomes(kv::time_wait));
    CHECK(c.local_state() == kv::none);
}

TEST_CASE("until_acked completes when the peer has acknowledged everything") {
    connection<acknowledged_only> c;
    const std::size_t queued = c.fill_send_queue();
    REQUIRE(queued > 1'000'000);

    close_result result;
    c.stream->async_close(result.handler());
    c.io.run_for(50ms);
    CHECK(result.calls == 0);
    CHECK(c.local_state() == kv::fin_wait1);

    SUBCASE("a peer that reads everything") {
        test_peer::result got;
        std::thread reader([&] { got = c.peer.read(); });
        CHECK(c.run_until([&] { return result.calls == 1; }));
        reader.join();
        CHECK_FALSE(result.ec);
        CHECK(result.report.unacknowledged == 0);
        CHECK(got.bytes == queued);
        CHECK(result.report.time_wait == cs::time_wait_holder::left_to_kernel);
        CHECK(c.local_becomes(kv::fin_wait2));
    }
    SUBCASE("a peer that reads nothing: the time runs out") {
        REQUIRE(c.run_until([&] { return result.calls == 1; }));
        CHECK(result.ec == cs::error::linger_over);
        CHECK(result.report.limit == cs::close_limit::linger);
        CHECK(result.report.unacknowledged > 0);
        CHECK(result.report.unacknowledged < queued);
        CHECK(result.report.elapsed >= 1s);
        CHECK(result.report.elapsed < 2s);
        CHECK(c.local_state() == kv::fin_wait1);
        CHECK(c.peer.read().bytes == queued); // the kernel goes on sending
    }
    SUBCASE("a peer that resets") {
        c.peer.reset();
        REQUIRE(c.run_until([&] { return result.calls == 1; }));
        CHECK(result.ec == cs::error::reset_by_peer);
        CHECK(result.report.unacknowledged > 0);
    }
}

TEST_CASE("until_acked together with draining ends when the peer closes") {
    connection<acknowledged> c;
    asio::write(*c.stream, asio::buffer("reply", 5));
    close_result result;
    c.stream->async_close(result.handler());
    c.io.poll();
    CHECK(c.peer.read(5).bytes == 5);
    c.peer.close();
    REQUIRE(c.run_until([&] { return result.calls == 1; }));
    CHECK_FALSE(result.ec);
    CHECK(result.report.time_wait == cs::time_wait_holder::local);
}

TEST_CASE("fin_wait2::skip resets once our FIN is acknowledged: no FIN-WAIT-2, no TIME-WAIT") {
    connection<no_fin_wait2> c;
    const close_result result = close_and_wait(c);
    CHECK(result.report.first_fin == cs::fin_sender::local);
    CHECK(result.report.time_wait == cs::time_wait_holder::left_to_kernel);
    CHECK(c.local_becomes(kv::none));
}

TEST_CASE("outstanding operations complete with operation_aborted when the close takes the socket") {
    connection<cs::policies::graceful> c;
    char byte;
    cs::error_code read_ec, write_ec;
    const std::string more_than_fits(64u << 20, 'x');
    asio::async_read(*c.stream, asio::buffer(&byte, 1), [&](cs::error_code ec, std::size_t) { read_ec = ec; });
    asio::async_write(*c.stream, asio::buffer(more_than_fits), [&](cs::error_code ec, std::size_t) { write_ec = ec; });
    c.io.poll();
    close_result result;
    c.stream->async_close({.drain_time = 50ms}, result.handler());
    CHECK_FALSE(c.stream->is_open());
    c.stream.reset();
    REQUIRE(c.run_until([&] { return result.calls == 1; }));
    CHECK(read_ec == asio::error::operation_aborted);
    CHECK(write_ec == asio::error::operation_aborted);
}

TEST_CASE("closing what is not open says so") {
    asio::io_context io;
    cs::stream<quick> stream(io);
    CHECK_FALSE(stream.is_open());
    close_result result;
    stream.async_close(result.handler());
    CHECK(result.calls == 0);
    io.run();
    CHECK(result.calls == 1);
    CHECK(result.ec == asio::error::bad_descriptor);
    CHECK_NOTHROW(stream.close_and_wait());
    CHECK_NOTHROW(stream.close());
    CHECK_NOTHROW(stream.abort());
    CHECK_NOTHROW(stream.disown());
}

TEST_CASE("closing what was never connected says so and releases the descriptor") {
    asio::io_context io;
    tcp::socket socket(io, tcp::v4());
    const int fd = socket.native_handle();
    cs::stream<quick> stream(std::move(socket));
    close_result result;
    stream.async_close(result.handler());
    io.run();
    CHECK(result.ec == asio::error::not_connected);
    CHECK(result.report.ended_by == cs::ending::failed);
    CHECK(::fcntl(fd, F_GETFD) == -1);
}

TEST_CASE("a socket that moves in has its options put right") {
    asio::io_context io;
    tcp::acceptor listener(io, {asio::ip::address_v4::loopback(), 0});
    const auto linger_of = [](int fd) {
        ::linger l{};
        socklen_t size = sizeof l;
        ::getsockopt(fd, SOL_SOCKET, SO_LINGER, &l, &size);
        return std::pair(l.l_onoff, l.l_linger);
    };
    const auto linger2_of = [](int fd) {
        int seconds = 0;
        socklen_t size = sizeof seconds;
        ::getsockopt(fd, IPPROTO_TCP, TCP_LINGER2, &seconds, &size);
        return seconds;
    };
    const auto accepted = [&] {
        test_peer peer(listener.local_endpoint());
        tcp::socket socket = listener.accept();
        socket.set_option(asio::socket_base::linger(true, 5));
        return socket;
    };
    static constexpr cs::close_policy with_linger2{.linger2 = 10s};

    cs::stream<cs::policies::graceful> graceful(accepted());
    CHECK(linger_of(graceful.socket().native_handle()).first == 0);
    CHECK(linger2_of(graceful.socket().native_handle()) == 60); // not set: getsockopt gives tcp_fin_timeout
    cs::stream<cs::policies::abortive> abortive(accepted());
    CHECK(linger_of(abortive.socket().native_handle()) == std::pair(1, 0));
    cs::stream<with_linger2> timed(accepted());
    CHECK(linger2_of(timed.socket().native_handle()) == 10);
    cs::stream<no_fin_wait2> skipping(accepted());
    CHECK(linger2_of(skipping.socket().native_handle()) == -1);
}

TEST_CASE("the destructor keeps the policy") {
    SUBCASE("abortive: RST, which Asio's own destructor would turn into FIN") {
        connection<cs::policies::abortive> c;
        c.stream.reset();
        CHECK(c.peer.read().error == ECONNRESET);
        CHECK(c.local_state() == kv::none);
    }
    SUBCASE("graceful: finishes in the background and the whole reply arrives") {
        connection<cs::policies::graceful> c;
        c.peer.send(1000);
        asio::async_write(*c.stream, asio::buffer(big_reply), [&](cs::error_code, std::size_t) { c.stream.reset(); });
        test_peer::result got;
        std::thread reader([&] {
            got = c.peer.read();
            c.peer.close();
        });
        c.io.run_for(5s);
        reader.join();
        CHECK(got.bytes == big_reply.size());
        CHECK(got.error == 0);
        CHECK(c.local_state() == kv::time_wait);
    }
    SUBCASE("peer_first: waits in the background for the peer's FIN") {
        connection<cs::policies::peer_first> c;
        c.stream.reset();
        CHECK(c.local_state() == kv::established);
        c.peer.close();
        CHECK(c.run_until([&] { return c.peer_state() == kv::time_wait; }));
        CHECK(c.local_state() == kv::none);
    }
    SUBCASE("peer_first in a context that is destroyed: the queued reply is the kernel's to deliver") {
        auto c = std::make_unique<connection<cs::policies::peer_first>>();
        test_peer peer(c->listener.local_endpoint());
        auto second = std::make_unique<cs::stream<cs::policies::peer_first>>(c->listener.accept());
        second->socket().non_blocking(true);
        std::size_t queued = 0;
        for (cs::error_code ec; !ec;) queued += second->write_some(asio::buffer(big_reply), ec);
        peer.send(1000);
        second.reset();
        c.reset();
        const auto got = peer.read();
        CHECK(got.bytes == queued);
        CHECK(got.error == 0);
    }
    SUBCASE("peer_first_or_reset in a context that is destroyed: RST, so TIME-WAIT stays away") {
        auto c = std::make_unique<connection<cs::policies::peer_first_or_reset>>();
        const tcp::endpoint local = c->local;
        test_peer peer(c->listener.local_endpoint());
        auto second = std::make_unique<cs::stream<cs::policies::peer_first_or_reset>>(c->listener.accept());
        second.reset();
        c.reset();
        CHECK(peer.read().error == ECONNRESET);
        CHECK(kv::state(local, peer.local()) == kv::none);
    }
    SUBCASE("close() is what the destructor does, and the stream may be used anew") {
        connection<cs::policies::peer_first> c;
        cs::error_code ec = asio::error::fault;
        c.stream->close(ec);
        CHECK_FALSE(ec);
        CHECK_FALSE(c.stream->is_open());
        CHECK(c.local_state() == kv::established);
        test_peer second(c.listener.local_endpoint());
        *c.stream = c.listener.accept();
        c.stream->close();
        c.peer.close();
        second.close();
        c.io.run(); // background closes are its work
        CHECK(c.peer_state() == kv::time_wait);
    }
    SUBCASE("on_destroy = close: FIN at once, what has arrived is discarded") {
        static constexpr cs::close_policy closing{.on_destroy = cs::destroy_action::close};
        connection<closing> c;
        c.peer.send(1000);
        c.stream.reset();
        CHECK(c.peer.read().error == 0);
        CHECK(c.local_becomes(kv::fin_wait2));
    }
    SUBCASE("on_destroy = abort: RST") {
        static constexpr cs::close_policy aborting{.on_destroy = cs::destroy_action::abort};
        connection<aborting> c;
        c.stream.reset();
        CHECK(c.peer.read().error == ECONNRESET);
    }
}

TEST_CASE("move-assignment ends the overwritten connection by its policy") {
    connection<cs::policies::abortive> c;
    test_peer second(c.listener.local_endpoint());
    *c.stream = c.listener.accept();
    CHECK(c.peer.read().error == ECONNRESET);
    CHECK(c.stream->is_open());
    CHECK(c.stream->socket().remote_endpoint() == second.local());
}

TEST_CASE("abort resets whatever the policy says") {
    connection<cs::policies::graceful> c;
    c.stream->abort();
    CHECK_FALSE(c.stream->is_open());
    CHECK(c.peer.read().error == ECONNRESET);
}

TEST_CASE("the blocking close keeps policy and limits") {
    SUBCASE("graceful") {
        connection<cs::policies::graceful> c;
        asio::write(*c.stream, asio::buffer("reply", 5));
        std::thread peer([&] {
            CHECK(c.peer.read().bytes == 5);
            c.peer.close();
        });
        const cs::close_report report = c.stream->close_and_wait();
        peer.join();
        CHECK(report.time_wait == cs::time_wait_holder::local);
        CHECK(c.local_state() == kv::time_wait);
    }
    SUBCASE("a silent peer") {
        connection<quick> c;
        cs::error_code ec;
        const cs::close_report report = c.stream->close_and_wait(ec);
        CHECK(ec == cs::error::drain_time_over);
        CHECK(report.elapsed >= 200ms);
        CHECK(report.elapsed < 1s);
    }
    SUBCASE("the throwing form throws the same code") {
        connection<impatient> c;
        CHECK_THROWS_AS(c.stream->close_and_wait(), cs::system_error);
        CHECK_FALSE(c.stream->is_open());
    }
    SUBCASE("until_acked") {
        connection<acknowledged_only> c;
        const std::size_t queued = c.fill_send_queue();
        cs::error_code ec;
        test_peer::result got;
        std::thread peer([&] { got = c.peer.read(); });
        const cs::close_report report = c.stream->close_and_wait(ec);
        peer.join();
        CHECK_FALSE(ec);
        CHECK(report.unacknowledged == 0);
        CHECK(got.bytes == queued);
    }
}

TEST_CASE("cancellation of whatever type does what on_limit says, and resets by itself never") {
    const auto cancelled_with = []<class C>(C& c, asio::cancellation_type type) {
        close_result result;
        asio::cancellation_signal signal;
        c.stream->async_close(asio::bind_cancellation_slot(signal.slot(), result.handler()));
        c.io.poll();
        CHECK(result.calls == 0);
        signal.emit(type);
        REQUIRE(c.run_until([&] { return result.calls == 1; }));
        CHECK(result.ec == cs::error::cancelled);
        CHECK(result.ec == std::errc::operation_canceled);
        CHECK(result.report.limit == cs::close_limit::cancelled);
        return result.report;
    };
    using type = asio::cancellation_type;
    for (const auto how : {type::total, type::partial, type::terminal}) {
        CAPTURE(static_cast<int>(how));
        {
            connection<cs::policies::graceful> c;
            CHECK(cancelled_with(c, how).ended_by == cs::ending::fin);
            CHECK(c.local_becomes(kv::fin_wait2));
        }
        {
            connection<cs::policies::peer_first> c;
            const std::size_t queued = c.fill_send_queue();
            CHECK(cancelled_with(c, how).ended_by == cs::ending::fin);
            const auto got = c.peer.read();
            CHECK(got.bytes == queued);
            CHECK(got.error == 0);
        }
        {
            connection<cs::policies::peer_first_or_reset> c;
            CHECK(cancelled_with(c, how).ended_by == cs::ending::reset_by_us);
            CHECK(c.peer.read().error == ECONNRESET);
        }
    }
}

TEST_CASE("completion tokens: awaitable, future, move-only handler on a strand") {
    SUBCASE("use_awaitable") {
        connection<cs::policies::graceful> c;
        c.peer.half_close();
        std::optional<cs::close_report> report;
        asio::co_spawn(
            c.io, [&]() -> asio::awaitable<void> { report = co_await c.stream->async_close(asio::use_awaitable); },
            asio::detached);
        REQUIRE(c.run_until([&] { return report.has_value(); }));
        CHECK(report->first_fin == cs::fin_sender::peer);
    }
    SUBCASE("use_future") {
        connection<impatient> c;
        auto future = c.stream->async_close(asio::use_future);
        c.io.run_for(2s);
        CHECK_THROWS_AS(future.get(), cs::system_error);
    }
    SUBCASE("a move-only handler runs on its own executor") {
        connection<cs::policies::graceful> c;
        asio::thread_pool pool(1);
        auto strand = asio::make_strand(pool);
        auto only_movable = std::make_unique<int>(1);
        std::atomic<int> calls = 0;
        c.stream->async_close(asio::bind_executor(
            strand, [&, owned = std::move(only_movable)](cs::error_code ec, const cs::close_report&) {
                CHECK_FALSE(ec);
                CHECK(strand.running_in_this_thread());
                calls += *owned;
            }));
        c.peer.close();
        CHECK(c.run_until([&] { return calls == 1; }));
        pool.join();
    }
}

TEST_CASE("a close that needs no wait calls its handler on the polymorphic executor that it is bound to") {
    connection<cs::policies::system> c;
    asio::thread_pool pool(2);
    const auto strand = asio::make_strand(pool);
    std::promise<bool> inside;
    c.stream->async_close(
        asio::bind_executor(asio::any_io_executor(strand), [&](cs::error_code ec, const cs::close_report&) {
            inside.set_value(!ec && strand.running_in_this_thread());
        }));
    CHECK(inside.get_future().get());
    pool.join();
}

TEST_CASE("a flooding peer does not keep other handlers from running") {
    connection<cs::policies::graceful> c;
    std::atomic<bool> stop = false;
    std::thread flooder([&] {
        while (!stop) c.peer.flood();
    });
    close_result result;
    int turns = 0;
    std::function<void()> turn = [&] {
        if (result.calls == 0) asio::post(c.io, [&] { ++turns, turn(); });
    };
    c.stream->async_close({.drain_time = 300ms}, result.handler());
    turn();
    CHECK(c.run_until([&] { return result.calls == 1; }));
    stop = true;
    flooder.join();
    CHECK(result.ec == cs::error::drain_time_over);
    CHECK(result.report.elapsed < 1s);
    CHECK(result.report.discarded > cs::detail::close_machine::quota);
    CHECK(turns > 100);
}

TEST_CASE("it is an Asio stream: composed reads and writes work, an empty read completes at once") {
    connection<cs::policies::graceful> c;
    c.peer.send(10);
    std::string text(10, '\0');
    CHECK(asio::read(*c.stream, asio::buffer(text)) == 10);
    CHECK(text == "pppppppppp");
    bool done = false;
    c.stream->async_read_some(asio::mutable_buffer(), [&](cs::error_code ec, std::size_t n) {
        CHECK_FALSE(ec);
        CHECK(n == 0);
        done = true;
    });
    CHECK(c.run_until([&] { return done; }));
    tcp::socket released = c.stream->release_socket();
    CHECK(released.is_open());
    CHECK_FALSE(c.stream->is_open());
}

TEST_CASE("it works over IPv6") {
    connection<cs::policies::graceful> c({asio::ip::address_v6::loopback(), 0});
    c.peer.close();
    const close_result result = close_and_wait(c);
    CHECK_FALSE(result.ec);
}
