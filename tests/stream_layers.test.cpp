// SPDX-License-Identifier: BSL-1.0
#include <closeside/stream.hpp>

#include "support/connection.hpp"

#include <asio/awaitable.hpp>
#include <asio/buffer.hpp>
#include <asio/co_spawn.hpp>
#include <asio/connect.hpp>
#include <asio/strand.hpp>
#include <asio/thread_pool.hpp>
#include <asio/use_awaitable.hpp>
#include <asio/use_future.hpp>
#include <asio/write.hpp>

#include <doctest/doctest.h>

#include <array>
#include <chrono>
#include <memory>
#include <string>
#include <type_traits>
#include <utility>

#include <fcntl.h>

namespace cs = closeside;
namespace kv = kernel_view;
using namespace std::chrono_literals;

namespace {

constexpr cs::close_policy graceful = cs::policies::graceful;
constexpr cs::close_policy peer_first = cs::policies::peer_first;
constexpr cs::close_policy abortive = cs::policies::abortive;
using stream = cs::stream<graceful>;
using layer = stream::lowest_layer_type;

} // namespace

static_assert(std::is_base_of_v<tcp::socket, layer>);
static_assert(std::is_convertible_v<layer&, tcp::socket::lowest_layer_type&>);
static_assert(sizeof(layer) == sizeof(tcp::socket));
static_assert(std::is_same_v<layer::lowest_layer_type, layer>);
static_assert(!std::is_copy_constructible_v<layer> && !std::is_move_constructible_v<layer>);
static_assert(!std::is_convertible_v<stream&, tcp::socket&>); // not without a word
// What a sentence refuses is not taken for possible.
static_assert(!std::is_constructible_v<stream, cs::stream<peer_first>> &&
              !std::is_constructible_v<stream, cs::stream<peer_first>&> &&
              !std::is_assignable_v<stream&, cs::stream<peer_first>>);
static_assert(std::is_same_v<decltype(std::declval<stream&>().release()), tcp::socket::native_handle_type>);
static_assert(std::is_same_v<decltype(std::declval<stream&>().release_socket()), tcp::socket>);

