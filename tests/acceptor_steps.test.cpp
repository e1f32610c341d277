// SPDX-License-Identifier: BSL-1.0
// An acceptor that is opened in steps, and what Asio's has beside accepting.
#include <closeside/acceptor.hpp>

#include "support/connection.hpp"
#include "support/foreign_socket.hpp"
#include "support/interposed_calls.hpp"
#include "support/kernel_view.hpp"
#include "support/user_option.hpp"

#include <asio/ip/v6_only.hpp>
#include <asio/strand.hpp>
#include <asio/use_awaitable.hpp>

#include <doctest/doctest.h>

#include <functional>
#include <optional>
#include <stdexcept>
#include <string>
#include <type_traits>

#include <fcntl.h>
#include <netinet/tcp.h>

namespace cs = closeside;
namespace kv = kernel_view;
using namespace std::chrono_literals;
using namespace tests;

namespace {

constexpr cs::close_policy graceful = cs::policies::graceful;
constexpr cs::close_policy abortive = cs::policies::abortive;
constexpr cs::close_policy seven_seconds{.linger2 = 7s};
constexpr cs::close_policy acked{.linger = cs::lingering::until_acked(3s)};
constexpr cs::close_policy no_reuse{.reuse_address = false};

const tcp::endpoint loopback{own_loopback(), 0};

int option(int fd, int level, int name) {
    int value = -7;
    socklen_t size = sizeof value;
    REQUIRE(::getsockopt(fd, level, name, &value, &size) == 0);
    return value;
}

std::string error_of(const std::function<void()>& call, cs::error_code expected) {
    try {
        call();
    } catch (const cs::system_error& e) {
        CHECK(e.code() == expected);
        return e.what();
    }
    FAIL("no error");
    return {};
}

struct accept_result {
    int calls = 0;
    cs::error_code ec;

    auto handler() {
        return [this](cs::error_code e, auto&&...) {
            ++calls;
            ec = e;
        };
    }
};

} // namespace

TEST_CASE("Asio's order of calls opens a listener whose connections carry the policy and cost no setsockopt") {
    asio::io_context io;
    const int none = setsockopt_calls;
    cs::acceptor<seven_seconds> acceptor(io);
    CHECK_FALSE(acceptor.is_open());
    cs::error_code ec = asio::error::eof;
    SUBCASE("throwing") {
        acceptor.open(tcp::v4());
        acceptor.set_option(asio::socket_base::reuse_address(true));
        acceptor.set_option(asio::socket_base::keep_alive(true));
        acceptor.bind(loopback);
        acceptor.listen();
    }
    SUBCASE("with ec") {
        acceptor.open(tcp::v4(), ec);
        CHECK_FALSE(ec);
        acceptor.set_option(cs::acceptor<seven_seconds>::reuse_address(true), ec);
        CHECK_FALSE(ec);
        acceptor.set_option(asio::socket_base::keep_alive(true), ec);
        CHECK_FALSE(ec);
        acceptor.bind(loopback, ec);
        CHECK_FALSE(ec);
        acceptor.listen(asio::socket_base::max_listen_connections, ec);
        CHECK_FALSE(ec);
    }
    CHECK(setsockopt_calls == none + 4); // SO_REUSEADDR, SO_LINGER, TCP_LINGER2, SO_KEEPALIVE
    const int calls = setsockopt_calls;
    const test_peer peer(acceptor.local_endpoint());
    const auto stream = acceptor.accept();
    CHECK(setsockopt_calls == calls);
    const int fd = const_cast<tcp::socket&>(stream.socket()).native_handle();
    CHECK(option(fd, IPPROTO_TCP, TCP_LINGER2) == 7);
    CHECK(option(fd, SOL_SOCKET, SO_KEEPALIVE) == 1);
    CHECK(option(fd, SOL_SOCKET, SO_REUSEADDR) == 1);
}

