// SPDX-License-Identifier: BSL-1.0
#include <closeside/detail/close/disown.hpp>

#include "observation/descriptor.hpp"
#include "support/connection.hpp"
#include "support/in_child.hpp"

#include <closeside/connect.hpp>

#include <asio/write.hpp>

#include <doctest/doctest.h>

#include <chrono>
#include <memory>
#include <string>
#include <system_error>

#include <fcntl.h>
#include <poll.h>
#include <sys/ioctl.h>
#include <sys/wait.h>
#include <unistd.h>

// Connections, listeners and contexts in forked processes. tests::in_child forks; what its body returns is compared.

namespace cs = closeside;
namespace kv = kernel_view;
using namespace std::chrono_literals;

namespace {

constexpr cs::close_policy graceful = cs::policies::graceful;
constexpr cs::close_policy aborts_when_dropped{.on_destroy = cs::destroy_action::abort};
const std::string reply(300'000, 'r');

std::size_t unread(int fd) {
    int bytes = 0;
    ::ioctl(fd, FIONREAD, &bytes);
    return static_cast<std::size_t>(bytes);
}

/// The parent's connection, listener and context lived through what the child did.
template <cs::close_policy P>
void check_untouched(connection<P>& c, cs::error_code& read_ec, std::size_t& read_bytes) {
    CHECK(c.local_state() == kv::established);
    CHECK(read_bytes == 0);
    c.peer.send(22);
    CHECK(c.run_until([&] { return read_bytes != 0 || read_ec; }));
    CHECK_FALSE(read_ec);
    CHECK(read_bytes == 1);
    CHECK(unread(c.stream->socket().native_handle()) == 21);
    bool accepted = false;
    c.listener.async_accept([&](cs::error_code ec, cs::stream<P>) { accepted = !ec; });
    test_peer second(c.listener.local_endpoint());
    CHECK(c.run_until([&] { return accepted; }));
}

template <cs::close_policy P>
void unwinds_in_a_child() {
    auto c = std::make_unique<connection<P>>();
    char byte;
    cs::error_code read_ec;
    std::size_t read_bytes = 0;
    c->stream->async_read_some(asio::buffer(&byte, 1), [&](cs::error_code ec, std::size_t n) {
        read_ec = ec;
        read_bytes = n;
    });
    bool accept_aborted = false;
    c->listener.async_accept([&](cs::error_code ec, cs::stream<P>) { accept_aborted = bool(ec); });
    c->io.poll();
    CHECK(tests::in_child([&]() -> std::string {
              c.reset();
              return "unwound";
          }) == "unwound");
    CHECK_FALSE(accept_aborted);
    test_peer first(c->listener.local_endpoint()); // for the accept that has been pending all the time
    check_untouched(*c, read_ec, read_bytes);
}

} // namespace

TEST_CASE("a forked child that unwinds leaves wire, input and epoll set of its parent alone") {
    SUBCASE("graceful") { unwinds_in_a_child<graceful>(); }
    SUBCASE("peer_first") { unwinds_in_a_child<cs::policies::peer_first>(); }
    SUBCASE("abortive") { unwinds_in_a_child<cs::policies::abortive>(); }
    SUBCASE("system") { unwinds_in_a_child<cs::policies::system>(); }
    SUBCASE("on_destroy = abort") { unwinds_in_a_child<aborts_when_dropped>(); }
}

TEST_CASE("a close that waits in the background is its process's alone") {
    auto c = std::make_unique<connection<graceful>>();
    close_result result;
    c->stream->async_close(result.handler());
    c->io.poll();
    REQUIRE(c->local_becomes(kv::fin_wait2));
    CHECK(tests::in_child([&]() -> std::string {
              c.reset();
              return "unwound";
          }) == "unwound");
    c->peer.send(10);
    c->peer.close();
    REQUIRE(c->run_until([&] { return result.calls == 1; }));
    CHECK_FALSE(result.ec);
    CHECK(result.report.discarded == 10);
}

TEST_CASE("what a forked child calls is done") {
    SUBCASE("abort") {
        connection<graceful> c;
        CHECK(tests::in_child([&]() -> std::string {
                  c.stream->abort();
                  return "called";
              }) == "called");
        CHECK(c.peer.read().error == ECONNRESET);
    }
    SUBCASE("close_and_wait") {
        connection<graceful> c;
        CHECK(tests::in_child([&]() -> std::string {
                  c.peer.half_close();
                  cs::error_code ec;
                  c.stream->close_and_wait(cs::policies::graceful, ec);
                  return ec.message();
              }) == "Success");
    }
    SUBCASE("disown, which leaves the epoll set alone as well") {
        connection<graceful> c;
        char byte;
        bool read = false;
        c.stream->async_read_some(asio::buffer(&byte, 1), [&](cs::error_code ec, std::size_t) { read = !ec; });
        c.io.poll();
        CHECK(tests::in_child([&]() -> std::string {
                  c.stream->disown();
                  return c.stream->is_open() ? "open" : "closed";
              }) == "closed");
        c.peer.send(1);
        CHECK(c.run_until([&] { return read; }));
    }
}

TEST_CASE("a process for each connection: the parent disowns its copy, and the child's reply is whole") {
    connection<graceful> c;
    int start[2];
    REQUIRE(::pipe(start) == 0);
    const pid_t child = ::fork();
    if (child == 0) {
        ::alarm(20);
        char go;
        if (::read(start[0], &go, 1) != 1) ::_exit(1); // until the parent has let go
        c.peer.close();                                // this process's copy
        cs::error_code ec;
        asio::write(*c.stream, asio::buffer(reply), ec);
        if (!ec) c.stream->close_and_wait(ec);
        ::_exit(ec ? 2 : 0);
    }
    c.stream->disown();
    CHECK_FALSE(c.stream->is_open());
    c.io.poll();
    CHECK(c.local_state() == kv::established);
    REQUIRE(::write(start[1], "g", 1) == 1);
    const auto got = c.peer.read();
    CHECK(got.bytes == reply.size());
    CHECK(got.error == 0);
    c.peer.close();
    int status = 0;
    REQUIRE(::waitpid(child, &status, 0) == child);
    CHECK(status == 0);
    ::close(start[0]);
    ::close(start[1]);
    // The parent serves on.
    test_peer second(c.listener.local_endpoint());
    *c.stream = c.listener.accept();
    CHECK(c.stream->is_open());
}

TEST_CASE("having forked changes nothing for the parent") {
    connection<graceful> c;
    REQUIRE(tests::in_child([]() -> std::string { return "gone"; }) == "gone");
    c.stream.reset();
    CHECK(c.local_becomes(kv::fin_wait2));
    c.peer.close();
    CHECK(c.run_until([&] { return c.local_state() == kv::time_wait; }));
}

TEST_CASE("a child that has taken the context over ends its connections by the policy") {
    const auto dropped_stream_becomes = [](auto take_over) {
        auto c = std::make_unique<connection<graceful>>();
        return tests::in_child([&]() -> std::string {
            take_over(*c);
            c->peer.send(10);
            c->stream.reset();
            return c->local_becomes(kv::fin_wait2) ? "FIN" : "nothing";
        });
    };
    SUBCASE("by notify_fork") {
        CHECK(dropped_stream_becomes([](auto& c) { c.io.notify_fork(asio::execution_context::fork_child); }) == "FIN");
    }
    SUBCASE("by an accept") {
        CHECK(dropped_stream_becomes([](auto& c) {
                  static test_peer second(c.listener.local_endpoint());
                  c.listener.accept().disown();
              }) == "FIN");
    }
    SUBCASE("by a connect") {
        CHECK(dropped_stream_becomes([](auto& c) {
                  auto stream = cs::connect<cs::policies::abortive>(c.io, c.listener.local_endpoint());
              }) == "FIN");
    }
    SUBCASE("by a connect of a stream's own") {
        CHECK(dropped_stream_becomes([](auto& c) {
                  cs::stream<cs::policies::abortive> stream(c.io);
                  stream.connect(c.listener.local_endpoint());
              }) == "FIN");
    }
    SUBCASE("or not") {
        CHECK(dropped_stream_becomes([](auto&) {}) == "nothing");
    }
}

TEST_CASE("a program that makes its context and its listener, and then calls daemon(3), serves") {
    // The process that is waited for ends in daemon(3); what goes on has the pipe.
    int ends[2];
    REQUIRE(::pipe2(ends, O_CLOEXEC) == 0);
    const observation::descriptor heard(ends[0]);
    observation::descriptor says(ends[1]);
    tests::in_child([&]() -> std::string {
        asio::io_context io;
        cs::acceptor<graceful> listener(io, {asio::ip::address_v4::loopback(), 0});
        if (::daemon(1, 1) != 0) return "daemon(3) failed";
        ::alarm(20);
        test_peer peer(listener.local_endpoint());
        peer.send(10);
        bool served = false;
        listener.async_accept([&](cs::error_code ec, cs::stream<graceful> stream) {
            if (ec) return;
            asio::write(stream, asio::buffer(reply), ec);
            served = !ec;
        });
        while (!served && io.run_one() > 0) {
        }
        const auto got = peer.read();
        peer.close();
        io.run(); // until the close in the background is over
        const std::string said =
            got.bytes == reply.size() && got.error == 0 ? "served" : "cut at " + std::to_string(got.bytes);
        return ::write(says.get(), said.data(), said.size()) > 0 ? said : "nobody listens";
    });
    says.close();
    std::string said;
    char buffer[64];
    for (::pollfd poll{heard.get(), POLLIN, 0}; ::poll(&poll, 1, 20'000) > 0;) {
        const ssize_t n = ::read(heard.get(), buffer, sizeof buffer);
        if (n <= 0) break;
        said.append(buffer, static_cast<std::size_t>(n));
    }
    CHECK(said == "served");
}
