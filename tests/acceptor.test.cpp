// SPDX-License-Identifier: BSL-1.0
#include <closeside/acceptor.hpp>

#include "support/connection.hpp"
#include "support/foreign_socket.hpp"
#include "support/in_child.hpp"
#include "support/interposed_calls.hpp"
#include "support/kernel_view.hpp"
#include "support/run_program.hpp"
#include "support/user_option.hpp"

#include <asio/awaitable.hpp>
#include <asio/bind_executor.hpp>
#include <asio/co_spawn.hpp>
#include <asio/detached.hpp>
#include <asio/executor_work_guard.hpp>
#include <asio/ip/v6_only.hpp>
#include <asio/strand.hpp>
#include <asio/use_awaitable.hpp>
#include <asio/use_future.hpp>

#include <doctest/doctest.h>

#include <algorithm>
#include <fstream>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include <fcntl.h>
#include <netinet/tcp.h>

namespace cs = closeside;
namespace kv = kernel_view;
using namespace std::chrono_literals;
using namespace tests;

namespace {

constexpr cs::close_policy graceful = cs::policies::graceful;
constexpr cs::close_policy peer_first = cs::policies::peer_first;
constexpr cs::close_policy peer_first_or_reset = cs::policies::peer_first_or_reset;
constexpr cs::close_policy abortive = cs::policies::abortive;
constexpr cs::close_policy seven_seconds{.linger2 = 7s, .reuse_address = false};
constexpr cs::close_policy no_fin_wait2{.linger2 = cs::fin_wait2::skip};

const tcp::endpoint loopback{own_loopback(), 0};

int option(int fd, int level, int name) {
    int value = -7;
    socklen_t size = sizeof value;
    REQUIRE(::getsockopt(fd, level, name, &value, &size) == 0);
    return value;
}

::linger linger_of(int fd) {
    ::linger value{-7, -7};
    socklen_t size = sizeof value;
    REQUIRE(::getsockopt(fd, SOL_SOCKET, SO_LINGER, &value, &size) == 0);
    return value;
}

bool closed_on_exec(int fd) { return (::fcntl(fd, F_GETFD) & FD_CLOEXEC) != 0; }
bool non_blocking(int fd) { return (::fcntl(fd, F_GETFL) & O_NONBLOCK) != 0; }

/// How many connections wait to be accepted, and how many may.
struct accept_queue {
    explicit accept_queue(int fd) {
        ::tcp_info info{};
        socklen_t size = sizeof info;
        REQUIRE(::getsockopt(fd, IPPROTO_TCP, TCP_INFO, &info, &size) == 0);
        waiting = info.tcpi_unacked;
        most = info.tcpi_sacked;
    }
    unsigned waiting, most;
};

template <cs::close_policy P>
struct accept_result {
    int calls = 0;
    cs::error_code ec;
    std::optional<cs::stream<P>> stream;

    auto handler() {
        return [this](cs::error_code e, cs::stream<P> s) {
            ++calls;
            ec = e;
            stream.emplace(std::move(s));
        };
    }
};

template <cs::close_policy P>
cs::stream<P> accept_async(asio::io_context& io, cs::acceptor<P>& acceptor) {
    accept_result<P> result;
    acceptor.async_accept(result.handler());
    CHECK(result.calls == 0);
    REQUIRE(run_until(io, [&] { return result.calls > 0; }));
    CHECK(result.ec == cs::error_code());
    return std::move(*result.stream);
}

/// Leaves the stream's end in TIME-WAIT.
template <cs::close_policy P>
void close_first(asio::io_context& io, cs::stream<P> stream, test_peer& peer) {
    const tcp::endpoint at = stream.socket().local_endpoint();
    close_result result;
    stream.async_close(result.handler());
    peer.read();
    peer.close();
    REQUIRE(run_until(io, [&] { return result.calls > 0; }));
    REQUIRE(kv::state(at, peer.local()) == kv::time_wait);
}

/// The error of a call that must throw one.
template <class Call>
cs::system_error error_of(Call call) {
    try {
        call();
    } catch (const cs::system_error& e) {
        return e;
    }
    FAIL("no error");
    throw 0;
}

} // namespace

static_assert(!std::is_copy_constructible_v<cs::acceptor<graceful>>);
static_assert(std::is_nothrow_move_constructible_v<cs::acceptor<graceful>>);
static_assert(std::is_nothrow_move_assignable_v<cs::acceptor<graceful>>);
static_assert(cs::acceptor<peer_first>::policy == peer_first);
static_assert(std::is_same_v<cs::acceptor<graceful>::rebind_executor<asio::io_context::executor_type>::other,
                             cs::basic_acceptor<graceful, asio::io_context::executor_type>>);

