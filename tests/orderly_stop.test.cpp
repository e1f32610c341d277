// SPDX-License-Identifier: BSL-1.0
#include <closeside/orderly_stop.hpp>

#include "support/as_tuple.hpp"
#include "support/connection.hpp"
#include "support/scarce_memory.hpp"

#include <asio/bind_cancellation_slot.hpp>
#include <asio/bind_executor.hpp>
#include <asio/buffer.hpp>
#include <asio/cancellation_signal.hpp>
#include <asio/co_spawn.hpp>
#include <asio/detached.hpp>
#include <asio/experimental/awaitable_operators.hpp>
#include <asio/post.hpp>
#include <asio/steady_timer.hpp>
#include <asio/strand.hpp>
#include <asio/thread_pool.hpp>
#include <asio/use_awaitable.hpp>
#include <asio/write.hpp>

#include <doctest/doctest.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <deque>
#include <functional>
#include <memory>
#include <new>
#include <optional>
#include <sstream>
#include <string>
#include <thread>
#include <utility>
#include <vector>

namespace cs = closeside;
namespace kv = kernel_view;
using namespace std::chrono_literals;
using asio::use_awaitable;
using tests::as_tuple;

namespace {

constexpr cs::close_policy local_first{.drain_time = 300ms, .drain_idle = 200ms};
constexpr cs::close_policy peer_first{
    .closes_first = cs::side::peer, .patience = 20s, .drain_time = 300ms, .drain_idle = 200ms};
constexpr cs::close_policy peer_first_or_reset{
    .closes_first = cs::side::peer, .patience = 20s, .on_limit = cs::limit_action::abort};

const std::string going = "go\n";

/// Posts to a context, and takes long for one function in 64.
struct slow_executor {
    asio::io_context* io;
    std::size_t* posted;

    asio::execution_context& query(asio::execution::context_t) const noexcept { return *io; }
    static constexpr asio::execution::blocking_t::never_t query(asio::execution::blocking_t) noexcept { return {}; }
    template <class F>
    void execute(F&& f) const {
        const auto begun = std::chrono::steady_clock::now();
        while (*posted % 64 == 0 && std::chrono::steady_clock::now() < begun + 3ms) {
        }
        ++*posted;
        asio::post(*io, std::forward<F>(f));
    }
    friend bool operator==(const slow_executor&, const slow_executor&) noexcept = default;
};

/// What a stop has told, and how often.
struct stop_result {
    int calls = 0;
    closeside::error_code ec;
    cs::stop_report report;

    auto handler() {
        return [this](closeside::error_code e, const cs::stop_report& r) {
            ++calls;
            ec = e;
            report = r;
        };
    }
};

/// A line server: answers each line with it, and with "go" behind it once it is told to stop.
template <cs::close_policy P>
struct line_server {
    explicit line_server(asio::io_context& context) : io(context), listener(io, {asio::ip::address_v4::loopback(), 0}) {
        stop.add(listener);
        asio::co_spawn(io, accept_loop(), asio::detached);
    }

    asio::awaitable<void> accept_loop() {
        while (true) {
            auto [ec, client] = co_await listener.async_accept(as_tuple(use_awaitable));
            if (ec) break;
            asio::co_spawn(io, session(std::move(client)), asio::detached);
        }
        ++loops_over;
    }

    asio::awaitable<void> session(cs::stream<P> client) {
        ++sessions;
        cs::orderly_stop::member here(stop, client);
        std::string buffer(64, '\0');
        while (true) {
            auto [ec, n] = co_await client.async_read_some(asio::buffer(buffer), here.idle(as_tuple(use_awaitable)));
            read_error = ec;
            if (ec) break;
            std::string reply = buffer.substr(0, n);
            if (reply == "wait\n") {
                ++waits;
                asio::steady_timer timer(io, work_time);
                co_await timer.async_wait(use_awaitable);
            }
            if (here.stopping()) reply += going;
            co_await asio::async_write(client, asio::buffer(reply), as_tuple(use_awaitable));
            if (here.stopping()) break;
        }
        if (close_awaited) {
            auto [ec, report] = co_await client.async_close(as_tuple(use_awaitable));
            reports.push_back(report);
        }
        ++returned;
    }

    template <class Done>
    bool run_until(Done done, std::chrono::milliseconds limit = 5s) {
        return ::run_until(io, done, limit);
    }

