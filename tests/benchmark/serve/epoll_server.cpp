// SPDX-License-Identifier: BSL-1.0
#include "connection.hpp"
#include "contender.hpp"
#include "message.hpp"

#include <array>
#include <cerrno>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <list>
#include <string>
#include <string_view>

#include <sys/epoll.h>

namespace benchmark_serve {

namespace {

using clock = std::chrono::steady_clock;

/// As for policies::graceful.
constexpr std::chrono::seconds limit{5};

struct connection {
    int fd;
    bool lingers = false;
    clock::time_point deadline{}; ///< while it lingers
    std::list<connection>::iterator place{};
    std::string request{}; ///< what has come of it, if not all came at once
};

/// One thread, one epoll. A connection is registered only once there is something to wait for.
class epoll_server {
public:
    explicit epoll_server(std::uint16_t port) : epoll_(::epoll_create1(EPOLL_CLOEXEC)) {
        if (epoll_ < 0) fail("epoll_create1");
        listen(port);
    }

    [[noreturn]] void run() {
        std::array<::epoll_event, 128> events;
        while (true) {
            const int n = ::epoll_wait(epoll_, events.data(), static_cast<int>(events.size()), milliseconds_left());
            if (n < 0 && errno != EINTR) fail("epoll_wait");
            for (int i = 0; i < n; ++i) {
                auto* const c = static_cast<connection*>(events[static_cast<std::size_t>(i)].data.ptr);
                if (c == nullptr)
                    accept_all();
                else if (c->lingers)
                    discard(*c);
                else if (read_request(*c) && c->lingers)
                    discard(*c); // epoll tells nothing twice, and the FIN may have come with the request
            }
            end_overdue();
        }
    }

private:
    void listen(std::uint16_t port) {
        listener_ = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
        ::sockaddr_in address{};
        address.sin_family = AF_INET;
        address.sin_port = htons(port);
        const int yes = 1;
        if (listener_ < 0 || ::setsockopt(listener_, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes) != 0 ||
            ::bind(listener_, reinterpret_cast<const ::sockaddr*>(&address), sizeof address) != 0 ||
            ::listen(listener_, SOMAXCONN) != 0)
            fail("to listen");
        await(listener_, EPOLLIN, nullptr);
    }

    void await(int fd, std::uint32_t what, connection* c) {
        ::epoll_event event{};
        event.events = what;
        event.data.ptr = c;
        if (::epoll_ctl(epoll_, EPOLL_CTL_ADD, fd, &event) != 0) fail("epoll_ctl");
    }

    void accept_all() {
        for (int fd; (fd = ::accept4(listener_, nullptr, nullptr, SOCK_CLOEXEC | SOCK_NONBLOCK)) >= 0;) {
            connection& c = connections_.emplace_front(connection{fd});
            c.place = connections_.begin();
            if (read_request(c)) await(fd, EPOLLIN | EPOLLRDHUP | EPOLLET, &c);
        }
        if (errno != EAGAIN && errno != ECONNABORTED && errno != EINTR) fail("accept4");
    }

    /// True if there is more to wait for.
    bool read_request(connection& c) {
        const ssize_t n = ::recv(c.fd, buffer_.data(), buffer_.size(), MSG_DONTWAIT);
        if (n <= 0) return n < 0 && errno == EAGAIN ? true : end(c);
        std::string_view request(buffer_.data(), static_cast<std::size_t>(n));
        if (!c.request.empty()) request = c.request.append(request);
        if (request.find(blank_line) == request.npos) {
            if (request.size() >= buffer_.size()) return end(c);
            if (c.request.empty()) c.request = request;
            return true;
        }
        const ssize_t sent = ::send(c.fd, reply().data(), reply().size(), MSG_NOSIGNAL | MSG_DONTWAIT);
        if (sent != static_cast<ssize_t>(reply().size())) return end(c); // it fits into every send buffer
        if (::shutdown(c.fd, SHUT_WR) != 0) return end(c);
        c.lingers = true;
        c.deadline = clock::now() + limit;
        lingering_.splice(lingering_.end(), connections_, c.place); // one limit for all: the oldest is the first
        return true;
    }

    /// Reads and throws away until the client's FIN.
    void discard(connection& c) {
        ssize_t n;
        while ((n = ::recv(c.fd, buffer_.data(), buffer_.size(), MSG_DONTWAIT)) > 0) continue;
        if (n == 0 || errno != EAGAIN) end(c);
    }

    /// Nothing is left to wait for: false.
    bool end(connection& c) {
        ::close(c.fd);
        (c.lingers ? lingering_ : connections_).erase(c.place);
        return false;
    }

    void end_overdue() {
        if (lingering_.empty()) return;
        for (const auto now = clock::now(); !lingering_.empty() && lingering_.front().deadline <= now;)
            end(lingering_.front());
    }

    /// For epoll_wait; -1 is for ever.
    int milliseconds_left() const {
        if (lingering_.empty()) return -1;
        const auto left =
            std::chrono::ceil<std::chrono::milliseconds>(lingering_.front().deadline - clock::now()).count();
        return left > 0 ? static_cast<int>(left) : 0;
    }

    int epoll_;
    int listener_ = -1;
    std::array<char, 4096> buffer_; ///< one for all: nothing stays in it
    std::list<connection> connections_;
    std::list<connection> lingering_;
};

} // namespace

contender lingering_close_on_epoll(client c) {
    return {"lingering close on epoll, without Asio", [](std::uint16_t port) { epoll_server(port).run(); }, c};
}

} // namespace benchmark_serve
