// SPDX-License-Identifier: BSL-1.0
#ifndef CLOSESIDE_TESTS_PORTED_PEER_HPP
#define CLOSESIDE_TESTS_PORTED_PEER_HPP

#include "observation/descriptor.hpp"

#include <asio/ip/tcp.hpp>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <chrono>
#include <cstddef>
#include <stdexcept>
#include <stop_token>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include <poll.h>
#include <sys/socket.h>
#include <sys/time.h>

namespace ported {

using asio::ip::tcp;

/// No healthy client waits as long for its whole reply, whatever the others do.
inline constexpr std::chrono::seconds healthy_bound{3};

/// A client of the program under test: a descriptor driven by hand. No wait of it is longer than `limit`.
class peer {
public:
    explicit peer(const tcp::endpoint& to, std::chrono::milliseconds limit = std::chrono::seconds(5))
        : fd_(::socket(to.protocol().family(), SOCK_STREAM | SOCK_CLOEXEC, 0)), limit_(limit) {
        const ::timeval five_seconds{5, 0};
        ::setsockopt(fd_.get(), SOL_SOCKET, SO_SNDTIMEO, &five_seconds, sizeof five_seconds); // bounds connect(2)
        if (::connect(fd_.get(), to.data(), static_cast<socklen_t>(to.size())) != 0)
            throw std::runtime_error("peer: connect");
        socklen_t size = static_cast<socklen_t>(local_.capacity());
        ::getsockname(fd_.get(), local_.data(), &size);
        local_.resize(size);
    }

    const tcp::endpoint& local() const { return local_; }
    int fd() const { return fd_.get(); }

    /// False if the connection has ended, or takes no more.
    bool send(std::string_view data) {
        while (!data.empty()) {
            const ssize_t n = ::send(fd_.get(), data.data(), data.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
            if (n < 0 && !(errno == EAGAIN && becomes(POLLOUT))) return false;
            if (n > 0) data.remove_prefix(static_cast<std::size_t>(n));
        }
        return true;
    }

    /// Appends to `all` what comes until `done(all)`, the end of the stream, or an error, which is then in error().
    template <class Done>
    void read_until(std::string& all, Done done) {
        std::vector<char> buffer(64 * 1024);
        while (!done(all)) {
            const ssize_t n = ::recv(fd_.get(), buffer.data(), buffer.size(), MSG_DONTWAIT);
            if (n < 0 && errno == EAGAIN && becomes(POLLIN)) continue;
            error_ = n < 0 ? errno : 0; // EAGAIN: nothing came
            if (n <= 0) return;
            all.append(buffer.data(), static_cast<std::size_t>(n));
        }
    }
    std::string read_to_end() {
        std::string all;
        read_until(all, [](const std::string&) { return false; });
        return all;
    }
    int error() const { return error_; }

    void half_close() { ::shutdown(fd_.get(), SHUT_WR); }
    void close() { fd_.close(); }
    void reset() {
        const ::linger abort{1, 0};
        ::setsockopt(fd_.get(), SOL_SOCKET, SO_LINGER, &abort, sizeof abort);
        close();
    }

private:
    bool becomes(short event) const {
        ::pollfd p{fd_.get(), event, 0};
        return ::poll(&p, 1, static_cast<int>(limit_.count())) == 1;
    }

    observation::descriptor fd_;
    std::chrono::milliseconds limit_;
    tcp::endpoint local_;
    int error_ = 0;
};

/// Sends on and on over all these connections, as fast as they take it, until it is destroyed.
class flood {
public:
    explicit flood(const std::vector<peer>& peers) {
        for (const peer& p : peers) polled_.push_back({p.fd(), POLLOUT, 0});
        live_ = polled_.size();
        thread_ = std::jthread([this](std::stop_token stop) { run(stop); });
    }

    std::size_t sent() const { return sent_; }
    /// How many of the connections have not ended.
    std::size_t live() const { return live_; }

private:
    void run(std::stop_token stop) {
        const std::string data(64 * 1024, 'f');
        while (!stop.stop_requested()) {
            ::poll(polled_.data(), polled_.size(), 10);
            for (::pollfd& p : polled_) {
                if ((p.revents & POLLOUT) == 0) continue;
                const ssize_t n = ::send(p.fd, data.data(), data.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
                if (n > 0) sent_ += static_cast<std::size_t>(n);
                if (n < 0 && errno != EAGAIN) {
                    p.fd = -1; // the connection has ended
                    --live_;
                }
            }
        }
    }

    std::vector<::pollfd> polled_;
    std::atomic<std::size_t> sent_ = 0, live_ = 0;
    std::jthread thread_; // last: stopped and joined first
};

} // namespace ported

#endif