    asio::io_context& io;
    cs::acceptor<P> listener;
    cs::orderly_stop stop{io};
    std::chrono::milliseconds work_time{150};
    bool close_awaited = true;
    int sessions = 0;
    int waits = 0;
    int returned = 0;
    int loops_over = 0;
    closeside::error_code read_error;
    std::vector<cs::close_report> reports;
};

/// What the peer has by the time that its connection has ended.
template <cs::close_policy P>
std::string text_until_end(line_server<P>& server, const test_peer& peer) {
    std::string text;
    CHECK(server.run_until([&] {
        std::array<char, 32> got{};
        const ssize_t n = ::recv(peer.fd(), got.data(), got.size(), MSG_DONTWAIT);
        if (n > 0) text.append(got.data(), static_cast<std::size_t>(n));
        return n == 0 || (n < 0 && errno != EAGAIN);
    }));
    return text;
}

/// A connection that has its place in a stop.
template <cs::close_policy P>
struct member_of_a_stop : connection<P> {
    cs::orderly_stop stop{this->io};
    cs::orderly_stop::member here{stop, *this->stream};
};

void say(const test_peer& peer, const std::string& text) {
    REQUIRE(::send(peer.fd(), text.data(), text.size(), MSG_NOSIGNAL) == static_cast<ssize_t>(text.size()));
}

} // namespace

TEST_CASE("a stop's report is one line") {
    const cs::stop_report r{.idle = 7, .busy = 2, .closing = 1, .cut = 1, .left_over = 0, .elapsed = 1500us};
    CHECK(to_string(r) == "idle=7 busy=2 closing=1 cut=1 left_over=0 elapsed_us=1500");
    std::ostringstream text;
    text << r;
    CHECK(text.str() == to_string(r));
}

TEST_CASE("a stop of nothing completes at once, but not from inside the call") {
    asio::io_context io;
    cs::orderly_stop stop(io);
    CHECK_FALSE(stop.stopping());
    stop_result result;
    stop.async_stop({.notice = 10s, .within = 20s}, result.handler());
    CHECK(stop.stopping());
    CHECK(result.calls == 0);
    io.run_for(5s);
    CHECK(result.calls == 1);
    CHECK_FALSE(result.ec);
    CHECK(result.report.elapsed < 5s);
    CHECK(result.report.idle + result.report.busy + result.report.closing == 0);
}

TEST_CASE("an idle connection's read is ended, and it closes by its policy") {
    asio::io_context io;
    line_server<local_first> server(io);
    test_peer peer(server.listener.local_endpoint());
    REQUIRE(server.run_until([&] { return server.sessions == 1; }));
    stop_result result;
    server.stop.async_stop({.within = 2s}, result.handler());
    REQUIRE(server.run_until([&] { return server.read_error.value() != 0; }));
    CHECK(server.read_error == asio::error::operation_aborted);
    CHECK(peer.read().error == 0);
    peer.close();
    REQUIRE(server.run_until([&] { return result.calls == 1; }));
    CHECK(server.loops_over == 1);
    CHECK(server.returned == 1);
    CHECK(result.report.idle == 1);
    CHECK(result.report.busy + result.report.closing + result.report.cut + result.report.left_over == 0);
    CHECK(result.report.elapsed < 1s);
}

TEST_CASE("our FIN comes first to an idle peer that has not been told, whatever the policy says") {
    asio::io_context io;
    line_server<peer_first> server(io);
    SUBCASE("of a connection that is closed") {}
    SUBCASE("of one that is dropped") { server.close_awaited = false; }
    test_peer peer(server.listener.local_endpoint());
    REQUIRE(server.run_until([&] { return server.sessions == 1; }));
    stop_result result;
    server.stop.async_stop({.within = 5s}, result.handler());
    CHECK(server.run_until([&] { return peer.read_available().error == 0; }));
    peer.close();
    REQUIRE(server.run_until([&] { return result.calls == 1; }));
    CHECK(result.report.elapsed < 3s);
    if (server.close_awaited) CHECK(server.reports.at(0).first_fin == cs::fin_sender::local);
}

TEST_CASE("under on_limit = abort an idle peer has until the deadline to close first, and is then reset") {
    asio::io_context io;
    line_server<peer_first_or_reset> server(io);
    test_peer peer(server.listener.local_endpoint());
    REQUIRE(server.run_until([&] { return server.sessions == 1; }));
    stop_result result;
    server.stop.async_stop({.within = 300ms}, result.handler());
    REQUIRE(server.run_until([&] { return result.calls == 1; }));
    CHECK(peer.read().error == ECONNRESET);
    CHECK(result.report.elapsed < 600ms);
    CHECK(server.reports.at(0).limit == cs::close_limit::cancelled);
}

