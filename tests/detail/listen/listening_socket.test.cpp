// SPDX-License-Identifier: BSL-1.0
#include <closeside/detail/listen/listening_socket.hpp>

#include "support/foreign_socket.hpp"

#include <closeside/policy.hpp>

#include <doctest/doctest.h>

#include <string>
#include <thread>

using namespace closeside::detail;
using tests::foreign_socket;

namespace {

const tcp::endpoint loopback{asio::ip::address_v4::loopback(), 0};

} // namespace

TEST_CASE("The accept queue is counted") {
    const foreign_socket listener = foreign_socket(loopback).listening();
    CHECK(accept_queue_length(listener.fd()) == 0);
    const test_peer a(listener.local()), b(listener.local());
    CHECK(accept_queue_length(listener.fd()) == 2);
    CHECK(accept_queue_length(-1) == 0);
}

TEST_CASE("A blocking accept waits for a connection, also on a non-blocking listener") {
    const owned_descriptor listener = open_listener(loopback, closeside::policies::graceful, 8);
    tcp::endpoint at;
    socklen_t size = static_cast<socklen_t>(at.capacity());
    REQUIRE(::getsockname(listener.get(), at.data(), &size) == 0);
    at.resize(size);
    closeside::error_code ec;
    int accepted = -1;
    std::thread waiting([&] { accepted = accept_blocking(listener.get(), ec); });
    {
        const test_peer peer(at);
        waiting.join();
    }
    CHECK_FALSE(ec);
    CHECK(accepted >= 0);
    ::close(accepted);

    accept_blocking(-1, ec);
    CHECK(ec == asio::error::bad_descriptor);
    const foreign_socket not_listening(loopback);
    accept_blocking(not_listening.fd(), ec);
    CHECK(ec == asio::error::invalid_argument);
}

TEST_CASE("An option is taken for the policy's by level and name together") {
    CHECK(is_policys(SOL_SOCKET, SO_LINGER));
    CHECK(is_policys(SOL_SOCKET, SO_REUSEADDR));
    CHECK(is_policys(IPPROTO_TCP, TCP_LINGER2));
    static_assert(SO_LINGER == TCP_CONGESTION && SO_REUSEADDR == TCP_MAXSEG && SO_RCVBUF == TCP_LINGER2);
    CHECK_FALSE(is_policys(IPPROTO_TCP, TCP_CONGESTION));
    CHECK_FALSE(is_policys(IPPROTO_TCP, TCP_MAXSEG));
    CHECK_FALSE(is_policys(SOL_SOCKET, SO_RCVBUF));
}

TEST_CASE("Options of any size are set as they are, in their order") {
    const int off = 0, on = 1;
    const std::string algorithm = "reno";
    const option_view options[] = {{IPPROTO_TCP, TCP_NODELAY, &on, sizeof on},
                                   {IPPROTO_TCP, TCP_CONGESTION, algorithm.data(), algorithm.size()},
                                   {SOL_SOCKET, SO_KEEPALIVE, &on, sizeof on},
                                   {SOL_SOCKET, SO_KEEPALIVE, &off, sizeof off}};
    const owned_descriptor listener = open_listener(loopback, closeside::policies::graceful, 8, options);
    CHECK(is_on(listener.get(), IPPROTO_TCP, TCP_NODELAY));
    CHECK_FALSE(is_on(listener.get(), SOL_SOCKET, SO_KEEPALIVE));
    char chosen[16] = {};
    socklen_t size = sizeof chosen;
    REQUIRE(::getsockopt(listener.get(), IPPROTO_TCP, TCP_CONGESTION, chosen, &size) == 0);
    CHECK(chosen == algorithm);
}

TEST_CASE("A refused listener is left as it was") {
    const foreign_socket bound(loopback);
    CHECK_THROWS(set_options_of_listener(bound.fd(), closeside::policies::graceful));
    CHECK((::fcntl(bound.fd(), F_GETFD) & FD_CLOEXEC) == 0);
    CHECK((::fcntl(bound.fd(), F_GETFL) & O_NONBLOCK) == 0);
}

TEST_CASE("An owned descriptor is closed once, unless it is released") {
    const auto is_open = [](int fd) { return ::fcntl(fd, F_GETFD) >= 0; };
    const int fd = ::open("/dev/null", O_RDONLY | O_CLOEXEC), other = ::open("/dev/null", O_RDONLY | O_CLOEXEC);
    {
        owned_descriptor first(fd);
        owned_descriptor second(std::move(first));
        CHECK_FALSE(first);
        CHECK(second.get() == fd);
        second = owned_descriptor(other);
        CHECK_FALSE(is_open(fd));
        CHECK(second.get() == other);
        CHECK(second.release() == other);
        CHECK_FALSE(second);
    }
    CHECK(is_open(other));
    { const owned_descriptor last(other); }
    CHECK_FALSE(is_open(other));
}
