// SPDX-License-Identifier: BSL-1.0
#include "clients.hpp"

#include "../support/observed.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <string>
#include <system_error>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>

namespace lab::nat {

namespace {

using namespace std::chrono_literals;

constexpr auto exchange_limit = 10s; // from the handshake to the end of the reply, on a busy machine

sockaddr_in address_of(observation::endpoint e) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(e.port);
    address.sin_addr.s_addr = htonl(e.address);
    return address;
}

class client {
public:
    client(std::uint16_t port, observation::endpoint server, std::chrono::milliseconds limit,
           std::chrono::milliseconds patience)
        : patience_(patience), socket_(::socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0)) {
        const sockaddr_in own = address_of({INADDR_ANY, port}), target = address_of(server);
        if (!socket_ || ::bind(socket_.get(), reinterpret_cast<const sockaddr*>(&own), sizeof own) != 0)
            throw std::system_error(errno, std::generic_category(), "port " + std::to_string(port));
        start_ = steady::now();
        deadline_ = start_ + limit;
        if (::connect(socket_.get(), reinterpret_cast<const sockaddr*>(&target), sizeof target) == 0)
            connected();
        else if (errno != EINPROGRESS)
            end(errno);
    }

    bool ended() const noexcept { return !socket_; }
    steady::time_point deadline() const noexcept { return deadline_; }
    const attempt& result() const noexcept { return result_; }

    pollfd waits_for() const noexcept {
        return {.fd = socket_.get(), .events = result_.connected ? short{POLLIN} : short{POLLOUT}, .revents = 0};
    }

    void ready() {
        if (!result_.connected) return finish_connecting();
        std::array<char, reply_size> buffer;
        const ssize_t n = ::recv(socket_.get(), buffer.data(), buffer.size(), MSG_DONTWAIT);
        if (n < 0 && (errno == EAGAIN || errno == EINTR)) return;
        if (n <= 0) return end(n < 0 ? errno : 0);
        received_ += static_cast<std::size_t>(n);
        if (received_ < reply_size) return;
        result_.answered = true;
        deadline_ = steady::now() + patience_;
    }

    void late() { end(result_.answered ? 0 : ETIMEDOUT); }

private:
    void finish_connecting() {
        int error = 0;
        socklen_t size = sizeof error;
        ::getsockopt(socket_.get(), SOL_SOCKET, SO_ERROR, &error, &size);
        if (error != 0) return end(error);
        connected();
    }

    void connected() {
        const auto now = steady::now();
        result_.connected = std::chrono::duration_cast<std::chrono::microseconds>(now - start_);
        deadline_ = now + exchange_limit;
        const std::array<char, request_size> request{};
        if (::send(socket_.get(), request.data(), request.size(), MSG_DONTWAIT | MSG_NOSIGNAL) < 0) end(errno);
    }

    void end(int error) {
        result_.error = error;
        socket_.close();
    }

    std::chrono::milliseconds patience_;
    descriptor socket_;
    steady::time_point start_;
    steady::time_point deadline_;
    std::size_t received_ = 0;
    attempt result_;
};

} // namespace

std::vector<attempt> connect_at_once(observation::endpoint server, std::uint16_t first, std::size_t count,
                                     std::chrono::milliseconds limit, std::chrono::milliseconds patience) {
    std::vector<client> clients;
    clients.reserve(count);
    for (std::size_t i = 0; i < count; ++i)
        clients.emplace_back(static_cast<std::uint16_t>(first + i), server, limit, patience);
    for (;;) {
        std::vector<pollfd> waiting;
        std::vector<client*> whose;
        auto next = steady::time_point::max();
        for (client& c : clients) {
            if (c.ended()) continue;
            waiting.push_back(c.waits_for());
            whose.push_back(&c);
            next = std::min(next, c.deadline());
        }
        if (waiting.empty()) break;
        const auto left = std::chrono::ceil<std::chrono::milliseconds>(next - steady::now()).count();
        ::poll(waiting.data(), waiting.size(), left > 0 ? static_cast<int>(left) : 0);
        for (std::size_t i = 0; i < waiting.size(); ++i) {
            if (waiting[i].revents != 0)
                whose[i]->ready();
            else if (steady::now() >= whose[i]->deadline())
                whose[i]->late();
        }
    }
    std::vector<attempt> results;
    for (const client& c : clients) results.push_back(c.result());
    return results;
}

} // namespace lab::nat