TEST_CASE(
    "An acceptor in steps is close-on-exec and non-blocking from birth, and its port is known before it listens") {
    asio::io_context io;
    cs::acceptor<graceful> acceptor(io, tcp::v6());
    const int fd = acceptor.native_handle();
    CHECK((::fcntl(fd, F_GETFD) & FD_CLOEXEC) != 0);
    CHECK((::fcntl(fd, F_GETFL) & O_NONBLOCK) != 0);
    acceptor.set_option(asio::ip::v6_only(true));
    acceptor.bind({asio::ip::address_v6::loopback(), 0});
    const tcp::endpoint at = acceptor.local_endpoint();
    CHECK(at.port() != 0);
    accept_result result;
    acceptor.listen(1);
    acceptor.async_accept(result.handler());
    const test_peer peer(at);
    io.run_for(5s);
    CHECK(result.calls == 1);
    CHECK_FALSE(result.ec);
}

TEST_CASE("Each step fails with Asio's error on an acceptor that is in another state") {
    asio::io_context io;
    cs::acceptor<graceful> acceptor(io);
    const cs::error_code bad = asio::error::bad_descriptor;
    cs::error_code ec;
    SUBCASE("closed") {}
    SUBCASE("moved from") {
        acceptor.open();
        const auto moved = std::move(acceptor);
    }
    SUBCASE("closed again") {
        acceptor.open();
        acceptor.close();
    }
    asio::socket_base::keep_alive keep_alive;
    asio::socket_base::bytes_readable readable;
    acceptor.bind(loopback, ec);
    CHECK(ec == bad);
    acceptor.listen(1, ec);
    CHECK(ec == bad);
    acceptor.set_option(keep_alive, ec);
    CHECK(ec == bad);
    acceptor.set_option(asio::socket_base::reuse_address(true), ec);
    CHECK(ec == bad);
    acceptor.get_option(keep_alive, ec);
    CHECK(ec == bad);
    acceptor.io_control(readable, ec);
    CHECK(ec == bad);
    acceptor.non_blocking(true, ec);
    CHECK(ec == bad);
    acceptor.native_non_blocking(true, ec);
    CHECK(ec == bad);
    acceptor.cancel(ec);
    CHECK(ec == bad);
    acceptor.wait(asio::socket_base::wait_read, ec);
    CHECK(ec == bad);
    acceptor.local_endpoint(ec);
    CHECK(ec == bad);
    CHECK(acceptor.release(ec) == -1);
    CHECK(ec == bad);
    acceptor.close(ec);
    CHECK_FALSE(ec);
    CHECK_FALSE(acceptor.non_blocking());
    CHECK_FALSE(acceptor.native_non_blocking());
    error_of([&] { acceptor.bind(loopback); }, bad);
    error_of([&] { acceptor.listen(); }, bad);
    error_of([&] { acceptor.set_option(keep_alive); }, bad);
    error_of([&] { acceptor.get_option(keep_alive); }, bad);
    error_of([&] { acceptor.io_control(readable); }, bad);
    error_of([&] { acceptor.non_blocking(true); }, bad);
    error_of([&] { acceptor.native_non_blocking(true); }, bad);
    error_of([&] { acceptor.cancel(); }, bad);
    error_of([&] { acceptor.wait(asio::socket_base::wait_read); }, bad);
    error_of([&] { acceptor.local_endpoint(); }, bad);
    error_of([&] { acceptor.release(); }, bad);
    acceptor.open();
    error_of([&] { acceptor.open(); }, asio::error::already_open);
    error_of([&] { acceptor.assign(tcp::v4(), 0); }, asio::error::already_open);
}

