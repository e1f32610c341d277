// SPDX-License-Identifier: BSL-1.0
#ifndef CLOSESIDE_TESTS_SUPPORT_EVERY_STATE_HPP
#define CLOSESIDE_TESTS_SUPPORT_EVERY_STATE_HPP

#include "support/loopback_tcp.hpp"

#include <cerrno>
#include <string>
#include <utility>
#include <vector>

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <unistd.h>

// For the body of in_own_network, once the loopback interface is up.
namespace tests {

/// Sockets of one IP version in every state but CLOSED, for as long as the object lives.
class every_state {
public:
    /// AF_INET or AF_INET6.
    explicit every_state(int family) : family_(family) {
        const int listener = listen(16);
        connect_and_accept(listener); // ESTABLISHED, twice
        make_syn_sent();
        make_syn_received();
        make_fin_wait1(connect_and_accept(listener));
        make_fin_wait2(connect_and_accept(listener));
        make_fin_wait2_orphan(connect_and_accept(listener));
        make_closing(connect_and_accept(listener));
        make_last_ack(connect_and_accept(listener));
        make_time_wait(connect_and_accept(listener));
    }
    every_state(const every_state&) = delete;
    every_state& operator=(const every_state&) = delete;
    ~every_state() {
        for (const int fd : open_) ::close(fd);
    }

    /// How many of these sockets there are, by state, once every segment has arrived.
    static constexpr unsigned listen_count = 3, syn_sent = 1, syn_received = 1, established = 6, fin_wait1 = 1,
                              fin_wait2 = 4, fin_wait2_mini = 1, close_wait = 2, closing = 1, last_ack = 1,
                              time_wait = 1;

    /// The port of the first listener, with all but those connected to the others.
    in_port_t port() const { return first_port_of(family_); }

private:
    /// Below those that the kernel chooses from, in a network of the test's own.
    static constexpr in_port_t first_port_of(int family) { return family == AF_INET6 ? 9100 : 9200; }

    struct pair {
        int ours;
        int theirs;
    };

    int open(int flags = 0) {
        open_.push_back(checked(::socket(family_, SOCK_STREAM | SOCK_CLOEXEC | flags, 0), "socket"));
        return open_.back();
    }

    void close(int fd) {
        std::erase(open_, fd);
        checked(::close(fd), "close");
    }

    struct endpoint {
        ::sockaddr_storage address{};
        socklen_t size = sizeof address;
        ::sockaddr* get() { return reinterpret_cast<::sockaddr*>(&address); }
    };

    endpoint loopback() const {
        endpoint e;
        if (family_ == AF_INET6) {
            auto* const v6 = reinterpret_cast<::sockaddr_in6*>(&e.address);
            v6->sin6_family = AF_INET6;
            v6->sin6_addr = in6addr_loopback;
            e.size = sizeof *v6;
        } else {
            auto* const v4 = reinterpret_cast<::sockaddr_in*>(&e.address);
            v4->sin_family = AF_INET;
            v4->sin_addr.s_addr = htonl(INADDR_LOOPBACK);
            e.size = sizeof *v4;
        }
        return e;
    }

    int listen(int backlog) {
        const int fd = open();
        endpoint at = loopback();
        // Both families have the port in one place. The kernel could choose one that the other family's listeners have.
        reinterpret_cast<::sockaddr_in*>(at.get())->sin_port = htons(next_port_++);
        checked(::bind(fd, at.get(), at.size), "bind");
        checked(::listen(fd, backlog), "listen");
        return fd;
    }

    static endpoint address_of(int fd) {
        endpoint e;
        checked(::getsockname(fd, e.get(), &e.size), "getsockname");
        return e;
    }

    int connect(int listener, int flags = 0) {
        const int fd = open(flags);
        endpoint to = address_of(listener);
        if (::connect(fd, to.get(), to.size) != 0 && errno != EINPROGRESS) checked(-1, "connect");
        return fd;
    }

    pair connect_and_accept(int listener) {
        const int ours = connect(listener);
        open_.push_back(checked(::accept4(listener, nullptr, nullptr, SOCK_CLOEXEC), "accept4"));
        return {ours, open_.back()};
    }

    /// So much that what follows, a FIN for instance, waits for the other side to read.
    static void fill(int fd) {
        const std::string data(1 << 16, 'x');
        while (::send(fd, data.data(), data.size(), MSG_DONTWAIT | MSG_NOSIGNAL) > 0) {
        }
    }

    /// A full accept queue, which the connection that fills it does in ESTABLISHED, makes the kernel drop a SYN.
    void make_syn_sent() {
        const int listener = listen(0);
        connect(listener);
        connect(listener, SOCK_NONBLOCK);
    }

    /// Without data to wake the server for, the request stays one. The client is in ESTABLISHED.
    void make_syn_received() {
        const int listener = listen(16);
        const int seconds = 60;
        checked(::setsockopt(listener, IPPROTO_TCP, TCP_DEFER_ACCEPT, &seconds, sizeof seconds), "TCP_DEFER_ACCEPT");
        connect(listener);
    }

    void make_fin_wait1(pair p) {
        fill(p.ours);
        ::shutdown(p.ours, SHUT_WR);
    }
    void make_fin_wait2(pair p) { ::shutdown(p.ours, SHUT_WR); }
    void make_fin_wait2_orphan(pair p) { close(p.ours); }
    void make_closing(pair p) {
        make_fin_wait1(p);
        ::shutdown(p.theirs, SHUT_WR);
    }
    void make_last_ack(pair p) {
        ::shutdown(p.ours, SHUT_WR);
        fill(p.theirs);
        ::shutdown(p.theirs, SHUT_WR);
    }
    void make_time_wait(pair p) {
        close(p.ours);
        close(p.theirs);
    }

    int family_;
    in_port_t next_port_ = first_port_of(family_);
    std::vector<int> open_;
};

} // namespace tests

#endif
