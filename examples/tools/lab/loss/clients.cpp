// SPDX-License-Identifier: BSL-1.0
#include "clients.hpp"

#include "../support/observed.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <list>
#include <system_error>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>

namespace lab::loss {

namespace {

using namespace std::chrono_literals;

constexpr std::size_t input_at_first = 8 << 10, input_on_reply = 512, input_on_waiting = 256;
constexpr auto impatience = 20ms;
constexpr int small_window = 4 << 10;
constexpr std::size_t slow_read = 2 << 10;
constexpr auto slow_pace = 100ms;
constexpr auto patience_with_server = 1s; // for the server's FIN, once the reply is whole

class client {
public:
    client(request number, observation::endpoint server, const client_plan& plan)
        : plan_(plan), socket_(::socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0)) {
        if (!socket_) throw std::system_error(errno, std::generic_category(), "socket of a client");
        result_.number = number;
        if (plan_.reads_slowly) ::setsockopt(socket_.get(), SOL_SOCKET, SO_RCVBUF, &small_window, sizeof small_window);
        start_ = steady::now();
        deadline_ = start_ + plan.limit;
        sockaddr_in target{};
        target.sin_family = AF_INET;
        target.sin_port = htons(server.port);
        target.sin_addr.s_addr = htonl(server.address);
        if (::connect(socket_.get(), reinterpret_cast<const sockaddr*>(&target), sizeof target) == 0)
            connected();
        else if (errno != EINPROGRESS)
            throw std::system_error(errno, std::generic_category(), "connect of a client");
    }

    bool ended() const noexcept { return !socket_; }
    const receipt& result() const noexcept { return result_; }

    steady::time_point wakes_at() const noexcept {
        return result_.connected && !whole() ? std::min(deadline_, plan_.reads_slowly ? next_read_ : next_input_)
                                             : deadline_;
    }

    pollfd waits_for() const noexcept {
        const bool rests = result_.connected && steady::now() < next_read_;
        return {.fd = rests ? -1 : socket_.get(), // which poll(2) passes over
                .events = result_.connected ? short{POLLIN} : short{POLLOUT},
                .revents = 0};
    }

    void ready() {
        if (!result_.connected) return finish_connecting();
        std::array<char, 16 << 10> buffer;
        const std::size_t most = plan_.reads_slowly ? slow_read : buffer.size();
        if (plan_.reads_slowly) next_read_ = steady::now() + slow_pace;
        const ssize_t n = ::recv(socket_.get(), buffer.data(), most, MSG_DONTWAIT);
        if (n < 0 && (errno == EAGAIN || errno == EINTR)) return;
        if (n < 0) result_.reset = result_.reset || errno == ECONNRESET;
        if (n <= 0) return end();
        hash_.add({buffer.data(), static_cast<std::size_t>(n)});
        result_.received += static_cast<std::size_t>(n);
        if (!whole()) {
            if (!plan_.reads_slowly) send(input_on_reply);
            return;
        }
        if (plan_.closes_first) return end();
        deadline_ = steady::now() + patience_with_server;
    }

    void wake() {
        if (steady::now() >= deadline_) {
            result_.gave_up = !whole();
            return end();
        }
        if (plan_.reads_slowly) {
            next_read_ = steady::now() + slow_pace; // there was nothing to read
            return ready();
        }
        send(input_on_waiting);
        next_input_ = steady::now() + impatience;
    }

private:
    bool whole() const noexcept { return result_.received >= reply_size; }

    void finish_connecting() {
        int error = 0;
        socklen_t size = sizeof error;
        ::getsockopt(socket_.get(), SOL_SOCKET, SO_ERROR, &error, &size);
        if (error != 0) return end();
        connected();
    }

    void connected() {
        result_.connected = true;
        sockaddr_in own{};
        socklen_t size = sizeof own;
        ::getsockname(socket_.get(), reinterpret_cast<sockaddr*>(&own), &size);
        result_.port = ntohs(own.sin_port);
        next_input_ = steady::now() + impatience;
        send(input_at_first, true);
    }

    // Where the send buffer is full the input is left out. A reset that send() tells of is not told again by recv().
    void send(std::size_t size, bool with_request = false) {
        std::array<char, input_at_first> input{};
        if (with_request) std::memcpy(input.data(), &result_.number, sizeof result_.number);
        if (::send(socket_.get(), input.data(), size, MSG_DONTWAIT | MSG_NOSIGNAL) < 0)
            result_.reset = result_.reset || errno == ECONNRESET || errno == EPIPE;
    }

    void end() {
        socket_.close();
        result_.took = std::chrono::duration_cast<std::chrono::microseconds>(steady::now() - start_);
        hash expected;
        const std::vector<char> reply = reply_to(result_.number);
        expected.add({reply.data(), reply.size()});
        result_.intact = result_.received == reply_size && hash_ == expected;
    }

    client_plan plan_;
    descriptor socket_;
    steady::time_point start_;
    steady::time_point deadline_;
    steady::time_point next_input_;
    steady::time_point next_read_{};
    hash hash_;
    receipt result_;
};

/// Waits for the first that can go on, and lets every such client do so.
void advance(std::list<client>& clients) {
    std::vector<pollfd> waiting;
    std::vector<client*> whose;
    auto next = steady::time_point::max();
    for (client& c : clients) {
        waiting.push_back(c.waits_for());
        whose.push_back(&c);
        next = std::min(next, c.wakes_at());
    }
    const auto left = std::chrono::ceil<std::chrono::milliseconds>(next - steady::now()).count();
    ::poll(waiting.data(), waiting.size(), left > 0 ? static_cast<int>(left) : 0);
    for (std::size_t i = 0; i < waiting.size(); ++i) {
        if (waiting[i].revents != 0)
            whose[i]->ready();
        else if (steady::now() >= whose[i]->wakes_at())
            whose[i]->wake();
    }
}

} // namespace

std::vector<receipt> fetch_replies(observation::endpoint server, const client_plan& plan) {
    std::vector<receipt> results;
    std::list<client> clients;
    for (request number = 0; results.size() < plan.connections;) {
        while (number < plan.connections && clients.size() < plan.at_once) clients.emplace_back(number++, server, plan);
        advance(clients);
        for (auto c = clients.begin(); c != clients.end();) {
            if (c->ended()) results.push_back(c->result());
            c = c->ended() ? clients.erase(c) : std::next(c);
        }
    }
    return results;
}

} // namespace lab::loss