TEST_CASE("Listening and accepted sockets are close-on-exec and non-blocking from birth") {
    asio::io_context io;
    cs::acceptor<graceful> opened(io, loopback);
    foreign_socket outside = foreign_socket(loopback).listening();
    REQUIRE_FALSE(closed_on_exec(outside.fd()));
    REQUIRE_FALSE(non_blocking(outside.fd()));
    auto adopted = cs::acceptor<graceful>::adopt(io, outside.release());
    for (cs::acceptor<graceful>* acceptor : {&opened, &adopted}) {
        CHECK(closed_on_exec(acceptor->native_handle()));
        CHECK(non_blocking(acceptor->native_handle()));
        const test_peer a(acceptor->local_endpoint()), b(acceptor->local_endpoint()), c(acceptor->local_endpoint());
        std::vector<cs::stream<graceful>> accepted;
        accepted.push_back(accept_async(io, *acceptor));
        accepted.push_back(acceptor->accept());
        cs::error_code ec;
        accepted.push_back(acceptor->accept(ec));
        CHECK_FALSE(ec);
        for (cs::stream<graceful>& stream : accepted) {
            CHECK(closed_on_exec(stream.socket().native_handle()));
            CHECK(non_blocking(stream.socket().native_handle()));
        }
    }
}

TEST_CASE("A program that is executed while connections are accepted inherits none of their descriptors") {
    const auto inherited = [] {
        const std::string listing = run_program({"/bin/ls", "-l", "/proc/self/fd"}).out;
        REQUIRE(contains(listing, "->"));
        std::size_t sockets = 0;
        for (std::size_t at = 0; (at = listing.find("socket:[", at)) != std::string::npos; ++at) ++sockets;
        return sockets;
    };
    const std::size_t before = inherited();
    {
        const foreign_socket leaking(loopback);
        REQUIRE(inherited() == before + 1); // such a descriptor would be seen
    }
    asio::io_context io;
    cs::acceptor<abortive> acceptor(io, loopback);
    const tcp::endpoint at = acceptor.local_endpoint();
    std::atomic<int> accepted = 0;
    asio::co_spawn(
        io,
        [&]() -> asio::awaitable<void> {
            std::vector<cs::stream<abortive>> latest; // so that some are open at every moment
            while (true) {
                if (latest.size() > 20) latest.erase(latest.begin());
                latest.push_back(co_await acceptor.async_accept(asio::use_awaitable));
                ++accepted;
            }
        },
        asio::detached);
    std::thread server([&] { io.run(); });
    std::atomic<bool> enough = false;
    std::thread clients([&] {
        while (!enough) test_peer(at).reset();
    });
    int leaks = 0;
    for (int i = 0; i < 50; ++i) leaks += inherited() != before;
    const int in_the_meantime = accepted;
    enough = true;
    clients.join();
    io.stop();
    server.join();
    CHECK(leaks == 0);
    CHECK(in_the_meantime > 50);
}

TEST_CASE_TEMPLATE_DEFINE("Accepted connections inherit the policy and cost no setsockopt", Policy, inheritance) {
    constexpr cs::close_policy P = Policy::value;
    asio::io_context io;
    for (const tcp::endpoint& at : {loopback, tcp::endpoint{asio::ip::address_v6::loopback(), 0}}) {
        cs::acceptor<P> acceptor(io, at);
        const test_peer a(acceptor.local_endpoint()), b(acceptor.local_endpoint());
        const int calls = setsockopt_calls;
        std::vector<cs::stream<P>> accepted;
        accepted.push_back(accept_async(io, acceptor));
        accepted.push_back(acceptor.accept());
        CHECK(setsockopt_calls == calls);
        for (cs::stream<P>& stream : accepted) {
            const int fd = stream.socket().native_handle();
            CHECK(linger_of(fd).l_onoff == (P.linger == cs::lingering::abort ? 1 : 0));
            CHECK(linger_of(fd).l_linger == 0);
            CHECK(option(fd, SOL_SOCKET, SO_REUSEADDR) == (P.reuse_address ? 1 : 0));
            if (P.linger2 == cs::fin_wait2::skip) CHECK(option(fd, IPPROTO_TCP, TCP_LINGER2) == -1);
            if (P.linger2.how == cs::fin_wait2::mode::timed) CHECK(option(fd, IPPROTO_TCP, TCP_LINGER2) == 7);
            if (P.linger2 == cs::fin_wait2::system) {
                int fin_timeout = 0;
                std::ifstream("/proc/sys/net/ipv4/tcp_fin_timeout") >> fin_timeout;
                CHECK(option(fd, IPPROTO_TCP, TCP_LINGER2) == fin_timeout);
            }
        }
    }
}
template <const cs::close_policy& P>
struct constant {
    static constexpr cs::close_policy value = P;
};
TEST_CASE_TEMPLATE_INVOKE(inheritance, constant<graceful>, constant<peer_first>, constant<abortive>,
                          constant<seven_seconds>, constant<no_fin_wait2>);

