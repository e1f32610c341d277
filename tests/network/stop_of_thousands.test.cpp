// SPDX-License-Identifier: BSL-1.0
#include <closeside/orderly_stop.hpp>

#include "support/as_tuple.hpp"

#include <asio/co_spawn.hpp>
#include <asio/detached.hpp>
#include <asio/io_context.hpp>
#include <asio/read.hpp>
#include <asio/use_awaitable.hpp>
#include <asio/write.hpp>

#include <doctest/doctest.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <chrono>
#include <cstdlib>
#include <string>
#include <utility>
#include <vector>

#include <fcntl.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

namespace cs = closeside;
using namespace std::chrono_literals;
using asio::use_awaitable;
using asio::ip::tcp;
using tests::as_tuple;
using test_clock = std::chrono::steady_clock;

namespace {

/// 1,000 connections, or as many as CLOSESIDE_CONNECTIONS says.
std::size_t connections() {
    const char* const wanted = std::getenv("CLOSESIDE_CONNECTIONS");
    return wanted != nullptr ? std::strtoul(wanted, nullptr, 10) : 1000;
}

enum kind : std::size_t { idle, slow_reader, half_request, mute, kinds };

/// Of every twenty 14 are idle, 4 read slowly, one has sent half a request, one is mute.
kind kind_of(std::size_t n) {
    const std::size_t m = n % 20;
    return m < 14 ? idle : m < 18 ? slow_reader : m == 18 ? half_request : mute;
}

/// How the clients saw their connections end.
struct outcomes {
    std::array<std::size_t, kinds> fin{}, reset{}, other{};
    std::size_t still_open = 0;
};

/// In a process of its own: opens them all, and reads until every one has ended.
class clients {
public:
    clients(const tcp::endpoint& server, std::size_t count)
        : descriptors_(count, -1), epoll_(::epoll_create1(EPOLL_CLOEXEC)) {
        for (std::size_t n = 0; n != count; ++n) {
            const int fd = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
            const int small = 4096;
            if (kind_of(n) == slow_reader) ::setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &small, sizeof small);
            if (fd < 0 || ::connect(fd, server.data(), static_cast<socklen_t>(server.size())) != 0) std::abort();
            ::fcntl(fd, F_SETFL, O_NONBLOCK);
            descriptors_[n] = fd;
            static constexpr const char* first[kinds] = {"p", "b", "h", ""};
            const char* const request = first[kind_of(n)];
            if (*request != '\0' && ::send(fd, request, 1, MSG_NOSIGNAL) != 1) std::abort();
            if (kind_of(n) == slow_reader) continue;
            ::epoll_event e{EPOLLIN, {.u64 = n}};
            ::epoll_ctl(epoll_, EPOLL_CTL_ADD, fd, &e);
        }
    }

    outcomes run(test_clock::time_point until) {
        left_ = descriptors_.size();
        auto next_slow = test_clock::now();
        while (left_ != 0 && test_clock::now() < until) {
            std::array<::epoll_event, 256> events{};
            const int ready = ::epoll_wait(epoll_, events.data(), static_cast<int>(events.size()), 50);
            for (int i = 0; i < ready; ++i)
                read(static_cast<std::size_t>(events[static_cast<std::size_t>(i)].data.u64));
            if (test_clock::now() < next_slow) continue;
            next_slow = test_clock::now() + 100ms;
            for (std::size_t n = 0; n != descriptors_.size(); ++n)
                if (kind_of(n) == slow_reader && descriptors_[n] >= 0) read(n);
        }
        seen_.still_open = left_;
        return seen_;
    }

private:
    void read(std::size_t n) {
        std::array<char, 4096> buffer;
        const ssize_t got = ::recv(descriptors_[n], buffer.data(), buffer.size(), 0);
        if (got > 0 || (got < 0 && errno == EAGAIN)) return;
        (got == 0 ? seen_.fin : errno == ECONNRESET ? seen_.reset : seen_.other)[kind_of(n)]++;
        // Who is mute does not close either.
        if (kind_of(n) == mute)
            ::epoll_ctl(epoll_, EPOLL_CTL_DEL, descriptors_[n], nullptr);
        else
            ::close(descriptors_[n]);
        descriptors_[n] = -1;
        --left_;
    }

    std::vector<int> descriptors_;
    int epoll_;
    std::size_t left_ = 0;
    outcomes seen_;
};

template <cs::close_policy P>
struct server {
    asio::awaitable<void> accept_loop() {
        while (true) {
            auto [ec, client] = co_await listener.async_accept(as_tuple(use_awaitable));
            if (ec) break;
            asio::co_spawn(io, session(std::move(client)), asio::detached);
        }
    }

    asio::awaitable<void> session(cs::stream<P> client) {
        cs::orderly_stop::member here(stop, client);
        client.set_option(asio::socket_base::send_buffer_size(64 * 1024));
        ++sessions;
        char what = 0;
        while (true) {
            auto [ec, n] = co_await client.async_read_some(asio::buffer(&what, 1), here.idle(as_tuple(use_awaitable)));
            if (ec) break;
            ++requests;
            if (what == 'h') {
                auto [cut, rest] = co_await asio::async_read(client, asio::buffer(&what, 1), as_tuple(use_awaitable));
                if (cut) break;
            }
            const auto reply = what == 'b' ? asio::buffer(large) : asio::buffer(large, 1);
            auto [cut, sent] = co_await asio::async_write(client, reply, as_tuple(use_awaitable));
            if (cut) break;
        }
        co_await client.async_close(as_tuple(use_awaitable));
    }

