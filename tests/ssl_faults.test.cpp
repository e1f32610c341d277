// SPDX-License-Identifier: BSL-1.0
#include <closeside/ssl.hpp>

#include "support/failing_calls.hpp"
#include "support/scarce_memory.hpp"
#include "support/scarce_openssl.hpp"
#include "support/tls.hpp"

#include <asio/bind_cancellation_slot.hpp>
#include <asio/buffer.hpp>
#include <asio/cancellation_signal.hpp>
#include <asio/write.hpp>

#include <doctest/doctest.h>

#include <array>
#include <cerrno>
#include <memory>
#include <new>
#include <optional>
#include <string>

namespace cs = closeside;
namespace kv = kernel_view;
using namespace std::chrono_literals;
using tests::tls_connection;

namespace {

constexpr cs::close_policy quick{.drain_time = 100ms, .drain_idle = 50ms};
constexpr cs::close_policy full{.drain_time = 100ms};

/// The client reads to the end of the connection and closes.
template <cs::close_policy P, class Done>
bool read_to_the_end(tls_connection<P>& c, Done done) {
    return c.run_until([&] {
        if (c.peer.fd() >= 0 && (c.client.read(), c.client.over())) c.peer.close();
        return c.peer.fd() < 0 && done();
    });
}

/// What the client saw is what was said, and OpenSSL has nothing left to say.
template <cs::close_policy P>
void check_truth(tls_connection<P>& c, const cs::tls_close_report& said) {
    CHECK(said.close_notify_sent == c.client.read().close_notify);
    CHECK_FALSE(c.client.read().failed);
    CHECK_FALSE(c.client.found_errors());
}

/// Where an operation of the program's can be waiting when its connection ends.
struct suspension {
    const char* name;
    void (*begin)(tls_connection<quick>&, asio::cancellation_slot, int& calls, cs::error_code& ec);
};

template <class... Results>
auto told(int& calls, cs::error_code& told, asio::cancellation_slot slot) {
    return asio::bind_cancellation_slot(slot, [&calls, &told](cs::error_code ec, Results...) {
        ++calls;
        told = ec;
    });
}

char byte;
const std::string much(64u << 20, 'r');

const suspension suspensions[] = {
    {"read", [](auto& c, auto slot, auto& calls,
                auto& ec) { c.tls->async_read_some(asio::buffer(&byte, 1), told<std::size_t>(calls, ec, slot)); }},
    {"write", [](auto& c, auto slot, auto& calls,
                 auto& ec) { asio::async_write(*c.tls, asio::buffer(much), told<std::size_t>(calls, ec, slot)); }},
    {"shutdown", [](auto& c, auto slot, auto& calls, auto& ec) { c.tls->async_shutdown(told<>(calls, ec, slot)); }},
    {"wait_input", [](auto& c, auto slot, auto& calls, auto& ec) { c.tls->async_wait_input(told<>(calls, ec, slot)); }},
};

} // namespace

TEST_CASE("an operation on TLS that is cancelled, or whose stream, or context, goes, completes or is destroyed") {
    for (const suspension& s : suspensions) {
        CAPTURE(std::string(s.name));
        int calls = 0;
        cs::error_code ec;
        SUBCASE("cancelled, then closed") {
            tls_connection<quick> c;
            asio::cancellation_signal stop;
            s.begin(c, stop.slot(), calls, ec);
            c.poll();
            CHECK(calls == 0);
            stop.emit(asio::cancellation_type::terminal);
            // Asio's TLS looks at the next step of the operation whether it has been cancelled.
            const auto closed = c.close();
            REQUIRE(read_to_the_end(c, [&] { return calls == 1 && closed->calls == 1; }));
            CHECK(ec);
            check_truth(c, closed->report);
        }
        SUBCASE("closed") {
            tls_connection<quick> c;
            s.begin(c, {}, calls, ec);
            c.poll();
            const auto closed = c.close();
            c.tls.reset();
            REQUIRE(read_to_the_end(c, [&] { return calls == 1 && closed->calls == 1; }));
            CHECK(ec);
            check_truth(c, closed->report);
        }
        SUBCASE("destroyed") {
            tls_connection<quick> c;
            s.begin(c, {}, calls, ec);
            c.poll();
            c.tls.reset();
            REQUIRE(read_to_the_end(c, [&] { return calls == 1; }));
            CHECK(ec);
            CHECK_FALSE(c.client.found_errors());
        }
        SUBCASE("the context is destroyed") {
            auto c = std::make_unique<tls_connection<quick>>();
            s.begin(*c, {}, calls, ec);
            c->poll();
            const int fd = ::dup(c->peer.fd());
            c.reset();
            CHECK(calls == 0);
            CHECK(kv::eventually([fd] {
                char bytes[4096];
                const ssize_t n = ::recv(fd, bytes, sizeof bytes, MSG_DONTWAIT);
                return n == 0 || (n < 0 && errno != EAGAIN);
            }));
            ::close(fd);
        }
    }
}

TEST_CASE("a handshake that is cut harms nothing") {
    connection<quick> c;
    auto context = tests::server_context();
    int calls = 0;
    const auto count = [&](cs::error_code ec) {
        CHECK(ec);
        ++calls;
    };
    std::optional<cs::ssl_stream<quick>> tls;
    tls.emplace(std::move(*c.stream), context);
    tls->async_handshake(tls->server, count);
    c.poll();
    SUBCASE("destroyed") { tls.reset(); }
    SUBCASE("closed") { tls->close(); }
    SUBCASE("aborted") { tls->abort(); }
    SUBCASE("disowned") { tls->disown(); }
    SUBCASE("assigned over") { *tls = cs::ssl_stream<quick>(c.io, context); }
    CHECK(c.run_until([&] { return calls == 1; }));
    CHECK(::ERR_peek_error() == 0);
}

