// SPDX-License-Identifier: BSL-1.0
#ifndef CLOSESIDE_BENCHMARK_ACCEPT_SERVER_HPP
#define CLOSESIDE_BENCHMARK_ACCEPT_SERVER_HPP

#include "subject.hpp"

#include <asio/buffer.hpp>
#include <asio/executor_work_guard.hpp>
#include <asio/io_context.hpp>
#include <asio/post.hpp>

#include <array>
#include <cstddef>
#include <memory>
#include <utility>
#include <vector>

namespace benchmark_accept {

/// Reads until the client's FIN, then closes.
template <class Way>
class connection {
public:
    using socket_type = typename Way::socket_type;

    explicit connection(socket_type socket) : socket_(std::move(socket)) {}

    static void read(std::shared_ptr<connection> self) {
        connection& c = *self;
        c.socket_.async_read_some(asio::buffer(c.buffer_),
                                  [self = std::move(self)](const asio::error_code& ec, std::size_t) mutable {
                                      if (ec) return Way::close(self->socket_);
                                      read(std::move(self));
                                  });
    }

private:
    socket_type socket_;
    std::array<char, 1024> buffer_;
};

/// A server whose Way gives acceptor_type, socket_type and
/** make_acceptor(context), prepare(socket) for what is to be set on each accepted socket, close(socket). */
template <class Way>
class server final : public subject {
public:
    server() : acceptor_(Way::make_acceptor(context_)) { accept(); }

    void run() override {
        const auto work = asio::make_work_guard(context_);
        context_.run();
    }
    void stop() override { context_.stop(); }
    void call_next(std::function<void()> f) override { asio::post(context_, std::move(f)); }
    int listener() override { return acceptor_.native_handle(); }
    std::vector<int>& accepted() override { return accepted_; }
    bool sets_options() const override { return Way::sets_options; }

private:
    void accept() {
        acceptor_.async_accept([this](const asio::error_code& ec, typename Way::socket_type socket) {
            if (ec) return;
            Way::prepare(socket);
            accepted_.push_back(socket.lowest_layer().native_handle());
            using connection_type = connection<Way>;
            connection_type::read(std::make_shared<connection_type>(std::move(socket)));
            accept();
        });
    }

    asio::io_context context_;
    typename Way::acceptor_type acceptor_;
    std::vector<int> accepted_;
};

} // namespace benchmark_accept

#endif
