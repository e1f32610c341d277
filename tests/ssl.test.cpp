// SPDX-License-Identifier: BSL-1.0
#include <closeside/orderly_stop.hpp>
#include <closeside/ssl.hpp>

#include "support/tls.hpp"

#include <asio/bind_cancellation_slot.hpp>
#include <asio/buffer.hpp>
#include <asio/cancellation_signal.hpp>
#include <asio/co_spawn.hpp>
#include <asio/detached.hpp>
#include <asio/read.hpp>
#include <asio/redirect_error.hpp>
#include <asio/use_awaitable.hpp>
#include <asio/write.hpp>

#include <doctest/doctest.h>

#include <array>
#include <chrono>
#include <csignal>
#include <cstdint>
#include <memory>
#include <string>
#include <type_traits>
#include <utility>

#include <linux/sock_diag.h>
#include <sys/socket.h>

namespace cs = closeside;
namespace kv = kernel_view;
using namespace std::chrono_literals;
using tests::tls_connection;

namespace {

constexpr cs::close_policy quick{.drain_time = 2s, .drain_idle = 300ms};
constexpr cs::close_policy quick_peer_first{
    .closes_first = cs::side::peer, .patience = 300ms, .drain_time = 2s, .drain_idle = 300ms};
constexpr cs::close_policy acknowledged{.linger = cs::lingering::until_acked(1s)};
constexpr cs::close_policy no_drain{.drain_time = cs::close_duration{0}};
constexpr cs::close_policy dropped_closes{.drain_idle = 300ms, .on_destroy = cs::destroy_action::close};
constexpr cs::close_policy dropped_aborts{.on_destroy = cs::destroy_action::abort};

const std::string reply(1u << 20, 'r');

const bool ignores_sigpipe = std::signal(SIGPIPE, SIG_IGN) != SIG_ERR;

/// Writes the reply and lets the client read it.
template <cs::close_policy P>
void serve(tls_connection<P>& c) {
    bool written = false;
    asio::async_write(*c.tls, asio::buffer(reply), [&](cs::error_code ec, std::size_t) { written = !ec; });
    REQUIRE(c.run_until([&] {
        c.client.read();
        return written;
    }));
}

/// The client reads until the end, answers close_notify with its own, and closes.
template <cs::close_policy P, class Told>
void answer(tls_connection<P>& c, const Told& told) {
    REQUIRE(c.run_until([&] {
        if (c.peer.fd() >= 0 && (c.client.read(), c.client.over())) {
            c.client.send_close_notify();
            c.peer.close();
        }
        return told->calls == 1;
    }));
}

bool error_queue_is_empty() { return ::ERR_peek_error() == 0; }

} // namespace

static_assert(!std::is_copy_constructible_v<cs::ssl_stream<quick>>);
static_assert(std::is_nothrow_move_constructible_v<cs::ssl_stream<quick>>);
static_assert(std::is_nothrow_move_assignable_v<cs::ssl_stream<quick>>);
static_assert(cs::ssl_stream<quick_peer_first>::policy == quick_peer_first);

TEST_CASE_TEMPLATE("close_notify goes out before our FIN, and the reply is whole", version,
                   std::integral_constant<int, TLS1_2_VERSION>, std::integral_constant<int, TLS1_3_VERSION>) {
    tls_connection<quick> c(version::value);
    serve(c);
    const auto told = c.close();
    CHECK_FALSE(c.tls->is_open());
    CHECK(told->calls == 0);
    CHECK(c.local_becomes(kv::fin_wait2));
    answer(c, told);
    CHECK_FALSE(told->ec);
    CHECK(c.client.read().bytes == reply.size());
    CHECK(c.client.read().close_notify);
    CHECK(told->report.close_notify_sent);
    CHECK_FALSE(told->report.close_notify_received);
    CHECK_FALSE(told->report.truncated);
    CHECK(told->report.last_bytes == cs::last_bytes_fate::sent);
    CHECK(told->report.first_fin == cs::fin_sender::local);
    CHECK(c.local_state() == kv::time_wait);
    CHECK_FALSE(c.client.found_errors());
}

