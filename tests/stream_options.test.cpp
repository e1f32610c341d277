// SPDX-License-Identifier: BSL-1.0
#include <closeside/stream.hpp>

#include "support/connection.hpp"
#include "support/interposed_calls.hpp"
#include "support/user_option.hpp"

#include <asio/connect.hpp>
#include <asio/use_future.hpp>

#include <doctest/doctest.h>

#include <array>
#include <chrono>
#include <memory>
#include <string>
#include <utility>

#include <netinet/tcp.h>
#include <sys/resource.h>

namespace cs = closeside;
namespace kv = kernel_view;
using namespace std::chrono_literals;

namespace {

using base = asio::socket_base;

constexpr cs::close_policy graceful = cs::policies::graceful;
constexpr cs::close_policy abortive = cs::policies::abortive;
constexpr cs::close_policy acknowledged{.linger = cs::lingering::until_acked(5s)};
constexpr cs::close_policy exclusive{.reuse_address = false};
constexpr cs::close_policy ten_seconds{.linger2 = 10s, .drain_time = 50ms};
constexpr cs::close_policy never_half_open{.linger2 = cs::fin_wait2::skip, .drain_time = cs::close_duration{0}};
constexpr cs::close_policy stated_and_drained{.linger2 = 10s};

::linger linger_of(int fd) {
    ::linger l{};
    socklen_t size = sizeof l;
    ::getsockopt(fd, SOL_SOCKET, SO_LINGER, &l, &size);
    return l;
}

int option_of(int fd, int level, int name) {
    int value = 0;
    socklen_t size = sizeof value;
    ::getsockopt(fd, level, name, &value, &size);
    return value;
}

int linger2_of(int fd) { return option_of(fd, IPPROTO_TCP, TCP_LINGER2); }

tests::user_option linger2(int seconds) { return {IPPROTO_TCP, TCP_LINGER2, seconds}; }

/// What set_option(option) throws; empty if it does not.
template <class Socket, class Option>
std::string refusal(Socket& s, const Option& option) {
    try {
        s.set_option(option);
    } catch (const cs::system_error& e) {
        CHECK(e.code() == asio::error::invalid_argument);
        return e.what();
    }
    return {};
}

bool names(const std::string& text, const std::string& member) { return text.find(member) != std::string::npos; }

/// A connection whose socket an acceptor of Asio's has put into the stream.
template <cs::close_policy P>
struct filled_by_asio {
    explicit filled_by_asio(bool through_socket = false)
        : listener(io, {asio::ip::address_v4::loopback(), 0}), peer(listener.local_endpoint()),
          stream(std::make_unique<cs::stream<P>>(io)) {
        if (through_socket)
            listener.accept(stream->socket());
        else
            listener.accept(stream->lowest_layer());
        local = stream->local_endpoint();
    }

    observation::socket_entry entry() const { return kv::find(local, peer.local()); }

    asio::io_context io;
    tcp::acceptor listener;
    test_peer peer;
    std::unique_ptr<cs::stream<P>> stream;
    tcp::endpoint local;
};

} // namespace

TEST_CASE("an option of the policy is accepted where its value is the policy's, and sets nothing") {
    connection<graceful> c;
    connection<abortive> a;
    connection<acknowledged> k;
    connection<exclusive> e;
    connection<ten_seconds> t;
    connection<never_half_open> n;
    const int before = tests::setsockopt_calls;
    c.stream->set_option(base::linger(false, 0));
    c.stream->set_option(base::linger(false, 7));
    c.stream->set_option(base::reuse_address(true));
    c.stream->set_option(linger2(0));
    a.stream->set_option(base::linger(true, 0));
    k.stream->set_option(base::linger(true, 5));
    e.stream->set_option(base::reuse_address(false));
    t.stream->set_option(linger2(10));
    n.stream->set_option(linger2(-1));
    CHECK(tests::setsockopt_calls == before);

    c.stream->set_option(tcp::no_delay(true));
    c.stream->lowest_layer().set_option(base::keep_alive(true));
    CHECK(tests::setsockopt_calls == before + 2);
    tcp::no_delay no_delay;
    c.stream->get_option(no_delay);
    CHECK(no_delay.value());
    cs::error_code ec = asio::error::eof;
    c.stream->set_option(base::linger(false, 0), ec);
    CHECK_FALSE(ec);
}

