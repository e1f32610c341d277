// SPDX-License-Identifier: BSL-1.0
#include "variant.hpp"

#include "../support/firewall.hpp"
#include "../support/observed.hpp"

#include "observation/segment_capture.hpp"

#include <memory>
#include <stdexcept>
#include <string>
#include <thread>

namespace lab::pool {

namespace {

using namespace std::chrono_literals;

constexpr std::uint16_t first_port = 2000; // below the clients', so that the NAT keeps none of theirs
constexpr const char* server_address = "198.51.100.2";

} // namespace

outcome run(const variant& chosen, const dimensions& size) {
    const host server("server"), gateway("nat"), client("client");
    link(server, std::string(server_address) + "/24", gateway, "198.51.100.1/24");
    link(client, "192.0.2.2/30", gateway, "192.0.2.1/30");
    client.add_route("default via 192.0.2.1");
    client.set_sysctl("net.ipv4.ip_local_port_range", "32768 65535");
    gateway.forward();
    masquerade(gateway, "server", first_port, static_cast<std::uint16_t>(first_port + size.ports - 1));
    gateway.set_sysctl("net.netfilter.nf_conntrack_tcp_timeout_time_wait", std::to_string(reuse.count()));

    const auto capture = server.run(
        [] { return std::make_unique<observation::segment_capture>("nat", observation::recorded::every_segment); });
    const std::unique_ptr<nat::server> serving = nat::serve(server, chosen.how);
    const std::jthread recording([&](const std::stop_token& stop) {
        while (!stop.stop_requested()) {
            capture->record();
            std::this_thread::sleep_for(20ms);
        }
    });
    outcome found;
    found.made = client.run([&] {
        return connect_steadily(
            {observation::ipv4(server_address), nat::server_port},
            {.per_second = size.per_second, .time = size.warm_up + size.time, .in_time = chosen.in_time});
    });
    found.seen = meetings_of(capture->all());
    if (capture->dropped() != 0) throw std::runtime_error("the kernel could not record every segment; run it again");
    return found;
}

} // namespace lab::pool
