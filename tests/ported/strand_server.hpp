// SPDX-License-Identifier: BSL-1.0
#ifndef CLOSESIDE_TESTS_PORTED_STRAND_SERVER_HPP
#define CLOSESIDE_TESTS_PORTED_STRAND_SERVER_HPP

#include "ported/http_message.hpp"
#include "ported/types.hpp"

#include <asio/bind_executor.hpp>
#include <asio/buffer.hpp>
#include <asio/dispatch.hpp>
#include <asio/io_context.hpp>
#include <asio/post.hpp>
#include <asio/read_until.hpp>
#include <asio/steady_timer.hpp>
#include <asio/strand.hpp>
#include <asio/write.hpp>

#include <array>
#include <chrono>
#include <cstddef>
#include <exception>
#include <memory>
#include <string>
#include <thread>
#include <utility>

// A server as Beast's examples have it: several threads run one context, and each session has a strand of its own, onto
// which its connection is accepted. It says `shutdown(shutdown_send)`, and the connection ends with the session.
namespace ported {

template <class Types>
class session : public std::enable_shared_from_this<session<Types>> {
public:
    explicit session(typename Types::socket&& socket) : socket_(std::move(socket)), timer_(socket_.get_executor()) {}

    void run() {
        asio::dispatch(socket_.get_executor(), [self = this->shared_from_this()] { self->do_read(); });
    }

private:
    void do_read() {
        expires_after(std::chrono::seconds(1));
        asio::async_read_until(socket_, asio::dynamic_buffer(request_, 64 * 1024), end_of_header,
                               [self = this->shared_from_this()](error_code ec, std::size_t) { self->on_read(ec); });
    }

    void on_read(error_code ec) {
        if (ec == asio::error::eof) return do_close();
        if (ec) return;
        reply_ = http_reply(request_);
        expires_after(std::chrono::seconds(1));
        asio::async_write(socket_, asio::buffer(reply_),
                          [self = this->shared_from_this()](error_code failed, std::size_t) {
                              if (!failed) self->do_close();
                          });
    }

    void do_close() {
        timer_.cancel();
        error_code ec;
        socket_.shutdown(tcp::socket::shutdown_send, ec);
        // At this point the connection is closed gracefully.
    }

    void expires_after(std::chrono::seconds limit) {
        timer_.expires_after(limit);
        timer_.async_wait([weak = this->weak_from_this()](error_code ec) {
            if (const auto self = weak.lock(); self && !ec) self->socket_.close(ec);
        });
    }

    typename Types::socket socket_;
    asio::steady_timer timer_;
    std::string request_, reply_;
};

template <class Types>
class listener : public std::enable_shared_from_this<listener<Types>> {
public:
    listener(asio::io_context& io_context, const tcp::endpoint& endpoint)
        : io_context_(io_context), acceptor_(asio::make_strand(io_context)) {
        acceptor_.open(endpoint.protocol());
        acceptor_.set_option(asio::socket_base::reuse_address(true));
        acceptor_.bind(endpoint);
        acceptor_.listen(asio::socket_base::max_listen_connections);
    }
    listener(const listener&) = delete;
    listener& operator=(const listener&) = delete;

    tcp::endpoint endpoint() { return acceptor_.local_endpoint(); }

    void run() {
        asio::dispatch(acceptor_.get_executor(), [self = this->shared_from_this()] { self->do_accept(); });
    }
    void stop() {
        asio::post(acceptor_.get_executor(), [self = this->shared_from_this()] { self->acceptor_.close(); });
    }

private:
    void do_accept() {
        acceptor_.async_accept(asio::make_strand(io_context_),
                               [self = this->shared_from_this()](error_code ec, typename Types::socket socket) {
                                   if (!self->acceptor_.is_open()) return;
                                   if (!ec) std::make_shared<session<Types>>(std::move(socket))->run();
                                   self->do_accept();
                               });
    }

    asio::io_context& io_context_;
    typename Types::acceptor acceptor_;
};

template <class Types>
class strand_server {
public:
    explicit strand_server(const tcp::endpoint& endpoint)
        : listener_(std::make_shared<listener<Types>>(io_context_, endpoint)) {
        listener_->run();
    }

    tcp::endpoint endpoint() { return listener_->endpoint(); }

    /// Returns when it has been stopped and the last session is gone; throws what a thread has thrown.
    void run() {
        std::array<std::exception_ptr, 3> crashed;
        {
            std::array<std::jthread, 3> threads;
            for (std::size_t i = 0; i < threads.size(); ++i) {
                threads[i] = std::jthread([this, &thrown = crashed[i]] {
                    try {
                        io_context_.run();
                    } catch (...) {
                        thrown = std::current_exception();
                    }
                });
            }
        }
        for (const std::exception_ptr& e : crashed)
            if (e) std::rethrow_exception(e);
    }

    void stop() { listener_->stop(); }

private:
    asio::io_context io_context_;
    std::shared_ptr<listener<Types>> listener_;
};

} // namespace ported

#endif