TEST_CASE("during the notice an idle connection is served once more and told to go") {
    asio::io_context io;
    line_server<local_first> server(io);
    test_peer peer(server.listener.local_endpoint());
    REQUIRE(server.run_until([&] { return server.sessions == 1; }));
    stop_result result;
    server.stop.async_stop({.notice = 2s, .within = 4s}, result.handler());
    say(peer, "hello\n");
    CHECK(text_until_end(server, peer) == "hello\ngo\n");
    peer.close();
    REQUIRE(server.run_until([&] { return result.calls == 1; }));
    CHECK(result.report.idle == 1);
    CHECK(result.report.elapsed < 1s);
}

TEST_CASE("what is in the backlog when the stop begins is accepted, served and counted as idle") {
    asio::io_context io;
    line_server<local_first> server(io);
    test_peer one(server.listener.local_endpoint());
    test_peer two(server.listener.local_endpoint());
    say(two, "late\n");
    // Nothing has run so far.
    stop_result result;
    server.stop.async_stop({.notice = 300ms, .within = 4s}, result.handler());
    CHECK(text_until_end(server, two) == "late\ngo\n");
    one.close();
    two.close();
    REQUIRE(server.run_until([&] { return result.calls == 1; }));
    CHECK(server.sessions == 2);
    CHECK(result.report.idle == 2);
    CHECK(result.report.busy == 0);
}

TEST_CASE("a busy connection finishes and says goodbye") {
    asio::io_context io;
    line_server<local_first> server(io);
    test_peer peer(server.listener.local_endpoint());
    say(peer, "wait\n");
    REQUIRE(server.run_until([&] { return server.waits == 1; }));
    stop_result result;
    server.stop.async_stop({.within = 4s}, result.handler());
    CHECK(text_until_end(server, peer) == "wait\ngo\n");
    peer.close();
    REQUIRE(server.run_until([&] { return result.calls == 1; }));
    CHECK(result.report.busy == 1);
    CHECK(result.report.idle == 0);
    CHECK(result.report.cut == 0);
}

TEST_CASE("a busy connection is reset at the deadline, and its session is left over if it does not return") {
    asio::io_context io;
    line_server<local_first> server(io);
    test_peer peer(server.listener.local_endpoint());
    say(peer, "wait\n");
    server.work_time = 1500ms;
    REQUIRE(server.run_until([&] { return server.waits == 1; }));
    stop_result result;
    server.stop.async_stop({.within = 200ms}, result.handler());
    REQUIRE(server.run_until([&] { return result.calls == 1; }));
    CHECK(peer.read().error == ECONNRESET);
    CHECK(result.report.busy == 1);
    CHECK(result.report.cut == 1);
    CHECK(result.report.left_over == 1);
    CHECK(result.report.elapsed < 500ms);
    REQUIRE(server.run_until([&] { return server.returned == 1; }));
}

TEST_CASE("a close that waits when the stop begins, of a dropped stream too, ends by the deadline") {
    asio::io_context io;
    cs::orderly_stop stop(io);
    cs::acceptor<peer_first> listener(io, {asio::ip::address_v4::loopback(), 0});
    test_peer mute(listener.local_endpoint());
    { const auto dropped = listener.accept(); }
    stop_result result;
    stop.async_stop({.within = 300ms}, result.handler());
    io.run_for(5s);
    CHECK(result.calls == 1);
    CHECK(result.report.closing == 1);
    CHECK(result.report.elapsed < 600ms);
    CHECK(mute.read().error == 0); // on_limit is close: our FIN
}

TEST_CASE("a close that begins during the stop ends by the deadline, and one that begins after it by its limits") {
    asio::io_context io;
    cs::orderly_stop stop(io);
    cs::acceptor<peer_first> listener(io, {asio::ip::address_v4::loopback(), 0});
    test_peer early(listener.local_endpoint()), late(listener.local_endpoint());
    auto first = listener.accept(), second = listener.accept();
    cs::orderly_stop::member here(stop, first);
    stop_result result;
    close_result during, after;
    stop.async_stop({.within = 300ms}, result.handler());
    first.async_close(during.handler());
    io.run_for(5s);
    CHECK(during.calls == 1);
    CHECK(during.report.limit == cs::close_limit::cancelled);
    CHECK(result.calls == 1);
    second.async_close(after.handler());
    io.restart();
    io.run_for(300ms);
    CHECK(after.calls == 0);
}

TEST_CASE("a close that blocks its thread ends by the deadline of a stop") {
    connection<peer_first> c;
    cs::orderly_stop stop(c.io);
    closeside::error_code ec;
    std::thread blocked([&] { c.stream->close_and_wait(ec); });
    REQUIRE(kv::eventually([&] { return cs::detail::close_deadlines::of(c.io.get_executor()).count() == 1; }));
    stop_result result;
    stop.async_stop({.within = 200ms}, result.handler());
    c.io.run_for(5s);
    blocked.join();
    CHECK(ec == cs::error::cancelled);
    CHECK(result.calls == 1);
    CHECK(result.report.closing == 1);
}