TEST_CASE("A bind in steps that fails says why, in the exception or when asked") {
    asio::io_context io;
    const cs::acceptor<graceful> first(io, loopback);
    cs::acceptor<graceful> second(io, tcp::v4());
    const std::string thrown = error_of([&] { second.bind(first.local_endpoint()); }, asio::error::address_in_use);
    CHECK_MESSAGE(contains(thrown, "a live listener (socket inode"), thrown);
    CHECK_MESSAGE(contains(thrown, "this program has it open already"), thrown);
    cs::error_code ec;
    second.bind(first.local_endpoint(), ec);
    REQUIRE(ec == asio::error::address_in_use);
    const std::string asked = second.explain_bind(first.local_endpoint(), ec);
    CHECK_MESSAGE(contains(thrown, "bind " + asked), asked);
    CHECK(second.explain_bind(loopback, asio::error::no_memory).starts_with(loopback.address().to_string()));

    // Bound with SO_REUSEADDR beside one another; the later listen fails.
    cs::acceptor<graceful> third(io, tcp::v4()), fourth(io, tcp::v4());
    third.bind(loopback);
    fourth.bind(third.local_endpoint());
    third.listen();
    const std::string late = error_of([&] { fourth.listen(); }, asio::error::address_in_use);
    CHECK_MESSAGE(contains(late, "listen "), late);
    CHECK_MESSAGE(contains(late, "a live listener (socket inode"), late);
}

TEST_CASE_TEMPLATE_DEFINE("An option with the policy's value does nothing", T, same_value) {
    static constexpr cs::close_policy policy = T::value;
    asio::io_context io;
    cs::acceptor<policy> acceptor(io, tcp::v4());
    const int calls = setsockopt_calls;
    const bool aborts = policy.linger == cs::lingering::abort;
    const bool waits = policy.linger.how == cs::lingering::mode::until_acked;
    acceptor.set_option(asio::socket_base::reuse_address(policy.reuse_address));
    acceptor.set_option(asio::socket_base::linger(aborts || waits, waits ? 3 : 0));
    acceptor.set_option(user_option(IPPROTO_TCP, TCP_LINGER2, policy.linger2 == cs::fin_wait2::system ? 0 : 7));
    CHECK(setsockopt_calls == calls);

    const auto refused = [&](const auto& o, const char* member) {
        cs::error_code ec;
        acceptor.set_option(o, ec);
        CHECK(ec == asio::error::invalid_argument);
        const std::string said = error_of([&] { acceptor.set_option(o); }, asio::error::invalid_argument);
        CHECK_MESSAGE(contains(said, member), said);
    };
    refused(asio::socket_base::reuse_address(!policy.reuse_address), "reuse_address in the policy");
    refused(asio::socket_base::linger(!aborts, 0), "linger = ");
    refused(asio::socket_base::linger(true, 9), "linger = ");
    refused(user_option(IPPROTO_TCP, TCP_LINGER2, 9), "linger2 in the policy");
    refused(user_option(SOL_SOCKET, SO_LINGER, 0), "set linger in the policy"); // too short for a struct linger
    CHECK(setsockopt_calls == calls);
}
template <cs::close_policy P>
using constant = std::integral_constant<cs::close_policy, P>;
TYPE_TO_STRING(constant<graceful>);
TYPE_TO_STRING(constant<abortive>);
TYPE_TO_STRING(constant<seven_seconds>);
TYPE_TO_STRING(constant<acked>);
TYPE_TO_STRING(constant<no_reuse>);
TEST_CASE_TEMPLATE_INVOKE(same_value, constant<graceful>, constant<abortive>, constant<seven_seconds>, constant<acked>,
                          constant<no_reuse>);

TEST_CASE("At once, too, an option with the policy's value is accepted, and Asio's third argument is its reuse_addr") {
    asio::io_context io;
    const cs::acceptor<graceful> with_option(io, loopback, 8, asio::socket_base::reuse_address(true),
                                             asio::socket_base::linger(false, 0));
    CHECK(with_option.is_open());
    cs::acceptor<graceful> with_bool(io, loopback, true);
    CHECK_THROWS_AS(cs::acceptor<graceful>(io, loopback, false), std::invalid_argument);
    cs::acceptor<no_reuse> without(io, loopback, false);
    CHECK(option(without.native_handle(), SOL_SOCKET, SO_REUSEADDR) == 0);
    ::tcp_info info{};
    socklen_t size = sizeof info;
    REQUIRE(::getsockopt(with_bool.native_handle(), IPPROTO_TCP, TCP_INFO, &info, &size) == 0);
    CHECK(info.tcpi_sacked > 1); // the backlog is not the value of `true`
}

