// SPDX-License-Identifier: BSL-1.0
#include "peers.hpp"

#include "benchmark/support/process.hpp"
#include "support/loopback_tcp.hpp"

#include <stdexcept>
#include <vector>

namespace benchmark_waiting {

namespace {

using benchmark_support::channel;
using tests::checked;
using tests::descriptor;

constexpr std::chrono::seconds limit{60};

struct order {
    std::uint16_t port;
    unsigned connections;
};

enum class word : char { connected, close };

/// Few enough for each address to leave most local ports free, so that one is soon found.
constexpr unsigned connections_an_address = 10'000;

descriptor connect_to(std::uint16_t port, unsigned address) {
    descriptor socket(checked(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), "socket"));
    auto to = tests::loopback_tcp::at(port);
    to.sin_addr.s_addr = htonl(INADDR_LOOPBACK + address);
    checked(::connect(socket.get(), tests::loopback_tcp::generic(to), sizeof to), "connect");
    return socket;
}

void do_as_told(const channel& orders) {
    benchmark_support::pin_to_processor(1);
    const auto o = orders.receive<order>(limit);
    if (!o) return;
    std::vector<descriptor> sockets;
    sockets.reserve(o->connections);
    for (unsigned i = 0; i != o->connections; ++i) sockets.push_back(connect_to(o->port, i / connections_an_address));
    orders.send(word::connected);
    orders.receive<word>(limit); // that to close, or the end of the server
}

} // namespace

peers::peers() : process_(do_as_told) {}

void peers::connect(std::uint16_t port, unsigned connections) { process_.to().send(order{port, connections}); }

void peers::await_connected() {
    if (process_.to().receive<word>(limit) != word::connected) throw std::runtime_error("the peers could not connect");
}

void peers::close() { process_.to().send(word::close); }

} // namespace benchmark_waiting
