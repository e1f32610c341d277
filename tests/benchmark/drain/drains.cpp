// SPDX-License-Identifier: BSL-1.0
#include "drains.hpp"

#include "support/loopback_tcp.hpp"

#include <closeside/stream.hpp>

#include <asio/io_context.hpp>
#include <asio/ip/tcp.hpp>
#include <asio/steady_timer.hpp>

#include <array>
#include <cerrno>
#include <chrono>
#include <cstddef>
#include <memory>
#include <stdexcept>
#include <utility>

#include <sys/epoll.h>
#include <sys/socket.h>

namespace benchmark_drain {

namespace {

using tcp = asio::ip::tcp;

constexpr std::chrono::seconds limit{60};

constexpr closeside::close_policy patient{.drain_time = limit, .drain_idle = limit};

/// All that the kernel has in its queue, thrown away there.
ssize_t discard(int fd) { return ::recv(fd, nullptr, std::size_t{1} << 30, MSG_TRUNC | MSG_DONTWAIT); }

/// Reads into memory, or not.
enum class reading { copied, uncopied };

template <reading How>
class session : public std::enable_shared_from_this<session<How>> {
public:
    session(tcp::socket&& socket, std::uint64_t& bytes)
        : socket_(std::move(socket)), timer_(socket_.get_executor()), bytes_(bytes) {}

    void close() {
        socket_.shutdown(tcp::socket::shutdown_send);
        timer_.expires_after(limit);
        timer_.async_wait([self = this->shared_from_this()](const asio::error_code& ec) {
            asio::error_code ignored;
            if (!ec) self->socket_.close(ignored);
        });
        read();
    }

private:
    void read() {
        if constexpr (How == reading::copied)
            socket_.async_read_some(asio::buffer(buffer_),
                                    [self = this->shared_from_this()](const asio::error_code& ec, std::size_t n) {
                                        self->bytes_ += n;
                                        ec ? self->end() : self->read();
                                    });
        else
            socket_.async_wait(tcp::socket::wait_read, [self = this->shared_from_this()](const asio::error_code& ec) {
                ec || self->discard_all() ? self->end() : self->read();
            });
    }

    /// True at the end of what the peer sends.
    bool discard_all() {
        ssize_t n;
        while ((n = discard(socket_.native_handle())) > 0) bytes_ += static_cast<std::uint64_t>(n);
        return n == 0 || errno != EAGAIN;
    }

    void end() {
        asio::error_code ignored;
        timer_.cancel();
        socket_.close(ignored);
    }

    tcp::socket socket_;
    asio::steady_timer timer_;
    std::array<char, How == reading::copied ? 65536 : 0> buffer_{};
    std::uint64_t& bytes_;
};

tcp::socket adopt(asio::io_context& context, int fd) {
    tcp::socket socket(context);
    socket.assign(tcp::v4(), fd);
    return socket;
}

template <reading How>
std::uint64_t drain_by_session(int fd) {
    asio::io_context context(1);
    std::uint64_t bytes = 0;
    std::make_shared<session<How>>(adopt(context, fd), bytes)->close();
    context.run();
    return bytes;
}

template <class Receive>
std::uint64_t drain_by_epoll(int fd, Receive receive) {
    const tests::descriptor socket(fd), epoll(tests::checked(::epoll_create1(EPOLL_CLOEXEC), "epoll_create1"));
    ::epoll_event event{EPOLLIN | EPOLLRDHUP | EPOLLET, {}};
    tests::checked(::epoll_ctl(epoll.get(), EPOLL_CTL_ADD, fd, &event), "epoll_ctl");
    tests::checked(::shutdown(fd, SHUT_WR), "shutdown");
    const auto end = std::chrono::steady_clock::now() + limit;
    for (std::uint64_t bytes = 0;;) {
        ssize_t n;
        while ((n = receive(fd)) > 0) bytes += static_cast<std::uint64_t>(n);
        const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(end - std::chrono::steady_clock::now());
        if (n == 0 || errno != EAGAIN || left.count() <= 0) return bytes;
        ::epoll_wait(epoll.get(), &event, 1, static_cast<int>(left.count()));
    }
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

std::uint64_t drain_with_asio(int fd) { return drain_by_session<reading::copied>(fd); }
std::uint64_t drain_with_asio_uncopied(int fd) { return drain_by_session<reading::uncopied>(fd); }

std::uint64_t drain_with_epoll(int fd) {
    std::array<char, 4096> buffer;
    return drain_by_epoll(fd, [&](int from) { return ::recv(from, buffer.data(), buffer.size(), MSG_DONTWAIT); });
}
std::uint64_t drain_with_epoll_uncopied(int fd) { return drain_by_epoll(fd, discard); }

} // namespace benchmark_drain
