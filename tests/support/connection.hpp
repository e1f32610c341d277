// SPDX-License-Identifier: BSL-1.0
#ifndef CLOSESIDE_TESTS_SUPPORT_CONNECTION_HPP
#define CLOSESIDE_TESTS_SUPPORT_CONNECTION_HPP

#include "support/kernel_view.hpp"
#include "support/run_until.hpp"

#include <closeside/acceptor.hpp>
#include <closeside/stream.hpp>

#include <asio/buffer.hpp>
#include <asio/io_context.hpp>
#include <asio/ip/tcp.hpp>

#include <cerrno>
#include <cstddef>
#include <optional>
#include <string>
#include <vector>

#include <sys/socket.h>
#include <unistd.h>

using asio::ip::tcp;

/// A loopback address of this process alone, for tests that count what has a port: other tests leave TIME-WAITs behind.
inline asio::ip::address_v4 own_loopback() {
    return asio::ip::address_v4(0x7f800000u | (static_cast<unsigned>(::getpid()) & 0x7fffffu));
}

/// The far end of a test connection: a plain descriptor, driven by hand, that no library touches.
class test_peer {
public:
    explicit test_peer(const tcp::endpoint& to)
        : test_peer(::socket(to.protocol().family(), SOCK_STREAM | SOCK_CLOEXEC, 0)) {
        if (fd_ < 0 || ::connect(fd_, to.data(), static_cast<socklen_t>(to.size())) != 0)
            throw std::runtime_error("test_peer: connect");
        socklen_t size = static_cast<socklen_t>(local_.capacity());
        ::getsockname(fd_, local_.data(), &size);
        local_.resize(size);
    }
    test_peer(const test_peer&) = delete;
    test_peer& operator=(const test_peer&) = delete;
    ~test_peer() { close(); }

    const tcp::endpoint& local() const { return local_; }
    int fd() const { return fd_; }

    void send(std::size_t bytes) {
        const std::string data(bytes, 'p');
        std::size_t sent = 0;
        while (sent < bytes) {
            const ssize_t n = ::send(fd_, data.data() + sent, bytes - sent, MSG_NOSIGNAL);
            if (n <= 0) throw std::runtime_error("test_peer: send");
            sent += static_cast<std::size_t>(n);
        }
    }

    /// As much as goes out without waiting.
    std::size_t flood() {
        const std::string data(256 * 1024, 'p');
        std::size_t sent = 0;
        while (true) {
            const ssize_t n = ::send(fd_, data.data(), data.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
            if (n <= 0) return sent;
            sent += static_cast<std::size_t>(n);
        }
    }

    struct result {
        std::size_t bytes = 0;
        int error = 0; ///< 0: end of file; EAGAIN: nothing more for now
    };

    /// Reads until end of file, an error, or `most` bytes.
    result read(std::size_t most = ~std::size_t{0}) { return read_with(0, most); }
    result read_available() { return read_with(MSG_DONTWAIT, ~std::size_t{0}); }

    void half_close() { ::shutdown(fd_, SHUT_WR); }
    void close() {
        if (fd_ >= 0) ::close(fd_);
        fd_ = -1;
    }
    void reset() {
        const ::linger abort{1, 0};
        ::setsockopt(fd_, SOL_SOCKET, SO_LINGER, &abort, sizeof abort);
        close();
    }

private:
    explicit test_peer(int fd) : fd_(fd) {} // what throws after it leaves no descriptor behind

    result read_with(int flags, std::size_t most) {
        result r;
        std::vector<char> buffer(64 * 1024);
        while (r.bytes < most) {
            const ssize_t n = ::recv(fd_, buffer.data(), std::min(buffer.size(), most - r.bytes), flags);
            if (n == 0) return r;
            if (n < 0) {
                r.error = errno;
                return r;
            }
            r.bytes += static_cast<std::size_t>(n);
        }
        return r;
    }

    int fd_;
    tcp::endpoint local_;
};

/// A connection from a test_peer to a stream<P>, over loopback.
template <closeside::close_policy P>
struct connection {
    explicit connection(const tcp::endpoint& at = {asio::ip::address_v4::loopback(), 0})
        : listener(io, at), peer(listener.local_endpoint()), stream(listener.accept()),
          local(stream->socket().local_endpoint()) {}

    /// The states of the two ends in the kernel.
    kernel_view::tcp_state local_state() const { return kernel_view::state(local, peer.local()); }
    kernel_view::tcp_state peer_state() const { return kernel_view::state(peer.local(), local); }

    bool local_becomes(kernel_view::tcp_state state) {
        return kernel_view::eventually([&] { return local_state() == state; });
    }
    bool peer_becomes(kernel_view::tcp_state state) {
        return kernel_view::eventually([&] { return peer_state() == state; });
    }

    /// Sends until neither send queue nor receive window takes any more; returns how much that was.
    std::size_t fill_send_queue() {
        const std::string data(1u << 20, 'r');
        stream->socket().non_blocking(true);
        std::size_t sent = 0;
        for (closeside::error_code ec; !ec;) sent += stream->write_some(asio::buffer(data), ec);
        return sent;
    }

    /// Runs the context until `done` holds; false after five seconds.
    template <class Done>
    bool run_until(Done done, std::chrono::milliseconds limit = std::chrono::seconds(5)) {
        return ::run_until(io, done, limit);
    }

    /// Runs what is ready.
    void poll() {
        io.restart();
        io.poll();
    }

    asio::io_context io;
    closeside::acceptor<P> listener;
    test_peer peer;
    std::optional<closeside::stream<P>> stream;
    tcp::endpoint local;
};

/// What an async_close has told, and how often.
struct close_result {
    int calls = 0;
    closeside::error_code ec;
    closeside::close_report report;

    auto handler() {
        return [this](closeside::error_code e, const closeside::close_report& r) {
            ++calls;
            ec = e;
            report = r;
        };
    }
};

#endif
