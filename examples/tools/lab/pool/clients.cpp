// SPDX-License-Identifier: BSL-1.0
#include "clients.hpp"

#include "../nat/clients.hpp"
#include "../support/observed.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <cmath>
#include <cstdint>
#include <system_error>
#include <vector>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>

namespace lab::pool {

namespace {

using namespace std::chrono_literals;

constexpr auto limit = 5s; // from connect(2) to the end: longer than the server's patience, and a SYN sent again

struct client {
    descriptor socket;
    steady::time_point deadline;
    bool closes_in_time = false;
    bool connected = false;
    std::size_t received = 0;
};

client begin(observation::endpoint server, bool closes_in_time) {
    client c{descriptor(::socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0)), steady::now() + limit,
             closes_in_time};
    sockaddr_in target{};
    target.sin_family = AF_INET;
    target.sin_port = htons(server.port);
    target.sin_addr.s_addr = htonl(server.address);
    if (!c.socket || (::connect(c.socket.get(), reinterpret_cast<const sockaddr*>(&target), sizeof target) != 0 &&
                      errno != EINPROGRESS))
        throw std::system_error(errno, std::generic_category(), "connect");
    return c;
}

/// One step; false: it has ended.
bool advance(client& c) {
    if (!c.connected) {
        int error = 0;
        socklen_t size = sizeof error;
        ::getsockopt(c.socket.get(), SOL_SOCKET, SO_ERROR, &error, &size);
        if (error != 0) return false;
        const std::array<char, nat::request_size> request{};
        c.connected = ::send(c.socket.get(), request.data(), request.size(), MSG_DONTWAIT | MSG_NOSIGNAL) >= 0;
        return c.connected;
    }
    std::array<char, nat::reply_size> buffer;
    const ssize_t n = ::recv(c.socket.get(), buffer.data(), buffer.size(), MSG_DONTWAIT);
    if (n < 0) return errno == EAGAIN || errno == EINTR;
    c.received += static_cast<std::size_t>(n);
    return n != 0 && !(c.closes_in_time && c.received >= nat::reply_size);
}

} // namespace

connects connect_steadily(observation::endpoint server, const schedule& when) {
    connects found;
    std::vector<client> clients;
    std::vector<pollfd> waiting;
    const auto all = static_cast<std::size_t>(std::llround(when.per_second * static_cast<double>(when.time.count())));
    std::size_t begun = 0;
    const auto start = steady::now();
    const auto due = [&](std::size_t i) {
        return start + std::chrono::duration_cast<steady::duration>(
                           std::chrono::duration<double>(static_cast<double>(i) / when.per_second));
    };
    while (begun != all || !clients.empty()) {
        auto now = steady::now();
        for (; begun != all && due(begun) <= now; ++begun) {
            // Evenly spread: so many of each hundred.
            const auto until = [&](std::size_t i) { return std::floor(static_cast<double>(i) * when.in_time + 1e-9); };
            clients.push_back(begin(server, until(begun + 1) > until(begun)));
            if (begun + 1 == all)
                found.seconds = std::chrono::duration<double>(steady::now() - start).count() + 1 / when.per_second;
        }
        waiting.clear();
        for (const client& c : clients)
            waiting.push_back(
                {.fd = c.socket.get(), .events = c.connected ? short{POLLIN} : short{POLLOUT}, .revents = 0});
        auto next = now + 100ms;
        if (begun != all) next = std::min(next, due(begun));
        const auto left = std::chrono::ceil<std::chrono::milliseconds>(next - now).count();
        ::poll(waiting.data(), waiting.size(), static_cast<int>(std::max<std::int64_t>(left, 0)));
        now = steady::now();
        for (std::size_t i = waiting.size(); i-- != 0;) {
            client& c = clients[i];
            const bool goes_on = waiting[i].revents == 0 ? now < c.deadline : advance(c);
            if (goes_on) continue;
            ++(c.received >= nat::reply_size ? found.answered : found.failed);
            c = std::move(clients.back());
            clients.pop_back();
        }
    }
    return found;
}

} // namespace lab::pool
