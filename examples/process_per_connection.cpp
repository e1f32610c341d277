// SPDX-License-Identifier: BSL-1.0
// An echo server with a process for each connection. Start `process_per_connection [port]`, then `nc -N 127.0.0.1
// 7014`; each child logs a line when its connection has ended.
#include <closeside/closeside.hpp>

#include "number.hpp"

#include <asio/buffer.hpp>
#include <asio/io_context.hpp>
#include <asio/signal_set.hpp>
#include <asio/write.hpp>

#include <array>
#include <csignal>
#include <cstddef>
#include <cstdlib>
#include <exception>
#include <iostream>
#include <optional>
#include <set>
#include <utility>

#include <sys/wait.h>
#include <unistd.h>

namespace cs = closeside;

namespace {

constexpr cs::close_policy front_end = cs::policies::graceful;

class server {
public:
    explicit server(asio::ip::port_type port) : listener_(io_, {asio::ip::tcp::v4(), port}) {
        std::clog << "echoing on " << listener_.local_endpoint() << '\n';
        wait_for_stop();
        wait_for_children();
        accept();
    }
    void run() { io_.run(); }

private:
    void accept() {
        listener_.async_accept([this](cs::error_code ec, cs::stream<front_end> client) {
            if (ec) return; // the server stops
            io_.notify_fork(asio::io_context::fork_prepare);
            const pid_t child = ::fork();
            if (child == 0) {
                io_.notify_fork(asio::io_context::fork_child); // the connection is this process's from here on
                listener_.close();
                children_.clear();
                child_signal_.cancel();
                client_.emplace(std::move(client));
                return read();
            }
            io_.notify_fork(asio::io_context::fork_parent);
            if (child > 0) children_.insert(child);
            if (child > 0) client.disown(); // in the place of close: the wire and the input are the child's
            accept();
        });
    }

    void read() {
        if (stopping_) return close();
        idle_ = true;
        client_->async_read_some(asio::buffer(data_), [this](cs::error_code failed, std::size_t n) {
            idle_ = false;
            if (failed) return close();
            asio::async_write(*client_, asio::buffer(data_, n),
                              [this](cs::error_code ec, std::size_t) { ec ? close() : read(); });
        });
    }

    void close() {
        client_->async_close([this](cs::error_code ec, const cs::close_report& report) {
            std::clog << "closed: " + ec.message() + ": " + to_string(report) + '\n';
            stop_signal_.cancel(); // nothing is left to do: run() returns
        });
    }

    /// The parent accepts no more, tells its children, and ends after the last of them. A child ends its idle read, but
    /// no reply.
    void wait_for_stop() {
        stop_signal_.async_wait([this](cs::error_code ec, int) {
            if (ec) return;
            stopping_ = true;
            listener_.close();
            for (const pid_t child : children_) ::kill(child, SIGTERM);
            if (children_.empty()) child_signal_.cancel();
            if (idle_) client_->cancel();
        });
    }

    void wait_for_children() {
        child_signal_.async_wait([this](cs::error_code ec, int) {
            if (ec) return;
            for (pid_t child; (child = ::waitpid(-1, nullptr, WNOHANG)) > 0;) children_.erase(child);
            if (!stopping_ || !children_.empty()) wait_for_children();
        });
    }

    asio::io_context io_{1};
    cs::acceptor<front_end> listener_;
    asio::signal_set stop_signal_{io_, SIGINT, SIGTERM}, child_signal_{io_, SIGCHLD};
    std::set<pid_t> children_;                    // of the parent
    std::optional<cs::stream<front_end>> client_; // in a child
    std::array<char, 16 * 1024> data_{};
    bool idle_ = false, stopping_ = false;
};

} // namespace

int main(int argc, char** argv) {
    try {
        server(argc > 1 ? number(argv[1]) : asio::ip::port_type(7014)).run();
    } catch (const std::exception& e) {
        std::cerr << "process_per_connection: " << e.what() << '\n';
        return EXIT_FAILURE;
    }
}
