// SPDX-License-Identifier: BSL-1.0
// Every form of accept and async_accept that Asio has.
#include <closeside/acceptor.hpp>

#include "support/connection.hpp"
#include "support/interposed_calls.hpp"
#include "support/kernel_view.hpp"

#include <asio/awaitable.hpp>
#include <asio/bind_cancellation_slot.hpp>
#include <asio/cancellation_signal.hpp>
#include <asio/co_spawn.hpp>
#include <asio/detached.hpp>
#include <asio/generic/stream_protocol.hpp>
#include <asio/post.hpp>
#include <asio/strand.hpp>
#include <asio/thread_pool.hpp>
#include <asio/use_awaitable.hpp>
#include <asio/use_future.hpp>

#include <doctest/doctest.h>

#include <memory>
#include <optional>
#include <type_traits>
#include <utility>

#include <netinet/tcp.h>
#include <sys/resource.h>

namespace cs = closeside;
namespace kv = kernel_view;
using namespace std::chrono_literals;
using namespace tests;

namespace {

constexpr cs::close_policy seven_seconds{.linger2 = 7s};
using acceptor_type = cs::acceptor<seven_seconds>;
using stream_type = cs::stream<seven_seconds>;
using context_executor = asio::io_context::executor_type;
using context_stream = cs::basic_stream<seven_seconds, context_executor>;

const tcp::endpoint loopback{own_loopback(), 0};

int linger2_of(int fd) {
    int value = -7;
    socklen_t size = sizeof value;
    REQUIRE(::getsockopt(fd, IPPROTO_TCP, TCP_LINGER2, &value, &size) == 0);
    return value;
}

/// What an accept has come to, whatever its form.
struct outcome {
    int calls = 0;
    cs::error_code ec = asio::error::eof;

    auto handler() {
        return [this](cs::error_code e) {
            ++calls;
            ec = e;
        };
    }
    template <class Stream>
    auto handler_into(std::optional<Stream>& to) {
        return [this, &to](cs::error_code e, Stream s) {
            ++calls;
            ec = e;
            to.emplace(std::move(s));
        };
    }
};

} // namespace

TEST_CASE("Each form of async_accept takes a connection with the policy, without a setsockopt, and tells who it is") {
    asio::io_context io, other;
    acceptor_type acceptor(io, loopback);
    const test_peer peer(acceptor.local_endpoint());
    const auto strand = asio::make_strand(other);
    using strand_stream = cs::basic_stream<seven_seconds, std::remove_const_t<decltype(strand)>>;

    std::optional<stream_type> plain;
    std::optional<context_stream> on_context;
    std::optional<strand_stream> on_strand;
    stream_type stream(other);
    context_stream narrow(other);
    tcp::socket bare(other);
    asio::generic::stream_protocol::socket generic(other);
    tcp::endpoint from;
    bool tells_peer = false;
    outcome o;
    const int before = setsockopt_calls, accepts = accept4_calls;

    SUBCASE("nothing") { acceptor.async_accept(o.handler_into(plain)); }
    SUBCASE("an endpoint") {
        acceptor.async_accept(from, o.handler_into(plain));
        tells_peer = true;
    }
    SUBCASE("an executor") { acceptor.async_accept(strand, o.handler_into(on_strand)); }
    SUBCASE("an executor and an endpoint") {
        acceptor.async_accept(strand, from, o.handler_into(on_strand));
        tells_peer = true;
    }
    SUBCASE("an executor that is a temporary") {
        acceptor.async_accept(asio::make_strand(other), o.handler_into(on_strand));
    }
    SUBCASE("a context") { acceptor.async_accept(other, o.handler_into(on_context)); }
    SUBCASE("a context and an endpoint") {
        acceptor.async_accept(other, from, o.handler_into(on_context));
        tells_peer = true;
    }
    SUBCASE("a stream") { acceptor.async_accept(stream, o.handler()); }
    SUBCASE("a stream and an endpoint") {
        acceptor.async_accept(stream, from, o.handler());
        tells_peer = true;
    }
    SUBCASE("a stream on another type of executor") { acceptor.async_accept(narrow, o.handler()); }
    SUBCASE("a stream's lowest layer") { acceptor.async_accept(stream.lowest_layer(), o.handler()); }
    SUBCASE("a stream's lowest layer and an endpoint") {
        acceptor.async_accept(stream.lowest_layer(), from, o.handler());
        tells_peer = true;
    }
    SUBCASE("a stream's socket") { acceptor.async_accept(stream.socket(), o.handler()); }
    SUBCASE("a plain socket and an endpoint") {
        acceptor.async_accept(bare, from, o.handler());
        tells_peer = true;
    }
    SUBCASE("a socket of a wider protocol") { acceptor.async_accept(generic, o.handler()); }

    CHECK(o.calls == 0);
    REQUIRE(run_until(io, [&] { return o.calls > 0; }));
    CHECK(o.calls == 1);
    CHECK(o.ec == cs::error_code());
    CHECK(setsockopt_calls == before);
    CHECK(accept4_calls == accepts + 1);
    CHECK((from == peer.local()) == tells_peer);

    const int fds[] = {plain ? plain->socket().native_handle() : -1,
                       on_context ? on_context->socket().native_handle() : -1,
                       on_strand ? on_strand->socket().native_handle() : -1,
                       stream.is_open() ? stream.socket().native_handle() : -1,
                       narrow.is_open() ? narrow.socket().native_handle() : -1,
                       bare.is_open() ? bare.native_handle() : -1,
                       generic.is_open() ? generic.native_handle() : -1};
    int open = 0;
    for (const int fd : fds)
        if (fd >= 0) {
            ++open;
            CHECK(linger2_of(fd) == 7);
        }
    CHECK(open == 1);
    if (on_context) CHECK(&on_context->get_executor().context() == &other);
    if (on_strand) CHECK(on_strand->get_executor().get_inner_executor() == other.get_executor());
}

