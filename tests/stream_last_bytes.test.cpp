// SPDX-License-Identifier: BSL-1.0
#include <closeside/stream.hpp>

#include "support/connection.hpp"

#include <asio/bind_cancellation_slot.hpp>
#include <asio/buffer.hpp>
#include <asio/cancellation_signal.hpp>
#include <asio/co_spawn.hpp>
#include <asio/detached.hpp>
#include <asio/use_awaitable.hpp>
#include <asio/use_future.hpp>
#include <asio/write.hpp>

#include <doctest/doctest.h>

#include <array>
#include <memory>
#include <optional>
#include <string>
#include <utility>

#include <poll.h>
#include <sys/socket.h>

namespace cs = closeside;
namespace kv = kernel_view;
using namespace std::chrono_literals;

namespace {

constexpr cs::close_policy quick{.drain_time = 300ms, .drain_idle = 200ms};
constexpr cs::close_policy impatient{
    .closes_first = cs::side::peer, .patience = 200ms, .drain_time = 300ms, .drain_idle = 200ms};
constexpr cs::close_policy impatient_abort{
    .closes_first = cs::side::peer, .patience = 200ms, .on_limit = cs::limit_action::abort};
constexpr cs::close_policy acknowledged{.linger = cs::lingering::until_acked(1s), .drain_time = cs::close_duration{0}};

const std::string busy = "421 4.3.2 closing\r\n";

cs::last_bytes goodbye() { return cs::last_bytes(asio::buffer(busy)); }

/// What the peer can read now.
std::string text_at(const test_peer& peer, std::size_t expected) {
    std::string text(expected + 1, '\0');
    std::size_t n = 0;
    kv::eventually([&] {
        const ssize_t got = ::recv(peer.fd(), text.data() + n, text.size() - n, MSG_DONTWAIT);
        if (got > 0) n += static_cast<std::size_t>(got);
        return n >= expected;
    });
    text.resize(n);
    return text;
}

template <cs::close_policy P>
void await(connection<P>& c, const close_result& result) {
    REQUIRE(c.run_until([&] { return result.calls > 0; }));
    CHECK(result.calls == 1);
}

} // namespace

TEST_CASE("last bytes go out behind the reply and before our FIN") {
    connection<quick> c;
    asio::write(*c.stream, asio::buffer("reply:", 6));
    close_result result;
    {
        const std::string gone = busy;
        c.stream->async_close(cs::last_bytes(asio::buffer(gone)), result.handler());
    }
    CHECK_FALSE(c.stream->is_open());
    CHECK(result.calls == 0);
    CHECK(text_at(c.peer, 6 + busy.size()) == "reply:" + busy);
    CHECK(c.local_becomes(kv::fin_wait2));
    c.peer.close();
    await(c, result);
    CHECK_FALSE(result.ec);
    CHECK(result.report.last_bytes == cs::last_bytes_fate::sent);
    CHECK(result.report.first_fin == cs::fin_sender::local);
    CHECK(result.report.time_wait == cs::time_wait_holder::local);
}

TEST_CASE("under peer_first the last bytes are the word, and the peer's FIN comes first") {
    connection<impatient> c;
    close_result result;
    c.stream->async_close(goodbye(), result.handler());
    CHECK(text_at(c.peer, busy.size()) == busy);
    CHECK(c.local_state() == kv::established);
    c.peer.close();
    await(c, result);
    CHECK_FALSE(result.ec);
    CHECK(result.report.last_bytes == cs::last_bytes_fate::sent);
    CHECK(result.report.first_fin == cs::fin_sender::peer);
    CHECK(c.peer_becomes(kv::time_wait));
}

TEST_CASE("last bytes wait for room, which a peer that reads gives them") {
    connection<cs::policies::graceful> c;
    const std::size_t written = c.fill_send_queue();
    close_result result;
    c.stream->async_close(goodbye(), result.handler());
    c.io.poll();
    CHECK(c.local_state() == kv::established);
    std::size_t read = 0;
    REQUIRE(c.run_until([&] {
        const auto r = c.peer.read_available();
        read += r.bytes;
        if (r.error == 0) c.peer.close();
        return result.calls > 0;
    }));
    CHECK(read == written + busy.size());
    CHECK_FALSE(result.ec);
    CHECK(result.report.last_bytes == cs::last_bytes_fate::sent);
    CHECK(result.report.unacknowledged == 0);
}

