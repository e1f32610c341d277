// SPDX-License-Identifier: BSL-1.0
#ifndef CLOSESIDE_TESTS_PORTED_TLS_CLIENT_HPP
#define CLOSESIDE_TESTS_PORTED_TLS_CLIENT_HPP

#include "ported/types.hpp"

#include <asio/buffer.hpp>
#include <asio/connect.hpp>
#include <asio/io_context.hpp>
#include <asio/read_until.hpp>
#include <asio/ssl.hpp>
#include <asio/steady_timer.hpp>
#include <asio/write.hpp>

#include <chrono>
#include <cstddef>
#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

// A TLS client as Asio's examples and web frameworks have it: it connects through lowest_layer(), uploads, reads the line
// that the server answers with, and closes through lowest_layer(), also when a timer runs out.
namespace ported {

template <class Types>
class tls_client : public std::enable_shared_from_this<tls_client<Types>> {
public:
    using handler_type = std::function<void(error_code ec, const std::string& line)>;

    tls_client(asio::io_context& io_context, asio::ssl::context& context, std::string upload, handler_type handler)
        : socket_(io_context, context), timer_(io_context), upload_(std::move(upload)), handler_(std::move(handler)) {}

    void start(const std::vector<tcp::endpoint>& endpoints, std::chrono::milliseconds limit) {
        timer_.expires_after(limit);
        timer_.async_wait([this, self = this->shared_from_this()](error_code ec) {
            if (!ec) close();
        });
        asio::async_connect(socket_.lowest_layer(), endpoints,
                            [this, self = this->shared_from_this()](error_code ec, const tcp::endpoint&) {
                                if (ec) return finish(ec);
                                socket_.lowest_layer().set_option(tcp::no_delay(true));
                                handshake();
                            });
    }

private:
    void handshake() {
        socket_.async_handshake(asio::ssl::stream_base::client, [this, self = this->shared_from_this()](error_code ec) {
            if (ec) return finish(ec);
            send_upload();
        });
    }

    void send_upload() {
        asio::async_write(socket_, asio::buffer(upload_),
                          [this, self = this->shared_from_this()](error_code ec, std::size_t) {
                              if (ec) return finish(ec);
                              receive_line();
                          });
    }

    void receive_line() {
        asio::async_read_until(socket_, asio::dynamic_buffer(line_), '\n',
                               [this, self = this->shared_from_this()](error_code ec, std::size_t length) {
                                   line_.resize(length);
                                   finish(ec);
                               });
    }

    void finish(error_code ec) {
        timer_.cancel();
        close();
        handler_(ec, line_);
    }

    void close() {
        error_code ignored;
        socket_.lowest_layer().cancel(ignored);
        socket_.lowest_layer().shutdown(tcp::socket::shutdown_both, ignored);
        socket_.lowest_layer().close(ignored);
    }

    asio::ssl::stream<typename Types::socket> socket_;
    asio::steady_timer timer_;
    std::string upload_, line_;
    handler_type handler_;
};

} // namespace ported

#endif
