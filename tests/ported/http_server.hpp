// SPDX-License-Identifier: BSL-1.0
#ifndef CLOSESIDE_TESTS_PORTED_HTTP_SERVER_HPP
#define CLOSESIDE_TESTS_PORTED_HTTP_SERVER_HPP

#include "ported/http_message.hpp"
#include "ported/types.hpp"

#include <asio/buffer.hpp>
#include <asio/io_context.hpp>
#include <asio/post.hpp>
#include <asio/write.hpp>

#include <array>
#include <cstddef>
#include <memory>
#include <set>
#include <string>
#include <utility>

// An HTTP server with callbacks on one thread, as Asio's examples have it: a manager holds the connections, and each ends
// with `shutdown` and `close()`.
namespace ported {

template <class Types>
class connection;

template <class Types>
class connection_manager {
public:
    using connection_ptr = std::shared_ptr<connection<Types>>;

    void start(connection_ptr c) {
        connections_.insert(c);
        c->start();
    }
    void stop(connection_ptr c) {
        connections_.erase(c);
        c->stop();
    }
    void stop_all() {
        for (const connection_ptr& c : connections_) c->stop();
        connections_.clear();
    }

private:
    std::set<connection_ptr> connections_;
};

template <class Types>
class connection : public std::enable_shared_from_this<connection<Types>> {
public:
    using socket = typename Types::socket;

    connection(socket s, connection_manager<Types>& manager) : socket_(std::move(s)), manager_(manager) {}
    connection(const connection&) = delete;
    connection& operator=(const connection&) = delete;

    void start() {
        socket_.set_option(tcp::no_delay(true));
        do_read();
    }
    void stop() { socket_.close(); }

private:
    void do_read() {
        auto self(this->shared_from_this());
        socket_.async_read_some(asio::buffer(buffer_), [this, self](error_code ec, std::size_t length) {
            if (!ec) {
                request_.append(buffer_.data(), length);
                if (request_.find(end_of_header) == std::string::npos) {
                    do_read();
                } else {
                    reply_ = http_reply(request_);
                    do_write();
                }
            } else if (ec != asio::error::operation_aborted) {
                manager_.stop(this->shared_from_this());
            }
        });
    }

    void do_write() {
        auto self(this->shared_from_this());
        asio::async_write(socket_, asio::buffer(reply_), [this, self](error_code ec, std::size_t) {
            if (!ec) {
                error_code ignored;
                socket_.shutdown(socket::shutdown_both, ignored);
            }
            if (ec != asio::error::operation_aborted) manager_.stop(this->shared_from_this());
        });
    }

    socket socket_;
    connection_manager<Types>& manager_;
    std::array<char, 8192> buffer_{};
    std::string request_, reply_;
};

template <class Types>
class http_server {
public:
    explicit http_server(const tcp::endpoint& endpoint) : acceptor_(io_context_) {
        acceptor_.open(endpoint.protocol());
        acceptor_.set_option(typename Types::acceptor::reuse_address(true));
        acceptor_.bind(endpoint);
        acceptor_.listen();
        do_accept();
    }
    http_server(const http_server&) = delete;
    http_server& operator=(const http_server&) = delete;

    tcp::endpoint endpoint() { return acceptor_.local_endpoint(); }

    void run() { io_context_.run(); }

    void stop() {
        asio::post(io_context_, [this] {
            acceptor_.close();
            connection_manager_.stop_all();
        });
    }

private:
    void do_accept() {
        acceptor_.async_accept([this](error_code ec, typename Types::socket socket) {
            if (!acceptor_.is_open()) return;
            if (!ec)
                connection_manager_.start(std::make_shared<connection<Types>>(std::move(socket), connection_manager_));
            do_accept();
        });
    }

    asio::io_context io_context_;
    typename Types::acceptor acceptor_;
    connection_manager<Types> connection_manager_;
};

} // namespace ported

#endif
