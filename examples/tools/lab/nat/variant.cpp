// SPDX-License-Identifier: BSL-1.0
#include "variant.hpp"

#include "../support/firewall.hpp"
#include "../support/observed.hpp"
#include "../support/tcp_sockets.hpp"

#include "observation/segment_capture.hpp"

#include <future>
#include <memory>
#include <stdexcept>
#include <thread>

namespace lab::nat {

namespace {

using namespace std::chrono_literals;

// How long the NAT remembers a connection after both FINs. By default it is 120 s; one short of ports or memory forgets
// earlier, as does one that was told to.
constexpr auto nat_remembers = 1s;
constexpr auto timer_slack = 200ms;

struct network {
    host server{"server"};
    host nat{"nat"};
    host a{"a"};
    host b{"b"};

    explicit network(const variant& chosen) {
        link(server, server_address + "/24", nat, "198.51.100.1/24");
        link(a, "192.0.2.2/30", nat, "192.0.2.1/30");
        link(b, "192.0.2.6/30", nat, "192.0.2.5/30");
        a.add_route("default via 192.0.2.1");
        b.add_route("default via 192.0.2.5");
        server.set_sysctl("net.ipv4.tcp_rfc1337", chosen.rfc1337 ? "1" : "0");
        server.set_sysctl("net.ipv4.tcp_timestamps", chosen.timestamps ? "1" : "0");
        nat.forward();
        masquerade(nat, "server");
        if (chosen.resets_lost) drop_resets(nat);
        nat.set_sysctl("net.netfilter.nf_conntrack_tcp_timeout_time_wait", std::to_string(nat_remembers.count()));
    }

    std::size_t time_wait_on_clients() const { return count(a, tcp_state::time_wait) + count(b, tcp_state::time_wait); }
};

/// Client a connects from one block of ports, client b from the other, at the same time.
std::vector<attempt> connect_both(const network& hosts, std::uint16_t ports_of_a, std::uint16_t ports_of_b,
                                  const dimensions& size) {
    const observation::endpoint target{observation::ipv4(server_address), server_port};
    const auto from = [&](const host& h, std::uint16_t first) {
        return std::async(std::launch::async, [&, first] {
            return h.run([&] { return connect_at_once(target, first, size.ports, size.connect_limit); });
        });
    };
    auto a = from(hosts.a, ports_of_a), b = from(hosts.b, ports_of_b);
    std::vector<attempt> all = a.get();
    const std::vector<attempt> others = b.get();
    all.insert(all.end(), others.begin(), others.end());
    return all;
}

/// The finding on tcp_rfc1337 in what closeside-check says here; nothing if it does not mention it.
std::optional<nlohmann::json> find_cs101(const host& server, const std::string& check, std::vector<std::string> more) {
    std::vector<std::string> arguments{check, "--format", "json", "--assume", "local", "--exposure", "nat"};
    arguments.insert(arguments.end(), more.begin(), more.end());
    const program_result said = server.program(arguments);
    if (said.status > 2)
        throw std::runtime_error(check + " ended with status " + std::to_string(said.status) + ": " + said.err);
    const nlohmann::json document = nlohmann::json::parse(said.out);
    for (const nlohmann::json& finding : document.at("findings"))
        if (finding.at("code") == "CS101") return finding;
    return std::nullopt;
}

} // namespace

const std::vector<std::string> counter_names{"PAWSTimewait", "PAWSEstab", "TCPACKSkippedTimeWait",
                                             "TCPTimeWaitOverflow"};

outcome run(const variant& chosen, const dimensions& size, const std::string& check) {
    const network hosts(chosen);
    const auto second_port = static_cast<std::uint16_t>(chosen.first_port + size.ports);
    outcome result;
    if (!check.empty()) result.check.emplace().before = find_cs101(hosts.server, check, {});
    const auto capture = hosts.server.run(
        [] { return std::make_unique<observation::segment_capture>("nat", observation::recorded::every_segment); });
    const std::unique_ptr<server> serving = serve(hosts.server, chosen.how);
    const counters before(hosts.server);

    result.first = connect_both(hosts, chosen.first_port, second_port, size);
    eventually(
        [&] { return count(hosts.server, tcp_state::time_wait) + hosts.time_wait_on_clients() >= 2 * size.ports; }, 1s);
    result.time_wait_on_server = count(hosts.server, tcp_state::time_wait);
    result.time_wait_on_clients = hosts.time_wait_on_clients();

    const auto closed_at = steady::now();
    // Nothing tells when the NAT's timers have run out: it drops an entry when somebody asks for its port.
    std::this_thread::sleep_until(closed_at + nat_remembers + timer_slack);
    std::future<std::optional<nlohmann::json>> during;
    if (!check.empty())
        during = std::async(std::launch::async, [&] { return find_cs101(hosts.server, check, {"--watch", "2"}); });
    result.second = connect_both(hosts, second_port, chosen.first_port, size);
    if (during.valid()) result.check->during = during.get();

    result.counted = counters(hosts.server).moved_since(before, counter_names);
    result.segments = capture->all();
    if (capture->dropped() != 0) throw std::runtime_error("the kernel could not record every segment; run it again");
    return result;
}

} // namespace lab::nat