TEST_CASE("A server restarts at once while connections that it closed are in TIME-WAIT") {
    asio::io_context io;
    std::optional<cs::acceptor<graceful>> acceptor(std::in_place, io, loopback);
    const tcp::endpoint at = acceptor->local_endpoint();
    for (int restart = 0; restart < 3; ++restart) {
        test_peer peer(at);
        cs::stream<graceful> stream = acceptor->accept();
        acceptor.reset();
        close_first(io, std::move(stream), peer);
        acceptor.emplace(io, at);
    }
}

TEST_CASE("Without reuse_address a restart fails while TIME-WAIT lasts, and the error says what to set") {
    asio::io_context io;
    tcp::endpoint at;
    {
        cs::acceptor<seven_seconds> acceptor(io, loopback);
        at = acceptor.local_endpoint();
        test_peer peer(at);
        close_first(io, acceptor.accept(), peer);
    }
    const cs::system_error e = error_of([&] { cs::acceptor<seven_seconds>(io, at); });
    CHECK(e.code() == asio::error::address_in_use);
    CHECK_MESSAGE(contains(e.what(), "bind " + own_loopback().to_string() + ":" + std::to_string(at.port())),
                  std::string(e.what()));
    CHECK_MESSAGE(contains(e.what(), "1 in TIME-WAIT"), std::string(e.what()));
    // Its sockets were without SO_REUSEADDR, so the option on a new one would not help.
    CHECK_MESSAGE(contains(e.what(), "without SO_REUSEADDR, which the old and the new one both need"),
                  std::string(e.what()));
}

TEST_CASE("The backlog is the kernel's, capped by somaxconn") {
    unsigned somaxconn = 0;
    std::ifstream("/proc/sys/net/core/somaxconn") >> somaxconn;
    REQUIRE(somaxconn > 7);
    asio::io_context io;
    CHECK(accept_queue(cs::acceptor<graceful>(io, loopback, 7).native_handle()).most == 7);
    CHECK(accept_queue(cs::acceptor<graceful>(io, loopback, 0).native_handle()).most == 0);
    CHECK(accept_queue(cs::acceptor<graceful>(io, loopback, -1).native_handle()).most == somaxconn);
    CHECK(accept_queue(cs::acceptor<graceful>(io, loopback).native_handle()).most ==
          std::min<unsigned>(somaxconn, asio::socket_base::max_listen_connections));
    // One more than the backlog, as the documentation says.
    cs::acceptor<graceful> acceptor(io, loopback, 0);
    const test_peer peer(acceptor.local_endpoint());
    CHECK(accept_queue(acceptor.native_handle()).waiting == 1);
}

TEST_CASE("IPv4, IPv6 and both together are listened on, on a port of the kernel's choice") {
    asio::io_context io;
    const tcp::endpoint v6{asio::ip::address_v6::loopback(), 0};
    for (const tcp::endpoint& at : {loopback, v6}) {
        cs::acceptor<graceful> acceptor(io.get_executor(), at);
        CHECK(acceptor.local_endpoint().port() != 0);
        CHECK(acceptor.local_endpoint().address() == at.address());
        const test_peer peer(acceptor.local_endpoint());
        CHECK(acceptor.accept().socket().remote_endpoint() == peer.local());
    }
    cs::acceptor<graceful> both(io, {tcp::v6(), 0});
    for (tcp::endpoint at : {loopback, v6}) {
        at.port(both.local_endpoint().port());
        const test_peer peer(at);
        cs::stream<graceful> stream = accept_async(io, both);
        CHECK(stream.socket().remote_endpoint().port() == peer.local().port());
    }
}