TEST_CASE("a member whose session waits for its close is counted once") {
    member_of_a_stop<peer_first> c;
    close_result closed;
    c.stream->async_close(closed.handler());
    stop_result result;
    c.stop.async_stop({.within = 200ms}, result.handler());
    c.io.run_for(5s);
    CHECK(result.calls == 1);
    CHECK(result.report.closing == 1);
    CHECK(result.report.idle + result.report.busy == 0);
    CHECK(result.report.left_over == 1);
    CHECK(closed.calls == 1);
    CHECK(closed.ec == cs::error::cancelled);
}

TEST_CASE("now() is the deadline") {
    asio::io_context io;
    line_server<local_first> server(io);
    test_peer peer(server.listener.local_endpoint());
    say(peer, "wait\n");
    server.work_time = 1s;
    REQUIRE(server.run_until([&] { return server.waits == 1; }));
    stop_result result;
    server.stop.async_stop({.notice = 10s, .within = 20s}, result.handler());
    server.stop.now();
    REQUIRE(server.run_until([&] { return result.calls == 1; }, 900ms));
    CHECK_FALSE(result.ec);
    CHECK(result.report.cut == 1);
    CHECK(peer.read().error == ECONNRESET);
    REQUIRE(server.run_until([&] { return server.returned == 1; }));
}

TEST_CASE("a cancelled stop ends at once, and says so") {
    asio::io_context io;
    line_server<local_first> server(io);
    test_peer peer(server.listener.local_endpoint());
    say(peer, "wait\n");
    REQUIRE(server.run_until([&] { return server.waits == 1; }));
    stop_result result;
    asio::cancellation_signal signal;
    server.stop.async_stop({.within = 20s}, asio::bind_cancellation_slot(signal.slot(), result.handler()));
    signal.emit(asio::cancellation_type::terminal);
    REQUIRE(server.run_until([&] { return result.calls == 1; }));
    CHECK(result.ec == cs::error::cancelled);
    CHECK(result.report.cut == 1);
    CHECK(result.report.elapsed < 2s);
    REQUIRE(server.run_until([&] { return server.returned == 1; }));
}

TEST_CASE("a second stop while one is under way is refused, and begins when that is over") {
    asio::io_context io;
    line_server<local_first> server(io);
    test_peer peer(server.listener.local_endpoint());
    REQUIRE(server.run_until([&] { return server.sessions == 1; }));
    stop_result first, second, third;
    server.stop.async_stop({.notice = 200ms, .within = 1s}, first.handler());
    server.stop.async_stop({}, second.handler());
    REQUIRE(server.run_until([&] { return second.calls == 1; }));
    CHECK(second.ec == asio::error::already_started);
    peer.close();
    REQUIRE(server.run_until([&] { return first.calls == 1; }));
    server.stop.async_stop({.within = 1s}, third.handler());
    REQUIRE(server.run_until([&] { return third.calls == 1; }));
    CHECK_FALSE(third.ec);
    CHECK(third.report.idle + third.report.busy == 0);
}

TEST_CASE("a stop that is destroyed completes, and its members go on as nobody's") {
    asio::io_context io;
    std::optional<cs::orderly_stop> stop(io);
    cs::acceptor<local_first> listener(io, {asio::ip::address_v4::loopback(), 0});
    test_peer peer(listener.local_endpoint());
    auto stream = listener.accept();
    cs::orderly_stop::member here(*stop, stream);
    stop_result result;
    stop->async_stop({.notice = 10s, .within = 20s}, result.handler());
    io.run_for(20ms);
    stop.reset();
    io.restart();
    io.run_for(1s);
    CHECK(result.calls == 1);
    CHECK(result.ec == asio::error::operation_aborted);
    CHECK(here.stopping());
}

TEST_CASE("a context that is destroyed while a stop is under way takes its handler with it") {
    auto alive = std::make_shared<int>(0);
    {
        asio::io_context io;
        cs::acceptor<local_first> listener(io, {asio::ip::address_v4::loopback(), 0});
        cs::orderly_stop stop(io);
        stop.add(listener);
        test_peer peer(listener.local_endpoint());
        auto stream = listener.accept();
        cs::orderly_stop::member here(stop, stream);
        stop.async_stop({.within = 20s}, [alive](closeside::error_code, const cs::stop_report&) {});
        io.run_for(20ms);
    }
    CHECK(alive.use_count() == 1);
}

