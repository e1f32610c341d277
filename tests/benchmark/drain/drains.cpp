// SPDX-License-Identifier: BSL-1.0
#include "drains.hpp"

#include "support/loopback_tcp.hpp"

#include <closeside/stream.hpp>

#include <asio/io_context.hpp>
#include <asio/ip/tcp.hpp>
#include <asio/steady_timer.hpp>

#include <array>
#include <chrono>
#include <memory>
#include <stdexcept>
#include <utility>

#include <sys/epoll.h>

namespace benchmark_drain {

namespace {

using tcp = asio::ip::tcp;

constexpr std::chrono::seconds limit{60};

constexpr closeside::close_policy patient{.drain_time = limit, .drain_idle = limit};

class session : public std::enable_shared_from_this<session> {
public:
    session(tcp::socket&& socket, std::uint64_t& bytes)
        : socket_(std::move(socket)), timer_(socket_.get_executor()), bytes_(bytes) {}

    void close() {
        socket_.shutdown(tcp::socket::shutdown_send);
        timer_.expires_after(limit);
        timer_.async_wait([self = shared_from_this()](const asio::error_code& ec) {
            asio::error_code ignored;
            if (!ec) self->socket_.close(ignored);
        });
        read();
    }

private:
    void read() {
        socket_.async_read_some(asio::buffer(buffer_),
                                [self = shared_from_this()](const asio::error_code& ec, std::size_t n) {
                                    self->bytes_ += n;
                                    if (!ec) return self->read();
                                    asio::error_code ignored;
                                    self->timer_.cancel();
                                    self->socket_.close(ignored);
                                });
    }

    tcp::socket socket_;
    asio::steady_timer timer_;
    std::array<char, 65536> buffer_{};
    std::uint64_t& bytes_;
};

tcp::socket adopt(asio::io_context& context, int fd) {
    tcp::socket socket(context);
    socket.assign(tcp::v4(), fd);
    return socket;
}

} // namespace

std::uint64_t drain_by_policy(int fd) {
    asio::io_context context(1);
    closeside::stream<patient> stream(adopt(context, fd));
    std::uint64_t bytes = 0;
    stream.async_close([&](const asio::error_code&, const closeside::close_report& r) { bytes = r.discarded; });
    context.run();
    return bytes;
}

std::uint64_t drain_with_asio(int fd) {
    asio::io_context context(1);
    std::uint64_t bytes = 0;
    std::make_shared<session>(adopt(context, fd), bytes)->close();
    context.run();
    return bytes;
}

std::uint64_t drain_with_epoll(int fd) {
    const tests::descriptor socket(fd), epoll(tests::checked(::epoll_create1(EPOLL_CLOEXEC), "epoll_create1"));
    ::epoll_event event{EPOLLIN | EPOLLRDHUP | EPOLLET, {}};
    tests::checked(::epoll_ctl(epoll.get(), EPOLL_CTL_ADD, fd, &event), "epoll_ctl");
    tests::checked(::shutdown(fd, SHUT_WR), "shutdown");
    const auto end = std::chrono::steady_clock::now() + limit;
    std::array<char, 4096> buffer;
    for (std::uint64_t bytes = 0;;) {
        ssize_t n;
        while ((n = ::recv(fd, buffer.data(), buffer.size(), MSG_DONTWAIT)) > 0) bytes += static_cast<std::uint64_t>(n);
        const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(end - std::chrono::steady_clock::now());
        if (n == 0 || errno != EAGAIN || left.count() <= 0) return bytes;
        ::epoll_wait(epoll.get(), &event, 1, static_cast<int>(left.count()));
    }
}

} // namespace benchmark_drain
