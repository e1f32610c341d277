// SPDX-License-Identifier: BSL-1.0
#ifndef CLOSESIDE_TESTS_PORTED_FRAMEWORK_HPP
#define CLOSESIDE_TESTS_PORTED_FRAMEWORK_HPP

#include "ported/http_message.hpp"
#include "ported/types.hpp"

#include <asio/buffer.hpp>
#include <asio/executor_work_guard.hpp>
#include <asio/io_context.hpp>
#include <asio/post.hpp>
#include <asio/read_until.hpp>
#include <asio/steady_timer.hpp>
#include <asio/write.hpp>

#include <array>
#include <chrono>
#include <cstddef>
#include <exception>
#include <functional>
#include <memory>
#include <string>
#include <thread>
#include <utility>
#include <vector>

// The core of a web framework: one thread accepts into sockets of the workers, each with a context and a thread of its own;
// an adaptor hides whether the socket has TLS, and so closes through lowest_layer(); a timer ends idle connections.
namespace ported {

template <class Socket>
class socket_adaptor {
public:
    explicit socket_adaptor(asio::io_context& io_context) : socket_(io_context) {}

    Socket& socket() { return socket_; }
    typename Socket::lowest_layer_type& raw_socket() { return socket_.lowest_layer(); }
    tcp::endpoint remote_endpoint(error_code& ec) { return raw_socket().remote_endpoint(ec); }
    bool is_open() { return raw_socket().is_open(); }
    void close() {
        error_code ignored;
        raw_socket().cancel(ignored);
        raw_socket().close(ignored);
    }

private:
    Socket socket_;
};

template <class Types>
class framework_connection : public std::enable_shared_from_this<framework_connection<Types>> {
public:
    using handler_type = std::function<std::string(const std::string& request)>;

    framework_connection(asio::io_context& io_context, handler_type handler)
        : adaptor_(io_context), timer_(io_context), handler_(std::move(handler)) {}

    socket_adaptor<typename Types::socket>& adaptor() { return adaptor_; }

    void start() {
        error_code ec;
        adaptor_.raw_socket().set_option(tcp::no_delay(true), ec);
        adaptor_.remote_endpoint(ec);
        if (ec) return adaptor_.close(); // gone already
        do_read();
    }

private:
    void do_read() {
        start_timer();
        auto self(this->shared_from_this());
        asio::async_read_until(adaptor_.socket(), asio::dynamic_buffer(request_, 64 * 1024), end_of_header,
                               [this, self](error_code ec, std::size_t) {
                                   timer_.cancel();
                                   if (ec) return adaptor_.close();
                                   reply_ = handler_(request_);
                                   do_write();
                               });
    }

    void do_write() {
        start_timer();
        auto self(this->shared_from_this());
        asio::async_write(adaptor_.socket(), asio::buffer(reply_), [this, self](error_code, std::size_t) {
            timer_.cancel();
            adaptor_.close();
        });
    }

    void start_timer() {
        timer_.expires_after(std::chrono::seconds(1));
        timer_.async_wait([weak = this->weak_from_this()](error_code ec) {
            const auto self = weak.lock();
            if (!ec && self && self->adaptor_.is_open()) self->adaptor_.close();
        });
    }

    socket_adaptor<typename Types::socket> adaptor_;
    asio::steady_timer timer_;
    handler_type handler_;
    std::string request_, reply_;
};

template <class Types>
class framework {
public:
    explicit framework(const tcp::endpoint& endpoint) : acceptor_(io_context_) {
        error_code ec;
        acceptor_.open(endpoint.protocol(), ec);
        if (!ec) acceptor_.set_option(tcp::acceptor::reuse_address(true), ec);
        if (!ec) acceptor_.bind(endpoint, ec);
        if (!ec) acceptor_.listen(tcp::acceptor::max_listen_connections, ec);
        if (ec) throw closeside::system_error(ec, "framework");
        do_accept();
    }
    framework(const framework&) = delete;
    framework& operator=(const framework&) = delete;

    tcp::endpoint endpoint() { return acceptor_.local_endpoint(); }

    /// Returns when it has been stopped and the last connection is gone; throws what a worker has thrown.
    void run() {
        std::array<std::exception_ptr, 2> crashed;
        {
            std::array<std::jthread, 2> threads;
            for (std::size_t i = 0; i < threads.size(); ++i) {
                threads[i] = std::jthread([this, i, &thrown = crashed[i]] {
                    try {
                        workers_[i].run();
                    } catch (...) {
                        thrown = std::current_exception();
                    }
                });
            }
            io_context_.run();
        }
        for (const std::exception_ptr& e : crashed)
            if (e) std::rethrow_exception(e);
    }

    void stop() {
        asio::post(io_context_, [this] {
            error_code ignored;
            acceptor_.close(ignored);
            for (auto& guard : guards_) guard.reset();
        });
    }

private:
    void do_accept() {
        asio::io_context& worker = workers_[next_++ % workers_.size()];
        auto connection = std::make_shared<framework_connection<Types>>(worker, http_reply);
        acceptor_.async_accept(connection->adaptor().socket(), [this, &worker, connection](error_code ec) {
            if (!ec) asio::post(worker, [connection] { connection->start(); });
            if (acceptor_.is_open()) do_accept();
        });
    }

    std::array<asio::io_context, 2> workers_; // outlive the sockets that wait to be filled
    std::array<asio::executor_work_guard<asio::io_context::executor_type>, 2> guards_{
        asio::make_work_guard(workers_[0]), asio::make_work_guard(workers_[1])};
    asio::io_context io_context_;
    std::size_t next_ = 0;
    typename Types::acceptor acceptor_;
};

} // namespace ported

#endif