TEST_CASE_TEMPLATE("under peer first close_notify makes the client close, and TIME-WAIT is there", version,
                   std::integral_constant<int, TLS1_2_VERSION>, std::integral_constant<int, TLS1_3_VERSION>) {
    tls_connection<quick_peer_first> c(version::value);
    serve(c);
    const auto told = c.close();
    c.poll();
    CHECK(c.local_state() == kv::established);
    answer(c, told);
    CHECK_FALSE(told->ec);
    CHECK(c.client.read().close_notify);
    CHECK(told->report.close_notify_sent);
    CHECK(told->report.first_fin == cs::fin_sender::peer);
    CHECK(c.peer_becomes(kv::time_wait));
    CHECK(c.local_state() == kv::none);
}

TEST_CASE("a client that goes on sending gets the whole reply and close_notify") {
    tls_connection<quick> c;
    serve(c);
    c.client.write(std::string(8000, 'q'));
    const auto told = c.close();
    bool more = true;
    REQUIRE(c.run_until([&] {
        if (more) more = c.client.write(std::string(100, 'q'));
        if (c.peer.fd() >= 0 && (c.client.read(), c.client.over())) c.peer.close();
        return told->calls == 1;
    }));
    CHECK(c.client.read().bytes == reply.size());
    CHECK(c.client.read().close_notify);
    CHECK(told->report.close_notify_sent);
    CHECK(told->report.discarded > 8000);
}

TEST_CASE("a silent client costs what it costs on plain TCP") {
    SUBCASE("graceful: drain_idle") {
        tls_connection<quick> c;
        const auto told = c.close();
        REQUIRE(c.run_until([&] { return told->calls == 1; }));
        CHECK(told->ec == cs::error::drain_time_over);
        CHECK(told->report.limit == cs::close_limit::drain_idle);
        CHECK(told->report.elapsed >= 300ms);
        CHECK(told->report.elapsed < 600ms);
        CHECK(c.client.read().close_notify);
    }
    SUBCASE("peer first: patience, then drain_idle") {
        tls_connection<quick_peer_first> c;
        const auto told = c.close();
        REQUIRE(c.run_until([&] { return told->calls == 1; }));
        CHECK(told->ec == cs::error::patience_over);
        CHECK(told->report.elapsed >= 600ms);
        CHECK(told->report.elapsed < 1000ms);
        CHECK(told->report.close_notify_sent);
    }
}

TEST_CASE("a client that closes first is a success, whether its alert was read or not") {
    SUBCASE("read") {
        tls_connection<quick> c;
        c.client.send_close_notify();
        c.peer.close();
        cs::error_code ended;
        char byte;
        c.tls->async_read_some(asio::buffer(&byte, 1), [&](cs::error_code ec, std::size_t) { ended = ec; });
        REQUIRE(c.run_until([&] { return bool(ended); }));
        CHECK(ended == asio::error::eof);
        const auto told = c.close();
        REQUIRE(c.run_until([&] { return told->calls == 1; }));
        CHECK_FALSE(told->ec);
        CHECK(told->report.close_notify_received);
        CHECK(told->report.close_notify_sent);
        CHECK(told->report.first_fin == cs::fin_sender::peer);
        CHECK_FALSE(told->report.truncated);
    }
    SUBCASE("not read") {
        tls_connection<quick> c;
        c.client.send_close_notify();
        c.peer.close();
        REQUIRE(c.local_becomes(kv::close_wait));
        const auto told = c.close();
        REQUIRE(c.run_until([&] { return told->calls == 1; }));
        CHECK_FALSE(told->ec);
        CHECK_FALSE(told->report.close_notify_received);
        CHECK(told->report.first_fin == cs::fin_sender::peer);
    }
    SUBCASE("and its RST is back before the close looks") {
        tls_connection<quick_peer_first> c;
        c.client.send_close_notify();
        c.peer.close();
        REQUIRE(c.local_becomes(kv::close_wait));
        const auto told = c.close();
        CHECK(c.local_becomes(kv::none));
        REQUIRE(c.run_until([&] { return told->calls == 1; }));
        CHECK_FALSE(told->ec);
        CHECK(told->report.close_notify_sent);
    }
}

TEST_CASE("a client that cuts its side without close_notify is a truncation, which the report tells") {
    tls_connection<quick> c;
    c.peer.half_close();
    cs::error_code ended;
    char byte;
    c.tls->async_read_some(asio::buffer(&byte, 1), [&](cs::error_code ec, std::size_t) { ended = ec; });
    REQUIRE(c.run_until([&] { return bool(ended); }));
    CHECK(ended == asio::ssl::error::stream_truncated);
    const auto told = c.close();
    REQUIRE(c.run_until([&] { return told->calls == 1; }));
    CHECK_FALSE(told->ec);
    CHECK(told->report.truncated);
    CHECK_FALSE(told->report.close_notify_received);
    CHECK(told->report.close_notify_sent);
    CHECK(c.client.read().close_notify);
}

