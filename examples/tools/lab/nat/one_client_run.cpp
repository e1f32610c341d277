// SPDX-License-Identifier: BSL-1.0
#include "one_client.hpp"

#include "flows.hpp"

#include "../support/firewall.hpp"
#include "../support/observed.hpp"
#include "../support/tcp_sockets.hpp"

#include "observation/segment_capture.hpp"

#include <algorithm>
#include <map>
#include <memory>
#include <stdexcept>
#include <thread>
#include <utility>

namespace lab::nat::one_client {

namespace {

using namespace std::chrono_literals;

constexpr auto nat_remembers = 1s;
constexpr auto timer_slack = 200ms;
constexpr auto late_after = 200ms;
constexpr auto endless_patience = 8s; // beyond every policy's
const std::string address_of_nat = "198.51.100.1";
constexpr std::uint16_t first_port_of_nat = 20000;
// Timestamps are milliseconds: those of connections that begin together are as near to each other.
constexpr std::uint32_t one_clock = 60'000;

struct network {
    host server{"server"};
    host nat{"nat"};
    host client{"client"};

    network(const variant& chosen, std::size_t ports, std::uint16_t first_port) {
        link(server, server_address + "/24", nat, address_of_nat + "/24");
        link(client, "192.0.2.2/30", nat, "192.0.2.1/30");
        client.add_route("default via 192.0.2.1");
        client.set_sysctl("net.ipv4.tcp_timestamps", std::to_string(chosen.client_timestamps));
        server.set_sysctl("net.ipv4.tcp_rfc1337", chosen.rfc1337 ? "1" : "0");
        nat.forward();
        map_ports_twice(nat, "server", address_of_nat, first_port, ports, first_port_of_nat);
        // How a connection has ended is to make no difference to the NAT: FIN and RST are forgotten alike.
        for (const char* const state : {"time_wait", "close"})
            nat.set_sysctl("net.netfilter.nf_conntrack_tcp_timeout_" + std::string(state),
                           std::to_string(nat_remembers.count()));
    }
};

outcome run_once(const variant& chosen, const dimensions& size, std::uint16_t first_port) {
    const network hosts(chosen, size.ports, first_port);
    const auto connect_from = [&](std::uint16_t first) {
        const observation::endpoint target{observation::ipv4(server_address), server_port};
        return hosts.client.run([&] {
            return connect_at_once(target, first, size.ports, size.connect_limit,
                                   chosen.client_ends ? usual_patience : endless_patience);
        });
    };
    outcome result;
    const auto capture = hosts.server.run(
        [] { return std::make_unique<observation::segment_capture>("nat", observation::recorded::every_segment); });
    const std::unique_ptr<server> serving = serve(hosts.server, chosen.how);
    const counters before(hosts.server);

    result.first = connect_from(first_port);
    // Where nobody will be in TIME-WAIT, this is how long the last segments have.
    const bool nobody = chosen.how == ending::peer_first_or_reset && !chosen.client_ends;
    eventually(
        [&] {
            return count(hosts.server, tcp_state::time_wait) + count(hosts.client, tcp_state::time_wait) >= size.ports;
        },
        nobody ? 500ms : 5s);
    result.time_wait_on_server = count(hosts.server, tcp_state::time_wait);
    result.time_wait_on_clients = count(hosts.client, tcp_state::time_wait);

    // Nothing tells when the NAT's timers have run out: it drops an entry when somebody asks for its port.
    std::this_thread::sleep_for(nat_remembers + timer_slack);
    result.second = connect_from(static_cast<std::uint16_t>(first_port + size.ports));

    result.counted = counters(hosts.server).moved_since(before, counter_names);
    result.segments = capture->all();
    if (capture->dropped() != 0) throw std::runtime_error("the kernel could not record every segment; run it again");
    return result;
}

/// Whether the SYNs of simultaneous connections show more than one clock.
bool differ(const std::vector<flow>& flows, std::size_t count) {
    std::optional<std::uint32_t> first;
    for (std::size_t i = 0; i < std::min(count, flows.size()); ++i) {
        const observation::segment& syn = flows[i].segments.front();
        if (!syn.timestamp) continue;
        if (!first) first = syn.timestamp;
        const std::uint32_t ahead = *syn.timestamp - *first;
        if (std::min(ahead, 0u - ahead) > one_clock) return true;
    }
    return false;
}

void add(result& r, outcome found, std::size_t ports) {
    for (const attempt& a : found.first)
        if (!a.answered)
            throw std::runtime_error("a connection of the first round, from an unused port, was not answered");
    for (const attempt& a : found.second) {
        ++r.connects;
        if (!a.connected) {
            ++r.failed;
            continue;
        }
        r.late += *a.connected > late_after ? 1 : 0;
        r.connect_ms.push_back(static_cast<double>(a.connected->count()) / 1000);
    }
    const std::vector<flow> flows = flows_of(found.segments);
    std::map<std::uint16_t, const flow*> before;
    for (const flow& f : flows) {
        const auto [known, is_first] = before.try_emplace(f.port, &f);
        if (is_first) continue;
        const bool behind = timestamp_behind(*known->second, f).has_value();
        r.behind += behind ? 1 : 0;
        r.challenged += f.challenged() ? 1 : 0;
        r.otherwise += behind != f.challenged() ? 1 : 0;
    }
    r.own_offsets = r.own_offsets || differ(flows, ports);
    r.time_wait_on_server += found.time_wait_on_server;
    r.found.push_back(std::move(found));
}

} // namespace

std::string name_of(const variant& v) {
    return std::string(to_string(v.how)) + (v.client_ends ? ", client ends" : ", client waits") +
           ", rfc1337 = " + (v.rfc1337 ? "1" : "0") + ", timestamps " + std::to_string(v.client_timestamps);
}

result run(const variant& chosen, const dimensions& size, std::uint16_t first_port) {
    result r;
    r.what = chosen;
    for (std::size_t i = 0; i < size.repetitions; ++i) {
        const std::size_t used = i * ports_of_client(size) / size.repetitions;
        add(r, run_once(chosen, size, static_cast<std::uint16_t>(first_port + used)), size.ports);
    }
    std::sort(r.connect_ms.begin(), r.connect_ms.end());
    return r;
}

} // namespace lab::nat::one_client