TEST_CASE("another value is refused with a sentence that names the member, and nothing is set") {
    connection<graceful> c;
    connection<abortive> a;
    connection<exclusive> e;
    connection<ten_seconds> t;
    const int before = tests::setsockopt_calls;
    CHECK(names(refusal(*c.stream, base::linger(true, 0)), "abort()"));
    CHECK(names(refusal(*c.stream, base::linger(true, 0)), "lingering::abort"));
    CHECK(names(refusal(*c.stream, base::linger(true, 5)), "lingering::until_acked"));
    CHECK(names(refusal(*a.stream, base::linger(false, 0)), "lingering::background"));
    CHECK(names(refusal(*c.stream, base::reuse_address(false)), "reuse_address"));
    CHECK(names(refusal(*e.stream, base::reuse_address(true)), "reuse_address"));
    CHECK(names(refusal(*c.stream, linger2(5)), "linger2"));
    CHECK(names(refusal(*t.stream, linger2(11)), "linger2"));
    CHECK(names(refusal(c.stream->lowest_layer(), base::linger(true, 0)), "abort()"));
    CHECK(tests::setsockopt_calls == before);

    cs::error_code ec;
    c.stream->set_option(base::linger(true, 0), ec);
    CHECK(ec == asio::error::invalid_argument);
    CHECK(linger_of(c.stream->native_handle()).l_onoff == 0);
}

TEST_CASE("on a closed stream an option is Asio's error, but another value is named first") {
    asio::io_context io;
    cs::stream<graceful> stream(io);
    cs::error_code ec;
    stream.set_option(base::linger(false, 0), ec);
    CHECK(ec == asio::error::bad_descriptor);
    stream.set_option(base::keep_alive(true), ec);
    CHECK(ec == asio::error::bad_descriptor);
    stream.set_option(base::linger(true, 0), ec);
    CHECK(ec == asio::error::invalid_argument);
}

TEST_CASE("a socket that was given away and comes back is put right anew") {
    connection<abortive> c;
    tcp::socket socket = c.stream->release_socket();
    socket.set_option(base::linger(false, 0));
    c.stream->socket() = std::move(socket);
    c.stream->close();
    CHECK(c.peer.read().error == ECONNRESET);
}

TEST_CASE("open, assign, connect and async_connect set the policy's options, bind sets SO_REUSEADDR") {
    asio::io_context io;
    tcp::acceptor listener(io, {asio::ip::address_v4::loopback(), 0});
    const auto at = listener.local_endpoint();
    SUBCASE("open") {
        cs::stream<abortive> a(io);
        a.open(tcp::v4());
        CHECK(linger_of(a.native_handle()).l_onoff == 1);
        cs::stream<ten_seconds> t(io);
        cs::error_code ec;
        t.open(tcp::v6(), ec);
        CHECK_FALSE(ec);
        CHECK(linger2_of(t.native_handle()) == 10);
        t.open(tcp::v6(), ec);
        CHECK(ec == asio::error::already_open);
        CHECK_THROWS_AS(t.open(tcp::v4()), cs::system_error);
    }
    SUBCASE("bind") {
        cs::stream<graceful> g(io, tcp::endpoint(asio::ip::address_v4::loopback(), 0));
        CHECK(g.local_endpoint().port() != 0);
        CHECK(option_of(g.native_handle(), SOL_SOCKET, SO_REUSEADDR) == 1);
        cs::stream<exclusive> e(io.get_executor(), tcp::v4());
        e.bind({asio::ip::address_v4::loopback(), 0});
        CHECK(option_of(e.native_handle(), SOL_SOCKET, SO_REUSEADDR) == 0);
        cs::stream<exclusive> second(io, tcp::v4());
        cs::error_code ec;
        second.bind(e.local_endpoint(), ec);
        CHECK(ec == asio::error::address_in_use);
        cs::stream<exclusive> closed(io);
        closed.bind(e.local_endpoint(), ec);
        CHECK(ec == asio::error::bad_descriptor);
    }
    SUBCASE("connect") {
        cs::stream<ten_seconds> t(io);
        t.connect(at);
        CHECK(linger2_of(t.native_handle()) == 10);
        CHECK(t.remote_endpoint() == at);
        cs::error_code ec;
        t.connect(at, ec);
        CHECK(ec == asio::error::already_connected);
    }
    SUBCASE("async_connect") {
        cs::stream<never_half_open> n(io);
        auto connected = n.async_connect(at, asio::use_future);
        io.run();
        connected.get();
        CHECK(linger2_of(n.native_handle()) == -1);
    }
    SUBCASE("lowest_layer().async_connect") {
        cs::stream<abortive> a(io);
        auto connected = a.lowest_layer().async_connect(at, asio::use_future);
        io.run();
        connected.get();
        CHECK(linger_of(a.native_handle()).l_onoff == 1);
    }
    SUBCASE("assign") {
        tcp::socket plain(io);
        plain.connect(at);
        cs::stream<ten_seconds> t(io);
        const int fd = plain.release();
        t.assign(tcp::v4(), fd);
        CHECK(t.native_handle() == fd);
        CHECK(linger2_of(fd) == 10);
        cs::stream<abortive> a(io, tcp::v4(), t.release());
        CHECK(linger_of(a.native_handle()).l_onoff == 1);
        CHECK_FALSE(t.is_open());
    }
}

