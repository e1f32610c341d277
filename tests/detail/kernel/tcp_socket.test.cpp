// SPDX-License-Identifier: BSL-1.0
#include <closeside/detail/kernel/tcp_socket.hpp>

#include "support/connection.hpp"

#include <closeside/close.hpp>
#include <closeside/connect.hpp>
#include <closeside/error.hpp>

#include <asio/error.hpp>
#include <asio/write.hpp>

#include <doctest/doctest.h>

#include <array>
#include <cerrno>
#include <chrono>
#include <ctime>
#include <memory>
#include <string>
#include <thread>
#include <utility>

#include <fcntl.h>
#include <linux/errqueue.h>
#include <linux/net_tstamp.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <unistd.h>

// What the program, the peer or another descriptor has done before the close begins, and what the close then says. What
// can be known of each on this kernel is the table of network/what_can_be_known.test.cpp.

namespace cs = closeside;
namespace kv = kernel_view;
using namespace std::chrono_literals;
using cs::ending;
using cs::fin_sender;
using cs::time_wait_holder;

namespace {

constexpr cs::close_policy graceful{.drain_time = 250ms};
constexpr cs::close_policy peer_first{.closes_first = cs::side::peer, .patience = 250ms, .drain_time = 250ms};
constexpr cs::close_policy peer_first_or_reset{
    .closes_first = cs::side::peer, .patience = 100ms, .on_limit = cs::limit_action::abort};

template <class Stream>
close_result close(asio::io_context& io, Stream& stream, std::chrono::milliseconds at_most = 5s) {
    close_result result;
    stream.async_close(result.handler());
    io.restart();
    io.run_for(at_most);
    CHECK(result.calls == 1);
    return result;
}

/// Reads or writes of the program until one tells of an error.
template <class C>
cs::error_code read_error(C& c) {
    char byte;
    cs::error_code ec;
    while (!ec) c.stream->read_some(asio::buffer(&byte, 1), ec);
    return ec;
}

bool says(const cs::close_report& r, fin_sender first, ending by, time_wait_holder holder) {
    const bool as_expected = r.first_fin == first && r.ended_by == by && r.time_wait == holder;
    if (!as_expected) MESSAGE(to_string(r));
    return as_expected;
}

} // namespace

TEST_CASE("where the program has taken the error, nobody knows any more how the connection ended") {
    SUBCASE("a reset that a read has told of") {
        connection<graceful> c;
        c.peer.reset();
        REQUIRE(read_error(c) == asio::error::connection_reset);
        const auto result = close(c.io, *c.stream);
        CHECK(result.ec == asio::error::not_connected);
        CHECK(says(result.report, fin_sender::unknown, ending::unknown, time_wait_holder::unknown));
    }
    SUBCASE("under every policy, at once") {
        connection<cs::policies::peer_first> c;
        c.peer.reset();
        REQUIRE(read_error(c) == asio::error::connection_reset);
        const auto result = close(c.io, *c.stream);
        CHECK(result.ec == asio::error::not_connected);
        CHECK(result.report.elapsed < 1s);
        connection<cs::policies::system> s;
        s.peer.reset();
        REQUIRE(read_error(s) == asio::error::connection_reset);
        CHECK(close(s.io, *s.stream).ec == asio::error::not_connected);
    }
    SUBCASE("an abort has promised nothing that this could break") {
        connection<cs::policies::abortive> c;
        c.peer.reset();
        REQUIRE(read_error(c) == asio::error::connection_reset);
        const auto result = close(c.io, *c.stream);
        CHECK_FALSE(result.ec);
        CHECK(result.report.ended_by == ending::unknown);
    }
    SUBCASE("a reset behind the peer's FIN that a write has told of") {
        connection<graceful> c;
        c.peer.half_close();
        REQUIRE(c.local_becomes(kv::close_wait));
        c.peer.reset();
        REQUIRE(c.local_becomes(kv::none));
        cs::error_code ec;
        c.stream->write_some(asio::buffer("x", 1), ec);
        REQUIRE(ec == asio::error::broken_pipe);
        CHECK(close(c.io, *c.stream).report.ended_by == ending::unknown);
    }
}

