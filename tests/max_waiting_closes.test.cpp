// SPDX-License-Identifier: BSL-1.0
#include <closeside/max_waiting_closes.hpp>

#include "support/connection.hpp"

#include <doctest/doctest.h>

#include <chrono>
#include <deque>
#include <thread>
#include <utility>

#include <sys/resource.h>

namespace cs = closeside;
namespace kv = kernel_view;
using namespace std::chrono_literals;

namespace {

constexpr cs::close_policy waits{.drain_time = 20s, .drain_idle = 20s};
constexpr cs::close_policy resets{.closes_first = cs::side::peer, .patience = 20s, .on_limit = cs::limit_action::abort};

/// For one test; the cap is the process's.
struct cap {
    explicit cap(std::size_t most) { cs::set_max_waiting_closes(most); }
    cap(const cap&) = delete;
    cap& operator=(const cap&) = delete;
    ~cap() { cs::set_max_waiting_closes(cs::unlimited_closes); }
};

/// Connections whose peers never close.
template <cs::close_policy P>
struct crowd {
    crowd(asio::io_context& io, std::size_t count)
        : listener(io, {asio::ip::address_v4::loopback(), 0}), results(count) {
        for (std::size_t n = 0; n != count; ++n) {
            peers.emplace_back(listener.local_endpoint());
            streams.push_back(listener.accept());
        }
    }

    void close(std::size_t n) { streams[n].async_close(results[n].handler()); }

    cs::acceptor<P> listener;
    std::deque<test_peer> peers;
    std::deque<cs::stream<P>> streams;
    std::deque<close_result> results;
};

} // namespace

TEST_CASE("a close beyond the cap sheds the one that began first, of whatever context") {
    asio::io_context one, two;
    crowd<waits> old(one, 2), young(two, 3);
    const cap most(3);
    old.close(0);
    young.close(0);
    old.close(1);
    one.poll();
    two.poll();
    CHECK(old.results[0].calls == 0);
    young.close(1);
    REQUIRE(run_until(one, [&] { return old.results[0].calls == 1; }));
    CHECK(old.results[0].ec == cs::error::cancelled);
    CHECK(old.results[0].report.limit == cs::close_limit::shed);
    CHECK(old.peers[0].read().error == 0); // on_limit is close: our FIN had gone out
    CHECK(young.results[0].calls == 0);
    young.close(2);
    REQUIRE(run_until(two, [&] { return young.results[0].calls == 1; }));
    CHECK(young.results[0].report.limit == cs::close_limit::shed);
    CHECK(old.results[1].calls + young.results[1].calls + young.results[2].calls == 0);
}

TEST_CASE("with a cap of none every close that would wait does what on_limit says") {
    asio::io_context io;
    crowd<resets> some(io, 2);
    const cap none(0);
    some.close(0);
    CHECK(some.results[0].calls == 0);
    REQUIRE(run_until(io, [&] { return some.results[0].calls == 1; }));
    CHECK(some.results[0].report.limit == cs::close_limit::shed);
    CHECK(some.peers[0].read().error == ECONNRESET);
    closeside::error_code ec;
    CHECK(some.streams[1].close_and_wait(ec).limit == cs::close_limit::shed);
    CHECK(ec == cs::error::cancelled);
}

TEST_CASE("a dropped connection is shed as one that somebody waits for") {
    asio::io_context io;
    crowd<resets> some(io, 2);
    const cap one(1);
    some.streams.pop_front();
    io.poll();
    some.streams[0].async_close(some.results[0].handler());
    CHECK(some.peers[0].read().error == ECONNRESET);
    CHECK(some.results[0].calls == 0);
}

TEST_CASE("a close that blocks its thread is shed, too") {
    asio::io_context io;
    crowd<waits> some(io, 2);
    const cap one(1);
    cs::close_report report;
    closeside::error_code ec;
    std::thread blocked([&] { report = some.streams[0].close_and_wait(ec); });
    const auto& waiting = cs::detail::close_deadlines::of(io.get_executor());
    CHECK(kv::eventually([&] { return waiting.count() == 1; }));
    some.close(1);
    blocked.join();
    CHECK(report.limit == cs::close_limit::shed);
    CHECK(ec == cs::error::cancelled);
}

TEST_CASE("out of descriptors, an acceptor sheds the closes that wait, those that began first before others") {
    asio::io_context io, other;
    constexpr std::size_t count = 40;
    crowd<waits> slow(other, count);
    for (std::size_t n = 0; n != count; ++n) slow.close(n);
    other.poll();
    cs::acceptor<waits> listener(io, {asio::ip::address_v4::loopback(), 0});
    test_peer client(listener.local_endpoint());

    // From here on no descriptor is left: the next that is free is beyond the limit.
    ::rlimit before{};
    REQUIRE(::getrlimit(RLIMIT_NOFILE, &before) == 0);
    const int next = ::dup(client.fd());
    ::close(next);
    ::rlimit full = before;
    full.rlim_cur = static_cast<::rlim_t>(next);
    REQUIRE(::setrlimit(RLIMIT_NOFILE, &full) == 0);

    closeside::error_code accepted = asio::error::would_block;
    SUBCASE("which waits in its context") {
        listener.async_accept([&](closeside::error_code ec, const cs::stream<waits>&) { accepted = ec; });
        io.run_for(90ms); // less than the pause after EMFILE
    }
    SUBCASE("which waits on its thread") { const auto here = listener.accept(accepted); }
    ::setrlimit(RLIMIT_NOFILE, &before);
    CHECK_FALSE(accepted);
    other.restart();
    other.poll();
    for (std::size_t n = 0; n != count; ++n) {
        CHECK(slow.results[n].calls == (n < 32 ? 1 : 0));
        if (n < 32) CHECK(slow.results[n].report.limit == cs::close_limit::shed);
    }
}
