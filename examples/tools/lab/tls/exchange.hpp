// SPDX-License-Identifier: BSL-1.0
#ifndef CLOSESIDE_LAB_TLS_EXCHANGE_HPP
#define CLOSESIDE_LAB_TLS_EXCHANGE_HPP

#include "message.hpp"
#include "ways_to_end.hpp"

#include <asio/buffer.hpp>
#include <asio/read_until.hpp>
#include <asio/write.hpp>

#include <cstddef>
#include <optional>
#include <string>
#include <utility>

namespace lab::tls {

/// One connection: handshake if it is TLS, request, reply, end. Must outlive its operations.
template <class Stream>
class exchange {
public:
    /// `arguments` make the stream.
    template <class... Arguments>
    exchange(const variant& what, server_view& view, Arguments&&... arguments)
        : stream_(std::forward<Arguments>(arguments)...), limit_(stream_.get_executor()), what_(what), view_(view) {}

    void start() {
        if constexpr (requires { Stream::server; })
            stream_.async_handshake(Stream::server, [this](closeside::error_code ec) {
                if (!failed("handshake", ec)) read();
            });
        else
            read();
    }

    /// When the close began, which may tell nobody of its end.
    const std::optional<closing>& told() const noexcept { return told_; }

private:
    void read() {
        asio::async_read_until(stream_, asio::dynamic_buffer(request_), "\r\n\r\n",
                               [this](closeside::error_code ec, std::size_t) {
                                   if (!failed("request", ec)) write();
                               });
    }

    void write() {
        asio::async_write(stream_, asio::buffer(reply), [this](closeside::error_code ec, std::size_t n) {
            view_.written = !ec && n == reply.size();
            told_.emplace(view_);
            end(stream_, what_, limit_, *told_);
        });
    }

    bool failed(const char* step, closeside::error_code ec) {
        if (ec) view_.failure = std::string("the server's ") + step + ": " + ec.message();
        return bool(ec);
    }

    Stream stream_;
    asio::steady_timer limit_;
    variant what_;
    server_view& view_;
    std::string request_;
    std::optional<closing> told_;
};

} // namespace lab::tls

#endif
