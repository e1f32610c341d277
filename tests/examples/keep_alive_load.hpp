// SPDX-License-Identifier: BSL-1.0
#ifndef CLOSESIDE_TESTS_EXAMPLES_KEEP_ALIVE_LOAD_HPP
#define CLOSESIDE_TESTS_EXAMPLES_KEEP_ALIVE_LOAD_HPP

#include "observation/descriptor.hpp"
#include "support/connection.hpp"

#include <algorithm>
#include <array>
#include <atomic>
#include <cerrno>
#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <map>
#include <mutex>
#include <random>
#include <string>
#include <thread>
#include <vector>

#include <sys/socket.h>

namespace tests {

/// What became of the requests of many clients.
struct load_totals {
    std::size_t requests = 0;
    std::size_t lost = 0;                       ///< sent, and no whole reply came
    std::size_t reset = 0;                      ///< of the lost: ECONNRESET or EPIPE
    std::size_t not_sent = 0;                   ///< connects that failed: refused, reset
    std::size_t connections = 0;                ///< that were made
    std::chrono::milliseconds slowest{};        ///< from a request to its reply, with the connect before the first
    std::map<std::string, std::size_t> replies; ///< by their body: the process that has answered

    std::size_t all_replies() const {
        std::size_t sum = 0;
        for (const auto& [process, count] : replies) sum += count;
        return sum;
    }
};

/// Clients that keep their connections, pause between requests, and go when they are told: half of them up to 5 ms, half up
/// to 200 ms. Now and then one makes a new connection by itself.
class keep_alive_load {
public:
    keep_alive_load(const tcp::endpoint& server, std::size_t clients) : server_(server) {
        for (std::size_t i = 0; i != clients; ++i)
            threads_.emplace_back([this, i] { run(static_cast<unsigned>(i), i % 2 == 0 ? 5 : 200); });
    }
    ~keep_alive_load() { stop(); }

    /// Once the process has answered so often; false after five seconds.
    bool answered_by(const std::string& process, std::size_t replies) {
        std::unique_lock lock(mutex_);
        return changed_.wait_for(lock, std::chrono::seconds(5), [&] { return totals_.replies[process] >= replies; });
    }

    /// Ends when every request that was sent has its reply, or has none.
    load_totals stop() {
        {
            const std::lock_guard lock(mutex_);
            stopping_ = true;
        }
        ends_.notify_all();
        for (std::thread& t : threads_) t.join();
        threads_.clear();
        return totals_;
    }

private:
    void run(unsigned seed, int longest_pause) {
        std::minstd_rand random(seed + 1);
        const auto up_to = [&](int n) { return std::uniform_int_distribution(0, n)(random); };
        while (!stopping_) {
            auto began = std::chrono::steady_clock::now();
            const observation::descriptor socket(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
            const ::timeval limit{10, 0};
            ::setsockopt(socket.get(), SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
            if (::connect(socket.get(), server_.data(), static_cast<socklen_t>(server_.size())) != 0) {
                count([](load_totals& t) { ++t.not_sent; });
                continue;
            }
            count([](load_totals& t) { ++t.connections; });
            bool told = false;
            for (int left = up_to(200) + 1; left > 0 && !told && !stopping_; --left) {
                told = exchange(socket.get(), began);
                think(std::chrono::milliseconds(up_to(longest_pause)));
                began = std::chrono::steady_clock::now();
            }
        }
    }

    /// What a client does between two requests; not once the load is to end.
    void think(std::chrono::milliseconds time) {
        std::unique_lock lock(mutex_);
        ends_.wait_for(lock, time, [this] { return stopping_.load(); });
    }

    /// One request and its reply. Is the connection over?
    bool exchange(int fd, std::chrono::steady_clock::time_point began) {
        const std::string request = "GET / HTTP/1.1\r\nHost: a\r\n\r\n";
        count([](load_totals& t) { ++t.requests; });
        bool failed = ::send(fd, request.data(), request.size(), MSG_NOSIGNAL) != static_cast<ssize_t>(request.size());
        std::string reply;
        while (!failed && !is_whole(reply)) {
            std::array<char, 512> buffer;
            errno = 0;
            const ssize_t n = ::recv(fd, buffer.data(), buffer.size(), 0);
            failed = n <= 0;
            if (!failed) reply.append(buffer.data(), static_cast<std::size_t>(n));
        }
        const bool reset = failed && (errno == ECONNRESET || errno == EPIPE);
        const auto took = std::chrono::steady_clock::now() - began;
        count([&](load_totals& t) {
            t.slowest = std::max(t.slowest, std::chrono::duration_cast<std::chrono::milliseconds>(took));
            if (failed) {
                ++t.lost;
                t.reset += reset ? 1 : 0;
            } else {
                ++t.replies[reply.substr(reply.find("\r\n\r\n") + 4)];
            }
        });
        return failed || reply.find("Connection: close") != reply.npos;
    }

    /// The body is one line.
    static bool is_whole(const std::string& reply) {
        return reply.find("\r\n\r\n") != reply.npos && reply.ends_with("\n") && !reply.ends_with("\r\n");
    }

    template <class F>
    void count(F f) {
        const std::lock_guard lock(mutex_);
        f(totals_);
        changed_.notify_all();
    }

    const tcp::endpoint server_;
    std::mutex mutex_;
    std::condition_variable changed_; ///< the totals
    std::condition_variable ends_;    ///< the load
    load_totals totals_;
    std::atomic<bool> stopping_ = false;
    std::vector<std::thread> threads_;
};

} // namespace tests

#endif
