// SPDX-License-Identifier: BSL-1.0
#include <closeside/close.hpp>

#include "support/connection.hpp"

#include <closeside/error.hpp>

#include <asio/awaitable.hpp>
#include <asio/co_spawn.hpp>
#include <asio/detached.hpp>
#include <asio/generic/stream_protocol.hpp>
#include <asio/local/connect_pair.hpp>
#include <asio/local/stream_protocol.hpp>
#include <asio/use_awaitable.hpp>

#include <doctest/doctest.h>

#include <string>
#include <utility>

#include <fcntl.h>

namespace cs = closeside;
namespace kv = kernel_view;
using namespace std::chrono_literals;

namespace {

/// A plain Asio connection: one end for the close, the other a test_peer.
template <class Socket = tcp::socket>
struct plain {
    plain() {
        asio::basic_socket_acceptor<tcp, typename Socket::executor_type> listener(
            io, tcp::endpoint(asio::ip::address_v4::loopback(), 0));
        peer.emplace(listener.local_endpoint());
        auto accepted = listener.accept();
        local = accepted.local_endpoint();
        socket = Socket(std::move(accepted));
    }

    close_result close(const cs::close_policy& policy) {
        close_result result;
        cs::async_close(std::move(socket), policy, result.handler());
        CHECK(result.calls == 0);
        CHECK_FALSE(socket.is_open());
        io.run_for(5s);
        CHECK(result.calls == 1);
        return result;
    }

    asio::io_context io;
    std::optional<test_peer> peer;
    tcp::endpoint local;
    Socket socket{io};
};

} // namespace

TEST_CASE("a plain socket closes under a policy that is known at run time") {
    SUBCASE("graceful") {
        plain p;
        p.peer->half_close();
        const close_result result = p.close(cs::policies::graceful);
        CHECK_FALSE(result.ec);
        CHECK(result.report.ended_by == cs::ending::fin);
    }
    SUBCASE("abortive") {
        plain p;
        const close_result result = p.close(cs::policies::abortive);
        CHECK_FALSE(result.ec);
        CHECK(result.report.ended_by == cs::ending::reset_by_us);
        CHECK(p.peer->read().error == ECONNRESET);
    }
    SUBCASE("graceful, and nobody is told") {
        plain p;
        const auto port = p.peer->local();
        cs::async_close(std::move(p.socket), cs::policies::graceful, asio::detached);
        CHECK_FALSE(p.socket.is_open());
        p.peer->close();
        p.io.run_for(5s);
        CHECK(p.io.stopped());
        CHECK(kv::find(p.local, port).state == kv::time_wait);
    }
    SUBCASE("peer_first, and a peer that does not close") {
        plain p;
        const close_result result = p.close({.closes_first = cs::side::peer, .patience = 50ms, .drain_time = 50ms});
        CHECK(result.ec == cs::error::patience_over);
        CHECK(result.report.first_fin == cs::fin_sender::local);
        CHECK(p.peer->read().error == 0);
    }
    SUBCASE("peer_first_or_reset, and a peer that does not close") {
        plain p;
        const close_result result =
            p.close({.closes_first = cs::side::peer, .patience = 50ms, .on_limit = cs::limit_action::abort});
        CHECK(result.ec == cs::error::patience_over);
        CHECK(p.peer->read().error == ECONNRESET);
    }
    SUBCASE("linger2 reaches the kernel with the orphan") {
        plain p;
        close_result result = p.close({.linger2 = 5s, .drain_time = cs::close_duration{0}});
        CHECK_FALSE(result.ec);
        REQUIRE(kv::eventually([&] { return kv::state(p.local, p.peer->local()) == kv::fin_wait2; }));
        CHECK(kv::find(p.local, p.peer->local()).timer_ms <= 5000);
    }
}

TEST_CASE("a positive SO_LINGER on the socket does not block the close") {
    plain p;
    p.socket.set_option(asio::socket_base::linger(true, 5));
    const std::string data(1u << 20, 'x');
    p.socket.non_blocking(true);
    for (cs::error_code ec; !ec;) p.socket.write_some(asio::buffer(data), ec);
    const auto begun = std::chrono::steady_clock::now();
    const close_result result = p.close({.drain_time = 50ms});
    CHECK(result.ec == cs::error::drain_time_over);
    CHECK(std::chrono::steady_clock::now() - begun < 1s);
}

TEST_CASE("sockets of other protocols and executors close too") {
    SUBCASE("asio::generic::stream_protocol") {
        plain<asio::generic::stream_protocol::socket> p;
        p.peer->half_close();
        CHECK_FALSE(p.close(cs::policies::peer_first).ec);
    }
    SUBCASE("an io_context executor") {
        plain<asio::basic_stream_socket<tcp, asio::io_context::executor_type>> p;
        p.peer->half_close();
        CHECK_FALSE(p.close(cs::policies::peer_first).ec);
    }
    SUBCASE("what is not TCP is refused, and released") {
        asio::io_context io;
        asio::local::stream_protocol::socket one(io), other(io);
        asio::local::connect_pair(one, other);
        const int fd = one.native_handle();
        close_result result;
        cs::async_close(std::move(one), cs::policies::graceful, result.handler());
        io.run();
        CHECK(result.calls == 1);
        CHECK(result.ec == asio::error::operation_not_supported);
        CHECK(::fcntl(fd, F_GETFD) == -1);
    }
}

TEST_CASE("a contradictory policy is refused with its sentence, and the socket stays the caller's") {
    plain p;
    const cs::close_policy bad{.closes_first = cs::side::peer, .linger = cs::lingering::abort};
    CHECK_THROWS_WITH_AS(cs::async_close(std::move(p.socket), bad, asio::detached), cs::contradiction(bad),
                         std::invalid_argument);
    CHECK(p.socket.is_open());
}

TEST_CASE("a closed socket says so") {
    plain p;
    p.socket.close();
    CHECK(p.close(cs::policies::graceful).ec == asio::error::bad_descriptor);
}

TEST_CASE("a lazy close that nobody awaits ends the connection by the policy") {
    plain p;
    { auto never_awaited = cs::async_close(std::move(p.socket), cs::policies::abortive, asio::use_awaitable); }
    CHECK(p.peer->read().error == ECONNRESET);
}
