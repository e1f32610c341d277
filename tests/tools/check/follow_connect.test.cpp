// SPDX-License-Identifier: BSL-1.0
// Runs the program itself in network namespaces; CLOSESIDE_CHECK is its path, defined by CMake.
#include "traced.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <cstdint>
#include <string>

using closeside::detail::tcp_state;
using tests::descriptor, tests::following, tests::port_of, tests::set_option, tests::set_sysctl, tests::traced,
    tests::unless_cause, tests::wait_for;
using tests::loopback_tcp::service;
using namespace std::chrono_literals;

TEST_CASE("network: a connect that its program gives up is named") {
    traced([]() -> std::string {
        following tool;
        if (!tool.is_ready()) return "not ready: " + tool.err();
        const descriptor listener = tests::loopback_tcp::listening(0);
        const descriptor queued = tests::loopback_tcp::connecting();
        wait_for(queued, tcp_state::established);
        // The queue is full: the kernel drops the SYN.
        descriptor unanswered = tests::loopback_tcp::connecting();
        wait_for(unanswered, tcp_state::syn_sent);
        const std::uint16_t port = port_of(unanswered);
        unanswered.close();
        return unless_cause(tool.ending(port, service), "connect_given_up");
    });
}

TEST_CASE("network: a connect that finds no local port is told as that, and not as one that was sent") {
    traced([]() -> std::string {
        set_sysctl("ip_local_port_range", "20000 20000");
        following tool;
        if (!tool.is_ready()) return "not ready: " + tool.err();
        const descriptor listener = tests::loopback_tcp::listening(16);
        const descriptor first = tests::loopback_tcp::connecting();
        wait_for(first, tcp_state::established);
        {
            const descriptor second(tests::checked(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), "socket"));
            const auto to = tests::loopback_tcp::at(service);
            if (::connect(second.get(), tests::loopback_tcp::generic(to), sizeof to) == 0 || errno != EADDRNOTAVAIL)
                return "there was a port";
        }
        return unless_cause(tool.ending(0, service), "no_local_port");
    });
}

TEST_CASE("network: with tcp_abort_on_overflow the client is reset, and the service never had the connection") {
    traced([]() -> std::string {
        set_sysctl("tcp_abort_on_overflow", "1");
        following tool;
        if (!tool.is_ready()) return "not ready: " + tool.err();
        const descriptor listener = tests::loopback_tcp::listening(0);
        // Both handshakes wait for data, so that neither finds the queue full when it begins; it has room for one.
        set_option(listener, IPPROTO_TCP, TCP_DEFER_ACCEPT, 10);
        descriptor clients[]{tests::loopback_tcp::connecting(), tests::loopback_tcp::connecting()};
        std::uint16_t port = 0;
        for (const descriptor& d : clients) {
            wait_for(d, tcp_state::established);
            tests::send_byte(d);
        }
        const bool is_reset = observation::eventually(
            [&] {
                for (descriptor& d : clients) {
                    const std::uint16_t from = port_of(d);
                    char byte = 0;
                    if (::recv(d.get(), &byte, 1, MSG_DONTWAIT) >= 0 || errno != ECONNRESET) continue;
                    port = from;
                    d.close();
                    return true;
                }
                return false;
            },
            5s);
        if (!is_reset) return "neither is reset";
        std::string wrong = unless_cause(tool.ending(port, service), "peer_reset_open");
        if (tool.stop() != 0) wrong += "another status";
        const auto all = tool.endings();
        if (std::ranges::any_of(
                all, [&](const auto& e) { return e.at("local").template get<std::string>().ends_with(":9000"); }))
            wrong += "the service has an ending: " + tool.out();
        return wrong;
    });
}
