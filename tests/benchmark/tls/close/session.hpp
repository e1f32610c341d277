// SPDX-License-Identifier: BSL-1.0
#ifndef CLOSESIDE_BENCHMARK_TLS_CLOSE_SESSION_HPP
#define CLOSESIDE_BENCHMARK_TLS_CLOSE_SESSION_HPP

#include "support/certificate.hpp"

#include <asio/buffer.hpp>
#include <asio/io_context.hpp>
#include <asio/ip/tcp.hpp>
#include <asio/ssl/context.hpp>
#include <asio/ssl/stream_base.hpp>
#include <asio/steady_timer.hpp>

#include <chrono>
#include <cstddef>
#include <memory>
#include <utility>

namespace benchmark_tls {

/// A connection whose server has done the handshake and reads. An Ending is its base and has close(self).
template <class Stream, class Ending>
class session : Ending {
public:
    using pointer = std::shared_ptr<session>;

    session(asio::io_context& context, int fd)
        : Ending(context), stream_(asio::ip::tcp::socket(context, asio::ip::tcp::v4(), fd), tls()) {}

    static void read_request(const pointer& self) {
        self->stream_.async_handshake(asio::ssl::stream_base::server, [self](const asio::error_code& ec) {
            if (ec) return;
            self->stream_.async_read_some(asio::buffer(&self->request_, 1),
                                          [self](const asio::error_code&, std::size_t) {});
        });
    }

    static void close(pointer self) {
        session& s = *self;
        s.end(s.stream_, std::move(self));
    }

private:
    static asio::ssl::context& tls() {
        static asio::ssl::context context = tests::server_context<asio::ssl::context>();
        return context;
    }

    Stream stream_;
    char request_ = 0;
};

/// One of ours: `How` says how.
template <class How>
struct ours {
    explicit ours(asio::io_context&) noexcept {}

    template <class Stream, class Session>
    void end(Stream& stream, const Session&) {
        How::close(stream);
    }
};

/// async_shutdown with a timer as its bound, then the end of the socket. The timer is the session's, which has needed it
/// while it served, so a close allocates no object.
class by_hand {
public:
    explicit by_hand(asio::io_context& context) : timer_(context) {}

    template <class Stream, class Session>
    void end(Stream& stream, Session self) {
        timer_.expires_after(std::chrono::seconds(5));
        timer_.async_wait([&stream, self](const asio::error_code& cancelled) {
            asio::error_code ignored;
            if (!cancelled) stream.lowest_layer().close(ignored);
        });
        stream.async_shutdown([this, &stream, self = std::move(self)](const asio::error_code&) {
            timer_.cancel();
            asio::error_code ignored;
            stream.lowest_layer().shutdown(asio::ip::tcp::socket::shutdown_both, ignored);
            stream.lowest_layer().close(ignored);
        });
    }

private:
    asio::steady_timer timer_;
};

} // namespace benchmark_tls

#endif
