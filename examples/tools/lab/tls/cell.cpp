// SPDX-License-Identifier: BSL-1.0
#include "cell.hpp"

#include <stop_token>
#include <thread>

namespace lab::tls {

namespace {

using namespace std::chrono_literals;

constexpr const char* server_address = "192.0.2.1";
constexpr auto quiet_time = 20ms; // both ends unchanged for so long: settled
constexpr auto settle_time = 1s;  // a delayed ACK takes 200 ms at most (TCP_DELACK_MAX)

/// A FIN or its ACK is on its way.
bool moves(tcp_state here, tcp_state there) {
    using enum tcp_state;
    return here == last_ack || here == closing || (here == fin_wait1 && there != established);
}

/// The server has closed its descriptor, and a child of this process that has yet to exec holds it open.
bool is_held(tcp_state of_server) { return of_server == tcp_state::established || of_server == tcp_state::close_wait; }

} // namespace

surroundings_of_cells::surroundings_of_cells() {
    link(server_, std::string(server_address) + "/24", client_, "192.0.2.2/24");
    segments_ = server_.run([this] { return std::make_unique<segment_capture>(client_.name()); });
    // The whole reply fits the send queue: what ends the connection decides what becomes of it.
    server_.set_sysctl("net.ipv4.tcp_wmem", "4096 4194304 4194304");
}

void surroundings_of_cells::settle(result& r, std::uint16_t port, const peer& client) const {
    eventually([&] { return client.finished(); }, bound);
    const endpoint here{ipv4(server_address), port}, there = r.said.client;
    const socket_table of_server = server_.run([] { return socket_table(); }),
                       of_client = client_.run([] { return socket_table(); });
    auto unchanged_since = steady::now();
    eventually(
        [&] {
            const tcp_state at_server = of_server.find(here, there).state,
                            at_client = of_client.find(there, here).state;
            if (at_server != r.at_server || at_client != r.at_client) unchanged_since = steady::now();
            r.at_server = at_server;
            r.at_client = at_client;
            return steady::now() - unchanged_since >= quiet_time && !is_held(at_server) &&
                   !moves(at_server, at_client) && !moves(at_client, at_server);
        },
        settle_time);
}

void surroundings_of_cells::look_at_segments(result& r, std::uint16_t port) const {
    for (const segment& s : segments_->between(port, r.said.client.port)) {
        if (s.outgoing) continue;
        r.client_fin = r.client_fin || s.fin;
        r.client_rst = r.client_rst || s.rst;
    }
}

result surroundings_of_cells::run(const variant& what, std::uint16_t port) const {
    result r{.what = what, .said = {}, .got = {}};
    peer client(what);
    std::jthread conversing;
    r.said = serve_one(what, server_, port, [&] {
        conversing = std::jthread([&](const std::stop_token& stop) {
            const inside here(client_);
            client.run({ipv4(server_address), port}, stop);
        });
    });
    settle(r, port, client);
    look_at_segments(r, port);
    conversing = {}; // asks it to stop, and waits for it
    r.got = client.view();
    return r;
}

} // namespace lab::tls