TEST_CASE("the token of an idle read keeps its executor and its cancellation slot") {
    member_of_a_stop<local_first> c;
    std::array<char, 8> buffer{};
    closeside::error_code read;
    bool on_strand = false;
    auto strand = asio::make_strand(c.io);
    asio::cancellation_signal signal;
    c.stream->async_read_some(
        asio::buffer(buffer),
        c.here.idle(asio::bind_cancellation_slot(
            signal.slot(), asio::bind_executor(strand, [&](closeside::error_code ec, std::size_t) {
                read = ec;
                on_strand = strand.running_in_this_thread();
            }))));
    c.io.poll();
    signal.emit(asio::cancellation_type::total);
    c.io.restart();
    c.io.run_for(1s);
    CHECK(read == asio::error::operation_aborted);
    CHECK(on_strand);
    CHECK(c.stream->is_open());
}

TEST_CASE("an idle read beside a timer is ended by the timer, and by a stop") {
    using namespace asio::experimental::awaitable_operators;
    connection<local_first> c;
    cs::orderly_stop stop(c.io);
    std::vector<std::size_t> ends;
    const auto session = [&](std::chrono::milliseconds time) -> asio::awaitable<void> {
        cs::orderly_stop::member here(stop, *c.stream);
        std::array<char, 8> buffer{};
        asio::steady_timer timer(c.io, time);
        const auto which =
            co_await (c.stream->async_read_some(asio::buffer(buffer), here.idle(as_tuple(use_awaitable))) ||
                      timer.async_wait(as_tuple(use_awaitable)));
        ends.push_back(which.index());
    };
    asio::co_spawn(c.io, session(20ms), asio::detached);
    c.io.run_for(2s);
    REQUIRE(ends.size() == 1);
    CHECK(ends[0] == 1);
    asio::co_spawn(c.io, session(5s), asio::detached);
    c.io.restart();
    c.io.run_for(20ms);
    stop_result result;
    stop.async_stop({.within = 2s}, result.handler());
    c.io.restart();
    c.io.run_for(1s);
    REQUIRE(ends.size() == 2);
    CHECK(ends[1] == 0);
}

TEST_CASE("a stop ends the idle read and leaves a write that is under way alone") {
    member_of_a_stop<local_first> c;
    std::array<char, 8> buffer{};
    const std::string large(16u << 20, 'w');
    std::optional<closeside::error_code> read, written;
    asio::async_write(*c.stream, asio::buffer(large), [&](closeside::error_code ec, std::size_t) { written = ec; });
    c.stream->async_read_some(asio::buffer(buffer),
                              c.here.idle([&](closeside::error_code ec, std::size_t) { read = ec; }));
    c.io.poll();
    stop_result result;
    c.stop.async_stop({.within = 5s}, result.handler());
    c.io.restart();
    c.io.run_for(50ms);
    REQUIRE(read.has_value());
    CHECK(*read == asio::error::operation_aborted);
    CHECK_FALSE(written.has_value());
    std::thread reader([&] { CHECK(c.peer.read(large.size()).bytes == large.size()); });
    kv::eventually([&] {
        c.io.restart();
        c.io.poll();
        return written.has_value();
    });
    reader.join();
    REQUIRE(written.has_value());
    CHECK_FALSE(*written);
}

TEST_CASE("who always reads is called when a stop begins, and may end itself in the call") {
    connection<local_first> c;
    cs::orderly_stop stop(c.io);
    std::optional<cs::orderly_stop::member> here;
    here.emplace(stop, *c.stream);
    int calls = 0;
    here->on_stop([&] {
        ++calls;
        c.stream->close();
        here.reset();
    });
    stop_result result;
    stop.async_stop({.notice = 1s, .within = 5s}, result.handler());
    CHECK(calls == 0);
    c.io.run_for(20ms);
    CHECK(calls == 1);
    c.peer.close();
    c.io.restart();
    c.io.run_for(2s);
    CHECK(result.calls == 1);
    CHECK(result.report.busy == 1);
    CHECK(result.report.elapsed < 1s);

    // One that comes later is called soon.
    test_peer again(c.listener.local_endpoint());
    auto late = c.listener.accept();
    here.emplace(stop, late);
    here->on_stop([&] { ++calls; });
    c.io.restart();
    c.io.run_for(1s);
    CHECK(calls == 2);
}

