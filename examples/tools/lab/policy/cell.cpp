// SPDX-License-Identifier: BSL-1.0
#include "cell.hpp"

#include <exception>
#include <optional>
#include <stop_token>
#include <thread>

#include <netinet/in.h>

namespace lab::policy {

namespace {

using namespace std::chrono_literals;

constexpr auto sample_pace = 1ms;
constexpr auto quiet_time = 20ms; // both ends unchanged for so long: settled
constexpr auto ack_time = 1s;     // a delayed ACK takes 200 ms at most (TCP_DELACK_MAX)

endpoint loopback(std::uint16_t port) { return {INADDR_LOOPBACK, port}; }

void note(std::vector<tcp_state>& trail, tcp_state state) {
    if (state != tcp_state::unknown && (trail.empty() || trail.back() != state)) trail.push_back(state);
}

/// Samples the states of both ends on a thread of its own.
class state_trail {
public:
    state_trail(const peer& p, std::uint16_t server_port, table_source source)
        : sampler_([this, &p, server_port, source](std::stop_token stop) {
              try {
                  sample(p, loopback(server_port), source, stop);
              } catch (...) {
                  failure_ = std::current_exception();
              }
          }) {}

    /// Stops sampling; both trails are complete then.
    void finish(evidence& found) {
        sampler_.request_stop();
        sampler_.join();
        if (failure_) std::rethrow_exception(failure_);
        found.server_states = std::move(server_);
        found.peer_states = std::move(peer_);
    }

private:
    void sample(const peer& p, endpoint server, table_source source, const std::stop_token& stop) {
        const socket_table table(source);
        while (!stop.stop_requested()) {
            if (const std::uint16_t port = p.local_port()) {
                note(server_, table.find(server, loopback(port)).state);
                note(peer_, table.find(loopback(port), server).state);
            }
            std::this_thread::sleep_for(sample_pace);
        }
    }

    std::vector<tcp_state> server_;
    std::vector<tcp_state> peer_;
    std::exception_ptr failure_;
    std::jthread sampler_;
};

/// The FIN has arrived or is about to, and its ACK is due.
bool awaits_ack(tcp_state state, tcp_state other_end) {
    using enum tcp_state;
    return state == last_ack || state == closing || (state == fin_wait1 && other_end == close_wait);
}

/// Waits until a peer that ends by itself has done so, and then until both ends stay as they are.
void settle(const socket_table& table, endpoint server, const peer& p, evidence& found,
            std::chrono::milliseconds bound) {
    const endpoint client = loopback(p.local_port());
    const auto deadline = steady::now() + bound;
    while (!p.view().finished && steady::now() < deadline) std::this_thread::sleep_for(sample_pace);
    auto unchanged_since = steady::now();
    found.server_settled = table.find(server, client).state;
    found.peer_settled = table.find(client, server).state;
    const auto pause = [&found] {
        const bool due = awaits_ack(found.server_settled, found.peer_settled) ||
                         awaits_ack(found.peer_settled, found.server_settled);
        return due ? steady::duration(ack_time) : steady::duration(quiet_time);
    };
    while (steady::now() - unchanged_since < pause() && steady::now() < deadline) {
        std::this_thread::sleep_for(sample_pace);
        const tcp_state of_server = table.find(server, client).state;
        const tcp_state of_peer = table.find(client, server).state;
        if (of_server == found.server_settled && of_peer == found.peer_settled) continue;
        found.server_settled = of_server;
        found.peer_settled = of_peer;
        unchanged_since = steady::now();
    }
}

} // namespace

cell run_cell(server_kind server, peer_kind kind, const settings& lab, observation::segment_capture* packets) try {
    cell result;
    result.server = server;
    result.peer = kind;
    const socket_table table(lab.table);
    std::optional<peer> client;
    std::optional<std::jthread> client_thread; // destroyed first: asks the peer to stop and joins it
    std::optional<state_trail> trail;
    std::uint16_t server_port = 0;

    result.said = serve_one(server, lab, [&](std::uint16_t port) {
        server_port = port;
        client.emplace(kind, lab, port);
        client_thread.emplace([&p = *client](std::stop_token stop) { p.run(std::move(stop)); });
        trail.emplace(*client, port, lab.table);
    });

    const endpoint server_end = loopback(server_port);
    evidence& found = result.kernel;
    const socket_entry at_close = table.find(server_end, loopback(client->local_port()));
    found.server_at_close = at_close.state;
    found.unacknowledged_at_close = at_close.send_queue;
    settle(table, server_end, *client, found, lab.bound);
    trail->finish(found);
    note(found.server_states, found.server_settled);
    note(found.peer_states, found.peer_settled);
    result.got = client->view();
    found.from_packets = packets != nullptr;
    found.wire = packets ? read_off(packets->between(server_port, client->local_port()), server_port)
                         : inferred_from(found, result.got);
    client_thread.reset();
    if (!result.said.closed)
        result.failure = "the server did not get to the end of its close within the lab's bound; last error: " +
                         result.said.write_error.message();
    return result;
} catch (const std::exception& e) {
    cell failed;
    failed.server = server;
    failed.peer = kind;
    failed.failure = e.what();
    return failed;
}

} // namespace lab::policy
