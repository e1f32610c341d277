// SPDX-License-Identifier: BSL-1.0
#include "peers.hpp"

#include <array>
#include <cerrno>
#include <chrono>
#include <stdexcept>
#include <string>
#include <system_error>
#include <utility>

#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <sched.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

namespace benchmark_close {

namespace {

constexpr std::chrono::seconds limit{10};

int checked(int result, const char* call) {
    if (result < 0) throw std::system_error(errno, std::generic_category(), call);
    return result;
}

void wait_for_input(int fd, int bytes) {
    const auto deadline = std::chrono::steady_clock::now() + limit;
    for (int there = 0; there != bytes; ::sched_yield()) {
        checked(::ioctl(fd, FIONREAD, &there), "ioctl FIONREAD");
        if (std::chrono::steady_clock::now() > deadline)
            throw std::runtime_error(std::to_string(there) + " of " + std::to_string(bytes) +
                                     " bytes have arrived in 10 s: is the receive buffer too small?");
    }
}

/// False for a reset.
bool reads_to_end(int fd) {
    std::array<char, 4096> buffer{};
    ssize_t n = 0;
    do {
        n = ::recv(fd, buffer.data(), buffer.size(), 0);
    } while (n > 0);
    if (n < 0 && errno != ECONNRESET)
        throw std::system_error(errno, std::generic_category(), "the peer waits for the FIN of the close");
    // A reset that comes behind the FIN is no error of recv(2).
    int error = 0;
    socklen_t size = sizeof error;
    checked(::getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &size), "getsockopt SO_ERROR");
    return n == 0 && error == 0;
}

} // namespace

peers::peers() : listener_(checked(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), "socket")) {
    // The upload must fit before the closing side reads any of it.
    const int room = 8 * static_cast<int>(upload_size);
    checked(::setsockopt(listener_, SOL_SOCKET, SO_RCVBUF, &room, sizeof room), "setsockopt SO_RCVBUF");
    ::sockaddr_in loopback{};
    loopback.sin_family = AF_INET;
    loopback.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    checked(::bind(listener_, reinterpret_cast<::sockaddr*>(&loopback), sizeof loopback), "bind");
    checked(::listen(listener_, SOMAXCONN), "listen");
}

peers::~peers() {
    for (const connection& c : connections_) ::close(c.peer);
    ::close(listener_);
}

std::vector<int> peers::connect(unsigned connections) {
    ::sockaddr_in address{};
    socklen_t size = sizeof address;
    checked(::getsockname(listener_, reinterpret_cast<::sockaddr*>(&address), &size), "getsockname");
    const ::timeval patience{limit.count(), 0};
    std::vector<int> accepted;
    for (unsigned i = 0; i != connections; ++i) {
        const int peer = checked(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), "socket");
        connections_.push_back({peer, -1});
        checked(::setsockopt(peer, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience), "setsockopt SO_RCVTIMEO");
        checked(::connect(peer, reinterpret_cast<const ::sockaddr*>(&address), size), "connect");
        connections_.back().accepted =
            checked(::accept4(listener_, nullptr, nullptr, SOCK_CLOEXEC | SOCK_NONBLOCK), "accept4");
        accepted.push_back(connections_.back().accepted);
    }
    return accepted;
}

std::size_t peers::send(std::size_t index, const std::vector<char>& data) {
    if (::send(connections_[index].peer, data.data(), data.size(), MSG_NOSIGNAL) != static_cast<ssize_t>(data.size()))
        throw std::system_error(errno, std::generic_category(), "send");
    return data.size();
}

void peers::send_to_all(std::size_t bytes) {
    const std::vector<char> data(bytes);
    for (std::size_t i = 0; i != connections_.size(); ++i)
        wait_for_input(connections_[i].accepted, static_cast<int>(send(i, data)));
}

bool peers::send_request() {
    send_to_all(1);
    return true;
}

void peers::send_upload() { send_to_all(upload_size); }

void peers::leave() {
    for (const connection& c : connections_) {
        checked(::shutdown(c.peer, SHUT_WR), "shutdown");
        wait_for_fin(c);
    }
}

void peers::answer() { read_to_end(); }

unsigned peers::end() { return std::exchange(resets_, 0); }

void peers::read_to_end() {
    while (!connections_.empty()) {
        const connection c = connections_.back();
        connections_.pop_back();
        if (!reads_to_end(c.peer)) ++resets_;
        ::close(c.peer);
        wait_for_fin(c);
    }
}

void peers::wait_for_fin(const connection& c) {
    ::pollfd end{c.accepted, POLLRDHUP, 0};
    const bool closed = ::fcntl(c.accepted, F_GETFD) < 0;
    if (!closed && ::poll(&end, 1, std::chrono::milliseconds(limit).count()) == 0)
        throw std::runtime_error("the peer's FIN has not come in 10 s");
}

} // namespace benchmark_close
