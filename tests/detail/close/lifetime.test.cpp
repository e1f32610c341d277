// SPDX-License-Identifier: BSL-1.0
#include <closeside/detail/close/drop.hpp>

#include "support/connection.hpp"

#include <closeside/close.hpp>
#include <closeside/stream.hpp>

#include <asio/awaitable.hpp>
#include <asio/bind_executor.hpp>
#include <asio/co_spawn.hpp>
#include <asio/detached.hpp>
#include <asio/execution/blocking.hpp>
#include <asio/execution/context.hpp>
#include <asio/io_context.hpp>
#include <asio/post.hpp>
#include <asio/steady_timer.hpp>
#include <asio/strand.hpp>
#include <asio/thread_pool.hpp>
#include <asio/use_awaitable.hpp>

#include <doctest/doctest.h>

#include <atomic>
#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include <sys/socket.h>

// Contexts of every kind that are destroyed while streams live in every kind of handler, and executors that live no
// longer than their own connection.

namespace cs = closeside;
namespace kv = kernel_view;
using namespace std::chrono_literals;

namespace tests {

/// Posts to an io_context, and counts how many copies of it live; with the last, what it stands for is gone.
struct counted_executor {
    asio::io_context* io;
    std::shared_ptr<int> alive;

    asio::execution_context& query(asio::execution::context_t) const noexcept { return *io; }
    static constexpr asio::execution::blocking_t::never_t query(asio::execution::blocking_t) noexcept { return {}; }
    template <class F>
    void execute(F&& f) const {
        REQUIRE(alive);
        asio::post(*io, std::forward<F>(f));
    }
    friend bool operator==(const counted_executor&, const counted_executor&) noexcept = default;
};

} // namespace tests

namespace {

const std::string more_than_fits(8u << 20, 'r');

/// Both ends of a connection over loopback, the near one with a full send queue and input that nobody has read.
struct busy_connection {
    busy_connection() : busy_connection(asio::io_context()) {}

    template <class Executor>
    asio::basic_stream_socket<tcp, Executor> socket(const Executor& executor) {
        return {executor, tcp::v4(), std::exchange(fd, -1)};
    }

    int fd = -1;
    std::size_t queued = 0;
    std::optional<test_peer> peer;

private:
    explicit busy_connection(asio::io_context&& io) {
        tcp::acceptor listener(io, {asio::ip::address_v4::loopback(), 0});
        peer.emplace(listener.local_endpoint());
        fd = ::accept4(listener.native_handle(), nullptr, nullptr, SOCK_CLOEXEC | SOCK_NONBLOCK);
        REQUIRE(fd >= 0);
        for (ssize_t n; (n = ::send(fd, more_than_fits.data(), more_than_fits.size(), MSG_DONTWAIT)) > 0;)
            queued += static_cast<std::size_t>(n);
        peer->send(1000);
    }
};

/// Where a stream may be when its context goes.
enum class place { posted, timer, own_read, own_wait, coroutine, attended_close, unattended_close, plain_close };
constexpr place places[] = {place::posted,    place::timer,          place::own_read,         place::own_wait,
                            place::coroutine, place::attended_close, place::unattended_close, place::plain_close};

struct must_not_run {
    template <class... Args>
    void operator()(Args&&...) const {
        FAIL_CHECK("a handler has run after its context was destroyed");
    }
};

template <cs::close_policy P, class Context, class Executor>
void put(place where, Context& context, const Executor& executor, busy_connection& c) {
    using stream_type = cs::basic_stream<P, Executor>;
    auto stream = std::make_shared<stream_type>(c.socket(executor));
    switch (where) {
    case place::posted: asio::post(context, [stream] { must_not_run()(); }); break;
    case place::timer: {
        auto timer = std::make_shared<asio::steady_timer>(context, 1h);
        timer->async_wait([stream, timer](auto ec) { CHECK(ec); });
        break;
    }
    case place::own_read: {
        auto buffer = std::make_shared<std::vector<char>>(1);
        char drained[2000];
        cs::error_code ec;
        stream->read_some(asio::buffer(drained), ec);
        auto& s = *stream;
        s.async_read_some(asio::buffer(*buffer), [stream, buffer](auto ec2, std::size_t) { CHECK(ec2); });
        break;
    }
    case place::own_wait: {
        auto& s = stream->socket();
        s.async_wait(asio::socket_base::wait_error, [stream](auto ec) { CHECK(ec); });
        break;
    }
    case place::coroutine:
        asio::co_spawn(
            executor,
            [](std::shared_ptr<stream_type> mine) -> asio::awaitable<void, Executor> {
                asio::basic_waitable_timer<std::chrono::steady_clock, asio::wait_traits<std::chrono::steady_clock>,
                                           Executor>
                    never(mine->get_executor(), 1h);
                co_await never.async_wait(asio::use_awaitable_t<Executor>());
            }(std::move(stream)),
            asio::detached);
        break;
    case place::attended_close: stream->async_close(must_not_run()); break;
    case place::unattended_close: stream->async_close(asio::detached); break;
    case place::plain_close: cs::async_close(std::move(stream->socket()), P, must_not_run()); break;
    }
}

/// The kernel delivers what is queued, unless the policy says abort.
template <cs::close_policy P>
void check_delivered(busy_connection& c) {
    const auto got = c.peer->read();
    if (P.linger == cs::lingering::abort || P.on_limit == cs::limit_action::abort) {
        CHECK(got.error == ECONNRESET);
    } else {
        CHECK(got.bytes == c.queued);
        CHECK(got.error == 0);
    }
}

template <cs::close_policy P>
void destroys_contexts() {
    for (const place where : places) {
        CAPTURE(static_cast<int>(where));
        const auto with_io_context = [&](auto executor_of, bool runs) {
            busy_connection c;
            {
                asio::io_context io;
                put<P>(where, io, executor_of(io), c);
                if (runs && where != place::posted) io.poll();
            }
            check_delivered<P>(c);
        };
        for (const bool runs : {false, true}) {
            CAPTURE(runs);
            with_io_context([](auto& io) { return io.get_executor(); }, runs);
            with_io_context([](auto& io) { return asio::any_io_executor(io.get_executor()); }, runs);
            with_io_context([](auto& io) { return asio::make_strand(io); }, runs);
            with_io_context([](auto& io) { return asio::any_io_executor(asio::make_strand(io)); }, runs);
        }
        if (where == place::posted) continue; // a pool runs it
        busy_connection c, d;
        {
            asio::thread_pool pool(2);
            put<P>(where, pool, pool.get_executor(), c);
            put<P>(where, pool, asio::any_io_executor(asio::make_strand(pool)), d);
            pool.stop();
        }
        check_delivered<P>(c);
        check_delivered<P>(d);
    }
}

constexpr cs::close_policy until_acked{.linger = cs::lingering::until_acked(std::chrono::hours(1)), .drain_time = 0s};

} // namespace