TEST_CASE("what the close drains says nothing of the client's end") {
    tls_connection<quick> c;
    const auto told = c.close();
    c.peer.half_close(); // without close_notify
    REQUIRE(c.run_until([&] { return told->calls == 1; }));
    CHECK_FALSE(told->report.truncated);
    CHECK_FALSE(told->report.close_notify_received);
}

TEST_CASE("a write that is cut gets no close_notify, and the client sees truncation") {
    const std::string much(64u << 20, 'r');
    SUBCASE("under way") {
        tls_connection<quick> c;
        cs::error_code written;
        asio::async_write(*c.tls, asio::buffer(much), [&](cs::error_code ec, std::size_t) { written = ec; });
        c.poll();
        const auto told = c.close();
        REQUIRE(c.run_until([&] {
            if (c.peer.fd() >= 0 && (c.client.read(), c.client.over())) c.peer.close();
            return told->calls == 1;
        }));
        CHECK(written);
        CHECK_FALSE(told->report.close_notify_sent);
        CHECK(told->report.last_bytes == cs::last_bytes_fate::none);
        CHECK(c.client.read().end_of_file);
        CHECK_FALSE(c.client.read().close_notify);
        CHECK(c.client.read().bytes < much.size());
    }
    SUBCASE("under way when the stream is destroyed") {
        tls_connection<quick> c;
        cs::error_code written;
        asio::async_write(*c.tls, asio::buffer(much), [&](cs::error_code ec, std::size_t) { written = ec; });
        c.poll();
        c.tls.reset();
        REQUIRE(c.run_until([&] { return (c.client.read(), c.client.over()) && written; }));
        CHECK(c.client.read().end_of_file);
    }
    SUBCASE("cancelled between two of its records") {
        tls_connection<quick> c;
        asio::cancellation_signal stop;
        cs::error_code written;
        const std::string two_records(32 * 1024, 'r');
        asio::async_write(
            *c.tls, asio::buffer(two_records),
            asio::bind_cancellation_slot(stop.slot(), [&](cs::error_code ec, std::size_t) { written = ec; }));
        stop.emit(asio::cancellation_type::terminal);
        REQUIRE(c.run_until([&] { return bool(written); }));
        const auto told = c.close();
        REQUIRE(c.run_until([&] {
            if (c.peer.fd() >= 0 && (c.client.read(), c.client.over())) c.peer.close();
            return told->calls == 1;
        }));
        CHECK(c.client.read().bytes < two_records.size());
        CHECK_FALSE(told->report.close_notify_sent);
        CHECK(c.client.read().end_of_file);
    }
    SUBCASE("but the rest of a partial write may follow") {
        tls_connection<quick> c;
        const std::string two_records(32 * 1024, 'r');
        const std::size_t n = c.tls->write_some(asio::buffer(two_records));
        REQUIRE(n < two_records.size());
        asio::write(*c.tls, asio::buffer(two_records) + n);
        const auto told = c.close();
        answer(c, told);
        CHECK(told->report.close_notify_sent);
        CHECK(c.client.read().bytes == two_records.size());
    }
    SUBCASE("ended before") {
        tls_connection<quick> c;
        c.tls->next_layer().socket().non_blocking(true);
        cs::error_code ec;
        while (!ec) c.tls->write_some(asio::buffer(much), ec);
        const auto told = c.close();
        REQUIRE(c.run_until([&] {
            if (c.peer.fd() >= 0 && (c.client.read(), c.client.over())) c.peer.close();
            return told->calls == 1;
        }));
        CHECK_FALSE(told->report.close_notify_sent);
        CHECK(c.client.read().end_of_file);
    }
}

/// Writes one byte with TLS and sends the record so that the next needs a buffer of its own (MSG_EOR).
inline void send_last_record(SSL* ssl, int fd) {
    BIO* const asios = ::SSL_get_wbio(ssl);
    ::BIO_up_ref(asios);
    BIO* const out = ::BIO_new(::BIO_s_mem());
    ::SSL_set0_wbio(ssl, out);
    REQUIRE(::SSL_write(ssl, "r", 1) == 1);
    const char* record = nullptr;
    const long size = BIO_get_mem_data(out, &record);
    REQUIRE(::send(fd, record, static_cast<std::size_t>(size), MSG_EOR | MSG_DONTWAIT) == size);
    ::SSL_set0_wbio(ssl, asios);
}

