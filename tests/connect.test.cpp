// SPDX-License-Identifier: BSL-1.0
#include <closeside/connect.hpp>

#include "support/connection.hpp"
#include "support/foreign_socket.hpp"
#include "support/in_child.hpp"
#include "support/own_network.hpp"

#include <closeside/error.hpp>

#include <asio/bind_cancellation_slot.hpp>
#include <asio/cancellation_signal.hpp>
#include <asio/detached.hpp>
#include <asio/use_awaitable.hpp>
#include <asio/use_future.hpp>

#include <doctest/doctest.h>

#include <optional>
#include <stdexcept>
#include <string>
#include <system_error>
#include <vector>

#include <fcntl.h>

namespace cs = closeside;
namespace kv = kernel_view;
using namespace std::chrono_literals;

namespace {

constexpr cs::close_policy upstream{.linger2 = 7s, .drain_time = 100ms};
const asio::ip::address loopback = asio::ip::address_v4::loopback();

/// Leaves a TIME-WAIT to the listener on our side.
template <cs::close_policy P = cs::policies::graceful>
void connect_and_close_first(asio::io_context& io, tcp::acceptor& listener, const cs::connect_options& options = {}) {
    auto stream = cs::connect<P>(io, listener.local_endpoint(), options);
    tcp::socket accepted = listener.accept();
    stream.async_close(asio::detached);
    accepted.close();
    io.restart();
    io.run();
}

/// A port that refuses connections: bound, never listening.
struct refusing_port {
    explicit refusing_port(asio::io_context& io) : socket(io, tcp::endpoint(loopback, 0)) {}
    tcp::endpoint endpoint() const { return socket.local_endpoint(); }
    tcp::socket socket;
};

struct connect_result {
    int calls = 0;
    cs::error_code ec;
    std::optional<cs::stream<upstream>> stream;

    auto handler() {
        return [this](cs::error_code e, cs::stream<upstream> s) {
            ++calls;
            ec = e;
            stream.emplace(std::move(s));
        };
    }
};

} // namespace

TEST_CASE("a connection to the first endpoint that answers carries the policy") {
    asio::io_context io;
    tcp::acceptor listener(io, {loopback, 0});
    const refusing_port refused(io);
    connect_result result;
    cs::async_connect<upstream>(io, std::vector{refused.endpoint(), listener.local_endpoint()}, result.handler());
    CHECK(result.calls == 0);
    io.run();
    REQUIRE(result.calls == 1);
    CHECK_FALSE(result.ec);
    const int fd = result.stream->socket().native_handle();
    int linger2 = 0;
    socklen_t size = sizeof linger2;
    ::getsockopt(fd, IPPROTO_TCP, TCP_LINGER2, &linger2, &size);
    CHECK(linger2 == 7);
    CHECK((::fcntl(fd, F_GETFD) & FD_CLOEXEC) != 0);
    CHECK((::fcntl(fd, F_GETFL) & O_NONBLOCK) != 0);
    CHECK(result.stream->socket().remote_endpoint() == listener.local_endpoint());
}

TEST_CASE("every form of connect has a twin that tells the error in place of throwing it") {
    asio::io_context io;
    tcp::acceptor listener(io, {loopback, 0});
    const tcp::endpoint at = listener.local_endpoint();
    cs::error_code ec = asio::error::eof;
    CHECK(cs::connect<upstream>(io, at, ec).is_open());
    CHECK_FALSE(ec);
    CHECK(cs::connect<upstream>(io.get_executor(), std::vector{at}, ec).is_open());
    CHECK_FALSE(ec);
    CHECK(cs::connect<upstream>(io, at, cs::connect_options{.local = tcp::endpoint(loopback, 0)}, ec).is_open());
    CHECK_FALSE(ec);
    CHECK_FALSE(cs::connect<upstream>(io, std::vector<tcp::endpoint>(), ec).is_open());
    CHECK(ec == asio::error::not_found);
}

TEST_CASE("a resolver's results serve as endpoints") {
    asio::io_context io;
    tcp::acceptor listener(io, {loopback, 0});
    tcp::resolver resolver(io);
    const auto results = resolver.resolve("127.0.0.1", std::to_string(listener.local_endpoint().port()));
    CHECK(cs::connect<upstream>(io, results).is_open());
    auto future = cs::async_connect<upstream>(io.get_executor(), results, asio::use_future);
    io.run();
    CHECK(future.get().is_open());
}