TEST_CASE("a TLS close that is cancelled where it waits is told truly") {
    const auto cancelled = [](auto& c) {
        asio::cancellation_signal stop;
        std::optional<cs::tls_close_report> report;
        c.tls->async_close(asio::bind_cancellation_slot(stop.slot(), [&](cs::error_code ec, cs::tls_close_report r) {
            CHECK(ec == cs::error::cancelled);
            report = r;
        }));
        c.tls.reset();
        c.poll();
        stop.emit(asio::cancellation_type::partial);
        REQUIRE(read_to_the_end(c, [&] { return report.has_value(); }));
        check_truth(c, *report);
    };
    SUBCASE("in the drain") {
        tls_connection<full> c;
        cancelled(c);
    }
    SUBCASE("in patience") {
        tls_connection<cs::policies::peer_first> c;
        cancelled(c);
    }
}

TEST_CASE("where operator new fails, a TLS close throws or completes, once, and the connection ends") {
    bool enough = false;
    for (int n = 0; !enough; ++n) {
        CAPTURE(n);
        REQUIRE(n < 100);
        tls_connection<quick> c;
        int calls = 0;
        bool thrown = false;
        cs::tls_close_report report;
        {
            const tests::scarce_memory scarce(n, 1);
            try {
                c.tls->async_close([&](cs::error_code, const cs::tls_close_report& r) {
                    ++calls;
                    report = r;
                });
            } catch (const std::bad_alloc&) {
                thrown = true;
            }
        }
        enough = tests::scarce_memory::failures() == 0;
        REQUIRE(read_to_the_end(c, [&] { return calls == 1 || thrown; }));
        CHECK(calls == (thrown ? 0 : 1));
        if (!thrown) check_truth(c, report);
        if (enough) CHECK(report.close_notify_sent);
        CHECK_FALSE(c.tls->is_open());
    }
}

TEST_CASE("where operator new fails in the destructor, the connection ends all the same") {
    bool enough = false;
    for (int n = 0; !enough; ++n) {
        CAPTURE(n);
        REQUIRE(n < 100);
        tls_connection<quick> c;
        {
            const tests::scarce_memory scarce(n, tests::scarce_memory::always);
            c.tls.reset();
        }
        enough = tests::scarce_memory::failures() == 0;
        REQUIRE(read_to_the_end(c, [] { return true; }));
        CHECK_FALSE(c.client.read().failed);
    }
}

TEST_CASE("where OpenSSL finds no memory there is no close_notify, and the report says so") {
    REQUIRE(tests::scarce_openssl::is_in_use());
    bool enough = false;
    int without = 0;
    for (int n = 0; !enough; ++n) {
        CAPTURE(n);
        REQUIRE(n < 200);
        tls_connection<quick> c;
        std::shared_ptr<tls_connection<quick>::outcome> closed;
        {
            const tests::scarce_openssl scarce(n);
            closed = c.close();
            enough = scarce.failures() == 0;
        }
        REQUIRE(read_to_the_end(c, [&] { return closed->calls == 1; }));
        CHECK_FALSE(closed->ec);
        check_truth(c, closed->report);
        without += !closed->report.close_notify_sent;
        if (enough) CHECK(closed->report.close_notify_sent);
    }
    CHECK(without > 0);
}

TEST_CASE("whichever call of OpenSSL fails, the connection ends, and the report says what was sent") {
    for (const char* call : {"BIO_new", "SSL_shutdown", "BIO_ctrl"}) {
        CAPTURE(std::string(call));
        tls_connection<quick> c;
        std::shared_ptr<tls_connection<quick>::outcome> closed;
        {
            const tests::failing_openssl_call fails(call);
            closed = c.close();
            CHECK(fails.has_failed());
        }
        REQUIRE(read_to_the_end(c, [&] { return closed->calls == 1; }));
        CHECK_FALSE(closed->report.close_notify_sent);
        CHECK(closed->report.last_bytes == cs::last_bytes_fate::none);
        check_truth(c, closed->report);
    }
}

TEST_CASE("whichever system call fails, a TLS close completes once, and tells no untruth") {
    bool none_failed = false;
    for (int n = 0; !none_failed; ++n) {
        CAPTURE(n);
        REQUIRE(n < 100);
        tls_connection<quick> c;
        std::shared_ptr<tls_connection<quick>::outcome> closed;
        bool thrown = false;
        {
            const tests::failing_call fails(n, ENOMEM);
            try {
                closed = c.close();
            } catch (const std::exception&) {
                thrown = true;
            }
            none_failed = fails.failed() == nullptr;
        }
        REQUIRE(read_to_the_end(c, [&] { return thrown || closed->calls == 1; }));
        if (thrown) continue;
        CHECK(closed->calls == 1);
        if (closed->report.close_notify_sent && closed->report.ended_by == cs::ending::fin)
            CHECK(c.client.read().close_notify);
        CHECK_FALSE(c.client.found_errors());
    }
}

TEST_CASE("errors that the program has in OpenSSL's queue are left there") {
    tls_connection<quick> c;
    ERR_put_error(ERR_LIB_USER, 0, 77, __FILE__, __LINE__);
    const auto closed = c.close();
    CHECK(ERR_GET_REASON(::ERR_get_error()) == 77);
    CHECK(::ERR_peek_error() == 0);
    REQUIRE(read_to_the_end(c, [&] { return closed->calls == 1; }));
}