TEST_CASE("members on strands of many threads are all reached, and the totals add up") {
    constexpr int count = 300;
    asio::thread_pool pool(4);
    cs::orderly_stop stop(pool.get_executor());
    cs::acceptor<local_first> listener(pool, {asio::ip::address_v4::loopback(), 0});
    stop.add(listener);
    std::atomic<int> sessions = 0, returned = 0, not_on_strand = 0;
    using strand = asio::strand<asio::any_io_executor>;
    const auto session = [&](cs::stream<local_first> client, strand mine) -> asio::awaitable<void> {
        cs::orderly_stop::member here(stop, client);
        ++sessions;
        std::array<char, 8> buffer{};
        for (;;) {
            auto [ec, n] = co_await client.async_read_some(asio::buffer(buffer), here.idle(as_tuple(use_awaitable)));
            if (!mine.running_in_this_thread()) ++not_on_strand;
            if (ec) break;
            co_await asio::async_write(client, asio::buffer(buffer, n), as_tuple(use_awaitable));
        }
        co_await client.async_close(as_tuple(use_awaitable));
        ++returned;
    };
    const auto accepts = [&]() -> asio::awaitable<void> {
        for (;;) {
            auto [ec, client] = co_await listener.async_accept(as_tuple(use_awaitable));
            if (ec) co_return;
            strand mine{asio::any_io_executor(pool.get_executor())};
            asio::co_spawn(mine, session(std::move(client), mine), asio::detached);
        }
    };
    asio::co_spawn(pool, accepts(), asio::detached);
    std::deque<test_peer> peers;
    for (int n = 0; n != count; ++n) peers.emplace_back(listener.local_endpoint());
    REQUIRE(kv::eventually([&] { return sessions == count; }));
    std::atomic<int> told = 0;
    cs::stop_report report;
    stop.async_stop({.notice = 50ms, .within = 5s}, [&](closeside::error_code, const cs::stop_report& r) {
        report = r;
        ++told;
    });
    // Half of them end by themselves meanwhile.
    for (std::size_t n = 0; n < peers.size(); n += 2) peers[n].half_close();
    REQUIRE(kv::eventually([&] { return told == 1; }));
    pool.join();
    CHECK(returned == count);
    CHECK(not_on_strand == 0);
    CHECK(report.left_over == 0);
    CHECK(report.cut == 0);
    CHECK(report.idle + report.busy + report.closing == count);
    CHECK(report.elapsed < 2s);
}

TEST_CASE("a stop takes no memory for a member") {
    constexpr std::size_t count = 1000;
    asio::io_context io;
    cs::orderly_stop stop(io);
    cs::acceptor<local_first> listener(io, {asio::ip::address_v4::loopback(), 0});
    std::deque<test_peer> peers;
    std::deque<cs::stream<local_first>> streams;
    std::deque<cs::orderly_stop::member> members;
    std::array<char, 8> buffer{};
    std::size_t ended = 0, called = 0;
    bool strands = false;
    SUBCASE("on the context") {}
    SUBCASE("on strands") { strands = true; }
    for (std::size_t n = 0; n != count; ++n) {
        peers.emplace_back(listener.local_endpoint());
        if (strands)
            streams.push_back(listener.accept(asio::any_io_executor(asio::make_strand(io))));
        else
            streams.push_back(listener.accept());
    }
    for (auto& s : streams) members.emplace_back(stop, s);
    for (std::size_t n = 0; n != count; ++n) {
        streams[n].async_read_some(asio::buffer(buffer),
                                   members[n].idle([&](closeside::error_code, std::size_t) { ++ended; }));
        members[n].on_stop([&] { ++called; });
    }
    io.poll();
    stop_result result;
    const int before = tests::allocations();
    // On a strand Asio takes memory for the completion of a read, as it always does.
    stop.async_stop({.notice = strands ? 20s : 0s, .within = 20s}, result.handler());
    while (called != count || (!strands && ended != count)) {
        io.restart();
        REQUIRE(io.run_one_for(1s) == 1);
    }
    // What visits 64 at once is kept, and Asio keeps two blocks a thread of each kind.
    CHECK(tests::allocations() - before < 100);
    members.clear();
    stop.now();
    io.restart();
    io.run_for(1s);
    CHECK(result.calls == 1);
}

TEST_CASE("a stop reaches no more than 64 members before the context runs what else is ready") {
    constexpr std::size_t count = 500;
    connection<local_first> c;
    cs::orderly_stop stop(c.io);
    std::deque<cs::orderly_stop::member> members;
    std::size_t called = 0, last = 0, largest = 0, posted = 0;
    asio::any_io_executor sessions = c.io.get_executor();
    SUBCASE("at once") {}
    SUBCASE("when to post to them takes longer than a turn waits for those of a slow executor") {
        sessions = slow_executor{&c.io, &posted};
    }
    for (std::size_t n = 0; n != count; ++n) members.emplace_back(stop, *c.stream, sessions).on_stop([&] { ++called; });
    std::function<void()> between = [&] {
        largest = std::max(largest, called - last);
        last = called;
        if (called != count) asio::post(c.io, between);
    };
    asio::post(c.io, between);
    stop_result result;
    stop.async_stop({.notice = 5s, .within = 20s}, result.handler());
    run_until(c.io, [&] { return called == count; });
    CHECK(called == count);
    CHECK(largest <= 64);
    CHECK(largest > 0);
    members.clear();
    stop.now();
    c.io.restart();
    c.io.run_for(1s);
    CHECK(result.calls == 1);
}

