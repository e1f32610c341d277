// SPDX-License-Identifier: BSL-1.0
// Runs the program itself in network namespaces; CLOSESIDE_CHECK is its path, defined by CMake.
#include "traced.hpp"

#include "observation/program.hpp"

#include <doctest/doctest.h>

#include <chrono>
#include <cstdint>
#include <net/if.h>
#include <string>
#include <sys/ioctl.h>

using closeside::detail::tcp_state;
using tests::descriptor, tests::following, tests::port_of, tests::set_option, tests::set_sysctl, tests::traced,
    tests::unless_cause, tests::wait_for;
using pair = tests::connected_pair;
using tests::loopback_tcp::service;
using namespace std::chrono_literals;

namespace {

/// Nothing passes any more.
void take_down_loopback() {
    const descriptor any(tests::checked(::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0), "socket"));
    ::ifreq request{};
    std::string("lo").copy(request.ifr_name, sizeof request.ifr_name - 1);
    tests::checked(::ioctl(any.get(), SIOCGIFFLAGS, &request), "SIOCGIFFLAGS");
    request.ifr_flags = static_cast<short>(request.ifr_flags & ~IFF_UP);
    tests::checked(::ioctl(any.get(), SIOCSIFFLAGS, &request), "SIOCSIFFLAGS");
}

/// Waits until the kernel has ended the connection of a socket that is still held.
void wait_for_end(const descriptor& socket) { wait_for(socket, tcp_state::close); }

} // namespace

TEST_CASE("network: connections that end because nothing is answered any more are told apart by what was waited for") {
    traced([]() -> std::string {
        set_sysctl("tcp_orphan_retries", "1");
        following tool;
        if (!tool.is_ready()) return "not ready: " + tool.err();
        const descriptor listener = tests::loopback_tcp::listening(16);
        pair data(listener), probe(listener), first(listener), second(listener);
        ::shutdown(second.client.get(), SHUT_WR);
        wait_for(second.server, tcp_state::close_wait);
        set_option(data.server, IPPROTO_TCP, TCP_USER_TIMEOUT, 500);
        for (const int option : {TCP_KEEPIDLE, TCP_KEEPINTVL, TCP_KEEPCNT})
            set_option(probe.server, IPPROTO_TCP, option, 1);
        set_option(probe.server, SOL_SOCKET, SO_KEEPALIVE, 1);

        take_down_loopback();
        tests::send_byte(data.server);
        first.server.close();
        second.server.close();
        wait_for_end(data.server);
        wait_for_end(probe.server);
        data.server.close();
        probe.server.close();

        std::string wrong = unless_cause(tool.ending(service, data.port), "time_out") +
                            unless_cause(tool.ending(service, probe.port), "keepalive") +
                            unless_cause(tool.ending(service, first.port), "fin_time_out") +
                            unless_cause(tool.ending(service, second.port), "fin_time_out");
        return tool.stop() == 0 ? wrong : wrong + "another status";
    });
}

TEST_CASE("network: what becomes of an orphan in FIN-WAIT-2 is told when it is over") {
    traced([]() -> std::string {
        following tool;
        if (!tool.is_ready()) return "not ready: " + tool.err();
        const descriptor listener = tests::loopback_tcp::listening(16);
        pair short_limit(listener), aborted(listener), answered(listener);
        set_option(short_limit.server, IPPROTO_TCP, TCP_LINGER2, 1);
        for (pair* const p : {&short_limit, &aborted, &answered}) {
            p->server.close();
            wait_for(p->client, tcp_state::close_wait);
        }
        // Two looks are half a second apart; what is sent before the first is not seen as the end of what was there.
        if (!tool.ending(service, short_limit.port).is_null()) tests::abort_connection(aborted.client);
        answered.client.close();
        std::string wrong = unless_cause(tool.ending(service, short_limit.port), "fin_wait2_time_out") +
                            unless_cause(tool.ending(service, aborted.port), "fin_wait2_gone") +
                            unless_cause(tool.ending(service, answered.port), "closed_first");
        const auto states = tool.ending(service, answered.port).at("states");
        if (states.back() != "TIME-WAIT") wrong += states.dump();
        return wrong;
    });
}

TEST_CASE("network: a TIME-WAIT that the kernel does not keep is told of") {
    traced([]() -> std::string {
        set_sysctl("tcp_max_tw_buckets", "0");
        following tool;
        if (!tool.is_ready()) return "not ready: " + tool.err();
        const descriptor listener = tests::loopback_tcp::listening(16);
        pair p(listener);
        ::shutdown(p.server.get(), SHUT_WR);
        wait_for(p.client, tcp_state::close_wait);
        p.client.close();
        wait_for_end(p.server);
        // Who closes in the same instant leaves an orphan, of which less is known.
        const auto later = observation::steady::now() + 20ms;
        observation::eventually([&] { return observation::steady::now() >= later; }, 1s);
        p.server.close();
        return unless_cause(tool.ending(service, p.port), "closed_first_unkept");
    });
}

TEST_CASE("network: a connection that ss -K ends is named") {
    traced([]() -> std::string {
        following tool;
        if (!tool.is_ready()) return "not ready: " + tool.err();
        const descriptor listener = tests::loopback_tcp::listening(16);
        pair p(listener);
        try {
            observation::run_tool(
                {"ss", "-K", "sport", "=", ":" + std::to_string(service), "dport", "=", ":" + std::to_string(p.port)});
        } catch (const std::exception&) { // not installed, or the kernel cannot do it
            return "";
        }
        wait_for_end(p.server);
        p.server.close();
        p.client.close();
        return unless_cause(tool.ending(service, p.port), "killed") +
               unless_cause(tool.ending(p.port, service), "peer_reset_open");
    });
}
