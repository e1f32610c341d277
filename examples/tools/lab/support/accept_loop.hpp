// SPDX-License-Identifier: BSL-1.0
#ifndef CLOSESIDE_LAB_SUPPORT_ACCEPT_LOOP_HPP
#define CLOSESIDE_LAB_SUPPORT_ACCEPT_LOOP_HPP

#include "observed.hpp"

#include <closeside/detail/asio/asio.hpp>

#include <asio/io_context.hpp>
#include <asio/ip/tcp.hpp>

#include <cstdint>
#include <functional>
#include <thread>
#include <utility>

namespace lab {

/// Accepts on a port of a host, on a thread of its own, until it is destroyed; `serve` gets each connection there.
/** It listens when it has been made. */
template <class Stream, class Acceptor>
class accept_loop {
public:
    accept_loop(const host& h, std::uint16_t port, std::function<void(Stream)> serve)
        : serve_(std::move(serve)),
          listener_(h.run([&] { return Acceptor(io_, asio::ip::tcp::endpoint(asio::ip::tcp::v4(), port)); })) {
        accept();
        thread_ = std::thread([this] { io_.run(); });
    }
    accept_loop(const accept_loop&) = delete;
    accept_loop& operator=(const accept_loop&) = delete;
    ~accept_loop() {
        io_.stop();
        thread_.join();
    }

private:
    void accept() {
        listener_.async_accept([this](closeside::error_code ec, Stream stream) {
            if (!ec) serve_(std::move(stream));
            accept();
        });
    }

    std::function<void(Stream)> serve_;
    asio::io_context io_{1};
    Acceptor listener_;
    std::thread thread_;
};

} // namespace lab

#endif
