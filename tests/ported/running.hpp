// SPDX-License-Identifier: BSL-1.0
#ifndef CLOSESIDE_TESTS_PORTED_RUNNING_HPP
#define CLOSESIDE_TESTS_PORTED_RUNNING_HPP

#include "observation/watchdog.hpp"
#include "support/kernel_view.hpp"

#include <asio/ip/tcp.hpp>

#include <atomic>
#include <chrono>
#include <exception>
#include <string>
#include <thread>

namespace ported {

/// A server whose run() is on a thread of its own, and ends with this.
template <class Server>
class running {
public:
    running() : server_({asio::ip::address_v4::loopback(), 0}), at_(server_.endpoint()), thread_([this] { run(); }) {}
    running(const running&) = delete;
    running& operator=(const running&) = delete;
    ~running() {
        if (!returned_) server_.stop();
    }

    const asio::ip::tcp::endpoint& at() const { return at_; }

    /// Has run() returned, or thrown?
    bool has_exited() const { return returned_; }

    /// run() returns within five seconds of its being told, and without an exception. For when the peers are gone.
    bool stops() {
        server_.stop();
        return kernel_view::eventually([&] { return returned_.load(); }) && !threw_;
    }

private:
    void run() {
        try {
            server_.run();
        } catch (...) {
            threw_ = true;
        }
        returned_ = true;
    }

    observation::watchdog watchdog_{"closeside-ported-tests", std::chrono::seconds(50)};
    Server server_;
    asio::ip::tcp::endpoint at_;
    std::atomic<bool> threw_ = false, returned_ = false;
    std::jthread thread_; // last: joined first
};

} // namespace ported

#endif