TEST_CASE("a stop whose notice takes all its time still ends so many connections by the deadline") {
    connection<local_first> c;
    cs::orderly_stop stop(c.io);
    std::deque<cs::orderly_stop::member> members;
    for (int n = 0; n != 500; ++n) members.emplace_back(stop, *c.stream); // their cut begins long before the deadline
    stop_result result;
    stop.async_stop({.notice = 10s, .within = 200ms}, result.handler());
    c.io.run_for(5s);
    REQUIRE(result.calls == 1);
    CHECK(result.report.cut == 1);
    CHECK(c.peer.read().error == ECONNRESET);
}

TEST_CASE("a goodbye that is under way at the deadline is cut by RST") {
    member_of_a_stop<local_first> c;
    std::array<char, 8> buffer{};
    const std::string goodbye(16u << 20, 'g');
    c.stream->async_read_some(asio::buffer(buffer), c.here.idle([&](closeside::error_code, std::size_t) {
        asio::async_write(*c.stream, asio::buffer(goodbye), [](closeside::error_code, std::size_t) {});
    }));
    stop_result result;
    c.stop.async_stop({.within = 200ms}, result.handler());
    c.io.run_for(5s);
    CHECK(result.calls == 1);
    CHECK(result.report.idle == 1);
    CHECK(result.report.cut == 1);
    CHECK(c.peer.read().error == ECONNRESET);
}

TEST_CASE("a notice as long as the whole stop ends in time") {
    asio::io_context io;
    line_server<local_first> server(io);
    test_peer peer(server.listener.local_endpoint());
    REQUIRE(server.run_until([&] { return server.sessions == 1; }));
    stop_result result;
    server.stop.async_stop({.notice = 300ms, .within = 300ms}, result.handler());
    REQUIRE(server.run_until([&] { return result.calls == 1; }));
    CHECK(result.report.elapsed < 600ms);
    CHECK(peer.read().error == 0);
}

TEST_CASE("what a stop has sent on its way does nothing once it is destroyed or over") {
    asio::io_context io, slow;
    cs::acceptor<local_first> listener(io, {asio::ip::address_v4::loopback(), 0});
    std::optional<cs::orderly_stop> stop(io);
    test_peer peer(listener.local_endpoint());
    auto stream = listener.accept(slow);
    cs::orderly_stop::member here(*stop, stream);
    stop_result first, second;
    stop->async_stop({.within = 50ms}, first.handler());
    io.run_for(2s); // the cut is on its way to `slow`
    CHECK(first.calls == 1);
    CHECK(first.report.left_over == 1);
    SUBCASE("destroyed") { stop.reset(); }
    SUBCASE("in the notice of the next") {
        stop->async_stop({.notice = 10s, .within = 20s}, second.handler());
        io.restart();
        io.poll();
    }
    slow.poll();
    CHECK(stream.is_open());
}

TEST_CASE("a member may outlive the stop and its context") {
    asio::io_context io;
    cs::acceptor<local_first> listener(io, {asio::ip::address_v4::loopback(), 0});
    test_peer peer(listener.local_endpoint());
    auto stream = listener.accept();
    std::optional<cs::orderly_stop::member> here;
    {
        asio::io_context first;
        cs::orderly_stop stop(asio::make_strand(first));
        here.emplace(stop, stream);
        stop_result result;
        stop.async_stop({.within = 20s}, result.handler());
        first.poll();
    }
    CHECK(here->stopping());
    here.reset();
}

TEST_CASE("a listener whose context goes, or that is added late, keeps no stop waiting") {
    asio::io_context io;
    cs::orderly_stop stop(io);
    auto other = std::make_unique<asio::io_context>();
    auto listener = std::make_unique<cs::acceptor<local_first>>(
        *other, asio::ip::tcp::endpoint{asio::ip::address_v4::loopback(), 0});
    stop.add(*listener);
    test_peer peer(listener->local_endpoint()); // nobody accepts it
    stop_result result;
    stop.async_stop({.within = 10s}, result.handler());
    other->poll();
    cs::acceptor<local_first> late(io, {asio::ip::address_v4::loopback(), 0});
    stop.add(late);
    listener.reset();
    other.reset();
    io.run_for(5s);
    CHECK(result.calls == 1);
    CHECK(result.report.elapsed < 2s);
    CHECK_FALSE(late.is_open());
}

