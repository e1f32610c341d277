// SPDX-License-Identifier: BSL-1.0
// An echo server with callbacks on a pool of threads, a strand for each connection. Start `server_callbacks [port
// [threads]]`, then `nc -N 127.0.0.1 7011`; its log has a line for each connection.
#include <closeside/closeside.hpp>

#include "number.hpp"

#include <asio/buffer.hpp>
#include <asio/detached.hpp>
#include <asio/post.hpp>
#include <asio/signal_set.hpp>
#include <asio/strand.hpp>
#include <asio/thread_pool.hpp>
#include <asio/write.hpp>

#include <array>
#include <chrono>
#include <csignal>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <exception>
#include <iostream>
#include <memory>
#include <utility>

namespace cs = closeside;
using namespace std::chrono_literals;

namespace {

constexpr cs::close_policy front_end = cs::policies::graceful;
using strand = asio::strand<asio::thread_pool::executor_type>;
using stream = cs::basic_stream<front_end, strand>;

class session : public std::enable_shared_from_this<session> {
public:
    session(stream client, cs::orderly_stop& stop) : client_(std::move(client)), here_(stop, client_) {}

    void start() {
        asio::post(client_.get_executor(), [self = shared_from_this()] { self->read(); });
    }

private:
    void read() {
        // A stop ends this read, and no reply.
        client_.async_read_some(
            asio::buffer(data_), here_.idle([self = shared_from_this()](cs::error_code failed, std::size_t n) {
                if (failed) return self->close();
                asio::async_write(self->client_, asio::buffer(self->data_, n),
                                  [self](cs::error_code ec, std::size_t) { ec ? self->close() : self->read(); });
            }));
    }

    /// The operation owns the connection: the session may go.
    void close() {
        client_.async_close([](cs::error_code ec, const cs::close_report& report) {
            std::clog << "closed: " + ec.message() + ": " + to_string(report) + '\n'; // in one piece
        });
    }

    stream client_;
    cs::orderly_stop::member here_;
    std::array<char, 16 * 1024> data_{};
};

void accept_next(cs::acceptor<front_end>& listener, asio::thread_pool& pool, cs::orderly_stop& stop) {
    // The handler runs on the listener's strand, and the connection gets one of its own.
    listener.async_accept(asio::make_strand(pool), [&](cs::error_code ec, stream client) {
        if (ec == asio::error::operation_aborted) return; // the server stops
        if (!ec) std::make_shared<session>(std::move(client), stop)->start();
        accept_next(listener, pool, stop);
    });
}

} // namespace

int main(int argc, char** argv) {
    try {
        const std::uint16_t port = argc > 1 ? number(argv[1]) : 7011;
        asio::thread_pool pool(argc > 2 ? number(argv[2]) : 4);
        const auto main_strand = asio::make_strand(pool); // the acceptor must not be used by two threads at once
        cs::acceptor<front_end> listener(main_strand, {asio::ip::tcp::v4(), port});
        cs::orderly_stop stop(main_strand);
        stop.add(listener);
        asio::signal_set signals(main_strand, SIGINT, SIGTERM);
        signals.async_wait([&](cs::error_code, int) {
            signals.clear(); // a second signal ends the process
            stop.async_stop({.within = 20s}, asio::detached);
        });
        std::clog << "echoing on " << listener.local_endpoint() << '\n';
        asio::post(main_strand, [&] { accept_next(listener, pool, stop); });
        pool.join(); // until the last connection has ended, those too that close in the background
    } catch (const std::exception& e) {
        std::cerr << "server_callbacks: " << e.what() << '\n';
        return EXIT_FAILURE;
    }
}
