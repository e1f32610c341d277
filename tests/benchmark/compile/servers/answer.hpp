// SPDX-License-Identifier: BSL-1.0
#ifndef CLOSESIDE_BENCHMARK_COMPILE_ANSWER_HPP
#define CLOSESIDE_BENCHMARK_COMPILE_ANSWER_HPP

#include <asio/awaitable.hpp>
#include <asio/buffer.hpp>
#include <asio/ip/tcp.hpp>
#include <asio/read_until.hpp>
#include <asio/redirect_error.hpp>
#include <asio/use_awaitable.hpp>
#include <asio/write.hpp>

#include <cstddef>
#include <string>
#include <string_view>
#include <system_error>

/// What the servers are for, the same in all of them: one request, one answer.
/** No template: what is said to a client does not depend on how its connection ends. */
inline asio::awaitable<void> answer(asio::ip::tcp::socket& client) {
    static constexpr std::size_t longest_request = 8192;
    static constexpr std::string_view reply = "HTTP/1.0 200 OK\r\nContent-Length: 3\r\n\r\nok\n";
    std::string request;
    std::error_code ec;
    co_await asio::async_read_until(client, asio::dynamic_buffer(request, longest_request), "\r\n\r\n",
                                    asio::redirect_error(asio::use_awaitable, ec));
    if (!ec) co_await asio::async_write(client, asio::buffer(reply), asio::redirect_error(asio::use_awaitable, ec));
}

#endif
