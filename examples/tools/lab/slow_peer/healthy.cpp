// SPDX-License-Identifier: BSL-1.0
#include "healthy.hpp"

#include "../support/observed.hpp"

#include "connected.hpp"

#include <algorithm>
#include <cerrno>
#include <system_error>
#include <utility>

#include <netinet/tcp.h>
#include <sys/time.h>

namespace lab::slow_peer {

namespace {

constexpr std::chrono::milliseconds interval(2);

} // namespace

healthy_client::healthy_client(const std::string& server, std::uint16_t port) : socket_(connected(server, port)) {
    const int on = 1;
    const timeval limit{.tv_sec = 20, .tv_usec = 0};
    ::setsockopt(socket_.get(), IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    ::setsockopt(socket_.get(), SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
}

void healthy_client::ping() {
    char byte = 'x';
    const auto sent = steady::now();
    if (::send(socket_.get(), &byte, 1, MSG_NOSIGNAL) != 1)
        throw std::system_error(errno, std::generic_category(), "send to the echo");
    const auto received = ::recv(socket_.get(), &byte, 1, 0);
    if (received == 0) throw std::system_error(ECONNRESET, std::generic_category(), "the echo closed");
    if (received < 0) throw std::system_error(errno, std::generic_category(), "wait for the echo");
    const auto now = steady::now();
    for (auto due = sent; due < now; due += interval)
        latencies_.push_back(std::chrono::duration<double, std::milli>(now - due).count());
}

std::vector<double> healthy_client::take() {
    std::sort(latencies_.begin(), latencies_.end());
    return std::exchange(latencies_, {});
}

double quantile(const std::vector<double>& rising, double share) {
    if (rising.empty()) return 0;
    return rising[std::min(rising.size() - 1, static_cast<std::size_t>(share * static_cast<double>(rising.size())))];
}

} // namespace lab::slow_peer
