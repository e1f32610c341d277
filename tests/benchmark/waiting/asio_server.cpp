// SPDX-License-Identifier: BSL-1.0
#include "server.hpp"

#include <asio/buffer.hpp>
#include <asio/ip/tcp.hpp>
#include <asio/steady_timer.hpp>

#include <array>
#include <cstddef>
#include <utility>
#include <vector>

namespace benchmark_waiting {

namespace {

using asio::ip::tcp;
using room = std::array<char, 1024>;

struct own_buffer {
    room bytes;
};

struct shared_buffer {
    inline static room bytes;
};

template <class Buffer>
class session : public std::enable_shared_from_this<session<Buffer>> {
public:
    explicit session(tcp::socket&& socket) : socket_(std::move(socket)), timer_(socket_.get_executor()) {}

    void close(std::chrono::milliseconds limit) {
        asio::error_code ignored;
        socket_.shutdown(tcp::socket::shutdown_send, ignored);
        timer_.expires_after(limit);
        timer_.async_wait([self = this->shared_from_this()](const asio::error_code& ec) {
            asio::error_code none;
            if (!ec) self->socket_.close(none); // which ends the read as well
        });
        read();
    }

private:
    void read() {
        socket_.async_read_some(asio::buffer(buffer_.bytes),
                                [self = this->shared_from_this()](const asio::error_code& ec, std::size_t) {
                                    if (ec) return self->end();
                                    self->read();
                                });
    }

    void end() {
        asio::error_code ignored;
        timer_.cancel();
        socket_.close(ignored);
    }

    tcp::socket socket_;
    asio::steady_timer timer_;
    [[no_unique_address]] Buffer buffer_;
};

template <class Buffer>
class asio_server final : public server {
public:
    asio_server(asio::io_context& context, std::chrono::milliseconds limit)
        : acceptor_(context, {tcp::v4(), 0}), limit_(limit) {}

    std::uint16_t port() const override { return acceptor_.local_endpoint().port(); }

    void accept(unsigned connections) override {
        sessions_.reserve(connections);
        while (sessions_.size() != connections) {
            tcp::socket socket = acceptor_.accept();
            socket.native_non_blocking(true); // as after any asynchronous operation
            sessions_.push_back(std::make_shared<session<Buffer>>(std::move(socket)));
        }
    }

    void close_all() override {
        for (auto& s : sessions_) s->close(limit_);
        decltype(sessions_)().swap(sessions_);
    }

private:
    tcp::acceptor acceptor_;
    std::vector<std::shared_ptr<session<Buffer>>> sessions_;
    std::chrono::milliseconds limit_;
};

} // namespace

std::unique_ptr<server> close_by_hand(asio::io_context& context, std::chrono::milliseconds limit) {
    return std::make_unique<asio_server<own_buffer>>(context, limit);
}

std::unique_ptr<server> close_by_hand_sharing(asio::io_context& context, std::chrono::milliseconds limit) {
    return std::make_unique<asio_server<shared_buffer>>(context, limit);
}

} // namespace benchmark_waiting