TEST_CASE("a reset that nobody has taken yet is told, with the FIN that came before it") {
    SUBCASE("without a FIN") {
        connection<graceful> c;
        c.peer.reset();
        REQUIRE(c.local_becomes(kv::none));
        const auto result = close(c.io, *c.stream);
        CHECK(result.ec == cs::error::reset_by_peer);
        CHECK(says(result.report, fin_sender::none, ending::reset_by_peer, time_wait_holder::nobody));
    }
    SUBCASE("a FIN, unread data, then the reset") {
        connection<peer_first> c;
        c.peer.send(5);
        c.peer.half_close();
        REQUIRE(c.local_becomes(kv::close_wait));
        c.peer.reset();
        REQUIRE(c.local_becomes(kv::none));
        const auto result = close(c.io, *c.stream);
        CHECK(result.ec == cs::error::reset_by_peer);
        CHECK(says(result.report, fin_sender::peer, ending::reset_by_peer, time_wait_holder::nobody));
        CHECK(result.report.discarded == 5);
    }
    SUBCASE("the same without a drain") {
        connection<cs::policies::system> c;
        c.peer.half_close();
        REQUIRE(c.local_becomes(kv::close_wait));
        c.peer.reset();
        REQUIRE(c.local_becomes(kv::none));
        CHECK(says(close(c.io, *c.stream).report, fin_sender::peer, ending::reset_by_peer, time_wait_holder::nobody));
    }
}

TEST_CASE("a program that has half-closed itself, as every proxy does, hears of an orderly end") {
    SUBCASE("ours first, theirs has been read: this host holds TIME-WAIT") {
        connection<graceful> c;
        c.stream->socket().shutdown(tcp::socket::shutdown_send);
        c.peer.close();
        REQUIRE(read_error(c) == asio::error::eof);
        REQUIRE(c.local_state() == kv::time_wait);
        const auto result = close(c.io, *c.stream);
        CHECK_FALSE(result.ec);
        CHECK(says(result.report, fin_sender::local, ending::fin, time_wait_holder::local));
    }
    SUBCASE("theirs first, then ours: who was first is not known any more, but nothing is lost") {
        connection<graceful> c;
        c.peer.half_close();
        REQUIRE(read_error(c) == asio::error::eof);
        c.stream->socket().shutdown(tcp::socket::shutdown_send);
        REQUIRE(c.local_becomes(kv::none));
        const auto result = close(c.io, *c.stream);
        CHECK_FALSE(result.ec);
        CHECK(says(result.report, fin_sender::unknown, ending::unknown, time_wait_holder::unknown));
    }
    SUBCASE("the same on the side that has connected") {
        asio::io_context io;
        tcp::acceptor listener(io, {asio::ip::address_v4::loopback(), 0});
        auto stream = cs::connect<graceful>(io, listener.local_endpoint());
        tcp::socket peer = listener.accept();
        const auto local = stream.socket().local_endpoint();
        peer.shutdown(tcp::socket::shutdown_send);
        REQUIRE(kv::eventually([&] { return kv::state(local, peer.local_endpoint()) == kv::close_wait; }));
        stream.socket().shutdown(tcp::socket::shutdown_send);
        REQUIRE(kv::eventually([&] { return kv::state(local, peer.local_endpoint()) == kv::none; }));
        const auto result = close(io, stream);
        CHECK_FALSE(result.ec);
        CHECK(says(result.report, fin_sender::unknown, ending::fin, time_wait_holder::unknown));
    }
    SUBCASE("ours, and theirs comes during the close") {
        connection<peer_first> c;
        c.stream->socket().shutdown(tcp::socket::shutdown_send);
        REQUIRE(c.local_becomes(kv::fin_wait2));
        close_result result;
        c.stream->async_close(result.handler());
        c.io.poll();
        c.peer.close();
        REQUIRE(c.run_until([&] { return result.calls == 1; }));
        CHECK_FALSE(result.ec);
        CHECK(result.report.first_fin != fin_sender::peer);
        CHECK(result.report.time_wait != time_wait_holder::peer);
        CHECK(c.local_state() == kv::time_wait);
    }
    SUBCASE("theirs, and ours is still under way: LAST-ACK") {
        connection<graceful> c;
        c.fill_send_queue();
        c.peer.half_close();
        REQUIRE(c.local_becomes(kv::close_wait));
        c.stream->socket().shutdown(tcp::socket::shutdown_send);
        REQUIRE(c.local_becomes(kv::last_ack));
        const auto result = close(c.io, *c.stream);
        CHECK_FALSE(result.ec);
        CHECK(says(result.report, fin_sender::peer, ending::fin, time_wait_holder::peer));
        CHECK(result.report.unacknowledged > 0);
    }
}