TEST_CASE("a context may be destroyed with streams in every kind of handler, and nothing that is queued is lost") {
    SUBCASE("graceful") { destroys_contexts<cs::policies::graceful>(); }
    SUBCASE("peer_first") { destroys_contexts<cs::policies::peer_first>(); }
    SUBCASE("peer_first_or_reset") { destroys_contexts<cs::policies::peer_first_or_reset>(); }
    SUBCASE("until_acked") { destroys_contexts<until_acked>(); }
}

TEST_CASE("a deadline does not wait for the strand of another connection, of whatever kind it is") {
    static constexpr cs::close_policy quick{.drain_time = 100ms};
    asio::thread_pool pool(2);
    const auto busy = asio::make_strand(pool);
    busy_connection first, second;
    std::atomic<bool> release = false, told = false;
    cs::stream<quick> on_busy(first.socket(asio::any_io_executor(busy)));
    on_busy.async_close(asio::detached);
    asio::post(busy, [&] {
        const auto end = std::chrono::steady_clock::now() + 10s;
        while (!release && std::chrono::steady_clock::now() < end) std::this_thread::yield();
    });
    cs::stream<quick> other(second.socket(asio::any_io_executor(pool.get_executor())));
    other.async_close([&](auto, const cs::close_report&) { told = true; });
    CHECK(kv::eventually([&] { return told.load(); }));
    release = true;
    pool.join();
}

TEST_CASE("an executor has to outlive its own connection alone") {
    static constexpr cs::close_policy quick{.drain_time = 50ms};
    asio::io_context io;
    const auto alive = std::make_shared<int>();
    busy_connection first, second;
    bool told = false, told_later = false;
    {
        cs::basic_stream<quick, tests::counted_executor> stream(first.socket(tests::counted_executor{&io, alive}));
        stream.async_close([&](auto, const cs::close_report&) { told = true; });
    }
    while (!told) REQUIRE(io.run_one_for(5s) == 1);
    CHECK(alive.use_count() == 1);
    cs::stream<quick> later(second.socket(asio::any_io_executor(io.get_executor())));
    later.async_close([&](auto, const cs::close_report&) { told_later = true; });
    io.restart();
    io.run_for(5s);
    CHECK(told_later);
}

TEST_CASE("durations without end wait, in both forms of the close") {
    static constexpr cs::close_policy patient{.closes_first = cs::side::peer,
                                              .patience = std::chrono::milliseconds::max()};
    static constexpr cs::close_policy drains{.drain_time = std::chrono::hours::max(),
                                             .drain_idle = std::chrono::hours(24 * 365 * 300)};
    const auto waits = []<cs::close_policy P>() {
        connection<P> c;
        close_result result;
        c.stream->async_close(result.handler());
        c.io.run_for(50ms);
        CHECK(result.calls == 0);
        c.peer.close();
        REQUIRE(c.run_until([&] { return result.calls == 1; }));
        CHECK_FALSE(result.ec);
        connection<P> b;
        std::thread peer([&] {
            if (P.closes_first == cs::side::local) b.peer.read();
            b.peer.close();
        });
        cs::error_code ec;
        b.stream->close_and_wait(ec);
        peer.join();
        CHECK_FALSE(ec);
    };
    waits.operator()<patient>();
    waits.operator()<drains>();
}
