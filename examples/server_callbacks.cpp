// SPDX-License-Identifier: BSL-1.0
// An echo server with callbacks on a pool of threads, a strand for each connection. Start `server_callbacks [port
// [threads]]`, then `nc -N 127.0.0.1 7011`; its log has a line for each connection.
#include <closeside/closeside.hpp>

#include <asio/buffer.hpp>
#include <asio/post.hpp>
#include <asio/signal_set.hpp>
#include <asio/strand.hpp>
#include <asio/thread_pool.hpp>
#include <asio/write.hpp>

#include <array>
#include <csignal>
#include <cstddef>
#include <cstdlib>
#include <exception>
#include <iostream>
#include <memory>
#include <mutex>
#include <set>
#include <string>
#include <utility>

namespace cs = closeside;

namespace {

constexpr cs::close_policy front_end = cs::policies::graceful;
using strand = asio::strand<asio::thread_pool::executor_type>;
using stream = cs::basic_stream<front_end, strand>;

class session;
std::mutex live_mutex;
std::set<session*> live; // those that read and write; a close goes on without them

class session : public std::enable_shared_from_this<session> {
public:
    explicit session(stream client) : client_(std::move(client)) {
        const std::lock_guard lock(live_mutex);
        live.insert(this);
    }
    ~session() {
        const std::lock_guard lock(live_mutex);
        live.erase(this);
    }

    void start() {
        asio::post(client_.get_executor(), [self = shared_from_this()] { self->read(); });
    }

    /// From any thread, with live_mutex held. The idle read ends; a reply is finished first.
    void stop() {
        asio::post(client_.get_executor(), [weak = weak_from_this()] {
            const auto self = weak.lock();
            if (!self) return;
            self->stopping_ = true;
            cs::error_code ignored;
            if (self->idle_) self->client_.cancel(ignored);
        });
    }

private:
    void read() {
        if (stopping_) return close();
        idle_ = true;
        client_.async_read_some(asio::buffer(data_), [self = shared_from_this()](cs::error_code failed, std::size_t n) {
            self->idle_ = false;
            if (failed) return self->close();
            asio::async_write(self->client_, asio::buffer(self->data_, n),
                              [self](cs::error_code ec, std::size_t) { ec ? self->close() : self->read(); });
        });
    }

    /// The operation owns the connection: the session may go.
    void close() {
        client_.async_close([](cs::error_code ec, const cs::close_report& report) {
            std::clog << "closed: " + ec.message() + ": " + to_string(report) + '\n'; // in one piece
        });
    }

    stream client_;
    std::array<char, 16 * 1024> data_{};
    bool idle_ = false, stopping_ = false;
};

void accept_next(cs::acceptor<front_end>& listener, asio::thread_pool& pool) {
    // The handler runs on the listener's strand, and the connection gets one of its own.
    listener.async_accept(asio::make_strand(pool), [&](cs::error_code ec, stream client) {
        if (ec || !listener.is_open()) return; // the server stops
        std::make_shared<session>(std::move(client))->start();
        accept_next(listener, pool);
    });
}

} // namespace

int main(int argc, char** argv) {
    try {
        const int port = argc > 1 ? std::stoi(argv[1]) : 7011;
        asio::thread_pool pool(argc > 2 ? std::stoul(argv[2]) : 4);
        const auto main_strand = asio::make_strand(pool); // the acceptor must not be used by two threads at once
        cs::acceptor<front_end> listener(main_strand, {asio::ip::tcp::v4(), static_cast<asio::ip::port_type>(port)});
        asio::signal_set signals(main_strand, SIGINT, SIGTERM);
        signals.async_wait([&](cs::error_code, int) {
            signals.clear(); // a second signal ends the process
            listener.close();
            const std::lock_guard lock(live_mutex);
            for (session* const s : live) s->stop();
        });
        std::clog << "echoing on " << listener.local_endpoint() << '\n';
        asio::post(main_strand, [&] { accept_next(listener, pool); });
        pool.join(); // until the last connection has ended, those too that close in the background
    } catch (const std::exception& e) {
        std::cerr << "server_callbacks: " << e.what() << '\n';
        return EXIT_FAILURE;
    }
}
