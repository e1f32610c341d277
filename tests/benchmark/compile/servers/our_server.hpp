// SPDX-License-Identifier: BSL-1.0
#ifndef CLOSESIDE_BENCHMARK_COMPILE_OUR_SERVER_HPP
#define CLOSESIDE_BENCHMARK_COMPILE_OUR_SERVER_HPP

#include "answer.hpp"

#include <closeside/acceptor.hpp>
#include <closeside/policy.hpp>
#include <closeside/stream.hpp>

#include <asio/awaitable.hpp>
#include <asio/co_spawn.hpp>
#include <asio/detached.hpp>
#include <asio/io_context.hpp>
#include <asio/ip/tcp.hpp>
#include <asio/redirect_error.hpp>
#include <asio/signal_set.hpp>
#include <asio/use_awaitable.hpp>

#include <csignal>
#include <system_error>
#include <utility>

template <closeside::close_policy P>
asio::awaitable<void> session(closeside::stream<P> client) {
    co_await answer(client.socket());
    std::error_code ec;
    co_await client.async_close(asio::redirect_error(asio::use_awaitable, ec));
}

template <closeside::close_policy P>
asio::awaitable<void> accept_loop(closeside::acceptor<P> listener) {
    while (true) {
        closeside::stream<P> client = co_await listener.async_accept(asio::use_awaitable);
        asio::co_spawn(listener.get_executor(), session(std::move(client)), asio::detached);
    }
}

template <closeside::close_policy P>
void listen(asio::io_context& io, unsigned short port) {
    asio::co_spawn(io, accept_loop(closeside::acceptor<P>(io, {asio::ip::tcp::v6(), port})), asio::detached);
}

/// Until a signal stops it.
inline void run(asio::io_context& io) {
    asio::signal_set stop(io, SIGINT, SIGTERM);
    stop.async_wait([&](std::error_code, int) { io.stop(); });
    io.run();
}

#endif
