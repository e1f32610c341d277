// SPDX-License-Identifier: BSL-1.0
// Every public header, and a server's life: it accepts, serves and closes by several policies, with TLS too, looks at its
// host, and stops. Exit status 77: the kernel, or what stands for it, lacks the backend that this was built for.
#include <closeside/close_counters.hpp>
#include <closeside/close_policy.hpp>
#include <closeside/closeside.hpp>
#include <closeside/duration.hpp>
#include <closeside/host.hpp>
#include <closeside/last_bytes.hpp>
#include <closeside/ssl.hpp>
#include <closeside/stop_report.hpp>
#include <closeside/tls_report.hpp>

#if defined(CLOSESIDE_USE_BOOST_ASIO)
#include <closeside/beast.hpp>

#include <boost/asio/awaitable.hpp>
#include <boost/asio/buffer.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/write.hpp>
#else
#include <asio/awaitable.hpp>
#include <asio/buffer.hpp>
#include <asio/co_spawn.hpp>
#include <asio/detached.hpp>
#include <asio/redirect_error.hpp>
#include <asio/use_awaitable.hpp>
#include <asio/write.hpp>
#endif

#include "observation/certificate.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <chrono>
#include <cstddef>
#include <exception>
#include <iostream>
#include <sstream>
#include <string>
#include <utility>

#include <unistd.h>

#if defined(WANTS_COMPILED) && defined(CLOSESIDE_SEPARATE_COMPILATION) != WANTS_COMPILED
#error "the target is not in the mode that it stands for"
#endif
#if WANTS_IO_URING != (defined(ASIO_HAS_IO_URING_AS_DEFAULT) || defined(BOOST_ASIO_HAS_IO_URING_AS_DEFAULT))
#error "Asio is not on the backend that it stands for"
#endif

namespace cs = closeside;
namespace net = closeside::asio;
using net::ip::tcp;
using namespace std::chrono_literals;