TEST_CASE("end of file after shutdown(SHUT_RD) is not taken for the peer's FIN") {
    const auto how = [](int n) { return n == 0 ? tcp::socket::shutdown_receive : tcp::socket::shutdown_both; };
    for (const int n : {0, 1}) {
        CAPTURE(n);
        {
            connection<peer_first> c;
            c.stream->socket().shutdown(how(n));
            const auto result = close(c.io, *c.stream);
            CHECK(result.ec == cs::error::patience_over);
            CHECK(says(result.report, fin_sender::local, ending::fin, time_wait_holder::left_to_kernel));
            CHECK(result.report.elapsed >= 250ms);
            CHECK(result.report.elapsed < 2s);
        }
        {
            connection<peer_first> c;
            c.stream->socket().shutdown(how(n));
            close_result result;
            c.stream->async_close(result.handler());
            c.io.poll();
            CHECK(result.calls == 0);
            c.peer.close();
            REQUIRE(c.run_until([&] { return result.calls == 1; }));
            CHECK_FALSE(result.ec);
            CHECK(result.report.ended_by == ending::fin);
            CHECK(result.report.first_fin == (n == 0 ? fin_sender::peer : fin_sender::local));
            CHECK((c.local_state() == kv::time_wait) == (n == 1));
        }
        {
            connection<peer_first> c;
            c.stream->socket().shutdown(how(n));
            cs::error_code ec;
            c.stream->close_and_wait(ec);
            CHECK(ec == cs::error::patience_over);
        }
        {
            connection<peer_first> c; // nobody is told, and the peer may still close first
            c.stream->socket().shutdown(how(n));
            c.stream.reset();
            c.io.poll();
            CHECK(c.local_becomes(n == 0 ? kv::established : kv::fin_wait2));
        }
    }
    SUBCASE("data behind our FIN then draws RST from our own kernel, which nobody can tell from the peer's") {
        connection<graceful> c;
        c.stream->socket().shutdown(tcp::socket::shutdown_receive);
        close_result result;
        c.stream->async_close(result.handler());
        REQUIRE(c.local_becomes(kv::fin_wait2));
        c.peer.send(5);
        REQUIRE(c.run_until([&] { return result.calls == 1; }));
        CHECK(result.ec == asio::error::connection_reset);
        CHECK(result.report.ended_by == ending::unknown);
    }
}

TEST_CASE("what never was a connection is closed at once, and leaves nothing behind") {
    asio::io_context io;
    const auto never_connected = [&]<cs::close_policy P>() {
        tcp::socket socket(io, tcp::v4());
        const int fd = socket.native_handle();
        cs::stream<P> stream(std::move(socket));
        const auto result = close(io, stream);
        CHECK(result.ec == asio::error::not_connected);
        CHECK(says(result.report, fin_sender::none, ending::failed, time_wait_holder::nobody));
        CHECK(result.report.unacknowledged == 0);
        CHECK(::fcntl(fd, F_GETFD) == -1);
    };
    const auto connecting = [&]<cs::close_policy P>() {
        // The accept queue is full, so that a SYN goes unanswered.
        tcp::acceptor listener(io, tcp::v4());
        listener.bind({asio::ip::address_v4::loopback(), 0});
        listener.listen(0);
        test_peer fills(listener.local_endpoint());
        tcp::socket socket(io, tcp::v4());
        cs::error_code connected;
        socket.async_connect(listener.local_endpoint(), [&](cs::error_code ec) { connected = ec; });
        const auto local = socket.local_endpoint();
        REQUIRE(kv::state(local, listener.local_endpoint()) == kv::syn_sent);
        cs::stream<P> stream(std::move(socket));
        const auto result = close(io, stream);
        CHECK(connected == asio::error::operation_aborted);
        CHECK(result.ec == asio::error::not_connected);
        CHECK(result.report.elapsed < 1s);
        CHECK(says(result.report, fin_sender::none, ending::failed, time_wait_holder::nobody));
        CHECK(result.report.unacknowledged == 0);
        CHECK(kv::state(local, listener.local_endpoint()) == kv::none);
    };
    const auto refused = [&]<cs::close_policy P>() {
        tcp::acceptor listener(io, {asio::ip::address_v4::loopback(), 0});
        const auto nobody = listener.local_endpoint();
        listener.close();
        tcp::socket socket(io);
        cs::error_code connected;
        socket.async_connect(nobody, [&](cs::error_code ec) { connected = ec; });
        io.restart();
        io.run_for(5s);
        REQUIRE(connected == asio::error::connection_refused);
        cs::stream<P> stream(std::move(socket));
        const auto result = close(io, stream);
        CHECK(result.ec == asio::error::not_connected);
        CHECK(says(result.report, fin_sender::none, ending::failed, time_wait_holder::nobody));
    };
    SUBCASE("never begun") {
        never_connected.operator()<cs::policies::graceful>();
        never_connected.operator()<cs::policies::peer_first>();
        never_connected.operator()<cs::policies::abortive>();
        never_connected.operator()<cs::policies::system>();
    }
    SUBCASE("under way") {
        connecting.operator()<cs::policies::graceful>();
        connecting.operator()<cs::policies::peer_first>();
        connecting.operator()<cs::policies::abortive>();
        connecting.operator()<cs::policies::system>();
    }
    SUBCASE("refused") {
        refused.operator()<cs::policies::graceful>();
        refused.operator()<cs::policies::peer_first>();
        refused.operator()<cs::policies::system>();
    }
}

