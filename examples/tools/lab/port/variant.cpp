// SPDX-License-Identifier: BSL-1.0
#include "variant.hpp"

#include "../support/observed.hpp"
#include "../support/tcp_sockets.hpp"

#include "server.hpp"

#include "check/capacity_simulation.hpp"

#include <closeside/error.hpp>
#include <closeside/host/capacity.hpp>
#include <closeside/host/closing_load.hpp>
#include <closeside/host/take_snapshot.hpp>

#include <algorithm>
#include <filesystem>

namespace lab::port {

namespace {

namespace cs = closeside;
using namespace std::chrono_literals;

constexpr std::size_t first_port = 40000;

struct network {
    host client{"client"};
    std::optional<host> other;
    observation::endpoint target{observation::ipv4("127.0.0.1"), server_port};

    network(const variant& chosen, const dimensions& size) {
        if (chosen.way == path::veth) {
            link(client, "192.0.2.2/24", other.emplace("server"), "192.0.2.1/24");
            target.address = observation::ipv4("192.0.2.1");
        }
        client.set_sysctl("net.ipv4.tcp_tw_reuse", std::to_string(chosen.tw_reuse));
        client.set_sysctl("net.ipv4.tcp_timestamps", chosen.timestamps ? "1" : "0");
        if (client.run([] { return std::filesystem::exists("/proc/sys/net/ipv4/tcp_tw_reuse_delay"); }))
            client.set_sysctl("net.ipv4.tcp_tw_reuse_delay", std::to_string(size.delay.count()));
        // A stray RST is not to end TIME-WAIT early (RFC 1337) and free a port: ports are counted exactly here.
        client.set_sysctl("net.ipv4.tcp_rfc1337", "1");
        set_ports(size.ports);
    }

    const host& server() const noexcept { return other ? *other : client; }

    void set_ports(std::size_t ports) const {
        client.set_sysctl("net.ipv4.ip_local_port_range",
                          std::to_string(first_port) + " " + std::to_string(first_port + ports - 1));
    }

    std::size_t time_wait_of_client() const {
        const auto all = tcp_sockets(client, set_of(tcp_state::time_wait));
        return static_cast<std::size_t>(
            std::count_if(all.begin(), all.end(), [&](const socket_entry& s) { return s.remote == target; }));
    }
};

/// Rounds of the loop that come before, and in, the measurement.
struct rounds {
    std::size_t skipped = 0;
    std::size_t measured = 0;
};

/// Each round takes every port once. Connects a second, by the median time from one to the one some rounds later.
std::optional<double> steady_rate(const std::vector<double>& at, std::size_t ports, const rounds& of) {
    if (at.size() < (of.skipped + of.measured + 1) * ports) return std::nullopt;
    std::vector<double> took;
    for (std::size_t k = of.skipped * ports; k < (of.skipped + 1) * ports; ++k)
        took.push_back(at[k + of.measured * ports] - at[k]);
    std::nth_element(took.begin(), took.begin() + static_cast<std::ptrdiff_t>(ports / 2), took.end());
    return static_cast<double>(ports * of.measured) / took[ports / 2];
}

/// Connects a second that find a port where five times as many are tried as there are ports for.
double simulated_rate(const cs::host::snapshot& seen, const variant& chosen, std::size_t ports) {
    if (chosen.closes_first == cs::side::peer) return 0;
    cs::host::opened_load load{.ports = static_cast<std::int64_t>(ports)};
    load.hold_seconds = cs::host::port_hold_seconds_of(seen, chosen.way == path::loopback).value_or(0);
    load.per_second = 5 * cs::host::forecast(load, {}).per_second;
    const check::simulated_load all = check::simulation_of(load, {}, {.connects = 2e5}, 1);
    return check::simulate(all).made() / all.measured_seconds;
}

/// Frees ports at once.
std::string cure(const network& hosts, const variant& chosen, const dimensions& size) {
    if (chosen.timestamps) {
        hosts.client.set_sysctl("net.ipv4.tcp_tw_reuse", "1");
        return "tw_reuse = 1";
    }
    hosts.set_ports(2 * size.ports);
    return "wider range";
}

} // namespace

outcome run(const variant& chosen, const dimensions& size) {
    const network hosts(chosen, size);
    const std::unique_ptr<server> serving =
        serve(hosts.server(), chosen.closes_first == cs::side::local ? cs::side::peer : cs::side::local);
    const auto in_client = [&](auto body) { return hosts.client.run(body); };

    outcome result;
    const cs::host::snapshot seen = in_client([] { return cs::host::take_snapshot(); });
    const cs::host::capacity can = cs::host::capacity_of(seen);
    result.local_ports = static_cast<std::size_t>(can.local_ports.value_or(0));
    result.capacity =
        (chosen.way == path::loopback ? can.loopback_connects_per_second : can.connects_per_second).value_or(0);

    result.simulated = simulated_rate(seen, chosen, result.local_ports);

    // A link that has just come up loses its first packets: that is not what is measured. This leaves no TIME-WAIT.
    in_client([&] { return eventually([&] { return !connect_once(hosts.target); }, 10s); });

    const bool client_first = chosen.closes_first == cs::side::local;
    // Before Linux 6.14 the first round is shorter than the others: it begins at any time, ports get free at full seconds.
    const rounds of = !client_first ? rounds{0, 9} : chosen.holds_long() ? rounds{0, 1} : rounds{1, 3};
    const std::chrono::milliseconds tries = !chosen.holds_long()       ? 2 * size.delay + 5s
                                            : size.waits_for_time_wait ? 75s
                                                                       : size.delay + 500ms;
    result.made = in_client([&] {
        return connect_in_a_loop(hosts.target, chosen.closes_first,
                                 {.connects = (of.skipped + of.measured + 1) * size.ports, .tries = tries});
    });
    result.rate = steady_rate(result.made.at, size.ports, of);
    result.time_wait = hosts.time_wait_of_client();
    if (chosen.holds_long()) result.cure = cure(hosts, chosen, size);
    result.recovered =
        in_client([&] { return eventually([&] { return !connect_once(hosts.target); }, 2 * size.delay + 5s); });
    return result;
}

} // namespace lab::port