TEST_CASE("what cannot be given the policy's options is refused, and left to whom it belongs") {
    asio::io_context io;
    cs::stream<ten_seconds> stream(io);
    const int udp = ::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    cs::error_code ec;
    stream.assign(tcp::v4(), udp, ec);
    CHECK(ec == asio::error::operation_not_supported);
    CHECK_FALSE(stream.is_open());
    CHECK(::close(udp) == 0);
}

TEST_CASE("async_connect that cannot open completes with the error, not from inside") {
    asio::io_context io;
    cs::stream<graceful> stream(io);
    const tcp::endpoint nowhere(asio::ip::address_v4::loopback(), 1);
    stream.async_connect(nowhere, [&](cs::error_code e) { CHECK(e == asio::error::connection_refused); });
    io.run();

    ::rlimit before{};
    ::getrlimit(RLIMIT_NOFILE, &before);
    ::rlimit none = before;
    none.rlim_cur = 0;
    cs::stream<graceful> second(io);
    int calls = 0;
    ::setrlimit(RLIMIT_NOFILE, &none);
    second.async_connect(nowhere, [&](cs::error_code e) {
        ++calls;
        CHECK(e == asio::error::no_descriptors);
    });
    ::setrlimit(RLIMIT_NOFILE, &before);
    CHECK(calls == 0);
    io.restart();
    io.run();
    CHECK(calls == 1);
}