TEST_CASE("an urgent byte counts as unread, though SIOCINQ does not count it") {
    SUBCASE("close(2) resets over it") {
        connection<cs::policies::system> c;
        ::send(c.peer.fd(), "!", 1, MSG_OOB);
        REQUIRE(kv::eventually([&] {
            return (cs::detail::tcp_socket::poll_now(c.stream->socket().native_handle(), POLLPRI) & POLLPRI) != 0;
        }));
        const auto result = close(c.io, *c.stream);
        CHECK(result.report.ended_by == ending::reset_by_us);
        CHECK(c.peer.read().error == ECONNRESET);
    }
    SUBCASE("close(2) resets over one that has been read out of band only") {
        connection<cs::policies::system> c;
        ::send(c.peer.fd(), "!", 1, MSG_OOB);
        char byte;
        const int fd = c.stream->socket().native_handle();
        REQUIRE(kv::eventually([&] { return ::recv(fd, &byte, 1, MSG_OOB | MSG_DONTWAIT) == 1; }));
        const auto result = close(c.io, *c.stream);
        CHECK(result.report.ended_by == ending::reset_by_us);
        CHECK(c.peer.read().error == ECONNRESET);
    }
    SUBCASE("the last look empties the queue beyond it") {
        connection<peer_first> c;
        const std::size_t queued = c.fill_send_queue();
        c.peer.send(3);
        ::send(c.peer.fd(), "!", 1, MSG_OOB);
        c.peer.send(3);
        auto result = close(c.io, *c.stream);
        CHECK(result.report.ended_by == ending::fin);
        CHECK(c.peer.read().bytes == queued);
    }
}

TEST_CASE("an abort resets whoever else holds the socket, and leaves no SO_LINGER on it") {
    const auto lingers = [](int fd) {
        ::linger l{};
        socklen_t size = sizeof l;
        ::getsockopt(fd, SOL_SOCKET, SO_LINGER, &l, &size);
        return l.l_onoff != 0;
    };
    SUBCASE("patience over") {
        connection<peer_first_or_reset> c;
        const int other = ::dup(c.stream->socket().native_handle());
        const auto result = close(c.io, *c.stream);
        CHECK(result.report.ended_by == ending::reset_by_us);
        CHECK(c.peer.read().error == ECONNRESET);
        CHECK_FALSE(lingers(other));
        ::close(other);
    }
    SUBCASE("abort()") {
        connection<graceful> c;
        const int other = ::dup(c.stream->socket().native_handle());
        c.stream->abort();
        CHECK(c.peer.read().error == ECONNRESET);
        CHECK_FALSE(lingers(other));
        ::close(other);
    }
    SUBCASE("abortive, for this close or at run time") {
        connection<graceful> c;
        const int other = ::dup(c.stream->socket().native_handle());
        close_result result;
        c.stream->async_close(cs::policies::abortive, result.handler());
        CHECK(c.peer.read().error == ECONNRESET);
        CHECK_FALSE(lingers(other));
        ::close(other);
        test_peer second(c.listener.local_endpoint());
        tcp::socket plain = c.listener.accept().release_socket();
        const int another = ::dup(plain.native_handle());
        cs::async_close(std::move(plain), cs::policies::abortive, asio::detached);
        CHECK(second.read().error == ECONNRESET);
        CHECK_FALSE(lingers(another));
        ::close(another);
    }
}

