// SPDX-License-Identifier: BSL-1.0
#include "connected_pair.hpp"

#include <cerrno>
#include <chrono>
#include <stdexcept>
#include <system_error>

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

namespace benchmark_data {

namespace {

constexpr std::chrono::seconds patience{10};

void check(bool done, const char* call) {
    if (!done) throw std::system_error(errno, std::generic_category(), call);
}

} // namespace

connected_pair::connected_pair() {
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
    other_ = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    check(other_ >= 0 && ::connect(other_, to, size) == 0, "connect");
    measured_ = ::accept4(listener, nullptr, nullptr, SOCK_CLOEXEC | SOCK_NONBLOCK);
    check(measured_ >= 0, "accept4");
    ::close(listener);
    const int on = 1;
    check(::setsockopt(measured_, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on) == 0, "setsockopt TCP_NODELAY");
    const ::timeval limit{patience.count(), 0};
    check(::setsockopt(other_, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit) == 0, "setsockopt SO_RCVTIMEO");
}

connected_pair::~connected_pair() { ::close(other_); }

void connected_pair::wait_for_input(int bytes) const {
    const auto deadline = std::chrono::steady_clock::now() + patience;
    for (int there = 0; there != bytes;) {
        check(::ioctl(measured_, FIONREAD, &there) == 0, "ioctl FIONREAD");
        if (std::chrono::steady_clock::now() > deadline) throw std::runtime_error("what was sent has not come in 10 s");
    }
}

} // namespace benchmark_data