TEST_CASE("when no endpoint answers, the last one's error is told and the stream is closed") {
    asio::io_context io;
    const refusing_port refused(io);
    connect_result result;
    cs::async_connect<upstream>(io, refused.endpoint(), result.handler());
    io.run();
    CHECK(result.ec == asio::error::connection_refused);
    CHECK_FALSE(result.stream->is_open());
    CHECK_THROWS_AS(cs::connect<upstream>(io, refused.endpoint()), cs::system_error);

    connect_result none;
    cs::async_connect<upstream>(io, std::vector<tcp::endpoint>(), none.handler());
    CHECK(none.calls == 0);
    io.restart();
    io.run();
    CHECK(none.ec == asio::error::not_found);
}

TEST_CASE("a local address is bound without taking a port for every destination") {
    asio::io_context io;
    tcp::acceptor listener(io, {loopback, 0});
    const cs::connect_options from{.local = tcp::endpoint(asio::ip::make_address("127.0.0.9"), 0)};
    cs::stream<upstream> stream = cs::connect<upstream>(io, listener.local_endpoint(), from);
    CHECK(stream.socket().local_endpoint().address() == from.local->address());
    int no_port = 0;
    socklen_t size = sizeof no_port;
    ::getsockopt(stream.socket().native_handle(), IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, &no_port, &size);
    CHECK(no_port == 1);
}

TEST_CASE("an address that this host does not have is not mistaken for exhausted ports") {
    asio::io_context io;
    tcp::acceptor listener(io, {loopback, 0});
    cs::error_code ec;
    const cs::connect_options from{.local = tcp::endpoint(asio::ip::make_address("192.0.2.77"), 0)};
    const auto stream = cs::connect<upstream>(io, listener.local_endpoint(), from, ec);
    CHECK(ec == cs::error_code(EADDRNOTAVAIL, asio::error::get_system_category()));
    CHECK(ec != cs::error::ports_exhausted);
    CHECK_FALSE(stream.is_open());
}

TEST_CASE("a cancelled connect tries no further endpoint") {
    asio::io_context io;
    tcp::acceptor listener(io, tcp::v4());
    listener.bind({loopback, 0});
    listener.listen(0);
    // One connection fills a backlog of 0 (sk_acceptq_is_full); further SYNs go unanswered.
    const test_peer fills_the_backlog(listener.local_endpoint());
    REQUIRE(kv::eventually(
        [&] { return kv::state(listener.local_endpoint(), fills_the_backlog.local()) == kv::established; }));
    tcp::acceptor second(io, {loopback, 0});
    for (const auto type :
         {asio::cancellation_type::terminal, asio::cancellation_type::partial, asio::cancellation_type::total}) {
        connect_result result;
        asio::cancellation_signal signal;
        cs::async_connect<upstream>(io, std::vector{listener.local_endpoint(), second.local_endpoint()},
                                    asio::bind_cancellation_slot(signal.slot(), result.handler()));
        io.restart();
        io.run_for(20ms);
        REQUIRE(result.calls == 0);
        signal.emit(type);
        io.restart();
        io.run_for(1s);
        CHECK(result.calls == 1);
        CHECK(result.ec == asio::error::operation_aborted);
        CHECK_FALSE(result.stream->is_open());
    }
}

TEST_CASE("network: running out of local ports says so, with the range and the TIME-WAIT count, and passes again") {
    const auto text = tests::in_own_network([]() -> std::string {
        tests::bring_up_loopback();
        tests::set_sysctl("ip_local_port_range", "40000 40009");
        tests::set_sysctl("tcp_tw_reuse", "0");
        asio::io_context io;
        tcp::acceptor listener(io, {loopback, 0});
        const tcp::endpoint server = listener.local_endpoint();
        // The listener on port 0 has taken one of the ten.
        for (int i = 0; i < 9; ++i) connect_and_close_first(io, listener);
        const std::string expected =
            "is 40000-40009, 10 ports, 9 in TIME-WAIT to 127.0.0.1:" + std::to_string(server.port());
        try {
            connect_and_close_first(io, listener);
            return "the tenth connect found a port";
        } catch (const cs::system_error& e) {
            if (e.code() != cs::error::ports_exhausted || !tests::contains(e.what(), expected)) return e.what();
        }
        if (!tests::contains(cs::explain_ports(server), expected)) return cs::explain_ports(server);
        cs::error_code ec;
        cs::async_connect<upstream>(io, server, [&](cs::error_code e, const auto&) { ec = e; });
        io.restart();
        io.run();
        if (ec != cs::error::ports_exhausted) return "asynchronously: " + ec.message();
        if (ec != std::errc::address_not_available) return "the portable condition does not hold";

        tests::set_sysctl("ip_local_port_range", "40000 40019");
        connect_and_close_first(io, listener);
        return "as expected";
    });
    if (!text) {
        MESSAGE("SKIPPED: no right to make a network namespace");
        return;
    }
    CHECK(*text == "as expected");
}