TEST_CASE("TCP_LINGER2 of the policy governs the orphan of a socket that Asio has filled") {
    for (const bool through_socket : {false, true}) {
        CAPTURE(through_socket);
        filled_by_asio<ten_seconds> f(through_socket);
        close_result result;
        f.stream->async_close(result.handler());
        f.io.run();
        CHECK(result.ec == cs::error::drain_time_over);
        const auto entry = f.entry();
        CHECK(entry.state == kv::fin_wait2);
        CHECK(entry.inode == 0);
        CHECK(entry.timer_ms <= 10'000);
        CHECK(entry.timer_ms > 5'000);
    }
    SUBCASE("dropped, by close(2) alone") {
        filled_by_asio<never_half_open> f;
        f.stream.reset();
        CHECK(kv::eventually([&] { return f.entry().state == kv::none; }));
    }
    SUBCASE("dropped, in the background") {
        filled_by_asio<ten_seconds> f;
        f.stream.reset();
        f.io.run();
        CHECK(f.entry().state == kv::fin_wait2);
        CHECK(f.entry().timer_ms <= 10'000);
    }
    SUBCASE("close_and_wait") {
        filled_by_asio<ten_seconds> f;
        cs::error_code ec;
        f.stream->close_and_wait(ec);
        CHECK(f.entry().state == kv::fin_wait2);
        CHECK(f.entry().timer_ms <= 10'000);
    }
    SUBCASE("connected by asio::async_connect") {
        asio::io_context io;
        tcp::acceptor listener(io, {asio::ip::address_v4::loopback(), 0});
        cs::stream<ten_seconds> stream(io);
        const std::array to{listener.local_endpoint()};
        auto connected = asio::async_connect(stream.lowest_layer(), to, asio::use_future);
        io.run();
        connected.get();
        const auto local = stream.local_endpoint();
        tcp::socket peer = listener.accept();
        stream.close();
        io.restart();
        io.run();
        CHECK(kv::state(local, to[0]) == kv::fin_wait2);
        CHECK(kv::find(local, to[0]).timer_ms <= 10'000);
    }
}

TEST_CASE("a socket that Asio has filled is reset under lingering::abort") {
    const auto is_reset = [](auto& f) {
        CHECK(f.peer.read().error == ECONNRESET);
        CHECK(f.entry().state == kv::none);
    };
    SUBCASE("by async_close") {
        filled_by_asio<abortive> f;
        close_result result;
        f.stream->async_close(result.handler());
        f.io.run();
        CHECK_FALSE(result.ec);
        CHECK(result.report.ended_by == cs::ending::reset_by_us);
        is_reset(f);
    }
    SUBCASE("by destruction") {
        filled_by_asio<abortive> f;
        f.stream.reset();
        is_reset(f);
    }
    SUBCASE("by close_and_wait") {
        filled_by_asio<abortive> f;
        f.stream->close_and_wait();
        is_reset(f);
    }
    SUBCASE("by a policy for this one close") {
        filled_by_asio<graceful> f;
        f.stream->close_and_wait(abortive);
        is_reset(f);
    }
    SUBCASE("by abort()") {
        filled_by_asio<abortive> f;
        f.stream->abort();
        is_reset(f);
    }
}

TEST_CASE("SO_LINGER that a socket has from a listener of Asio's neither resets nor blocks") {
    asio::io_context io;
    tcp::acceptor listener(io, {asio::ip::address_v4::loopback(), 0});
    const auto accepted_with = [&](const base::linger& option, auto& stream) {
        listener.set_option(option);
        auto peer = std::make_unique<test_peer>(listener.local_endpoint());
        listener.accept(stream.lowest_layer());
        REQUIRE(linger_of(stream.native_handle()).l_onoff == 1);
        return peer;
    };
    SUBCASE("linger(true, 0)") {
        cs::stream<cs::policies::peer_first> stream(io);
        const auto peer = accepted_with(base::linger(true, 0), stream);
        peer->half_close();
        close_result result;
        stream.async_close(result.handler());
        io.run();
        CHECK_FALSE(result.ec);
        CHECK(peer->read().error == 0);
    }
    SUBCASE("linger(true, 5), by close(2) with a reply that nobody reads") {
        cs::stream<never_half_open> stream(io);
        const auto peer = accepted_with(base::linger(true, 5), stream);
        stream.non_blocking(true);
        const std::string much(1u << 20, 'r');
        for (cs::error_code ec; !ec;) stream.write_some(asio::buffer(much), ec);
        const auto before = std::chrono::steady_clock::now();
        stream.close();
        CHECK(std::chrono::steady_clock::now() - before < 2s);
    }
}

TEST_CASE("an orderly close pays nothing for options that may have to be put right") {
    SUBCASE("of a stream that is dropped, by close(2) alone") {
        connection<never_half_open> c;
        const int before = tests::setsockopt_calls;
        c.stream.reset();
        CHECK(tests::setsockopt_calls == before);
        CHECK(kv::eventually([&] { return c.local_state() == kv::none; }));
    }
    SUBCASE("of a stream that is reset") {
        connection<abortive> c;
        const int before = tests::setsockopt_calls;
        c.stream->close();
        CHECK(tests::setsockopt_calls == before);
        CHECK(c.peer.read().error == ECONNRESET);
    }
    SUBCASE("of a stream that was moved to another executor") {
        asio::io_context io;
        tcp::acceptor listener(io, {asio::ip::address_v4::loopback(), 0});
        cs::basic_stream<never_half_open, asio::io_context::executor_type> narrow(io);
        narrow.connect(listener.local_endpoint());
        const int before = tests::setsockopt_calls;
        cs::stream<never_half_open> wide(std::move(narrow));
        wide.close();
        CHECK(tests::setsockopt_calls == before);
    }
    SUBCASE("of one that was filled by Asio, but for SO_LINGER") {
        filled_by_asio<stated_and_drained> f;
        f.peer.half_close();
        REQUIRE(kv::eventually([&] { return f.entry().state == kv::close_wait; }));
        const int before = tests::setsockopt_calls;
        close_result result;
        f.stream->async_close(result.handler());
        f.io.run();
        CHECK_FALSE(result.ec);
        CHECK(tests::setsockopt_calls == before + 1);
    }
    SUBCASE("of an accepted stream") {
        connection<stated_and_drained> c;
        c.peer.half_close();
        REQUIRE(c.local_becomes(kv::close_wait));
        const int before = tests::setsockopt_calls;
        close_result result;
        c.stream->async_close(result.handler());
        c.io.run();
        CHECK_FALSE(result.ec);
        CHECK(tests::setsockopt_calls == before);
    }
    SUBCASE("that waits for the peer's FIN") {
        connection<stated_and_drained> c;
        const int before = tests::setsockopt_calls;
        close_result result;
        c.stream->async_close(result.handler());
        REQUIRE(c.local_becomes(kv::fin_wait2));
        c.peer.close();
        REQUIRE(c.run_until([&] { return result.calls == 1; }));
        CHECK_FALSE(result.ec);
        CHECK(tests::setsockopt_calls == before);
    }
}