/// Writes records until the kernel takes no byte more, though none of them is cut; returns how much that was.
template <cs::close_policy P>
std::size_t fill_with_whole_records(tls_connection<P>& c) {
    auto& socket = c.tls->next_layer().socket();
    socket.set_option(asio::socket_base::send_buffer_size(16 * 1024));
    const auto is_full = [&] {
        std::uint32_t memory[SK_MEMINFO_VARS] = {};
        socklen_t size = sizeof memory;
        ::getsockopt(socket.native_handle(), SOL_SOCKET, SO_MEMINFO, memory, &size);
        return memory[SK_MEMINFO_WMEM_QUEUED] >= memory[SK_MEMINFO_SNDBUF];
    };
    const std::string piece(1000, 'r');
    std::size_t sent = 0;
    // Until the peer's window is closed as well, so that it stays so.
    while (!is_full() || kv::eventually([&] { return !is_full(); }, 100ms)) {
        bool done = false;
        asio::async_write(*c.tls, asio::buffer(piece), [&](cs::error_code ec, std::size_t) { done = !ec; });
        REQUIRE(c.run_until([&] { return done; }));
        sent += piece.size();
    }
    send_last_record(c.tls->native_handle(), socket.native_handle());
    return sent + 1;
}

TEST_CASE("close_notify waits for room in a full send queue, within the limit") {
    SUBCASE("the client reads on") {
        tls_connection<cs::policies::graceful> c;
        const std::size_t sent = fill_with_whole_records(c);
        const auto told = c.close();
        c.poll();
        CHECK(c.local_state() == kv::established); // no FIN without it
        answer(c, told);
        CHECK_FALSE(told->ec);
        CHECK(told->report.close_notify_sent);
        CHECK(c.client.read().bytes == sent);
        CHECK(c.client.read().close_notify);
    }
    SUBCASE("the client does not") {
        tls_connection<quick_peer_first> c;
        fill_with_whole_records(c);
        const auto told = c.close();
        REQUIRE(c.run_until([&] { return told->calls == 1; }));
        CHECK(told->ec == cs::error::patience_over);
        CHECK_FALSE(told->report.close_notify_sent);
        CHECK(told->report.last_bytes == cs::last_bytes_fate::not_sent);
    }
}

TEST_CASE("policies without an orderly end send no close_notify") {
    SUBCASE("abort") {
        tls_connection<cs::policies::abortive> c;
        const auto told = c.close();
        REQUIRE(c.run_until([&] { return told->calls == 1; }));
        CHECK_FALSE(told->ec);
        CHECK_FALSE(told->report.close_notify_sent);
        CHECK(c.client.read().failed);
    }
    SUBCASE("system") {
        tls_connection<cs::policies::system> c;
        const auto told = c.close();
        REQUIRE(c.run_until([&] { return told->calls == 1; }));
        CHECK_FALSE(told->report.close_notify_sent);
        CHECK(c.client.read().end_of_file);
    }
    SUBCASE("abort()") {
        tls_connection<quick> c;
        c.tls->abort();
        CHECK_FALSE(c.tls->is_open());
        CHECK(c.client.read().failed);
    }
    SUBCASE("but without a drain it goes out if there is room") {
        tls_connection<no_drain> c;
        const auto told = c.close();
        REQUIRE(c.run_until([&] { return told->calls == 1; }));
        CHECK(told->report.close_notify_sent);
        CHECK(c.client.read().close_notify);
    }
}

TEST_CASE("until_acked waits for the acknowledgement of close_notify too") {
    tls_connection<acknowledged> c;
    serve(c);
    const auto told = c.close();
    answer(c, told);
    CHECK_FALSE(told->ec);
    CHECK(told->report.close_notify_sent);
    CHECK(told->report.unacknowledged == 0);
}