TEST_CASE("Each form of accept takes a connection with the policy, without a setsockopt, and tells who it is") {
    asio::io_context io, other;
    acceptor_type acceptor(io, loopback);
    const test_peer peer(acceptor.local_endpoint());
    const auto executor = other.get_executor();
    stream_type stream(other);
    tcp::socket bare(other);
    tcp::endpoint from = peer.local();
    cs::error_code ec = asio::error::eof;
    const int before = setsockopt_calls;
    const auto check = [&](auto&& s) { CHECK(linger2_of(s.native_handle()) == 7); };
    const auto check_on_context = [&](context_stream s) {
        check(s.socket());
        CHECK(&s.get_executor().context() == &other);
    };

    SUBCASE("nothing") { check(acceptor.accept().socket()); }
    SUBCASE("nothing, with ec") { check(acceptor.accept(ec).socket()); }
    SUBCASE("an endpoint") { check((from = {}, acceptor.accept(from)).socket()); }
    SUBCASE("an endpoint, with ec") { check((from = {}, acceptor.accept(from, ec)).socket()); }
    SUBCASE("an executor") { check_on_context(acceptor.accept(executor)); }
    SUBCASE("an executor, with ec") { check_on_context(acceptor.accept(executor, ec)); }
    SUBCASE("an executor and an endpoint") { check_on_context((from = {}, acceptor.accept(executor, from))); }
    SUBCASE("an executor and an endpoint, with ec") {
        check_on_context((from = {}, acceptor.accept(executor, from, ec)));
    }
    SUBCASE("a context") { check_on_context(acceptor.accept(other)); }
    SUBCASE("a context, with ec") { check_on_context(acceptor.accept(other, ec)); }
    SUBCASE("a context and an endpoint") { check_on_context((from = {}, acceptor.accept(other, from))); }
    SUBCASE("a context and an endpoint, with ec") { check_on_context((from = {}, acceptor.accept(other, from, ec))); }
    SUBCASE("a stream") { (acceptor.accept(stream), check(stream.socket())); }
    SUBCASE("a stream, with ec") { (acceptor.accept(stream, ec), check(stream.socket())); }
    SUBCASE("a stream and an endpoint") { (from = {}, acceptor.accept(stream, from), check(stream.socket())); }
    SUBCASE("a stream and an endpoint, with ec") {
        (from = {}, acceptor.accept(stream, from, ec), check(stream.socket()));
    }
    SUBCASE("a lowest layer") { (acceptor.accept(stream.lowest_layer()), check(stream.socket())); }
    SUBCASE("a lowest layer and an endpoint, with ec") {
        (from = {}, acceptor.accept(stream.lowest_layer(), from, ec), check(stream.socket()));
    }
    SUBCASE("a plain socket") { (acceptor.accept(bare), check(bare)); }
    CHECK((!ec || ec == asio::error::eof)); // success, or not asked for
    CHECK(from == peer.local());
    CHECK(setsockopt_calls == before);
}

TEST_CASE("What a failed accept leaves behind: a closed stream, the peer's endpoint as it was, the error") {
    asio::io_context io, other;
    acceptor_type closed(io);
    stream_type stream(other);
    const tcp::endpoint untouched(asio::ip::address_v4::loopback(), 7);
    tcp::endpoint from = untouched;
    cs::error_code ec;

    CHECK_FALSE(closed.accept(other, from, ec).is_open());
    CHECK(ec == asio::error::bad_descriptor);
    closed.accept(stream, from, ec);
    CHECK(ec == asio::error::bad_descriptor);
    CHECK_FALSE(stream.is_open());
    CHECK_THROWS_AS(closed.accept(stream), cs::system_error);
    CHECK_THROWS_AS(closed.accept(other, from), cs::system_error);

    std::optional<context_stream> made;
    outcome fresh, into;
    closed.async_accept(other, from, fresh.handler_into(made));
    closed.async_accept(stream, from, into.handler());
    io.run();
    CHECK(fresh.ec == asio::error::bad_descriptor);
    CHECK_FALSE(made->is_open());
    CHECK(into.ec == asio::error::bad_descriptor);
    CHECK(from == untouched);
}