TEST_CASE("a tail that MSG_MORE or TCP_CORK holds back leaves as the close begins") {
    const auto arrives_at_once = []<cs::close_policy P>(bool cork) {
        connection<P> c;
        const int fd = c.stream->socket().native_handle();
        const int on = 1;
        if (cork) ::setsockopt(fd, IPPROTO_TCP, TCP_CORK, &on, sizeof on);
        REQUIRE(::send(fd, "tail", 4, cork ? 0 : MSG_MORE) == 4);
        const auto begun = std::chrono::steady_clock::now();
        c.stream->async_close(asio::detached);
        CHECK(c.peer.read(4).bytes == 4);
        CHECK(std::chrono::steady_clock::now() - begun < 100ms); // the kernel's own timer takes 200
    };
    for (const bool cork : {false, true}) {
        CAPTURE(cork);
        arrives_at_once.operator()<cs::policies::peer_first>(cork);
        arrives_at_once.operator()<cs::policies::graceful>(cork);
    }
}

TEST_CASE("entries in the error queue keep neither form of a waiting close from sleeping") {
    const auto stamped = [](int fd) {
        const int flags = SOF_TIMESTAMPING_TX_SOFTWARE | SOF_TIMESTAMPING_TX_ACK | SOF_TIMESTAMPING_SOFTWARE |
                          SOF_TIMESTAMPING_OPT_TSONLY;
        REQUIRE(::setsockopt(fd, SOL_SOCKET, SO_TIMESTAMPING, &flags, sizeof flags) == 0);
        for (int i = 0; i < 10; ++i) REQUIRE(::send(fd, "x", 1, MSG_NOSIGNAL) == 1);
    };
    const auto turns = [&](bool entries) {
        connection<peer_first> c;
        if (entries) {
            stamped(c.stream->socket().native_handle());
            REQUIRE(kv::eventually(
                [&] { return cs::detail::tcp_socket::poll_now(c.stream->socket().native_handle(), 0) == POLLERR; }));
        }
        close_result result;
        c.stream->async_close(result.handler());
        int count = 0;
        while (result.calls == 0 && c.io.run_one_for(5s) > 0) ++count;
        CHECK(result.ec == cs::error::patience_over);
        return count;
    };
    const int without = turns(false);
    CHECK(turns(true) <= without + 22); // acknowledgements add an entry each while the close waits

    connection<peer_first> c;
    stamped(c.stream->socket().native_handle());
    cs::error_code ec;
    const auto cpu_before = std::clock();
    c.stream->close_and_wait(ec);
    CHECK(ec == cs::error::patience_over);
    CHECK(std::clock() - cpu_before < CLOCKS_PER_SEC / 10); // of half a second
}

namespace {

constexpr int multipath = 262; // IPPROTO_MPTCP

/// A connection by Multipath TCP, or none where the kernel has it not, or not switched on.
template <cs::close_policy P>
struct multipath_connection {
    multipath_connection() {
        const int fd = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, multipath);
        if (fd < 0) return;
        tcp::endpoint any(asio::ip::address_v4::loopback(), 0);
        REQUIRE(::bind(fd, any.data(), static_cast<socklen_t>(any.size())) == 0);
        REQUIRE(::listen(fd, 5) == 0);
        listener = std::make_unique<cs::acceptor<P>>(cs::acceptor<P>::adopt(io, fd));
        const auto to = listener->local_endpoint();
        peer = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, multipath);
        REQUIRE(::connect(peer, to.data(), static_cast<socklen_t>(to.size())) == 0);
        stream = std::make_unique<cs::stream<P>>(listener->accept());
    }
    multipath_connection(const multipath_connection&) = delete;
    multipath_connection& operator=(const multipath_connection&) = delete;
    ~multipath_connection() {
        if (peer >= 0) ::close(peer);
    }

    asio::io_context io;
    std::unique_ptr<cs::acceptor<P>> listener;
    std::unique_ptr<cs::stream<P>> stream;
    int peer = -1;
};