TEST_CASE("a descriptor that is another connection's by now is not closed first for its former one") {
    asio::io_context io, elsewhere;
    cs::acceptor<peer_first> listener(io, {asio::ip::address_v4::loopback(), 0});
    cs::orderly_stop stop(io);
    test_peer peer(listener.local_endpoint()), next(listener.local_endpoint());
    std::optional<cs::stream<peer_first>> stream(listener.accept());
    cs::orderly_stop::member here(stop, *stream);
    std::array<char, 8> buffer{};
    stream->async_read_some(asio::buffer(buffer),
                            here.idle(asio::bind_executor(elsewhere, [](closeside::error_code, std::size_t) {})));
    stop_result result;
    stop.async_stop({.within = 5s}, result.handler());
    io.run_for(20ms);
    elsewhere.run_for(20ms);
    stream->abort(); // before the read's handler has run
    auto other = listener.accept();
    elsewhere.restart();
    elsewhere.poll();
    close_result closed;
    other.async_close(closed.handler());
    io.restart();
    io.run_for(50ms);
    CHECK(next.read_available().error == EAGAIN);
    CHECK(closed.calls == 0);
}

TEST_CASE("a session on a strand is reached there before its first read, if its member says so") {
    asio::thread_pool pool(2);
    cs::orderly_stop stop(pool.get_executor());
    cs::acceptor<local_first> listener(pool, {asio::ip::address_v4::loopback(), 0});
    test_peer peer(listener.local_endpoint());
    auto stream = listener.accept();
    auto strand = asio::make_strand(pool);
    std::optional<cs::orderly_stop::member> here;
    std::atomic<int> called = 0;
    here.emplace(stop, stream, strand);
    here->on_stop([&] { called = strand.running_in_this_thread() ? 1 : -1; });
    stop.async_stop({.notice = 10s, .within = 20s}, [](closeside::error_code, const cs::stop_report&) {});
    CHECK(kv::eventually([&] { return called != 0; }));
    CHECK(called == 1);
    asio::post(strand, [&] {
        here.reset();
        stream.abort();
    });
    stop.now();
    pool.join();
}

TEST_CASE("without memory a stop throws before it begins, or goes through") {
    for (int n = 0; n != 40; ++n) {
        for (const int times : {1, tests::scarce_memory::always}) {
            asio::io_context io;
            cs::acceptor<local_first> listener(io, {asio::ip::address_v4::loopback(), 0});
            cs::orderly_stop stop(io);
            stop.add(listener);
            test_peer peer(listener.local_endpoint());
            auto stream = listener.accept();
            cs::orderly_stop::member here(stop, stream);
            here.on_stop([] {});
            stop_result result;
            bool threw = false;
            {
                const tests::scarce_memory scarce(n, times);
                try {
                    stop.async_stop({.within = 60ms}, result.handler());
                } catch (const std::bad_alloc&) {
                    threw = true;
                }
            }
            CHECK(stop.stopping() == !threw);
            io.run_for(3s);
            CHECK(result.calls == (threw ? 0 : 1));
            if (!threw) CHECK_FALSE(listener.is_open());
        }
    }
}

TEST_CASE("an executor that is blocked keeps neither the others nor the end of the stop waiting") {
    asio::io_context blocked, io;
    cs::orderly_stop stop(io);
    cs::acceptor<local_first> listener(io, {asio::ip::address_v4::loopback(), 0});
    std::deque<test_peer> peers;
    std::deque<cs::stream<local_first>> streams;
    std::deque<cs::orderly_stop::member> members;
    for (int n = 0; n != 200; ++n) {
        peers.emplace_back(listener.local_endpoint());
        // Nobody runs `blocked`.
        streams.push_back(listener.accept(n < 150 ? blocked.get_executor() : io.get_executor()));
        members.emplace_back(stop, streams.back());
    }
    int called = 0;
    for (std::size_t n = 150; n != 200; ++n) members[n].on_stop([&] { ++called; });
    stop_result result;
    stop.async_stop({.within = 400ms}, result.handler());
    io.run_for(100ms);
    CHECK(called == 50);
    io.restart();
    io.run_for(2s);
    CHECK(result.calls == 1);
    CHECK(result.report.cut == 50);
    CHECK(result.report.left_over == 200);
    CHECK(result.report.elapsed < 700ms);
}