TEST_CASE("Into an open stream nothing is accepted: the connection stays in the backlog") {
    asio::io_context io;
    acceptor_type acceptor(io, loopback);
    const test_peer first(acceptor.local_endpoint());
    stream_type open = acceptor.accept();
    const test_peer second(acceptor.local_endpoint());
    cs::error_code ec;
    acceptor.accept(open, ec);
    CHECK(ec == asio::error::already_open);
    outcome o;
    acceptor.async_accept(open, o.handler());
    CHECK(o.calls == 0);
    REQUIRE(run_until(io, [&] { return o.calls > 0; }));
    CHECK(o.ec == asio::error::already_open);
    CHECK(open.socket().remote_endpoint() == first.local());
    CHECK(acceptor.accept().socket().remote_endpoint() == second.local());
}

TEST_CASE("The peer's address is told of a connection that has been reset by the time it is accepted") {
    asio::io_context io;
    acceptor_type acceptor(io, loopback);
    test_peer peer(acceptor.local_endpoint());
    peer.reset();
    REQUIRE(kv::eventually([&] { return kv::state(acceptor.local_endpoint(), peer.local()) == kv::none; }));
    tcp::endpoint from;
    cs::error_code ec;
    const stream_type stream = acceptor.accept(from);
    CHECK(from == peer.local());
    stream.socket().remote_endpoint(ec);
    CHECK(ec == asio::error::not_connected);
}

TEST_CASE("A cancelled accept leaves the stream closed, and the connection to the next") {
    asio::io_context io;
    acceptor_type acceptor(io, loopback);
    stream_type stream(io);
    asio::cancellation_signal signal;
    outcome o;
    acceptor.async_accept(stream, asio::bind_cancellation_slot(signal.slot(), o.handler()));
    io.poll();
    signal.emit(asio::cancellation_type::terminal);
    const test_peer peer(acceptor.local_endpoint());
    io.poll();
    CHECK(o.ec == asio::error::operation_aborted);
    CHECK_FALSE(stream.is_open());
    CHECK(acceptor.accept().socket().remote_endpoint() == peer.local());
}

TEST_CASE("A stream accepted onto a pool is served there while the acceptor's strand is busy") {
    asio::io_context io;
    asio::thread_pool pool(1);
    const auto strand = asio::make_strand(io);
    cs::basic_acceptor<seven_seconds, std::remove_const_t<decltype(strand)>> acceptor(strand, loopback);
    const test_peer peer(acceptor.local_endpoint());
    const auto on_strand = acceptor.accept();
    static_assert(std::is_same_v<decltype(on_strand), decltype(acceptor)::stream_type const>);
    test_peer second(acceptor.local_endpoint());
    auto on_pool = acceptor.accept(pool);
    char byte = 0;
    auto read = on_pool.async_read_some(asio::buffer(&byte, 1), asio::use_future); // io does not run
    second.send(1);
    REQUIRE(read.wait_for(5s) == std::future_status::ready);
    CHECK(read.get() == 1);
}

TEST_CASE(
    "A context that only ever got accepted streams may be destroyed with one in a handler, and its reply is sent") {
    asio::io_context io;
    acceptor_type acceptor(io, loopback);
    test_peer peer(acceptor.local_endpoint());
    {
        asio::io_context other;
        auto stream = std::make_shared<context_stream>(acceptor.accept(other));
        CHECK(asio::has_service<cs::detail::close_deadlines>(other));
        CHECK(stream->write_some(asio::buffer("reply", 5)) == 5);
        asio::post(other, [stream] { FAIL("never runs"); });
    }
    const auto got = peer.read();
    CHECK(got.bytes == 5);
    CHECK(got.error == 0);
}

TEST_CASE("Coroutines await every form, and as_default_on makes co_await enough") {
    asio::io_context io;
    auto acceptor = asio::use_awaitable.as_default_on(acceptor_type(io, loopback));
    const test_peer a(acceptor.local_endpoint()), b(acceptor.local_endpoint()), c(acceptor.local_endpoint());
    int taken = 0;
    asio::co_spawn(
        io,
        [&]() -> asio::awaitable<void> {
            tcp::endpoint from;
            auto first = co_await acceptor.async_accept();
            taken += first.is_open();
            auto second = co_await acceptor.async_accept(asio::make_strand(io), from);
            taken += from == b.local();
            stream_type third(io);
            co_await acceptor.async_accept(third);
            taken += third.socket().remote_endpoint() == c.local();
        },
        asio::detached);
    REQUIRE(run_until(io, [&] { return taken == 3; }));
}