TEST_CASE("before the handshake is done there is no close_notify") {
    connection<quick> c;
    auto context = tests::server_context();
    cs::ssl_stream<quick> tls(std::move(*c.stream), context);
    cs::error_code shaken;
    tls.async_handshake(tls.server, [&](cs::error_code ec) { shaken = ec; });
    c.poll();
    int calls = 0;
    cs::tls_close_report report;
    tls.async_close([&](cs::error_code, const cs::tls_close_report& r) {
        report = r;
        ++calls;
    });
    REQUIRE(c.run_until([&] { return calls == 1; }));
    CHECK(shaken == asio::error::operation_aborted);
    CHECK_FALSE(report.close_notify_sent);
    CHECK(c.peer.read().bytes == 0);
    CHECK(error_queue_is_empty());
}

TEST_CASE("after a fatal error of TLS there is no close_notify") {
    tls_connection<quick> c;
    REQUIRE(::send(c.peer.fd(), "this is no record of TLS", 24, MSG_NOSIGNAL) == 24);
    cs::error_code ended;
    char byte;
    c.tls->async_read_some(asio::buffer(&byte, 1), [&](cs::error_code ec, std::size_t) { ended = ec; });
    REQUIRE(c.run_until([&] { return bool(ended); }));
    const auto told = c.close();
    REQUIRE(c.run_until([&] { return told->calls == 1; }));
    CHECK_FALSE(told->report.close_notify_sent);
    CHECK(error_queue_is_empty());
}

TEST_CASE("a fatal alert of the client's is no close_notify") {
    connection<quick> c;
    auto context = tests::server_context();
    cs::ssl_stream<quick> tls(std::move(*c.stream), context);
    bool over = false;
    tls.async_handshake(tls.server, [&](cs::error_code ec) { over = bool(ec); });
    const unsigned char handshake_failure[] = {0x15, 0x03, 0x01, 0, 2, 2, 40};
    REQUIRE(::send(c.peer.fd(), handshake_failure, sizeof handshake_failure, MSG_NOSIGNAL) == 7);
    c.peer.half_close();
    REQUIRE(c.run_until([&] { return over; }));
    cs::error_code ec;
    const cs::tls_close_report report = tls.close_and_wait(ec);
    CHECK_FALSE(report.close_notify_received);
    CHECK_FALSE(report.close_notify_sent);
}

TEST_CASE("the program's shutdown counts as sent behind a message that it has cut itself") {
    tls_connection<quick> c;
    const std::string two_records(32 * 1024, 'r');
    REQUIRE(c.tls->write_some(asio::buffer(two_records)) < two_records.size());
    bool over = false;
    c.tls->async_shutdown([&](cs::error_code) { over = true; });
    REQUIRE(c.run_until([&] { return (c.client.read(), c.client.over()); }));
    c.poll();
    const auto told = c.close();
    c.peer.close();
    REQUIRE(c.run_until([&] { return told->calls == 1 && over; }));
    CHECK(c.client.read().close_notify);
    CHECK(told->report.close_notify_sent);
}

TEST_CASE("a close that is begun when its stream is gone finds it closed") {
    tls_connection<quick> c;
    cs::error_code ec;
    asio::co_spawn(
        c.io,
        [](auto& tls, auto& told) -> asio::awaitable<void> {
            auto closing = tls->async_close(asio::redirect_error(asio::use_awaitable, told));
            tls.reset();
            co_await std::move(closing);
        }(c.tls, ec),
        asio::detached);
    REQUIRE(c.run_until([&] { return bool(ec); }));
    CHECK(ec == asio::error::bad_descriptor);
}