TEST_CASE("a peer that stops reading costs the limit of the phase that the last bytes delay") {
    SUBCASE("drain_time") {
        connection<quick> c;
        c.fill_send_queue();
        close_result result;
        c.stream->async_close(goodbye(), result.handler());
        await(c, result);
        CHECK(result.ec == cs::error::drain_time_over);
        CHECK(result.report.limit == cs::close_limit::drain_time);
        CHECK(result.report.last_bytes == cs::last_bytes_fate::not_sent);
        CHECK(result.report.elapsed >= 300ms);
        CHECK(result.report.ended_by == cs::ending::fin);
    }
    SUBCASE("patience, with RST behind it") {
        connection<impatient_abort> c;
        c.fill_send_queue();
        close_result result;
        c.stream->async_close(goodbye(), result.handler());
        await(c, result);
        CHECK(result.ec == cs::error::patience_over);
        CHECK(result.report.last_bytes == cs::last_bytes_fate::not_sent);
        CHECK(result.report.ended_by == cs::ending::reset_by_us);
    }
    SUBCASE("until_acked") {
        connection<acknowledged> c;
        c.fill_send_queue();
        close_result result;
        c.stream->async_close(goodbye(), result.handler());
        await(c, result);
        CHECK(result.ec == cs::error::linger_over);
        CHECK(result.report.last_bytes == cs::last_bytes_fate::not_sent);
        CHECK(result.report.elapsed >= 1s);
        CHECK(result.report.elapsed < 2s);
    }
}

TEST_CASE("with drain_time = 0 they are sent if there is room now, and an abort sends none") {
    SUBCASE("room") {
        connection<cs::policies::system> c;
        close_result result;
        c.stream->async_close(goodbye(), result.handler());
        await(c, result);
        CHECK_FALSE(result.ec);
        CHECK(result.report.last_bytes == cs::last_bytes_fate::sent);
        CHECK(c.peer.read().bytes == busy.size());
    }
    SUBCASE("none") {
        connection<cs::policies::system> c;
        c.fill_send_queue();
        close_result result;
        c.stream->async_close(goodbye(), result.handler());
        await(c, result);
        CHECK(result.report.last_bytes == cs::last_bytes_fate::not_sent);
        CHECK(result.report.elapsed < 200ms);
    }
    SUBCASE("abort") {
        connection<cs::policies::abortive> c;
        close_result result;
        c.stream->async_close(goodbye(), result.handler());
        await(c, result);
        CHECK(result.report.last_bytes == cs::last_bytes_fate::not_sent);
        const auto seen = c.peer.read();
        CHECK(seen.bytes == 0);
        CHECK(seen.error == ECONNRESET);
    }
}

TEST_CASE("more than 16 KiB of last bytes are refused with the stream open") {
    connection<quick> c;
    const std::string much(cs::last_bytes::most + 1, 'x');
    close_result result;
    c.stream->async_close(cs::last_bytes(asio::buffer(much)), result.handler());
    CHECK(result.calls == 0);
    await(c, result);
    CHECK(result.ec == asio::error::message_size);
    CHECK(result.report == cs::close_report{});
    CHECK(c.stream->is_open());

    c.stream->async_close(cs::last_bytes(asio::buffer(much)), asio::detached);
    CHECK(c.stream->is_open());
    CHECK_THROWS_AS(c.stream->close_and_wait(cs::last_bytes(asio::buffer(much))), cs::system_error);
    CHECK(c.stream->is_open());
    CHECK(c.local_state() == kv::established);
    CHECK(text_at(c.peer, 0).empty());
}

TEST_CASE("16 KiB of last bytes arrive whole") {
    connection<quick> c;
    const std::string much(cs::last_bytes::most, 'x');
    close_result result;
    c.stream->async_close(
        cs::last_bytes(std::array<asio::const_buffer, 2>{asio::buffer(much, 100), asio::buffer(much) + 100}),
        result.handler());
    c.io.poll();
    CHECK(c.peer.read().bytes == much.size());
    c.peer.close();
    await(c, result);
    CHECK_FALSE(result.ec);
}

TEST_CASE("no last bytes are a plain close") {
    connection<quick> c;
    close_result result;
    c.stream->async_close(cs::last_bytes(asio::buffer("", 0)), result.handler());
    c.peer.close();
    await(c, result);
    CHECK_FALSE(result.ec);
    CHECK(result.report.last_bytes == cs::last_bytes_fate::none);
}

TEST_CASE("a policy for this one close goes before the last bytes") {
    connection<impatient> c;
    close_result result;
    c.stream->async_close(quick, goodbye(), result.handler());
    CHECK(text_at(c.peer, busy.size()) == busy);
    CHECK(c.local_becomes(kv::fin_wait2));
    c.peer.close();
    await(c, result);
    CHECK_FALSE(result.ec);
    CHECK_THROWS_AS(c.stream->async_close(cs::close_policy{.patience = -1s}, goodbye(), [](auto...) {}),
                    std::invalid_argument);
}

