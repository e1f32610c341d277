// SPDX-License-Identifier: BSL-1.0
#include "load.hpp"

#include "connection.hpp"
#include "message.hpp"

#include "benchmark/support/process.hpp"

#include <array>
#include <stdexcept>
#include <string>
#include <utility>

#include <poll.h>

namespace benchmark_serve {

namespace {

/// Of one reply, read until the end or until it is complete.
std::size_t first_reply_size(std::uint16_t port, client behaviour) {
    const int fd = connect_and_ask(port);
    std::string reply;
    std::array<char, 4096> buffer;
    for (ssize_t n; (n = ::recv(fd, buffer.data(), buffer.size(), 0)) > 0;) {
        reply.append(buffer.data(), static_cast<std::size_t>(n));
        if (behaviour == client::closes_when_complete && reply.ends_with(body())) break;
    }
    ::close(fd);
    const std::size_t header = reply.find(blank_line);
    if (!reply.starts_with("HTTP/1.1 200 ") || header == reply.npos ||
        reply.find("Content-Length: " + std::to_string(body_size) + "\r\n") == reply.npos ||
        reply.substr(header + blank_line.size()) != body())
        throw std::runtime_error("this is not the reply that the server should send: '" + reply + "'");
    return reply.size();
}

} // namespace

load::load(std::uint16_t port, client behaviour)
    : port_(port), behaviour_(behaviour), reply_size_(first_reply_size(port, behaviour)) {}

load::~load() {
    for (const int fd : under_way_)
        if (fd >= 0) ::close(fd);
}

void load::ask(unsigned connections) {
    for (; connections != 0; --connections) under_way_.push_back(connect_and_ask(port_));
}

std::chrono::nanoseconds load::finish() {
    const auto before = benchmark_support::own_processor_time();
    std::chrono::nanoseconds waiting{};
    for (int& fd : under_way_) {
        waiting += wait_for_reply(fd);
        read_reply(fd);
        ::close(std::exchange(fd, -1));
    }
    under_way_.clear();
    return benchmark_support::own_processor_time() - before - waiting;
}

std::chrono::nanoseconds load::wait_for_reply(int fd) const {
    ::pollfd p{fd, static_cast<short>(behaviour_ == client::closes_at_end ? POLLRDHUP : POLLIN), 0};
    if (::poll(&p, 1, 0) != 0) return {};
    const auto before = benchmark_support::own_processor_time();
    while (::poll(&p, 1, 0) == 0) continue;
    return benchmark_support::own_processor_time() - before;
}

void load::read_reply(int fd) const {
    std::array<char, 4096> buffer;
    // To ask for one byte more than there should be is to wait for the end.
    const std::size_t wanted = reply_size_ + (behaviour_ == client::closes_at_end ? 1 : 0);
    const ssize_t n = ::recv(fd, buffer.data(), wanted, MSG_WAITALL);
    if (n != static_cast<ssize_t>(reply_size_))
        throw std::runtime_error("a reply had " + std::to_string(n) + " bytes instead of " +
                                 std::to_string(reply_size_));
}

} // namespace benchmark_serve
