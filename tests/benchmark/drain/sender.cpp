// SPDX-License-Identifier: BSL-1.0
#include "sender.hpp"

#include "benchmark/support/process.hpp"

#include <algorithm>
#include <cerrno>
#include <stdexcept>
#include <thread>
#include <vector>

#include <sys/prctl.h>
#include <sys/time.h>

namespace benchmark_drain {

namespace {

using benchmark_support::channel;
using clock = std::chrono::steady_clock;
using tests::checked;

/// No step takes longer, or something is broken.
constexpr std::chrono::seconds limit{60};

enum class word : char { connected, begin, sent, failed };

struct order {
    load what;
    std::uint16_t port;
};

void bound(const tests::descriptor& socket, int option) {
    const ::timeval time{limit.count(), 0};
    checked(::setsockopt(socket.get(), SOL_SOCKET, option, &time, sizeof time), "a socket's timeout");
}

bool send_all(const tests::descriptor& socket, const load& l) {
    const std::vector<char> bytes(l.write, 'x');
    auto next = clock::now();
    for (std::uint64_t left = l.bytes; left > 0;) {
        const ssize_t n = ::send(socket.get(), bytes.data(), std::min<std::uint64_t>(left, l.write), MSG_NOSIGNAL);
        if (n < 0) return false;
        left -= static_cast<std::uint64_t>(n);
        next += l.interval;
        if (l.interval.count() > 0) std::this_thread::sleep_until(next);
    }
    return true;
}

void serve_one(const channel& orders, const order& o) {
    const tests::descriptor socket(checked(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), "socket"));
    const auto to = tests::loopback_tcp::at(o.port);
    bound(socket, SO_SNDTIMEO);
    bound(socket, SO_RCVTIMEO);
    checked(::connect(socket.get(), tests::loopback_tcp::generic(to), sizeof to), "connect");
    orders.send(word::connected);
    if (orders.receive<word>(limit) != word::begin) throw std::runtime_error("the sender was not told to begin");
    bool sent = send_all(socket, o.what);
    char end;
    sent = sent && ::shutdown(socket.get(), SHUT_WR) == 0 && ::recv(socket.get(), &end, 1, 0) == 0;
    orders.send(sent ? word::sent : word::failed);
}

void send_as_told(const channel& orders) {
    benchmark_support::pin_to_processor(1);
    ::prctl(PR_SET_TIMERSLACK, 1UL); // the intervals are of the order of the 50 µs that a sleep may else be late by
    while (const auto o = orders.receive<order>(std::chrono::minutes(10))) serve_one(orders, *o);
}

} // namespace

sender::sender()
    : listener_(checked(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), "socket")),
      process_([](const channel& orders) { send_as_told(orders); }) {
    auto here = tests::loopback_tcp::at(0);
    socklen_t size = sizeof here;
    checked(::bind(listener_.get(), tests::loopback_tcp::generic(here), size), "bind");
    checked(::listen(listener_.get(), 1), "listen");
    checked(::getsockname(listener_.get(), reinterpret_cast<::sockaddr*>(&here), &size), "getsockname");
    port_ = ntohs(here.sin_port);
}

int sender::connect(const load& l) {
    process_.to().send(order{l, port_});
    if (process_.to().receive<word>(limit) != word::connected) throw std::runtime_error("the sender did not connect");
    return checked(::accept4(listener_.get(), nullptr, nullptr, SOCK_CLOEXEC), "accept4"); // it waits in the backlog
}

void sender::begin() { process_.to().send(word::begin); }

void sender::finish() {
    if (process_.to().receive<word>(limit) != word::sent)
        throw std::runtime_error("the sender could not send everything and see the end");
}

} // namespace benchmark_drain