TEST_CASE("close_and_wait sends last bytes on this thread") {
    connection<quick> c;
    std::optional<cs::close_report> report;
    c.peer.half_close();
    report = c.stream->close_and_wait(goodbye());
    CHECK(report->last_bytes == cs::last_bytes_fate::sent);
    CHECK(text_at(c.peer, busy.size()) == busy);

    connection<quick> full;
    full.fill_send_queue();
    cs::error_code ec;
    report = full.stream->close_and_wait(goodbye(), ec);
    CHECK(ec == cs::error::drain_time_over);
    CHECK(report->last_bytes == cs::last_bytes_fate::not_sent);
}

TEST_CASE("lazy and silent tokens take last bytes along") {
    connection<quick> c;
    SUBCASE("coroutine") {
        std::optional<cs::close_report> report;
        asio::co_spawn(
            c.io,
            [](auto& stream, auto& told) -> asio::awaitable<void> {
                auto closing = stream.async_close(cs::last_bytes(asio::buffer(std::string(busy))), asio::use_awaitable);
                told = co_await std::move(closing);
            }(*c.stream, report),
            asio::detached);
        c.io.poll();
        CHECK(text_at(c.peer, busy.size()) == busy);
        c.peer.close();
        REQUIRE(c.run_until([&] { return report.has_value(); }));
        CHECK(report->last_bytes == cs::last_bytes_fate::sent);
    }
    SUBCASE("future") {
        auto report = c.stream->async_close(goodbye(), asio::use_future);
        CHECK(text_at(c.peer, busy.size()) == busy);
        c.peer.close();
        REQUIRE(c.run_until([&] { return report.wait_for(0s) == std::future_status::ready; }));
        CHECK(report.get().last_bytes == cs::last_bytes_fate::sent);
    }
    SUBCASE("detached") {
        c.stream->async_close(goodbye(), asio::detached);
        CHECK(text_at(c.peer, busy.size()) == busy);
        c.peer.close();
        CHECK(c.local_becomes(kv::time_wait));
    }
}

TEST_CASE("a close that waits for room is cancelled, and goes with its context, as any other") {
    SUBCASE("cancelled") {
        connection<cs::policies::graceful> c;
        c.fill_send_queue();
        asio::cancellation_signal stop;
        close_result result;
        c.stream->async_close(goodbye(), asio::bind_cancellation_slot(stop.slot(), result.handler()));
        c.io.poll();
        stop.emit(asio::cancellation_type::total);
        await(c, result);
        CHECK(result.ec == cs::error::cancelled);
        CHECK(result.report.last_bytes == cs::last_bytes_fate::not_sent);
        CHECK(result.report.ended_by == cs::ending::fin);
    }
    SUBCASE("context destroyed: the reply before them is delivered") {
        std::size_t written = 0;
        std::optional<test_peer> peer;
        {
            asio::io_context io;
            cs::acceptor<cs::policies::graceful> listener(io, {asio::ip::address_v4::loopback(), 0});
            peer.emplace(listener.local_endpoint());
            auto stream = listener.accept();
            stream.socket().non_blocking(true);
            const std::string data(1u << 20, 'r');
            for (cs::error_code ec; !ec;) written += stream.write_some(asio::buffer(data), ec);
            stream.async_close(goodbye(), [](auto...) {});
            io.poll();
        }
        const auto seen = peer->read();
        CHECK(seen.error == 0);
        CHECK(seen.bytes == written);
    }
}

TEST_CASE("a reset that answered the reply is told, though the last bytes would have taken its error off the socket") {
    connection<quick> c;
    c.peer.close();
    REQUIRE(c.local_becomes(kv::close_wait));
    asio::write(*c.stream, asio::buffer("reply", 5));
    REQUIRE(c.local_becomes(kv::none));
    close_result result;
    c.stream->async_close(goodbye(), result.handler());
    await(c, result);
    CHECK(result.ec == cs::error::reset_by_peer);
    CHECK(result.report.first_fin == cs::fin_sender::peer);
    CHECK(result.report.ended_by == cs::ending::reset_by_peer);
    CHECK(result.report.last_bytes == cs::last_bytes_fate::not_sent);
}

TEST_CASE("last bytes to a peer that is gone are told as not sent, or as lost") {
    connection<quick> c;
    c.peer.reset();
    REQUIRE(c.local_becomes(kv::none));
    close_result result;
    c.stream->async_close(goodbye(), result.handler());
    await(c, result);
    CHECK(result.ec == cs::error::reset_by_peer);
    CHECK(result.report.last_bytes == cs::last_bytes_fate::not_sent);
}