TEST_CASE("network: a code that is kept names no destination, and each exception names its own") {
    const auto text = tests::in_own_network([]() -> std::string {
        tests::bring_up_loopback();
        tests::set_sysctl("tcp_tw_reuse", "0");
        asio::io_context io;
        tcp::acceptor a(io, {loopback, 50001}), b(io, {loopback, 50002});
        tests::set_sysctl("ip_local_port_range", "40000 40001");
        const auto run_out = [&](tcp::acceptor& listener) -> cs::system_error {
            try {
                for (int i = 0; i < 3; ++i) connect_and_close_first(io, listener);
            } catch (const cs::system_error& e) {
                return e;
            }
            throw std::logic_error("three connects from two ports");
        };
        const cs::system_error first = run_out(a), second = run_out(b);
        if (first.code().message() != second.code().message()) return "two messages";
        if (first.code().message() != "no local port is left towards that destination") return first.code().message();
        const std::string said_first = first.what(), said_second = second.what();
        if (!tests::contains(said_first, "2 in TIME-WAIT to 127.0.0.1:50001")) return said_first;
        if (!tests::contains(said_second, "2 in TIME-WAIT to 127.0.0.1:50002")) return said_second;
        if (tests::contains(said_first, "50002") || tests::contains(said_second, "50001"))
            return said_first + said_second;
        return "as expected";
    });
    if (!text) {
        MESSAGE("SKIPPED: no right to make a network namespace");
        return;
    }
    CHECK(*text == "as expected");
}

TEST_CASE("network: of several destinations, the exception speaks of the last") {
    const auto text = tests::in_own_network([]() -> std::string {
        tests::bring_up_loopback();
        asio::io_context io;
        const std::vector<tcp::endpoint> refusing{{loopback, 50001}, {asio::ip::make_address("::1"), 50002}};
        try {
            cs::connect<upstream>(io, refusing);
        } catch (const cs::system_error& e) {
            return e.what();
        }
        return "no error";
    });
    if (!text) {
        MESSAGE("SKIPPED: no right to make a network namespace");
        return;
    }
    CHECK(text->starts_with("connect [::1]:50002: Connection refused")); // Boost's says where it was, too
}

TEST_CASE("The ports towards an IPv6 destination and a v4-mapped one are explained as well") {
    CHECK(tests::contains(cs::explain_ports({asio::ip::make_address("2001:db8::7"), 443}),
                          " ports, 0 in TIME-WAIT to [2001:db8::7]:443"));
    CHECK(tests::contains(cs::explain_ports({asio::ip::make_address("::ffff:192.0.2.7"), 443}),
                          " ports, 0 in TIME-WAIT to [::ffff:192.0.2.7]:443"));
}

TEST_CASE("network: a peer that closes first leaves every local port free") {
    const auto text = tests::in_own_network([]() -> std::string {
        tests::bring_up_loopback();
        tests::set_sysctl("ip_local_port_range", "40000 40003");
        asio::io_context io;
        tcp::acceptor listener(io, {loopback, 0});
        for (int i = 0; i < 50; ++i) {
            auto stream = cs::connect<cs::policies::peer_first>(io, listener.local_endpoint());
            tcp::socket accepted = listener.accept();
            accepted.shutdown(tcp::socket::shutdown_send);
            cs::close_report report = stream.close_and_wait();
            if (report.time_wait != cs::time_wait_holder::peer) return to_string(report);
        }
        return "as expected";
    });
    if (!text) {
        MESSAGE("SKIPPED: no right to make a network namespace");
        return;
    }
    CHECK(*text == "as expected");
}