/// Until end of file; the bytes.
std::size_t read_all(int fd) {
    std::array<char, 4096> buffer;
    std::size_t sum = 0;
    for (ssize_t n; (n = ::recv(fd, buffer.data(), buffer.size(), 0)) > 0;) sum += static_cast<std::size_t>(n);
    return sum;
}

} // namespace

TEST_CASE("Multipath TCP: closes work, and what a subflow cannot tell is unknown") {
    const auto orderly = []<cs::close_policy P>() {
        multipath_connection<P> c;
        if (!c.stream) {
            MESSAGE("SKIPPED: no Multipath TCP (net.mptcp.enabled)");
            return;
        }
        asio::write(*c.stream, asio::buffer("reply", 5));
        if (P.closes_first == cs::side::peer) ::shutdown(c.peer, SHUT_WR);
        std::size_t got = 0;
        std::thread reads([&] {
            got = read_all(c.peer);
            ::close(std::exchange(c.peer, -1));
        });
        const auto result = close(c.io, *c.stream);
        reads.join();
        CHECK_FALSE(result.ec);
        CHECK(got == 5);
        CHECK(result.report.ended_by == ending::fin);
        CHECK(result.report.first_fin == fin_sender::unknown);
        CHECK(result.report.time_wait == time_wait_holder::unknown);
    };
    orderly.operator()<graceful>();
    orderly.operator()<peer_first>();
    static constexpr cs::close_policy acknowledged{.linger = cs::lingering::until_acked(2s), .drain_time = 0s};
    orderly.operator()<acknowledged>();

    multipath_connection<peer_first_or_reset> silent;
    if (!silent.stream) return;
    const auto result = close(silent.io, *silent.stream);
    CHECK(result.ec == cs::error::patience_over);
    char byte;
    CHECK(::recv(silent.peer, &byte, 1, 0) == -1);
    CHECK(errno == ECONNRESET);
}

TEST_CASE("Multipath TCP has no TCP_LINGER2, and who states it is told so") {
    static constexpr cs::close_policy timed{.linger2 = 10s};
    const auto refusal = []<class Make>(Make make) -> std::string {
        try {
            make();
        } catch (const cs::system_error& e) {
            return e.what();
        }
        return "accepted";
    };
    const int fd = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, multipath);
    if (fd < 0) {
        MESSAGE("SKIPPED: no Multipath TCP (net.mptcp.enabled)");
        return;
    }
    asio::io_context io;
    REQUIRE(::listen(fd, 5) == 0);
    CHECK(refusal([&] { auto a = cs::acceptor<timed>::adopt(io, fd); }).find("MPTCP") != std::string::npos);
    CHECK(refusal([&] { auto a = cs::acceptor<graceful>::adopt(io, fd); }) == "accepted");
    multipath_connection<graceful> c;
    tcp::socket plain(io);
    plain.assign(tcp::v4(), ::dup(c.stream->socket().native_handle()));
    CHECK(refusal([&] { cs::stream<timed> s(std::move(plain)); }).find("MPTCP") != std::string::npos);
    CHECK(plain.is_open());
    c.stream->abort();
}

TEST_CASE("a FIN that came since the last look is not taken for one behind ours, even if both are through at once") {
    using cs::detail::tcp_state;
    // Half-closes without a look before, as behind a read that has found nothing.
    const auto half_close = [](auto& c) {
        return cs::detail::tcp_socket::half_close(c.stream->native_handle(), false, true);
    };
    SUBCASE("the peer's was first") {
        connection<graceful> c;
        c.peer.half_close();
        REQUIRE(c.local_becomes(kv::close_wait));
        const auto a = half_close(c);
        CHECK(a.error == 0);
        // Its acknowledgement is in, or not yet.
        CHECK((a.after == tcp_state::unknown || a.after == tcp_state::last_ack));
        CHECK(c.peer_becomes(kv::time_wait));
    }
    SUBCASE("ours was first") {
        connection<graceful> c;
        const auto a = half_close(c);
        CHECK(a.after == tcp_state::fin_wait1);
    }
    SUBCASE("both are through, and TIME-WAIT is here") {
        connection<graceful> c;
        REQUIRE(::shutdown(c.stream->native_handle(), SHUT_WR) == 0);
        c.peer.half_close();
        REQUIRE(c.local_becomes(kv::time_wait));
        CHECK(cs::detail::is_in_time_wait(c.stream->native_handle()));
    }
}