TEST_CASE("cancel ends every pending accept and wait, and the acceptor goes on") {
    asio::io_context io;
    cs::acceptor<graceful> acceptor(io, loopback);
    accept_result looking, waiting, watching, later;
    acceptor.async_accept(waiting.handler());
    io.poll();
    acceptor.async_wait(asio::socket_base::wait_read, watching.handler());
    acceptor.async_accept(looking.handler());
    const test_peer peer(acceptor.local_endpoint());
    acceptor.cancel();
    CHECK(waiting.calls + looking.calls + watching.calls == 0);
    io.poll();
    for (const accept_result* r : {&looking, &waiting, &watching}) {
        CHECK(r->calls == 1);
        CHECK(r->ec == asio::error::operation_aborted);
    }
    acceptor.async_accept(later.handler());
    io.restart();
    io.run_for(5s);
    CHECK(later.calls == 1);
    CHECK_FALSE(later.ec);
}

TEST_CASE("An accept that was pending when its acceptor was closed takes no connection of the next listener") {
    asio::io_context io;
    cs::acceptor<graceful> acceptor(io, loopback);
    accept_result looking, waiting, fresh;
    acceptor.async_accept(waiting.handler());
    io.poll();
    acceptor.async_accept(looking.handler());
    acceptor.close();
    acceptor.open(tcp::v4());
    acceptor.bind(loopback);
    acceptor.listen();
    const test_peer peer(acceptor.local_endpoint());
    acceptor.async_accept(fresh.handler());
    io.restart();
    io.run_for(5s);
    CHECK(waiting.ec == asio::error::operation_aborted);
    CHECK(looking.ec == asio::error::operation_aborted);
    CHECK(fresh.calls == 1);
    CHECK_FALSE(fresh.ec);
}

TEST_CASE("wait and async_wait tell of a connection and take none") {
    asio::io_context io;
    cs::acceptor<graceful> acceptor(io, loopback);
    accept_result ready;
    acceptor.async_wait(asio::socket_base::wait_read, ready.handler());
    io.poll();
    CHECK(ready.calls == 0);
    const test_peer peer(acceptor.local_endpoint());
    acceptor.wait(asio::socket_base::wait_read);
    io.run_for(5s);
    CHECK(ready.calls == 1);
    CHECK_FALSE(ready.ec);
    CHECK(acceptor.accept().socket().remote_endpoint() == peer.local());
}

TEST_CASE(
    "With non_blocking, accept says would_block where none waits; native_non_blocking(false) blocks no async_accept") {
    asio::io_context io;
    cs::acceptor<graceful> acceptor(io, loopback);
    CHECK_FALSE(acceptor.non_blocking());
    CHECK(acceptor.native_non_blocking());
    acceptor.non_blocking(true);
    CHECK(acceptor.non_blocking());
    cs::error_code ec;
    CHECK_FALSE(acceptor.accept(ec).is_open());
    CHECK(ec == asio::error::would_block);

    acceptor.non_blocking(false);
    acceptor.native_non_blocking(false);
    CHECK((::fcntl(acceptor.native_handle(), F_GETFL) & O_NONBLOCK) == 0);
    accept_result pending;
    acceptor.async_accept(pending.handler());
    io.poll(); // blocks here for ever if it goes wrong
    CHECK(pending.calls == 0);
    CHECK(acceptor.native_non_blocking());
}

TEST_CASE("enable_connection_aborted tells of a connection that is gone, as Asio's acceptor does") {
    asio::io_context io;
    cs::acceptor<graceful> acceptor(io, loopback);
    asio::socket_base::enable_connection_aborted option;
    acceptor.get_option(option);
    CHECK_FALSE(option.value());
    acceptor.set_option(asio::socket_base::enable_connection_aborted(true));
    acceptor.get_option(option);
    CHECK(option.value());
    const test_peer peer(acceptor.local_endpoint());
    accept_result told;
    {
        const failing_accept4 gone(ECONNABORTED, 2);
        cs::error_code ec;
        acceptor.accept(ec);
        CHECK(ec == asio::error::connection_aborted);
        acceptor.async_accept(told.handler());
        io.run_for(5s);
    }
    CHECK(told.calls == 1);
    CHECK(told.ec == asio::error::connection_aborted);
}

