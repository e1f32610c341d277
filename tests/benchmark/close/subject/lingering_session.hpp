// SPDX-License-Identifier: BSL-1.0
#ifndef CLOSESIDE_BENCHMARK_CLOSE_LINGERING_SESSION_HPP
#define CLOSESIDE_BENCHMARK_CLOSE_LINGERING_SESSION_HPP

#include <asio/io_context.hpp>
#include <asio/ip/tcp.hpp>
#include <asio/steady_timer.hpp>

#include <array>
#include <chrono>
#include <cstddef>
#include <memory>
#include <utility>

namespace benchmark_close {

/// 4 KiB in each session, which reads its requests into it too.
struct own_buffer {
    std::array<char, 4096> data;
    auto operator()() { return asio::buffer(data); }
};

/// 64 KiB for all sessions: what is read here is thrown away, so they need not have one each.
struct shared_buffer {
    static inline std::array<char, 64 * 1024> data;
    auto operator()() { return asio::buffer(data); }
};

/// A lingering close as it is written by hand: FIN, read until the peer's, at most 5 s.
/** Timer and buffer are the session's own, which has needed both while it served, so a close allocates no object. */
template <class Buffer>
class lingering_session {
public:
    using pointer = std::shared_ptr<lingering_session>;

    lingering_session(asio::io_context& context, int fd) : socket_(context, asio::ip::tcp::v4(), fd), timer_(context) {}

    static void read_request(const pointer& self) {
        self->socket_.async_read_some(asio::buffer(&self->request_, 1),
                                      [self](const asio::error_code&, std::size_t) {});
    }

    static void close(pointer self) {
        asio::error_code ec;
        self->socket_.shutdown(asio::ip::tcp::socket::shutdown_send, ec);
        if (ec) return self->finish();
        self->timer_.expires_after(std::chrono::seconds(5));
        self->timer_.async_wait([self](const asio::error_code& cancelled) {
            if (!cancelled) self->finish();
        });
        discard(std::move(self));
    }

private:
    static void discard(pointer self) {
        lingering_session& s = *self;
        s.socket_.async_read_some(s.buffer_(),
                                  [self = std::move(self)](const asio::error_code& ec, std::size_t) mutable {
                                      if (ec) return self->finish();
                                      discard(std::move(self));
                                  });
    }

    void finish() {
        timer_.cancel();
        asio::error_code ignored;
        socket_.close(ignored);
    }

    asio::ip::tcp::socket socket_;
    asio::steady_timer timer_;
    Buffer buffer_;
    char request_ = 0;
};

} // namespace benchmark_close

#endif
