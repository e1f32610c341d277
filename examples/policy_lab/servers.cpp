// SPDX-License-Identifier: BSL-1.0
#include "servers.hpp"

#include <closeside/acceptor.hpp>
#include <closeside/policy.hpp>
#include <closeside/stream.hpp>

#include <asio/awaitable.hpp>
#include <asio/buffer.hpp>
#include <asio/co_spawn.hpp>
#include <asio/detached.hpp>
#include <asio/io_context.hpp>
#include <asio/ip/tcp.hpp>
#include <asio/read.hpp>
#include <asio/redirect_error.hpp>
#include <asio/steady_timer.hpp>
#include <asio/use_awaitable.hpp>
#include <asio/write.hpp>

#include <utility>
#include <vector>

#include <sys/resource.h>

namespace policy_lab {

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

/// Reads the request, or half of it, and writes the reply; gives up when the peer does not take it in time.
template <class Stream>
asio::awaitable<void> answer(Stream& stream, server_kind kind, const settings& lab, server_view& view) {
    std::vector<char> request(leaves_unread(kind) ? lab.request_bytes / 2 : lab.request_bytes);
    const std::vector<char> reply(lab.reply_bytes, 'r');
    asio::error_code ec;
    view.read = co_await asio::async_read(stream, asio::buffer(request), asio::redirect_error(asio::use_awaitable, ec));

    asio::steady_timer write_limit(stream.get_executor(), lab.write_limit);
    write_limit.async_wait([&stream](asio::error_code cancelled) {
        asio::error_code ignored;
        if (!cancelled) stream.lowest_layer().cancel(ignored);
    });
    if (!ec)
        view.written =
            co_await asio::async_write(stream, asio::buffer(reply), asio::redirect_error(asio::use_awaitable, ec));
    view.write_error = ec;
}

/// The presets wait up to 30 s; the lab has less time. `system` and `abortive` wait for nothing and keep their own.
cs::close_limits lab_limits(const cs::close_policy& policy, const settings& lab) {
    if (policy == cs::policies::system || policy == cs::policies::abortive) return {};
    return {.patience = lab.limit, .drain_time = lab.limit, .drain_bytes = lab.drain_bytes};
}

template <cs::close_policy P>
asio::awaitable<void> serve_closeside(cs::acceptor<P>& listener, server_kind kind, const settings& lab,
                                      server_view& view) {
    cs::stream<P> stream = co_await listener.async_accept(asio::use_awaitable);
    co_await answer(stream, kind, lab, view);
    const auto start = steady::now();
    if (kind == server_kind::abortive_destroyed) {
        view.blocked = blocked_by([&] { const cs::stream<P> dying = std::move(stream); });
    } else {
        auto closing =
            stream.async_close(lab_limits(P, lab), asio::redirect_error(asio::use_awaitable, view.close_error));
        view.report = co_await std::move(closing);
    }
    closed(view, start);
}

asio::awaitable<void> serve_plain(tcp::acceptor& listener, server_kind kind, const settings& lab, server_view& view) {
    tcp::socket socket = co_await listener.async_accept(asio::use_awaitable);
    co_await answer(socket, kind, lab, view);
    asio::error_code reset_already;
    if (kind == server_kind::asio_linger_destroyed) socket.set_option(tcp::socket::linger(true, 0), reset_already);
    if (kind == server_kind::asio_linger_close) socket.set_option(tcp::socket::linger(true, 1), reset_already);
    const auto start = steady::now();
    if (kind == server_kind::asio_close || kind == server_kind::asio_linger_close)
        view.blocked = blocked_by([&] { socket.close(view.close_error); });
    else
        view.blocked = blocked_by([&] { const tcp::socket dying = std::move(socket); });
    closed(view, start);
}

using listening = std::function<void(std::uint16_t)>;

template <cs::close_policy P>
void run_closeside(asio::io_context& io, server_kind kind, const settings& lab, const listening& on_listening,
                   server_view& view) {
    cs::acceptor<P> listener(io, tcp::endpoint(asio::ip::address_v4::loopback(), 0));
    on_listening(listener.local_endpoint().port());
    asio::co_spawn(io, serve_closeside<P>(listener, kind, lab, view), asio::detached);
    io.run_for(lab.bound);
}

void run_plain(asio::io_context& io, server_kind kind, const settings& lab, const listening& on_listening,
               server_view& view) {
    tcp::acceptor listener(io, tcp::endpoint(asio::ip::address_v4::loopback(), 0));
    on_listening(listener.local_endpoint().port());
    asio::co_spawn(io, serve_plain(listener, kind, lab, view), asio::detached);
    io.run_for(lab.bound);
}

} // namespace

server_view serve_one(server_kind kind, const settings& lab, const listening& on_listening) {
    server_view view;
    asio::io_context io(1);
    switch (kind) {
    case server_kind::graceful:
    case server_kind::graceful_unread: run_closeside<cs::policies::graceful>(io, kind, lab, on_listening, view); break;
    case server_kind::peer_first: run_closeside<cs::policies::peer_first>(io, kind, lab, on_listening, view); break;
    case server_kind::abortive:
    case server_kind::abortive_destroyed:
        run_closeside<cs::policies::abortive>(io, kind, lab, on_listening, view);
        break;
    case server_kind::system: run_closeside<cs::policies::system>(io, kind, lab, on_listening, view); break;
    case server_kind::asio_close:
    case server_kind::asio_unread:
    case server_kind::asio_linger_destroyed:
    case server_kind::asio_linger_close: run_plain(io, kind, lab, on_listening, view); break;
    }
    return view;
}

} // namespace policy_lab