TEST_CASE(
    "assign takes a socket that listens or may yet, sets the policy's options, and leaves what is neither alone") {
    asio::io_context io;
    cs::acceptor<seven_seconds> acceptor(io);
    foreign_socket listening = foreign_socket(loopback).listening();
    const test_peer early(listening.local());
    acceptor.assign(tcp::v4(), listening.release());
    CHECK(option(acceptor.native_handle(), IPPROTO_TCP, TCP_LINGER2) == 7);
    CHECK((::fcntl(acceptor.native_handle(), F_GETFL) & O_NONBLOCK) != 0);
    CHECK((::fcntl(acceptor.native_handle(), F_GETFD) & FD_CLOEXEC) != 0);
    auto queued_before = acceptor.accept();
    CHECK(option(queued_before.socket().native_handle(), IPPROTO_TCP, TCP_LINGER2) == 7);

    foreign_socket bound(loopback);
    cs::acceptor<seven_seconds> later(io, tcp::v4(), bound.release());
    later.listen();
    const test_peer peer(later.local_endpoint());
    auto stream = later.accept();
    CHECK(option(stream.socket().native_handle(), IPPROTO_TCP, TCP_LINGER2) == 7);

    cs::acceptor<seven_seconds> refusing(io);
    cs::error_code ec;
    refusing.assign(tcp::v4(), peer.fd(), ec);
    CHECK(ec == asio::error::invalid_argument);
    CHECK(option(peer.fd(), IPPROTO_TCP, TCP_LINGER2) != 7);
    const int file = ::open("/dev/null", O_RDONLY | O_CLOEXEC);
    refusing.assign(tcp::v4(), file, ec);
    CHECK(ec == asio::error::not_socket);
    CHECK(::close(file) == 0);
    CHECK_FALSE(refusing.is_open());
}

TEST_CASE("release with ec gives the listener away, and pending accepts are aborted") {
    asio::io_context io;
    cs::acceptor<graceful> acceptor(io, loopback);
    accept_result pending;
    acceptor.async_accept(pending.handler());
    io.poll();
    cs::error_code ec = asio::error::eof;
    const int fd = acceptor.release(ec);
    CHECK_FALSE(ec);
    CHECK_FALSE(acceptor.is_open());
    io.restart();
    io.poll();
    CHECK(pending.ec == asio::error::operation_aborted);
    auto again = cs::acceptor<graceful>::adopt(io, fd);
    const test_peer peer(again.local_endpoint());
    CHECK(again.accept().is_open());
}

TEST_CASE("An acceptor moves to another type of executor and listens on") {
    asio::io_context io;
    using narrow = cs::basic_acceptor<graceful, asio::io_context::executor_type>;
    narrow first(io, loopback);
    const tcp::endpoint at = first.local_endpoint();
    accept_result pending;
    first.async_accept(pending.handler());
    io.poll();
    cs::acceptor<graceful> second(std::move(first));
    CHECK_FALSE(first.is_open());
    CHECK(second.local_endpoint() == at);
    io.restart();
    io.poll();
    CHECK(pending.ec == asio::error::operation_aborted);
    first.open(); // as if constructed anew

    cs::acceptor<graceful> third(io, loopback);
    const tcp::endpoint overwritten = third.local_endpoint();
    narrow fourth(io, loopback);
    const tcp::endpoint kept = fourth.local_endpoint();
    third = std::move(fourth);
    CHECK(third.local_endpoint() == kept);
    CHECK_THROWS(test_peer(overwritten));
    const test_peer peer(kept);
    CHECK(third.accept().is_open());

    static_assert(!std::is_constructible_v<narrow, cs::acceptor<graceful>&&>);
    static_assert(!std::is_constructible_v<cs::acceptor<abortive>, cs::acceptor<graceful>&&>);
    auto awaiting = asio::use_awaitable.as_default_on(std::move(third));
    CHECK(awaiting.local_endpoint() == kept);
}