    asio::io_context io;
    cs::acceptor<P> listener{io, {asio::ip::address_v4::loopback(), 0}};
    cs::orderly_stop stop{io};
    const std::string large = std::string(2u << 20, 'b');
    std::size_t sessions = 0;
    std::size_t requests = 0;
};

struct experiment {
    outcomes seen;
    cs::stop_report report;
    closeside::error_code ec;
    bool told = false;
    test_clock::duration longest_handler{};
};

template <cs::close_policy P>
experiment stop_under(std::size_t count, std::chrono::milliseconds within) {
    server<P> s;
    s.stop.add(s.listener);
    int results[2];
    REQUIRE(::pipe2(results, O_CLOEXEC) == 0);
    const auto address = s.listener.local_endpoint();
    const pid_t child = ::fork();
    REQUIRE(child >= 0);
    if (child == 0) {
        const outcomes seen = clients(address, count).run(test_clock::now() + 40s);
        const bool written = ::write(results[1], &seen, sizeof seen) == static_cast<ssize_t>(sizeof seen);
        ::_exit(written ? 0 : 1);
    }
    ::close(results[1]);
    asio::co_spawn(s.io, s.accept_loop(), asio::detached);
    const std::size_t mutes = count / 20;
    const auto patience = test_clock::now() + 30s;
    while ((s.sessions != count || s.requests != count - mutes) && test_clock::now() < patience) s.io.run_one_for(10ms);
    REQUIRE(s.requests == count - mutes);
    s.io.run_for(50ms); // the replies, as far as they go

    experiment e;
    s.stop.async_stop({.within = within}, [&](closeside::error_code ec, const cs::stop_report& r) {
        e.ec = ec;
        e.report = r;
        e.told = true;
    });
    while (!e.told) {
        const auto began = test_clock::now();
        if (s.io.poll_one() != 0)
            e.longest_handler = std::max(e.longest_handler, test_clock::now() - began);
        else
            s.io.run_one_for(1s);
    }
    CHECK(::read(results[0], &e.seen, sizeof e.seen) == static_cast<ssize_t>(sizeof e.seen));
    ::close(results[0]);
    int status = 1;
    ::waitpid(child, &status, 0);
    CHECK(status == 0);
    return e;
}

/// What holds under every policy: all are counted, all are gone by the deadline, a cut message shows.
void check_common(const experiment& e, std::size_t count, std::chrono::milliseconds within, const std::string& name) {
    using std::chrono::duration_cast;
    MESSAGE(name << ": " << to_string(e.report) << ", longest handler "
                 << duration_cast<std::chrono::microseconds>(e.longest_handler).count() << " us");
    CHECK_FALSE(e.ec);
    const std::size_t part = count / 20;
    CHECK(e.report.idle == 15 * part);
    CHECK(e.report.busy == 5 * part);
    CHECK(e.report.closing == 0);
    CHECK(e.report.left_over == 0);
    CHECK(e.report.elapsed < within + 1s); // a busy machine's; what it takes stands in the message
    CHECK(e.report.cut == 5 * part);
    CHECK(e.seen.still_open == 0);
    CHECK(e.seen.reset[slow_reader] == 4 * part);
    CHECK(e.seen.reset[half_request] == part);
    CHECK(e.seen.other == decltype(e.seen.other){});
}

struct many_descriptors {
    many_descriptors() {
        ::getrlimit(RLIMIT_NOFILE, &before);
        ::rlimit most = before;
        most.rlim_cur = most.rlim_max;
        ::setrlimit(RLIMIT_NOFILE, &most);
    }
    many_descriptors(const many_descriptors&) = delete;
    many_descriptors& operator=(const many_descriptors&) = delete;
    ~many_descriptors() { ::setrlimit(RLIMIT_NOFILE, &before); }
    ::rlimit before{};
};

} // namespace

TEST_CASE("a stop of thousands is over by its deadline, with RST for what it cuts and for nothing else") {
    const many_descriptors limit;
    const std::size_t count = connections() / 20 * 20, part = count / 20;
    constexpr auto within = 1500ms;
    SUBCASE("graceful") {
        const experiment e = stop_under<cs::policies::graceful>(count, within);
        check_common(e, count, within, "graceful");
        CHECK(e.seen.fin[idle] == 14 * part);
        CHECK(e.seen.fin[mute] == part);
    }
    SUBCASE("peer_first") {
        const experiment e = stop_under<cs::policies::peer_first>(count, within);
        check_common(e, count, within, "peer_first");
        CHECK(e.seen.fin[idle] == 14 * part);
        CHECK(e.seen.fin[mute] == part);
    }
    SUBCASE("peer_first_or_reset") {
        const experiment e = stop_under<cs::policies::peer_first_or_reset>(count, within);
        check_common(e, count, within, "peer_first_or_reset");
        CHECK(e.seen.reset[idle] == 14 * part);
        CHECK(e.seen.reset[mute] == part);
    }
}