static_assert(cs::detail::socket_option<asio::socket_base::keep_alive> && cs::detail::socket_option<user_option>);
static_assert(!cs::detail::socket_option<int> && !cs::detail::socket_option<asio::socket_base::bytes_readable>);
static_assert(std::is_constructible_v<cs::acceptor<graceful>, asio::io_context&, tcp::endpoint, int, tcp::no_delay>);
// Its operator bool would make it the backlog.
static_assert(!std::is_constructible_v<cs::acceptor<graceful>, asio::io_context&, tcp::endpoint, tcp::no_delay>);
static_assert(
    !std::is_constructible_v<cs::acceptor<graceful>, asio::any_io_executor, tcp::endpoint, tcp::no_delay, user_option>);

TEST_CASE("Accepted connections inherit the caller's options beside the policy's and cost no setsockopt") {
    constexpr int several = 5;
    constexpr int backlog = 7;
    asio::io_context io;
    const tcp::endpoint v6{asio::ip::address_v6::loopback(), 0}, both{asio::ip::address_v6::any(), 0};
    for (const tcp::endpoint& at : {loopback, v6, both}) {
        cs::acceptor<no_fin_wait2> acceptor(
            io, at, backlog, asio::socket_base::keep_alive(true), tcp::no_delay(true),
            asio::socket_base::receive_buffer_size(50'000), asio::socket_base::send_buffer_size(60'000),
            user_option(IPPROTO_TCP, TCP_KEEPIDLE, 77), user_option(IPPROTO_TCP, TCP_KEEPINTVL, 11),
            user_option(IPPROTO_TCP, TCP_KEEPCNT, several), user_option(IPPROTO_TCP, TCP_USER_TIMEOUT, 12'345));
        CHECK(accept_queue(acceptor.native_handle()).most == backlog);
        tcp::endpoint to = acceptor.local_endpoint();
        if (at == both) to.address(own_loopback()); // IPv4 on an IPv6 listener
        const test_peer a(to), b(to);
        const int calls = setsockopt_calls;
        std::vector<cs::stream<no_fin_wait2>> accepted;
        accepted.push_back(accept_async(io, acceptor));
        accepted.push_back(acceptor.accept());
        CHECK(setsockopt_calls == calls);
        for (cs::stream<no_fin_wait2>& stream : accepted) {
            const int fd = stream.socket().native_handle();
            CHECK(option(fd, SOL_SOCKET, SO_KEEPALIVE) == 1);
            CHECK(option(fd, IPPROTO_TCP, TCP_NODELAY) == 1);
            CHECK(option(fd, SOL_SOCKET, SO_RCVBUF) == 2 * 50'000); // socket(7): the kernel doubles it
            CHECK(option(fd, SOL_SOCKET, SO_SNDBUF) == 2 * 60'000);
            CHECK(option(fd, IPPROTO_TCP, TCP_KEEPIDLE) == 77);
            CHECK(option(fd, IPPROTO_TCP, TCP_KEEPINTVL) == 11);
            CHECK(option(fd, IPPROTO_TCP, TCP_KEEPCNT) == several);
            CHECK(option(fd, IPPROTO_TCP, TCP_USER_TIMEOUT) == 12'345);
            CHECK(option(fd, IPPROTO_TCP, TCP_LINGER2) == -1);
            CHECK(option(fd, SOL_SOCKET, SO_REUSEADDR) == 1);
        }
    }
}

TEST_CASE("Options come before bind, where SO_REUSEPORT and IPV6_V6ONLY act") {
    asio::io_context io;
    const tcp::endpoint any_v6{asio::ip::address_v6::any(), 0};
    for (const bool on : {true, false}) {
        cs::acceptor<graceful> acceptor(io.get_executor(), any_v6, 1, asio::ip::v6_only(on));
        CHECK(option(acceptor.native_handle(), IPPROTO_IPV6, IPV6_V6ONLY) == (on ? 1 : 0));
    }
    cs::acceptor<graceful> first(io, loopback, 1, reuse_port);
    cs::acceptor<graceful> second(io, first.local_endpoint(), 1, reuse_port);
    CHECK(second.local_endpoint() == first.local_endpoint());
    CHECK(error_of([&] { cs::acceptor<graceful>(io, first.local_endpoint()); }).code() == asio::error::address_in_use);
}

TEST_CASE("What the policy sets is refused as an option of any type, with the cure, before there is a socket") {
    asio::io_context io;
    const struct {
        user_option option;
        const char *named, *cure;
    } refused[] = {
        {{SOL_SOCKET, SO_LINGER, 0}, "level 1, option 13: SO_LINGER is the policy's", "set linger in the policy"},
        {{SOL_SOCKET, SO_REUSEADDR, 0},
         "level 1, option 2: SO_REUSEADDR is the policy's",
         "set reuse_address in the policy"},
        {{IPPROTO_TCP, TCP_LINGER2, 9}, "level 6, option 8: TCP_LINGER2 is the policy's", "set linger2 in the policy"},
    };
    for (const auto& r : refused) {
        const int calls = setsockopt_calls;
        std::string said;
        try {
            cs::acceptor<graceful>(io, loopback, 1, tcp::no_delay(true), r.option);
        } catch (const std::invalid_argument& e) {
            said = e.what();
        }
        CHECK_MESSAGE(contains(said, r.named), said);
        CHECK_MESSAGE(contains(said, r.cure), said);
        CHECK(setsockopt_calls == calls);
    }
}

TEST_CASE("An option that cannot be set is named with the endpoint, and no descriptor is left") {
    const auto lowest_free = [] {
        const int fd = ::open("/dev/null", O_RDONLY | O_CLOEXEC);
        ::close(fd);
        return fd;
    };
    asio::io_context io;
    const tcp::socket has_opened_epoll(io);
    const int before = lowest_free();
    const struct {
        tcp::endpoint at;
        user_option option;
        int error;
        const char* named;
    } refused[] = {
        {{asio::ip::address_v6::any(), 0},
         {IPPROTO_TCP, TCP_KEEPIDLE, -1},
         EINVAL,
         "setsockopt level 6, option 4 [::]:0"},
        {{asio::ip::address_v4::any(), 0},
         {IPPROTO_IPV6, IPV6_V6ONLY, 1},
         ENOPROTOOPT,
         "setsockopt level 41, option 26 0.0.0.0:0"},
    };
    for (const auto& r : refused) {
        const cs::system_error e =
            error_of([&] { cs::acceptor<graceful>(io, r.at, 1, tcp::no_delay(true), r.option, reuse_port); });
        CHECK(e.code() == cs::error_code(r.error, asio::error::get_system_category()));
        CHECK_MESSAGE(contains(e.what(), r.named), std::string(e.what()));
        CHECK(lowest_free() == before);
    }
}

TEST_CASE("What cannot be bound is refused with the endpoint and a cure") {
    asio::io_context io;
    const cs::system_error elsewhere = error_of([&] {
        cs::acceptor<graceful>(io, {asio::ip::make_address("192.0.2.1"), 8080});
    });
    CHECK(elsewhere.code() == cs::error_code(EADDRNOTAVAIL, asio::error::get_system_category()));
    CHECK_MESSAGE(contains(elsewhere.what(), "192.0.2.1:8080: no interface of this network namespace has the address"),
                  std::string(elsewhere.what()));

    int first_free = 0;
    std::ifstream("/proc/sys/net/ipv4/ip_unprivileged_port_start") >> first_free;
    if (first_free < 2) return;
    const std::string privileged = in_unprivileged_child([&] {
        asio::io_context own;
        cs::acceptor<graceful> acceptor(own, {asio::ip::address_v6::loopback(), 1});
        return std::string("bound");
    });
    CHECK_MESSAGE(contains(privileged, "bind [::1]:1: "), privileged);
    CHECK_MESSAGE(contains(privileged, "ip_unprivileged_port_start need CAP_NET_BIND_SERVICE"), privileged);
}

TEST_CASE("A moved acceptor goes on; what it was moved from is a closed one on the same executor") {
    asio::io_context io;
    cs::acceptor<graceful> first(io, loopback);
    const tcp::endpoint at = first.local_endpoint();
    accept_result<graceful> pending;
    first.async_accept(pending.handler());
    cs::acceptor<graceful> second(std::move(first));
    CHECK(second.local_endpoint() == at);
    const test_peer peer(at);
    REQUIRE(run_until(io, [&] { return pending.calls > 0; }));
    CHECK_FALSE(pending.ec);

    CHECK_FALSE(first.is_open());
    CHECK(first.get_executor() == second.get_executor());
    CHECK(first.native_handle() == -1);
    CHECK(error_of([&] { (void)first.local_endpoint(); }).code() == asio::error::bad_descriptor);
    CHECK(error_of([&] { first.release(); }).code() == asio::error::bad_descriptor);
    CHECK(error_of([&] { first.accept(); }).code() == asio::error::bad_descriptor);
    first.close();
    accept_result<graceful> refused;
    first.async_accept(refused.handler());
    CHECK(refused.calls == 0);
    REQUIRE(run_until(io, [&] { return refused.calls > 0; }));
    CHECK(refused.ec == asio::error::bad_descriptor);
    CHECK_FALSE(refused.stream->is_open());

    first = cs::acceptor<graceful>(io, loopback);
    CHECK(first.is_open());
}

TEST_CASE("Assigning over an acceptor closes it; assigning it to itself does not") {
    asio::io_context io;
    cs::acceptor<graceful> acceptor(io, loopback), other(io, loopback);
    const tcp::endpoint before = acceptor.local_endpoint(), after = other.local_endpoint();
    accept_result<graceful> pending;
    acceptor.async_accept(pending.handler());
    auto& same = acceptor;
    acceptor = std::move(same);
    CHECK(acceptor.local_endpoint() == before);
    acceptor = std::move(other);
    CHECK(acceptor.local_endpoint() == after);
    REQUIRE(run_until(io, [&] { return pending.calls > 0; }));
    CHECK(pending.ec == asio::error::operation_aborted);
    CHECK_THROWS(test_peer(before));
    const test_peer peer(after);
    CHECK(accept_async(io, acceptor).is_open());
}

TEST_CASE("A released listener goes on listening and can be adopted again") {
    asio::io_context io;
    cs::acceptor<graceful> acceptor(io, loopback);
    const tcp::endpoint at = acceptor.local_endpoint();
    accept_result<graceful> pending;
    acceptor.async_accept(pending.handler());
    const int fd = acceptor.release();
    CHECK_FALSE(acceptor.is_open());
    REQUIRE(run_until(io, [&] { return pending.calls > 0; }));
    CHECK(pending.ec == asio::error::operation_aborted);
    const test_peer peer(at);
    auto adopted = cs::acceptor<peer_first>::adopt(io.get_executor(), fd);
    CHECK(adopted.native_handle() == fd);
    CHECK(adopted.local_endpoint() == at);
    CHECK(accept_async(io, adopted).socket().remote_endpoint() == peer.local());
}

TEST_CASE("An adopted listener and the connections in its backlog are put right; later ones need nothing") {
    asio::io_context io;
    foreign_socket outside = foreign_socket(loopback).listening();
    const ::linger blocking{1, 30};
    REQUIRE(::setsockopt(outside.fd(), SOL_SOCKET, SO_LINGER, &blocking, sizeof blocking) == 0);
    outside.set(IPPROTO_TCP, TCP_LINGER2, 33);
    const test_peer early_1(outside.local()), early_2(outside.local());
    REQUIRE(accept_queue(outside.fd()).waiting == 2);
    auto acceptor = cs::acceptor<no_fin_wait2>::adopt(io, outside.release());
    const test_peer late(acceptor.local_endpoint());

    std::vector<cs::stream<no_fin_wait2>> accepted;
    accepted.push_back(accept_async(io, acceptor));
    accepted.push_back(acceptor.accept());
    const int calls = setsockopt_calls;
    accepted.push_back(accept_async(io, acceptor));
    CHECK(setsockopt_calls == calls);
    std::vector<int> descriptors{acceptor.native_handle()};
    for (cs::stream<no_fin_wait2>& stream : accepted) descriptors.push_back(stream.socket().native_handle());
    for (const int fd : descriptors) {
        CHECK(linger_of(fd).l_onoff == 0);
        CHECK(option(fd, IPPROTO_TCP, TCP_LINGER2) == -1);
        CHECK(option(fd, SOL_SOCKET, SO_REUSEADDR) == 1);
    }
}

TEST_CASE("A descriptor that is no listening TCP socket is refused by number and stays the caller's") {
    asio::io_context io;
    const foreign_socket bound(loopback), listener = foreign_socket(loopback).listening();
    const test_peer connected(listener.local());
    const int udp = ::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    const int local = ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    const int file = ::open("/dev/null", O_RDONLY | O_CLOEXEC);
    const int closed = ::dup(file);
    ::close(closed);
    const struct {
        int fd;
        const char* reason;
    } refused[] = {{udp, "not a TCP socket"},
                   {local, "not a TCP socket"},
                   {file, "not a TCP socket"},
                   {closed, "not open"},
                   {-1, "not open"},
                   {bound.fd(), "a TCP socket on which nobody has called listen(2)"},
                   {connected.fd(), "a TCP connection"}};
    for (const auto& r : refused) {
        const int flags = ::fcntl(r.fd, F_GETFL);
        const cs::system_error e = error_of([&] { cs::acceptor<graceful>::adopt(io, r.fd); });
        const std::string said = "adopt descriptor " + std::to_string(r.fd) + ": " + r.reason;
        CHECK_MESSAGE(contains(e.what(), said), std::string(e.what()));
        CHECK(::fcntl(r.fd, F_GETFL) == flags); // still open where it was, and unchanged
    }
    CHECK(error_of([&] { cs::acceptor<graceful>::adopt(io, closed); }).code() == asio::error::bad_descriptor);

#if !defined(ASIO_HAS_IO_URING_AS_DEFAULT) // there nothing is registered, so nobody knows that it has an owner
    cs::acceptor<graceful> owner(io, loopback);
    const cs::system_error e = error_of([&] { cs::acceptor<graceful>::adopt(io, owner.native_handle()); });
    CHECK_MESSAGE(contains(e.what(), "adopt descriptor " + std::to_string(owner.native_handle())),
                  std::string(e.what()));
    const test_peer peer(owner.local_endpoint());
    CHECK(accept_async(io, owner).is_open());
#endif
    for (const int fd : {udp, local, file}) ::close(fd);
}

TEST_CASE("Closing or destroying the acceptor ends every pending accept once, and resets the backlog") {
    asio::io_context io;
    std::optional<cs::acceptor<graceful>> acceptor(std::in_place, io, loopback);
    std::vector<accept_result<graceful>> results(5);
    for (auto& r : results) acceptor->async_accept(r.handler());
    bool destroy = false;
    SUBCASE("closing") {}
    SUBCASE("destroying") { destroy = true; }
    io.poll();
    test_peer waiting(acceptor->local_endpoint());
    if (destroy)
        acceptor.reset();
    else
        acceptor->close();
    for (const auto& r : results) CHECK(r.calls == 0);
    io.run();
    for (const auto& r : results) {
        CHECK(r.calls == 1);
        CHECK(r.ec == asio::error::operation_aborted);
        CHECK_FALSE(r.stream->is_open());
    }
    CHECK(waiting.read().error == ECONNRESET);
    if (destroy) return;
    CHECK_FALSE(acceptor->is_open());
    accept_result<graceful> late;
    acceptor->async_accept(late.handler());
    io.restart();
    io.run();
    CHECK(late.calls == 1);
    CHECK(late.ec == asio::error::bad_descriptor);
}

TEST_CASE("A connection stays in the backlog until its handler can be called, so none is lost with an accept") {
    auto io = std::make_unique<asio::io_context>();
    foreign_socket listener = foreign_socket(loopback).listening();
    const tcp::endpoint at = listener.local();
    const int kept = ::dup(listener.fd());
    std::optional acceptor(cs::acceptor<graceful>::adopt(*io, listener.release()));
    const test_peer peer(at);
    auto called = std::make_shared<int>(0);
    acceptor->async_accept([called](cs::error_code, cs::stream<graceful>) { ++*called; });
    acceptor.reset();
    io.reset();
    CHECK(called.use_count() == 1);
    CHECK(*called == 0);
    CHECK(accept_queue(kept).waiting == 1);

    asio::io_context later;
    auto next = cs::acceptor<graceful>::adopt(later, kept);
    CHECK(accept_async(later, next).socket().remote_endpoint() == peer.local());
}

TEST_CASE("An io_context can be destroyed with accepts pending, with an acceptor in a coroutine too") {
    std::string peer_saw;
    auto io = std::make_unique<asio::io_context>();
    tcp::endpoint at;
    asio::co_spawn(
        *io,
        [&]() -> asio::awaitable<void> {
            cs::acceptor<peer_first_or_reset> acceptor(*io, loopback);
            at = acceptor.local_endpoint();
            std::vector<cs::stream<peer_first_or_reset>> accepted;
            while (true) accepted.push_back(co_await acceptor.async_accept(asio::use_awaitable));
        },
        asio::detached);
    io->poll();
    test_peer peer(at);
    io->poll();
    auto called = std::make_shared<int>(0);
    {
        cs::acceptor<graceful> acceptor(*io, loopback);
        for (int i = 0; i < 3; ++i) acceptor.async_accept([called](cs::error_code, auto) { ++*called; });
        io->poll();
    }
    io.reset();
    CHECK(*called == 0);
    CHECK(called.use_count() == 1);
    CHECK(peer.read().error == ECONNRESET); // no FIN of ours without theirs
    CHECK(kv::state(at, peer.local()) == kv::none);
    CHECK_THROWS(test_peer(at));
}

#if !defined(ASIO_HAS_IO_URING_AS_DEFAULT) // which registers nothing
TEST_CASE("A connection that cannot be registered with the reactor is ended by its policy and reported") {
    asio::io_context io;
    cs::acceptor<peer_first_or_reset> acceptor(io, loopback);
    test_peer peer(acceptor.local_endpoint());
    tcp::socket registered(io);
    registered.assign(tcp::v4(), ::accept(acceptor.native_handle(), nullptr, nullptr));
    accept4_answers(registered.native_handle()); // EEXIST from epoll_ctl
    accept_result<peer_first_or_reset> result;
    acceptor.async_accept(result.handler());
    REQUIRE(run_until(io, [&] { return result.calls > 0; }));
    CHECK(result.ec);
    CHECK_FALSE(result.stream->is_open());
    CHECK(peer.read().error == ECONNRESET);
    cs::error_code already_closed;
    registered.close(already_closed);
}
#endif

TEST_CASE("Futures, coroutines, move-only handlers, strands and default tokens take connections") {
    asio::io_context io;
    cs::acceptor<graceful> acceptor(io, loopback);
    const tcp::endpoint at = acceptor.local_endpoint();

    SUBCASE("use_future") {
        auto future = acceptor.async_accept(asio::use_future);
        const test_peer peer(at);
        REQUIRE(run_until(io, [&] { return future.wait_for(0s) == std::future_status::ready; }));
        CHECK(future.get().socket().remote_endpoint() == peer.local());
    }
    SUBCASE("use_future of a closed acceptor") {
        acceptor.close();
        auto future = acceptor.async_accept(asio::use_future);
        io.run();
        CHECK(error_of([&] { future.get(); }).code() == asio::error::bad_descriptor);
    }
    SUBCASE("use_awaitable") {
        tcp::endpoint seen;
        asio::co_spawn(
            io,
            [&]() -> asio::awaitable<void> {
                cs::stream<graceful> stream = co_await acceptor.async_accept(asio::use_awaitable);
                seen = stream.socket().remote_endpoint();
            },
            asio::detached);
        const test_peer peer(at);
        REQUIRE(run_until(io, [&] { return seen == peer.local(); }));
    }
    SUBCASE("a move-only handler") {
        int called = 0;
        acceptor.async_accept(
            [&, only = std::make_unique<int>(1)](cs::error_code, cs::stream<graceful>) { called += *only; });
        const test_peer peer(at);
        REQUIRE(run_until(io, [&] { return called == 1; }));
    }
    SUBCASE("a strand") {
        const auto strand = asio::make_strand(io);
        int called = 0;
        for (int i = 0; i < 2; ++i)
            acceptor.async_accept(asio::bind_executor(strand, [&](cs::error_code, cs::stream<graceful>) {
                CHECK(strand.running_in_this_thread());
                ++called;
            }));
        const test_peer a(at), b(at);
        REQUIRE(run_until(io, [&] { return called == 2; }));
    }
    SUBCASE("a default token, and an executor of its own") {
        using acceptor_type = asio::use_awaitable_t<>::as_default_on_t<cs::acceptor<graceful>>;
        acceptor_type by_default(io, loopback);
        const test_peer peer(by_default.local_endpoint());
        tcp::endpoint seen;
        asio::co_spawn(
            io,
            [&]() -> asio::awaitable<void> {
                auto stream = co_await by_default.async_accept();
                static_assert(std::is_same_v<decltype(stream), acceptor_type::stream_type>);
                seen = stream.socket().remote_endpoint();
            },
            asio::detached);
        REQUIRE(run_until(io, [&] { return seen == peer.local(); }));
    }
    SUBCASE("io_context's own executor") {
        cs::basic_acceptor<graceful, asio::io_context::executor_type> plain(io, loopback);
        const test_peer peer(plain.local_endpoint());
        bool open = false;
        plain.async_accept([&](cs::error_code, auto stream) { open = stream.is_open(); });
        CHECK_FALSE(open);
        REQUIRE(run_until(io, [&] { return open; }));
    }
}