TEST_CASE("every other way out sends close_notify as well") {
    const auto sees_close_notify = [](auto& c) {
        return c.run_until([&] { return (c.client.read(), c.client.over()); }) && c.client.read().close_notify;
    };
    SUBCASE("destructor") {
        tls_connection<quick> c;
        c.tls.reset();
        CHECK(sees_close_notify(c));
        CHECK(c.local_becomes(kv::fin_wait2));
    }
    SUBCASE("destructor, destroy_action::close") {
        tls_connection<dropped_closes> c;
        c.tls.reset();
        CHECK(sees_close_notify(c));
    }
    SUBCASE("destructor, destroy_action::abort sends none") {
        tls_connection<dropped_aborts> c;
        c.tls.reset();
        CHECK(c.client.read().failed);
    }
    SUBCASE("move-assignment") {
        tls_connection<quick> c;
        *c.tls = cs::ssl_stream<quick>(c.io, c.context);
        CHECK(sees_close_notify(c));
        CHECK_FALSE(c.tls->is_open());
    }
    SUBCASE("close()") {
        tls_connection<quick> c;
        cs::error_code ec;
        c.tls->close(ec);
        CHECK_FALSE(ec);
        CHECK_FALSE(c.tls->is_open());
        CHECK(sees_close_notify(c));
        c.tls->close();
    }
    SUBCASE("detached") {
        tls_connection<quick> c;
        c.tls->async_close(asio::detached);
        CHECK(sees_close_notify(c));
    }
    SUBCASE("close_and_wait") {
        tls_connection<quick> c;
        c.peer.half_close();
        const cs::tls_close_report r = c.tls->close_and_wait();
        CHECK(r.close_notify_sent);
        CHECK(sees_close_notify(c));
        CHECK(c.tls->close_and_wait() == cs::tls_close_report{});
    }
    SUBCASE("another policy for this one close") {
        tls_connection<quick_peer_first> c;
        const auto told = c.close(quick);
        CHECK(c.local_becomes(kv::fin_wait2));
        CHECK(sees_close_notify(c));
    }
    SUBCASE("the context is destroyed") {
        auto c = std::make_unique<tls_connection<quick>>();
        auto client = std::move(c->client);
        // The descriptor of the client outlives the connection.
        const int fd = ::dup(c->peer.fd());
        ::SSL_set_fd(client.native_handle(), fd);
        c.reset();
        CHECK(client.read().close_notify);
        ::close(fd);
    }
}

TEST_CASE("lowest_layer().close() keeps the policy and the reply, and sends no close_notify") {
    tls_connection<quick> c;
    c.client.write(std::string(1000, 'q')); // unread: close(2) would reset
    serve(c);
    c.tls->lowest_layer().close();
    REQUIRE(c.run_until([&] { return (c.client.read(), c.client.over()); }));
    CHECK(c.client.read().bytes == reply.size());
    CHECK(c.client.read().end_of_file);
    CHECK_FALSE(c.client.read().close_notify);
}

TEST_CASE("operations that are pending when the stream is destroyed complete, and harm nothing") {
    tls_connection<quick> c;
    char a, b;
    int calls = 0;
    const auto count = [&](cs::error_code ec, std::size_t) {
        CHECK(ec);
        ++calls;
    };
    c.tls->async_read_some(asio::buffer(&a, 1), count);
    c.tls->async_read_some(asio::buffer(&b, 1), count); // waits for the first, inside Asio
    c.tls->async_wait_input([&](cs::error_code ec) {
        CHECK(ec == asio::error::operation_aborted);
        ++calls;
    });
    c.poll();
    c.tls.reset();
    CHECK(c.run_until([&] { return calls == 3; }));
}

TEST_CASE("the program's own shutdown, sent or under way, is not followed by a second close_notify") {
    tls_connection<quick> c;
    bool over = false;
    c.tls->async_shutdown([&](cs::error_code) { over = true; });
    REQUIRE(c.run_until([&] { return (c.client.read(), c.client.over()); }));
    CHECK_FALSE(over);
    const auto told = c.close();
    c.peer.close();
    REQUIRE(c.run_until([&] { return told->calls == 1 && over; }));
    CHECK(told->report.close_notify_sent);
    CHECK(told->report.last_bytes == cs::last_bytes_fate::none);
}

TEST_CASE("async_wait_input completes for what is buffered and for what is new, and reads nothing") {
    tls_connection<quick> c;
    cs::error_code ec;
    int calls = 0;
    const auto wait = [&] {
        c.tls->async_wait_input([&](cs::error_code e) {
            ec = e;
            ++calls;
        });
        c.poll();
    };
    wait();
    CHECK(calls == 0);
    c.client.write("one");
    c.client.write("two");
    constexpr std::size_t record = 3 + 22; // TLS 1.3: header, type and tag
    REQUIRE(c.run_until([&] { return calls == 1 && c.tls->next_layer().available() == 2 * record; }));
    CHECK_FALSE(ec);

    char text[2];
    CHECK(c.tls->read_some(asio::buffer(text)) == 2); // one byte of the first record is left
    wait();
    CHECK(calls == 2);
    CHECK(c.tls->read_some(asio::buffer(text)) == 1); // the second record is buffered
    wait();
    CHECK(calls == 3);
    CHECK(c.tls->read_some(asio::buffer(text)) == 2);
    CHECK(c.tls->read_some(asio::buffer(text)) == 1);
    wait();
    CHECK(calls == 3);
    c.client.send_close_notify();
    REQUIRE(c.run_until([&] { return calls == 4; }));
    CHECK(c.tls->read_some(asio::buffer(text), ec) == 0);
    CHECK(ec == asio::error::eof);
}

