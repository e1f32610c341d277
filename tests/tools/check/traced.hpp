// SPDX-License-Identifier: BSL-1.0
#ifndef CLOSESIDE_TESTS_TOOLS_CHECK_TRACED_HPP
#define CLOSESIDE_TESTS_TOOLS_CHECK_TRACED_HPP

#include "following.hpp"

#include <closeside/detail/kernel/tcp_state.hpp>

#include "observation/wait.hpp"
#include "support/in_child.hpp"
#include "support/loopback_tcp.hpp"
#include "support/own_network.hpp"

#include <doctest/doctest.h>

#include <chrono>
#include <cstdint>
#include <stdexcept>
#include <string>

#include <linux/tcp.h>

// Connections that are ended in a network namespace where the kernel's trace can be had.
namespace tests {

/// Runs `body` where loopback is up and a tracefs is mounted, and expects an empty answer.
template <class Body>
void traced(Body body) {
    const std::string no_right = "no right";
    const auto said = in_own_network([&]() -> std::string {
        bring_up_loopback();
        return mount_own_tracefs() ? body() : no_right;
    });
    if (!said || *said == no_right) {
        MESSAGE("SKIPPED: no right to a network namespace, or to mount tracefs");
        return;
    }
    CHECK(*said == "");
}

inline std::uint16_t port_of(const descriptor& socket) {
    ::sockaddr_in address{};
    socklen_t size = sizeof address;
    checked(::getsockname(socket.get(), reinterpret_cast<::sockaddr*>(&address), &size), "getsockname");
    return ntohs(address.sin_port);
}

/// A connection to the service, whose listener stays.
struct connected_pair {
    /// `from`: the client's port; 0: any.
    explicit connected_pair(const descriptor& listener, std::uint16_t from = 0)
        : client(loopback_tcp::connecting(from)),
          server(checked(::accept4(listener.get(), nullptr, nullptr, SOCK_CLOEXEC), "accept4")), port(port_of(client)) {
    }

    descriptor client, server;
    std::uint16_t port;
};

inline void set_option(const descriptor& socket, int level, int option, int value) {
    checked(::setsockopt(socket.get(), level, option, &value, sizeof value), "setsockopt");
}

inline void abort_connection(descriptor& socket) {
    const ::linger at_once{1, 0};
    checked(::setsockopt(socket.get(), SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once), "SO_LINGER");
    socket.close();
}

inline void send_byte(const descriptor& to) {
    checked(static_cast<int>(::send(to.get(), "x", 1, MSG_NOSIGNAL)), "send");
}

/// Segments take a moment, also here.
inline void wait_for(const descriptor& socket, closeside::detail::tcp_state state) {
    const bool came = observation::eventually(
        [&] {
            ::tcp_info info{};
            socklen_t size = sizeof info;
            checked(::getsockopt(socket.get(), IPPROTO_TCP, TCP_INFO, &info, &size), "TCP_INFO");
            return info.tcpi_state == static_cast<unsigned>(state);
        },
        std::chrono::seconds(5), std::chrono::milliseconds(1));
    if (!came) throw std::runtime_error(std::string("a socket does not reach ") + to_string(state));
}

/// An ending, or what is wrong with it, on one line; empty if its `cause` is this.
inline std::string unless_cause(const nlohmann::json& e, const std::string& cause) {
    return !e.is_null() && e.at("cause") == cause ? "" : "not " + cause + ": " + e.dump() + "; ";
}

} // namespace tests

#endif
