// SPDX-License-Identifier: BSL-1.0
#include "server.hpp"

#include "../support/accept_loop.hpp"

#include <closeside/acceptor.hpp>
#include <closeside/policy.hpp>
#include <closeside/stream.hpp>

#include <asio/buffer.hpp>
#include <asio/ip/tcp.hpp>
#include <asio/read.hpp>
#include <asio/write.hpp>

#include <functional>
#include <utility>

namespace lab::loss {

namespace {

namespace cs = closeside;
using asio::ip::tcp;

using on_closed = std::function<void(bool kept)>;

/// Frequent advice: a half-close, and a read so that the receive queue is empty.
void read_once_and_close(tcp::socket socket, on_closed closed) {
    cs::error_code reset_already;
    socket.shutdown(tcp::socket::shutdown_send, reset_already);
    const auto kept_open = std::make_shared<tcp::socket>(std::move(socket));
    const auto unread = std::make_shared<std::vector<char>>(64 << 10);
    kept_open->async_read_some(asio::buffer(*unread), [=](cs::error_code, std::size_t) {
        cs::error_code ignored;
        kept_open->close(ignored);
        closed(true);
    });
}

void end(tcp::socket socket, ending how, on_closed closed) {
    cs::error_code ignored;
    switch (how) {
    case ending::one_read: return read_once_and_close(std::move(socket), std::move(closed));
    case ending::plain_close: socket.close(ignored); break;
    default: const tcp::socket destroyed_here(std::move(socket));
    }
    closed(true);
}

template <cs::close_policy P>
void end(cs::stream<P> stream, ending, on_closed closed) {
    stream.async_close([=](cs::error_code ec, const cs::close_report&) { closed(!ec); });
}

/// Reads a request, writes the reply, ends the connection. Lives as long as its operations.
template <class Stream>
class exchange : public std::enable_shared_from_this<exchange<Stream>> {
public:
    exchange(Stream stream, ending how, close_record& record) : stream_(std::move(stream)), how_(how), record_(record) {
        ++record_.open;
    }
    ~exchange() { --record_.open; }

    void start() {
        asio::async_read(stream_, asio::buffer(&request_, sizeof request_),
                         [self = this->shared_from_this()](cs::error_code ec, std::size_t) {
                             if (!ec) self->reply();
                         });
    }

private:
    void reply() {
        reply_ = reply_to(request_);
        asio::async_write(stream_, asio::buffer(reply_),
                          [self = this->shared_from_this()](cs::error_code ec, std::size_t) { self->close(!ec); });
    }

    void close(bool written) {
        const auto start = steady::now();
        end(std::move(stream_), how_, [=, self = this->shared_from_this()](bool kept) {
            const auto took = std::chrono::duration_cast<std::chrono::microseconds>(steady::now() - start);
            self->record_.add({.number = self->request_, .took = took, .kept = kept && written});
        });
    }

    Stream stream_;
    ending how_;
    close_record& record_;
    request request_ = 0;
    std::vector<char> reply_;
};

template <class Stream, class Acceptor>
class server_of final : public server {
public:
    server_of(const host& h, ending how)
        : loop_(h, server_port, [this, how](Stream stream) {
              std::make_shared<exchange<Stream>>(std::move(stream), how, record_)->start();
          }) {}

private:
    accept_loop<Stream, Acceptor> loop_;
};

template <cs::close_policy P>
std::unique_ptr<server> serve_under(const host& where, ending how) {
    return std::make_unique<server_of<cs::stream<P>, cs::acceptor<P>>>(where, how);
}

} // namespace

const char* to_string(ending e) noexcept {
    switch (e) {
    case ending::plain_close: return "plain close()";
    case ending::destructor: return "Asio's destructor";
    case ending::one_read: return "one read, close()";
    case ending::system: return "system";
    case ending::abortive: return "abortive";
    case ending::graceful: return "graceful";
    case ending::peer_first: return "peer_first";
    case ending::peer_first_or_reset: return "peer_first_or_reset";
    }
    return "?";
}

std::unique_ptr<server> serve(const host& where, ending how) {
    switch (how) {
    case ending::system: return serve_under<cs::policies::system>(where, how);
    case ending::abortive: return serve_under<cs::policies::abortive>(where, how);
    case ending::graceful: return serve_under<cs::policies::graceful>(where, how);
    case ending::peer_first: return serve_under<cs::policies::peer_first>(where, how);
    case ending::peer_first_or_reset: return serve_under<cs::policies::peer_first_or_reset>(where, how);
    default: return std::make_unique<server_of<tcp::socket, tcp::acceptor>>(where, how);
    }
}

} // namespace lab::loss