TEST_CASE("async_wait_input obeys every type of cancellation") {
    tls_connection<quick> c;
    asio::cancellation_signal stop;
    cs::error_code ec;
    c.tls->async_wait_input(asio::bind_cancellation_slot(stop.slot(), [&](cs::error_code e) { ec = e; }));
    c.poll();
    stop.emit(asio::cancellation_type::total);
    REQUIRE(c.run_until([&] { return bool(ec); }));
    CHECK(ec == asio::error::operation_aborted);
    CHECK(c.tls->is_open());
}

/// How many handlers run until a close is over whose peer is silent.
template <class C, class Begin>
int handlers_of_close(C& c, Begin begin) {
    bool over = false;
    begin([&](cs::error_code ec, const auto&) {
        CHECK(ec);
        over = true;
    });
    int handlers = 0;
    c.io.restart();
    const auto end = std::chrono::steady_clock::now() + 5s;
    while (!over && std::chrono::steady_clock::now() < end) handlers += static_cast<int>(c.io.run_one_for(1s));
    return handlers;
}

TEST_CASE("TLS adds no wake-up to those of a silent peer's limits") {
    // A wake-up is the timer's handler and the wait's. Each limit has one, and one more if the peer's kernel was late to
    // acknowledge our FIN or close_notify, on plain TCP as here.
    constexpr int wake_up = 2;
    const auto closes = [](auto& c) {
        return handlers_of_close(c, [&](auto handler) { c.tls->async_close(handler); });
    };
    tls_connection<quick> graceful;
    CHECK(closes(graceful) <= 2 * wake_up);
    tls_connection<quick_peer_first> peer_first;
    CHECK(closes(peer_first) <= 2 * 2 * wake_up);
}

TEST_CASE("an ssl_stream is a client too, connected through its lowest layer, and verifies the server") {
    asio::io_context io;
    cs::acceptor<quick> listener(io, {asio::ip::address_v4::loopback(), 0});
    auto server_side = tests::server_context();
    asio::ssl::context client_side(asio::ssl::context::tls_client);
    cs::ssl_stream<quick> client(io, client_side);
    client.set_verify_mode(asio::ssl::verify_peer);
    int verified = 0;
    client.set_verify_callback([&](bool, asio::ssl::verify_context&) { return ++verified != 0; });
    int done = 0;
    const auto count = [&](cs::error_code ec) {
        CHECK_FALSE(ec);
        ++done;
    };
    client.lowest_layer().async_connect(listener.local_endpoint(), [&](cs::error_code ec) {
        CHECK_FALSE(ec);
        client.async_handshake(client.client, count);
    });
    cs::ssl_stream<quick> server(listener.accept(), server_side);
    server.async_handshake(server.server, count);
    io.run_for(5s);
    CHECK(done == 2);
    CHECK(verified > 0);

    // Both close at the same time, each by its own policy.
    const auto closed = [&](cs::error_code ec, const cs::tls_close_report& r) {
        CHECK_FALSE(ec);
        CHECK(r.close_notify_sent);
        ++done;
    };
    client.async_close(closed);
    server.async_close(closed);
    io.restart();
    io.run_for(5s);
    CHECK(done == 4);
}

TEST_CASE("a handshake takes what the program has read already") {
    connection<quick> c;
    auto context = tests::server_context();
    tests::tls_client client(c.peer.fd());
    CHECK_FALSE(client.handshake()); // sends its hello
    REQUIRE(kv::eventually([&] { return c.stream->available() > 100; }));
    std::string hello(c.stream->available(), '\0');
    asio::read(*c.stream, asio::buffer(hello));
    cs::ssl_stream<quick> tls(std::move(*c.stream), context);
    std::size_t used = 0;
    tls.async_handshake(tls.server, asio::buffer(hello), [&](cs::error_code ec, std::size_t n) {
        CHECK_FALSE(ec);
        used = n;
    });
    bool client_done = false;
    REQUIRE(c.run_until([&] { return (client_done = client_done || client.handshake()) && used != 0; }));
    CHECK(used == hello.size());
}

TEST_CASE("an ssl_stream that was moved from can be assigned to, closed and destroyed") {
    tls_connection<quick> c;
    cs::ssl_stream<quick> other(std::move(*c.tls));
    CHECK(other.is_open());
    CHECK_FALSE(c.tls->is_open());
    c.tls->close();
    c.tls->abort();
    *c.tls = std::move(other);
    CHECK(c.tls->is_open());
}

