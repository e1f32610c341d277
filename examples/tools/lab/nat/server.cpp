// SPDX-License-Identifier: BSL-1.0
#include "server.hpp"

#include "clients.hpp"

#include "../support/accept_loop.hpp"

#include <closeside/acceptor.hpp>
#include <closeside/policy.hpp>
#include <closeside/stream.hpp>

#include <asio/buffer.hpp>
#include <asio/ip/tcp.hpp>
#include <asio/read.hpp>
#include <asio/write.hpp>

#include <array>
#include <memory>
#include <utility>

namespace lab::nat {

namespace {

namespace cs = closeside;
using asio::ip::tcp;

void end(tcp::socket& socket) {
    cs::error_code gone_already;
    socket.shutdown(tcp::socket::shutdown_both, gone_already);
    socket.close(gone_already);
}

template <cs::close_policy P>
void end(cs::stream<P>& stream) {
    stream.async_close([](cs::error_code, const cs::close_report&) {});
}

/// Reads the request, writes the reply, ends the connection. Lives as long as its operations.
template <class Stream>
class exchange : public std::enable_shared_from_this<exchange<Stream>> {
public:
    explicit exchange(Stream stream) : stream_(std::move(stream)) {}

    void start() {
        asio::async_read(stream_, asio::buffer(request_),
                         [self = this->shared_from_this()](cs::error_code ec, std::size_t) {
                             if (!ec) self->reply();
                         });
    }

private:
    void reply() {
        asio::async_write(stream_, asio::buffer(reply_),
                          [self = this->shared_from_this()](cs::error_code, std::size_t) { end(self->stream_); });
    }

    Stream stream_;
    std::array<char, request_size> request_{};
    std::array<char, reply_size> reply_{};
};

template <class Stream, class Acceptor>
class server_of final : public server {
public:
    explicit server_of(const host& h)
        : loop_(h, server_port, [](Stream stream) { std::make_shared<exchange<Stream>>(std::move(stream))->start(); }) {
    }

private:
    accept_loop<Stream, Acceptor> loop_;
};

template <cs::close_policy P>
using server_under = server_of<cs::stream<P>, cs::acceptor<P>>;

} // namespace

const char* to_string(ending e) noexcept {
    switch (e) {
    case ending::plain_asio: return "plain Asio";
    case ending::graceful: return "graceful";
    case ending::peer_first: return "peer_first";
    case ending::peer_first_or_reset: return "peer_first_or_reset";
    }
    return "?";
}

std::unique_ptr<server> serve(const host& where, ending how) {
    switch (how) {
    case ending::plain_asio: return std::make_unique<server_of<tcp::socket, tcp::acceptor>>(where);
    case ending::graceful: return std::make_unique<server_under<cs::policies::graceful>>(where);
    case ending::peer_first: return std::make_unique<server_under<cs::policies::peer_first>>(where);
    case ending::peer_first_or_reset: return std::make_unique<server_under<cs::policies::peer_first_or_reset>>(where);
    }
    return nullptr;
}

} // namespace lab::nat
