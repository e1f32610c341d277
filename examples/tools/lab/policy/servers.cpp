// SPDX-License-Identifier: BSL-1.0
#include "servers.hpp"

#include <closeside/acceptor.hpp>
#include <closeside/policy.hpp>
#include <closeside/stream.hpp>

#include <asio/buffer.hpp>
#include <asio/io_context.hpp>
#include <asio/ip/tcp.hpp>
#include <asio/read.hpp>
#include <asio/steady_timer.hpp>
#include <asio/write.hpp>

#include <cstddef>
#include <optional>
#include <utility>
#include <vector>

#include <sys/resource.h>

namespace lab::policy {

namespace {

namespace cs = closeside;
using asio::ip::tcp;
using steady = std::chrono::steady_clock;

std::chrono::microseconds since(steady::time_point start) {
    return std::chrono::duration_cast<std::chrono::microseconds>(steady::now() - start);
}

long times_slept() {
    rusage usage{};
    ::getrusage(RUSAGE_THREAD, &usage);
    return usage.ru_nvcsw;
}

/// How long `call` kept this thread asleep in the kernel; being preempted by others does not count.
template <class Call>
std::chrono::microseconds blocked_by(Call call) {
    const long slept_before = times_slept();
    const auto start = steady::now();
    call();
    return times_slept() == slept_before ? std::chrono::microseconds{} : since(start);
}

void closed(server_view& view, steady::time_point start) {
    view.close_time = since(start);
    view.closed_at = std::chrono::system_clock::now();
    view.closed = true;
}

/// The presets drain for up to 30 s; the lab has less time. `system` and `abortive` wait for nothing and stay as they are.
cs::close_policy within_the_lab(cs::close_policy policy, const settings& lab) {
    if (policy == cs::policies::system || policy == cs::policies::abortive) return policy;
    policy.patience = policy.drain_time = lab.limit;
    policy.drain_bytes = lab.drain_bytes;
    return policy;
}

template <cs::close_policy P>
void end(cs::stream<P>& stream, server_kind kind, const settings& lab, server_view& view) {
    const auto start = steady::now();
    if (kind == server_kind::abortive_destroyed) {
        view.blocked = blocked_by([&] { const cs::stream<P> dying = std::move(stream); });
        return closed(view, start);
    }
    const auto on_closed = [&view, start](cs::error_code ec, const cs::close_report& report) {
        view.close_error = ec;
        view.report = report;
        closed(view, start);
    };
    view.blocked = blocked_by([&] { stream.async_close(within_the_lab(P, lab), on_closed); });
}

void end(tcp::socket& socket, server_kind kind, const settings&, server_view& view) {
    cs::error_code reset_already;
    if (kind == server_kind::asio_linger_destroyed) socket.set_option(tcp::socket::linger(true, 0), reset_already);
    if (kind == server_kind::asio_linger_close) socket.set_option(tcp::socket::linger(true, 1), reset_already);
    const auto start = steady::now();
    if (kind == server_kind::asio_close || kind == server_kind::asio_linger_close)
        view.blocked = blocked_by([&] { socket.close(view.close_error); });
    else
        view.blocked = blocked_by([&] { const tcp::socket dying = std::move(socket); });
    closed(view, start);
}

/// One connection: the request, or half of it, is read, the reply written, the connection ended.
/** Callbacks, since Asio 1.22 has no coroutines under clang. Must outlive its operations. */
template <class Stream>
class exchange {
public:
    exchange(Stream stream, server_kind kind, const settings& lab, server_view& view)
        : stream_(std::move(stream)), write_limit_(stream_.get_executor()), kind_(kind), lab_(lab), view_(view),
          request_(leaves_unread(kind) ? lab.request_bytes / 2 : lab.request_bytes), reply_(lab.reply_bytes, 'r') {}

    void start() {
        asio::async_read(stream_, asio::buffer(request_), [this](cs::error_code ec, std::size_t n) {
            view_.read = n;
            if (ec) return finish(ec);
            write();
        });
    }

private:
    void write() {
        write_limit_.expires_after(lab_.write_limit);
        write_limit_.async_wait([this](cs::error_code cancelled) {
            cs::error_code ignored;
            if (!cancelled) stream_.lowest_layer().cancel(ignored);
        });
        asio::async_write(stream_, asio::buffer(reply_), [this](cs::error_code ec, std::size_t n) {
            view_.written = n;
            finish(ec);
        });
    }

    void finish(cs::error_code ec) {
        view_.write_error = ec;
        write_limit_.cancel();
        end(stream_, kind_, lab_, view_);
    }

    Stream stream_;
    asio::steady_timer write_limit_;
    server_kind kind_;
    const settings& lab_;
    server_view& view_;
    std::vector<char> request_;
    std::vector<char> reply_;
};

/// Accepts one connection and serves it to its end.
template <class Stream, class Acceptor>
server_view serve_with(server_kind kind, const settings& lab, const std::function<void(std::uint16_t)>& on_listening) {
    server_view view;
    asio::io_context io(1);
    std::optional<exchange<Stream>> served;
    Acceptor listener(io, tcp::endpoint(asio::ip::address_v4::loopback(), 0));
    on_listening(listener.local_endpoint().port());
    listener.async_accept([&](cs::error_code ec, Stream stream) {
        if (ec) {
            view.write_error = ec;
            return;
        }
        served.emplace(std::move(stream), kind, lab, view);
        served->start();
    });
    io.run_for(lab.bound);
    return view;
}

template <cs::close_policy P>
server_view serve_under(server_kind kind, const settings& lab, const std::function<void(std::uint16_t)>& on_listening) {
    return serve_with<cs::stream<P>, cs::acceptor<P>>(kind, lab, on_listening);
}

} // namespace

server_view serve_one(server_kind kind, const settings& lab, const std::function<void(std::uint16_t)>& on_listening) {
    switch (kind) {
    case server_kind::graceful:
    case server_kind::graceful_unread: return serve_under<cs::policies::graceful>(kind, lab, on_listening);
    case server_kind::peer_first: return serve_under<cs::policies::peer_first>(kind, lab, on_listening);
    case server_kind::peer_first_or_reset:
        return serve_under<cs::policies::peer_first_or_reset>(kind, lab, on_listening);
    case server_kind::abortive:
    case server_kind::abortive_destroyed: return serve_under<cs::policies::abortive>(kind, lab, on_listening);
    case server_kind::system: return serve_under<cs::policies::system>(kind, lab, on_listening);
    case server_kind::asio_close:
    case server_kind::asio_unread:
    case server_kind::asio_linger_destroyed:
    case server_kind::asio_linger_close: return serve_with<tcp::socket, tcp::acceptor>(kind, lab, on_listening);
    }
    return {};
}

} // namespace lab::policy