TEST_CASE("Asio's own type closes by the free function") {
    connection<quick> plain;
    auto context = tests::server_context();
    asio::ssl::stream<cs::stream<quick>> tls(std::move(*plain.stream), context);
    tests::tls_client client(plain.peer.fd());
    bool shaken = false, client_shaken = false;
    tls.async_handshake(asio::ssl::stream_base::server, [&](cs::error_code ec) { shaken = !ec; });
    REQUIRE(plain.run_until([&] { return (client_shaken = client_shaken || client.handshake()) && shaken; }));
    int calls = 0;
    cs::tls_close_report report;
    async_close(tls, [&](cs::error_code ec, cs::tls_close_report r) {
        CHECK_FALSE(ec);
        report = r;
        ++calls;
    });
    CHECK_FALSE(tls.next_layer().is_open());
    REQUIRE(plain.run_until([&] {
        if (plain.peer.fd() >= 0 && (client.read(), client.over())) plain.peer.close();
        return calls == 1;
    }));
    CHECK(client.read().close_notify);
    CHECK(report.close_notify_sent);
}

TEST_CASE("a closed TLS stream says so") {
    connection<quick> c;
    auto context = tests::server_context();
    cs::ssl_stream<quick> tls(c.io, context);
    cs::error_code ec;
    tls.async_close([&](cs::error_code e, cs::tls_close_report) { ec = e; });
    CHECK_FALSE(ec);
    c.poll();
    CHECK(ec == asio::error::bad_descriptor);
}

TEST_CASE("the report is one line") {
    cs::tls_close_report r;
    r.close_notify_sent = true;
    CHECK(to_string(r) == to_string(static_cast<const cs::close_report&>(r)) +
                              " close_notify_sent=yes close_notify_received=no truncated=no");
}

TEST_CASE("a stop ends the idle read of a TLS stream, which closes with close_notify and our FIN first") {
    tls_connection<quick_peer_first> c;
    cs::orderly_stop stop(c.io);
    serve(c);
    auto here = std::make_unique<cs::orderly_stop::member>(stop, *c.tls);
    cs::error_code waited;
    std::shared_ptr<tls_connection<quick_peer_first>::outcome> closed;
    const auto close = [&](cs::error_code ec) {
        waited = ec;
        closed = c.close();
    };
    std::array<char, 8> buffer{};
    SUBCASE("one that waits for input") { c.tls->async_wait_input(here->idle(close)); }
    SUBCASE("one that reads") {
        c.tls->async_read_some(asio::buffer(buffer), here->idle([&](cs::error_code ec, std::size_t) { close(ec); }));
    }
    bool over = false;
    cs::stop_report report;
    stop.async_stop({.within = 2s}, [&](cs::error_code, const cs::stop_report& r) {
        report = r;
        over = true;
    });
    REQUIRE(c.run_until([&] { return closed != nullptr; }));
    CHECK(waited == asio::error::operation_aborted);
    CHECK(c.local_becomes(kv::fin_wait2));
    answer(c, closed);
    here.reset();
    REQUIRE(c.run_until([&] { return over; }));
    CHECK(c.client.read().close_notify);
    CHECK(closed->report.first_fin == cs::fin_sender::local);
    CHECK(report.idle == 1);
    CHECK(report.cut == 0);
}

TEST_CASE("a request that has come decrypted is read before a stop ends the idle wait of a TLS stream") {
    tls_connection<quick> c;
    cs::orderly_stop stop(c.io);
    serve(c);
    cs::orderly_stop::member here(stop, *c.tls);
    c.client.write("two lines");
    std::string got(3, ' ');
    REQUIRE(asio::read(*c.tls, asio::buffer(got)) == 3); // the rest of the record lies in OpenSSL
    cs::error_code waited = asio::error::would_block;
    bool over = false;
    stop.async_stop({.within = 300ms}, [&](cs::error_code, const cs::stop_report&) { over = true; });
    c.poll();
    c.tls->async_wait_input(here.idle([&](cs::error_code ec) { waited = ec; }));
    REQUIRE(c.run_until([&] { return waited != asio::error::would_block; }));
    CHECK_FALSE(waited);
    REQUIRE(c.run_until([&] { return over; }));
}
