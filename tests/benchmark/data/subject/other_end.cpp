// SPDX-License-Identifier: BSL-1.0
#include "other_end.hpp"

#include "benchmark/support/measured_part.hpp"

#include <array>
#include <cerrno>
#include <chrono>
#include <stdexcept>
#include <system_error>

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <unistd.h>

namespace benchmark_data {

namespace {

constexpr std::chrono::seconds patience{10};

using chunk = std::array<char, operation_size * operations_ahead>;

void check(bool done, const char* call) {
    if (!done) throw std::system_error(errno, std::generic_category(), call);
}

class not_measured {
public:
    not_measured() : measured_(benchmark_support::measuring()) {
        if (measured_) benchmark_support::pause_measuring();
    }
    not_measured(const not_measured&) = delete;
    not_measured& operator=(const not_measured&) = delete;
    ~not_measured() {
        if (measured_) benchmark_support::resume_measuring();
    }

private:
    bool measured_;
};

} // namespace

other_end::other_end() {
    const int listener = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    check(listener >= 0, "socket");
    ::sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof address;
    auto* const to = reinterpret_cast<::sockaddr*>(&address);
    check(::bind(listener, to, size) == 0, "bind");
    check(::listen(listener, 1) == 0, "listen");
    check(::getsockname(listener, to, &size) == 0, "getsockname");
    fd_ = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    check(fd_ >= 0 && ::connect(fd_, to, size) == 0, "connect");
    measured_ = ::accept4(listener, nullptr, nullptr, SOCK_CLOEXEC | SOCK_NONBLOCK);
    check(measured_ >= 0, "accept4");
    ::close(listener);
    const int on = 1;
    check(::setsockopt(measured_, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on) == 0, "setsockopt TCP_NODELAY");
    const ::timeval limit{patience.count(), 0};
    check(::setsockopt(fd_, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit) == 0, "setsockopt SO_RCVTIMEO");
}

other_end::~other_end() { ::close(fd_); }

int other_end::release() { return measured_; }

void other_end::feed() {
    const not_measured here;
    const chunk data{};
    const auto sent = static_cast<ssize_t>(data.size());
    check(::send(fd_, data.data(), data.size(), MSG_NOSIGNAL) == sent, "send");
    const auto deadline = std::chrono::steady_clock::now() + patience;
    for (chunk seen; ::recv(measured_, seen.data(), seen.size(), MSG_PEEK | MSG_DONTWAIT) != sent;)
        if (std::chrono::steady_clock::now() > deadline) throw std::runtime_error("what was sent has not come in 10 s");
}

void other_end::drain() {
    const not_measured here;
    chunk data;
    check(::recv(fd_, data.data(), data.size(), MSG_WAITALL) == static_cast<ssize_t>(data.size()), "recv");
}

} // namespace benchmark_data