namespace {

constexpr cs::close_policy until_acked{.linger = cs::lingering::until_acked(2s)};
constexpr int backend_is_missing = 77;

/// What each connection must end as, and what it did.
class verdict {
public:
    template <class Report>
    void closed(const char* by, const cs::error_code& ec, const Report& report, bool as_expected) {
        std::cout << by << ": " << ec.message() << ": " << report << '\n';
        if (as_expected && !ec) return;
        std::cerr << by << ": that is not how this connection ends\n";
        good_ = false;
    }
    void require(bool condition, const char* what) {
        if (condition) return;
        std::cerr << "it does not hold that " << what << '\n';
        good_ = false;
    }
    bool good() const { return good_; }

private:
    bool good_ = true;
};

/// Up to the end, or to `most` bytes.
net::awaitable<std::string> read_all(tcp::socket& client, std::size_t most) {
    std::string text;
    std::array<char, 64> data;
    cs::error_code ec;
    while (!ec && text.size() < most) {
        const std::size_t n =
            co_await client.async_read_some(net::buffer(data), net::redirect_error(net::use_awaitable, ec));
        text.append(data.data(), n);
    }
    co_return text;
}

const std::string answer = "hello\nbye\n";

/// Sends a line, reads the answer, and closes: as soon as it has all of it if the policy wants the client's FIN first.
/// Under lingering::abort the answer may be lost.
net::awaitable<void> talk(tcp::endpoint server, cs::close_policy policy, verdict& v) {
    tcp::socket client(co_await net::this_coro::executor);
    co_await client.async_connect(server, net::use_awaitable);
    co_await net::async_write(client, net::buffer(answer, 6), net::use_awaitable);
    const bool first = policy.closes_first == cs::side::peer;
    const std::string got = co_await read_all(client, first ? answer.size() : answer.max_size());
    v.require(got == answer || policy.linger == cs::lingering::abort, "the client has the whole answer");
}

/// Answers one line, and closes as P says.
template <cs::close_policy P>
net::awaitable<void> serve_one(const char* name, cs::orderly_stop& stop, verdict& v) {
    const auto executor = co_await net::this_coro::executor;
    cs::acceptor<P> listener(executor, {net::ip::address_v4::loopback(), 0});
    net::co_spawn(executor, talk(listener.local_endpoint(), P, v), net::detached);
    cs::stream<P> client = co_await listener.async_accept(net::use_awaitable);
    const typename cs::orderly_stop::member here(stop, client);
    std::array<char, 64> data;
    const std::size_t n = co_await client.async_read_some(net::buffer(data), net::use_awaitable);
    co_await net::async_write(client, net::buffer(data, n), net::use_awaitable);
    cs::error_code ec;
    const cs::close_report report = co_await client.async_close(cs::last_bytes(net::buffer(answer) + n),
                                                                net::redirect_error(net::use_awaitable, ec));
    v.closed(name, ec, report, report.limit == cs::close_limit::none);
}

net::awaitable<void> tls_client(tcp::endpoint server, verdict& v) {
    net::ssl::context context(net::ssl::context::tls_client);
    net::ssl::stream<tcp::socket> client(co_await net::this_coro::executor, context);
    co_await client.next_layer().async_connect(server, net::use_awaitable);
    co_await client.async_handshake(client.client, net::use_awaitable);
    std::array<char, 64> data;
    cs::error_code ec;
    const std::size_t n =
        co_await client.async_read_some(net::buffer(data), net::redirect_error(net::use_awaitable, ec));
    v.require(!ec && n == 3, "the TLS client has its answer");
    co_await client.async_read_some(net::buffer(data), net::redirect_error(net::use_awaitable, ec));
    v.require(ec == net::error::eof, "the TLS client has close_notify");
}

net::awaitable<void> serve_tls(verdict& v) {
    const auto executor = co_await net::this_coro::executor;
    auto context = observation::server_context<net::ssl::context>();
    cs::acceptor<cs::policies::graceful> listener(executor, {net::ip::address_v4::loopback(), 0});
    net::co_spawn(executor, tls_client(listener.local_endpoint(), v), net::detached);
    cs::ssl_stream<cs::policies::graceful> client(co_await listener.async_accept(net::use_awaitable), context);
    co_await client.async_handshake(client.server, net::use_awaitable);
    co_await net::async_write(client, net::buffer("yes", 3), net::use_awaitable);
    cs::error_code ec;
    const cs::tls_close_report report = co_await client.async_close(net::redirect_error(net::use_awaitable, ec));
    v.closed("TLS", ec, report, report.close_notify_sent && !report.truncated);
}

/// A stop finds one connection idle, and ends its read.
net::awaitable<void> stop_idle(cs::orderly_stop& stop, verdict& v) {
    const auto executor = co_await net::this_coro::executor;
    cs::acceptor<cs::policies::peer_first> listener(executor, {net::ip::address_v4::loopback(), 0});
    stop.add(listener);
    cs::error_code ec;
    cs::async_connect<cs::policies::graceful>(
        executor, listener.local_endpoint(), [&v](cs::error_code failed, cs::stream<cs::policies::graceful> peer) {
            v.require(!failed, "a stream connects");
            auto* const kept = new cs::stream<cs::policies::graceful>(std::move(peer));
            kept->async_wait(tcp::socket::wait_read, [kept](cs::error_code) { delete kept; });
        });
    auto client = co_await listener.async_accept(net::use_awaitable);
    cs::orderly_stop::member here(stop, client);
    net::post(executor, [&] { // once the read waits
        stop.async_stop({.within = 5s}, [&v](cs::error_code failed, const cs::stop_report& report) {
            std::cout << "stop: " << report << '\n';
            v.require(!failed && report.idle == 1 && report.cut == 0, "the stop has ended the one idle connection");
        });
    });
    std::array<char, 64> data;
    co_await client.async_read_some(net::buffer(data), here.idle(net::redirect_error(net::use_awaitable, ec)));
    v.require(ec == net::error::operation_aborted, "the stop has ended the idle read");
    const cs::close_report report = co_await client.async_close(net::redirect_error(net::use_awaitable, ec));
    v.closed("stopped", ec, report, true);
}

net::awaitable<void> live(cs::orderly_stop& stop, verdict& v) {
    co_await serve_one<cs::policies::graceful>("graceful", stop, v);
    co_await serve_one<cs::policies::peer_first>("peer_first", stop, v);
    co_await serve_one<cs::policies::abortive>("abortive", stop, v);
    co_await serve_one<cs::policies::system>("system", stop, v);
    co_await serve_one<until_acked>("until_acked", stop, v);
    co_await serve_tls(v);
    co_await stop_idle(stop, v);
}

void check_host(verdict& v) {
    std::ostringstream told;
    cs::warn_at_startup<cs::policies::graceful>(told);
    const cs::host::snapshot seen = cs::host::take_snapshot();
    v.require(seen.error == 0, "the host can be looked at");
    const auto findings = cs::host::audit(seen, cs::host::program{.accepts_per_second = 500}, {});
    const cs::host::tcp_states states = cs::host::count_states();
    std::cout << findings.size() << " findings, states by " << to_string(states.method) << ' '
              << states.why_not_better() << '\n';
    const std::string text = told.str();
    std::cout << "told at start: " << std::count(text.begin(), text.end(), '\n') << " lines\n";
}

} // namespace

int main() {
    try {
        verdict v;
        check_host(v);
        net::io_context io(1);
        const cs::statistics ends(io);
        cs::orderly_stop stop(io);
        bool lived = false;
        net::co_spawn(io, live(stop, v), [&](const std::exception_ptr& failure) {
            if (failure) std::rethrow_exception(failure);
            lived = true;
        });
        ::alarm(30); // not run_for: on io_uring g++ for 32 bit compiles it into a wait of whole seconds
        io.run();
        v.require(lived, "all has been lived through");
        const cs::close_counters counted = ends.snapshot();
        std::cout << "closed in all: " << counted.total() << '\n';
        return v.good() ? 0 : 1;
    } catch (const cs::system_error& e) {
        std::cerr << "smoke: " << e.what() << '\n';
        return e.code().value() == ENOSYS ? backend_is_missing : 1;
    } catch (const std::exception& e) {
        std::cerr << "smoke: " << e.what() << '\n';
        return 1;
    }
}