TEST_CASE("lowest_layer().close() keeps the policy") {
    SUBCASE("our FIN first, and what the peer still sends is drained") {
        connection<graceful> c;
        c.peer.send(20'000); // close(2) over this would reset
        const std::string reply(64 * 1024, 'r');
        REQUIRE(asio::write(*c.stream, asio::buffer(reply)) == reply.size());
        c.stream->lowest_layer().close();
        CHECK_FALSE(c.stream->is_open());
        const auto got = c.peer.read();
        CHECK(got.bytes == reply.size());
        CHECK(got.error == 0);
        c.peer.close();
        CHECK(c.run_until([&] { return c.local_state() == kv::time_wait; }));
    }
    SUBCASE("with an error code, and from the layer's own lowest_layer()") {
        connection<peer_first> c;
        cs::error_code ec = asio::error::eof;
        c.stream->lowest_layer().lowest_layer().close(ec);
        CHECK_FALSE(ec);
        CHECK_FALSE(c.stream->is_open());
        c.io.poll();
        CHECK(c.local_state() == kv::established);
        c.peer.close();
        CHECK(c.run_until([&] { return c.local_state() == kv::none; }));
        CHECK(c.peer_becomes(kv::time_wait));
    }
    SUBCASE("RST under abort") {
        connection<abortive> c;
        c.stream->lowest_layer().close();
        CHECK(c.peer.read().error == ECONNRESET);
    }
}

TEST_CASE("close is what the destructor does, and the stream may be used anew") {
    connection<graceful> c;
    cs::error_code ec = asio::error::eof;
    static_assert(std::is_same_v<decltype(c.stream->close()), decltype(std::declval<tcp::socket&>().close())>);
    static_assert(std::is_same_v<decltype(c.stream->close(ec)), decltype(std::declval<tcp::socket&>().close(ec))>);
    c.stream->close(ec);
    CHECK_FALSE(ec);
    c.stream->close();
    CHECK(c.local_becomes(kv::fin_wait2));

    c.stream->connect(c.listener.local_endpoint());
    CHECK(c.stream->is_open());
    auto second = c.listener.accept();
    CHECK(second.remote_endpoint() == c.stream->local_endpoint());
    c.peer.reset();
    c.stream->close(ec); // the peer's reset is no error of ours
    CHECK_FALSE(ec);
}

TEST_CASE("functions of Asio fill a stream through lowest_layer()") {
    asio::io_context io;
    tcp::acceptor listener(io, {asio::ip::address_v4::loopback(), 0});
    const std::array to{listener.local_endpoint()};
    stream client(io), server(io);
    SUBCASE("asio::async_connect and async_accept") {
        auto accepted = listener.async_accept(server.lowest_layer(), asio::use_future);
        auto connected = asio::async_connect(client.lowest_layer(), to, asio::use_future);
        io.run();
        accepted.get();
        CHECK(connected.get() == to[0]);
    }
    SUBCASE("asio::connect and accept with the peer's endpoint") {
        CHECK(asio::connect(client.lowest_layer(), to) == to[0]);
        tcp::endpoint from;
        listener.accept(server.lowest_layer(), from);
        CHECK(from == client.local_endpoint());
    }
    CHECK(client.remote_endpoint() == to[0]);
    CHECK(server.remote_endpoint() == client.local_endpoint());
    const auto local = client.local_endpoint();
    client.close();
    server.close();
    io.restart();
    io.run();
    CHECK(kv::eventually([&] { return kv::state(local, to[0]) == kv::time_wait; }));
}

TEST_CASE("constructors are Asio's") {
    asio::io_context io;
    tcp::acceptor listener(io, {asio::ip::address_v4::loopback(), 0});
    static_assert(!std::is_constructible_v<stream, int, tcp>);
    SUBCASE("from a socket of another executor") {
        asio::basic_stream_socket<tcp, asio::io_context::executor_type> narrow(io);
        narrow.connect(listener.local_endpoint());
        stream wide(std::move(narrow));
        CHECK(wide.remote_endpoint() == listener.local_endpoint());
        CHECK_FALSE(narrow.is_open());
    }
    SUBCASE("from a stream of another executor, and assigned from one") {
        cs::basic_stream<graceful, asio::io_context::executor_type> narrow(io);
        narrow.connect(listener.local_endpoint());
        stream wide = std::move(narrow);
        CHECK(wide.is_open());
        CHECK_FALSE(narrow.is_open());
        narrow.connect(listener.local_endpoint());
        const auto first = wide.local_endpoint();
        wide = std::move(narrow);
        CHECK(wide.local_endpoint() != first);
        CHECK(kv::eventually([&] { return kv::state(first, listener.local_endpoint()) != kv::established; }));
        static_assert(!std::is_convertible_v<stream, cs::basic_stream<graceful, asio::io_context::executor_type>>);
        static_assert(!std::is_convertible_v<stream, cs::stream<peer_first>>);
    }
    SUBCASE("opened, and bound") {
        stream opened(io, tcp::v6());
        CHECK(opened.is_open());
        stream bound(io.get_executor(), {asio::ip::address_v4::loopback(), 0});
        CHECK(bound.local_endpoint().port() != 0);
    }
    SUBCASE("on a strand of a pool") {
        asio::thread_pool pool(1);
        stream on_strand(asio::make_strand(pool), tcp::v4());
        CHECK(on_strand.is_open());
    }
}

TEST_CASE("release gives the descriptor away, release_socket the socket; the wire is not touched") {
    connection<graceful> c;
    cs::error_code ec = asio::error::eof;
    const int fd = c.stream->release(ec);
    CHECK_FALSE(ec);
    CHECK_FALSE(c.stream->is_open());
    CHECK(c.local_state() == kv::established);
    c.stream->assign(tcp::v4(), fd);
    tcp::socket socket = c.stream->release_socket();
    CHECK_FALSE(c.stream->is_open());
    CHECK(socket.native_handle() == fd);
    c.stream.reset();
    CHECK(c.local_state() == kv::established);
    connection<graceful> closed;
    closed.stream->close();
    closed.stream->release(ec);
    CHECK(ec == asio::error::bad_descriptor);
}

TEST_CASE("cancel ends what is under way and leaves the stream open") {
    connection<graceful> c;
    std::array<char, 8> buffer{};
    auto read = c.stream->async_receive(asio::buffer(buffer), asio::use_future);
    auto wait = c.stream->async_wait(stream::wait_read, asio::use_future);
    c.io.poll();
    c.stream->cancel();
    c.io.restart();
    c.io.run();
    const auto code_of = [](auto& future) {
        try {
            future.get();
        } catch (const cs::system_error& e) {
            return e.code();
        }
        return cs::error_code();
    };
    CHECK(code_of(read) == asio::error::operation_aborted);
    CHECK(code_of(wait) == asio::error::operation_aborted);
    CHECK(c.stream->is_open());
    CHECK(c.local_state() == kv::established);
}

TEST_CASE("a stream takes a default completion token") {
    connection<graceful> c;
    auto client = asio::use_awaitable.as_default_on(std::move(*c.stream));
    using client_type = decltype(client);
    static_assert(std::is_same_v<client_type, asio::use_awaitable_t<>::as_default_on_t<stream>>);
    static_assert(client_type::policy == graceful);
    bool done = false;
    asio::co_spawn(
        c.io,
        [&]() -> asio::awaitable<void> {
            std::array<char, 8> buffer{};
            const std::size_t n = co_await client.async_read_some(asio::buffer(buffer));
            co_await client.async_send(asio::buffer(buffer, n));
            co_await client.async_wait(client_type::wait_write);
            const cs::close_report report = co_await client.async_close();
            CHECK(report.first_fin == cs::fin_sender::local);
            co_await client.async_connect(c.listener.local_endpoint());
            done = true;
        },
        [](std::exception_ptr e) {
            if (e) std::rethrow_exception(e);
        });
    c.peer.send(5);
    c.io.poll();
    CHECK(c.peer.read(5).bytes == 5);
    c.peer.close();
    REQUIRE(c.run_until([&] { return done; }));
    CHECK(client.is_open());
}
