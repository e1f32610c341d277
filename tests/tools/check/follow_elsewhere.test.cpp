// SPDX-License-Identifier: BSL-1.0
// Runs the program itself in network namespaces; CLOSESIDE_CHECK is its path, defined by CMake.
#include "traced.hpp"

#include "observation/process.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <cstdint>
#include <string>
#include <vector>

using closeside::detail::tcp_state;
using nlohmann::json;
using tests::descriptor, tests::following, tests::traced, tests::wait_for;
using pair = tests::connected_pair;
using tests::loopback_tcp::service;
using namespace std::chrono_literals;

namespace {

constexpr std::uint16_t client_port = 20001, last_port = 20002;

/// In a network namespace of its own, connections with the same four numbers are aborted, whichever way there is.
bool abort_elsewhere() {
    observation::process other([] {
        if (observation::enter_own_network() == observation::network::shared) return 1;
        const descriptor listener = tests::loopback_tcp::listening(16);
        for (int i = 0; i != 20; ++i) {
            pair p(listener, client_port);
            tests::abort_connection(i % 2 == 0 ? p.server : p.client);
        }
        // A RST for a mini-socket, which has no socket of its own to be known by.
        for (int i = 0; i != 20; ++i) {
            pair p(listener, client_port);
            p.server.close();
            wait_for(p.client, tcp_state::close_wait);
            tests::send_byte(p.client);
            tests::abort_connection(p.client);
        }
        return 0;
    });
    return other.wait(10s) == 0;
}

} // namespace

TEST_CASE("network: connections of another network namespace are not told of, though they have the same addresses") {
    traced([]() -> std::string {
        following tool;
        if (!tool.is_ready()) return "not ready: " + tool.err();
        const descriptor listener = tests::loopback_tcp::listening(16);
        pair ours(listener, client_port);
        if (!abort_elsewhere()) return "no other namespace";
        // Ours is in FIN-WAIT-2, and is the others' namesake once more.
        ours.server.close();
        wait_for(ours.client, tcp_state::close_wait);
        if (!abort_elsewhere()) return "no other namespace";
        ours.client.close();
        pair last(listener, last_port);
        last.client.close();
        wait_for(last.server, tcp_state::close_wait);
        last.server.close();
        if (tool.ending(service, client_port).is_null() || tool.ending(service, last_port).is_null() ||
            tool.ending(last_port, service).is_null())
            return "ours are not told of: " + tool.out();
        if (tool.stop() != 0) return "another status";
        const std::vector<json> all = tool.endings();
        std::string wrong = all.size() == 4 ? "" : std::to_string(all.size()) + " endings: " + tool.out();
        return wrong + tests::unless_cause(tool.ending(service, client_port), "closed_first") +
               tests::unless_cause(tool.ending(client_port, service), "closed_second");
    });
}

TEST_CASE("network: closeside-check follow tells of the port and the peer that it is asked for, and of no other") {
    traced([]() -> std::string {
        following by_port({"--format", "json", "--port", std::to_string(client_port)});
        following by_peer({"--format", "json", "--peer", "127.0.0.0/8"});
        following by_nobody({"--format", "json", "--peer", "192.0.2.0/24"});
        for (const following* f : {&by_port, &by_peer, &by_nobody})
            if (!f->is_ready()) return "not ready: " + f->err();
        const descriptor listener = tests::loopback_tcp::listening(16);
        for (const std::uint16_t port : {client_port, last_port}) {
            pair p(listener, port);
            p.client.close();
            wait_for(p.server, tcp_state::close_wait);
            p.server.close();
        }
        if (by_peer.ending(last_port, service).is_null() || by_port.ending(client_port, service).is_null())
            return "not told of";
        for (following* f : {&by_port, &by_peer, &by_nobody})
            if (f->stop() != 0) return "another status";
        return by_port.endings().size() == 1 && by_nobody.endings().empty() && by_peer.endings().size() == 4
                   ? ""
                   : by_port.out() + by_peer.out() + by_nobody.out();
    });
}
