// SPDX-License-Identifier: BSL-1.0
#include "capacity.hpp"

#include "audit_options.hpp"
#include "command.hpp"
#include "read_file.hpp"

#include <closeside/host/capacity.hpp>
#include <closeside/host/take_snapshot.hpp>
#include <closeside/policy.hpp>

#include <CLI/CLI.hpp>

#include <array>
#include <cstddef>
#include <functional>
#include <limits>
#include <memory>
#include <sstream>
#include <stdexcept>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>

#include <unistd.h>

namespace check {

namespace {

namespace host = closeside::host;
namespace policies = closeside::policies;

struct command {
    capacity_question what;
    output to;
};

/// Of several policies in one name the first is for connections that are accepted, the last for those that are opened.
double share_of(const capacity_question& asked) {
    return host::time_wait_share(asked.destinations ? asked.policies.back() : asked.policies.front(),
                                 asked.peers_in_time);
}

accepted_answer accept(const capacity_question& asked, const host::time_wait_limits& limits, double share,
                       std::int64_t addresses, bool simulating) {
    accepted_answer a{asked.from, {}};
    a.load.per_second = asked.closes_per_second;
    a.load.time_wait_share = share;
    a.load.open_seconds = asked.open_seconds;
    a.load.addresses = addresses;
    a.foretold = host::forecast(a.load, limits);
    if (!simulating) return a;
    a.how = simulation_of(a.load, limits, {}, asked.seed);
    a.seen = simulate(*a.how);
    return a;
}

opened_answer open(const capacity_question& asked, const host::snapshot& seen, const host::time_wait_limits& limits,
                   double share, bool simulating) {
    const auto ports = host::capacity_of(seen).local_ports;
    const auto hold = host::port_hold_seconds_of(seen, asked.to_loopback);
    if (!ports || !hold)
        throw std::runtime_error("net.ipv4.ip_local_port_range, tcp_tw_reuse and tcp_timestamps decide which ports are "
                                 "free, and cannot all be read below '" +
                                 asked.root + "'");
    if (*ports == 0) throw std::runtime_error("net.ipv4.ip_local_reserved_ports leaves no port to connect from");
    opened_answer o{{.per_second = asked.closes_per_second,
                     .time_wait_share = share,
                     .open_seconds = asked.open_seconds,
                     .destinations = *asked.destinations,
                     .ports = *ports,
                     .hold_seconds = *hold},
                    {}};
    o.foretold = host::forecast(o.load, limits);
    if (!simulating) return o;
    o.how = simulation_of(o.load, limits, {}, asked.seed);
    o.seen = simulate(*o.how);
    return o;
}

/// `tw_sock_TCP 144 224 256 16 1 …`: objects, all of them, the size of each, how many a slab, pages a slab.
time_wait_memory memory_of(const std::string& root) {
    constexpr std::size_t largest = 1 << 20;
    std::string text;
    try {
        text = read_file(root + "/proc/slabinfo", largest);
    } catch (const std::runtime_error&) {
        return {};
    }
    const std::size_t at = text.find("\ntw_sock_TCP ");
    if (at == text.npos) return {};
    std::istringstream line(text.substr(at + 1));
    std::string name;
    double objects = 0, all = 0, size = 0, each_slab = 0, pages = 0;
    if (!(line >> name >> objects >> all >> size >> each_slab >> pages) || !(each_slab > 0)) return {};
    return {static_cast<double>(::sysconf(_SC_PAGESIZE)) * pages / each_slab, true};
}

int run(const command& c) {
    const host::snapshot seen = host::take_snapshot({.root = c.what.root});
    if (seen.error != 0)
        return give_up("cannot look below '" + c.what.root + "': proc/sys/net: " +
                       std::generic_category().message(seen.error) + "; --root takes a directory that holds proc/");
    std::ostringstream out;
    try {
        const capacity_answer a = answer(c.what, seen);
        if (c.to.format == output_format::json)
            print_capacity_json(out, a);
        else
            print_capacity_text(out, a, look_at_terminal(c.to));
    } catch (const std::runtime_error& e) {
        return give_up(e.what());
    }
    return deliver(c.to, std::move(out).str(), 0);
}

/// A number of seconds, or a share, from `low` to `high`.
double number(const char* option, const std::string& text, double low, double high, const char* cure) {
    const auto value = decimal(text);
    if (!value || !(*value >= low) || !(*value <= high)) refuse(option, text, cure);
    return *value;
}

using use_value = std::function<void(const std::string&)>;

CLI::Option* add(CLI::App& app, const char* name, const char* type, const char* help, const use_value& use) {
    return app.add_option_function<std::string>(name, use, help)->type_name(type);
}

/// "10,100,1000"
std::vector<std::int64_t> numbers(const char* option, std::string_view list) {
    std::vector<std::int64_t> all;
    for (;;) {
        const std::size_t comma = list.find(',');
        all.push_back(whole_number(option, std::string(list.substr(0, comma)), 1, 1'000'000'000));
        if (comma == list.npos) return all;
        list.remove_prefix(comma + 1);
    }
}

/// Of what is asked only where connections are accepted.
std::vector<CLI::Option*> add_client_options(CLI::App& app, capacity_question& asked) {
    constexpr const char* seconds = "is no time; give seconds from 0 to 3600, as in 30 or 0.5";
    return {
        add(app, "--clients", "ADDRESSES",
            "How many addresses they come from: of clients, of a NAT, of a balancer; several with commas between "
            "(default: 1,10,100,1000,10000)",
            [&](const std::string& text) { asked.addresses = numbers("--clients", text); }),
        add(app, "--nat-ports", "N", "Ports that each of these addresses has, 1 to 65535 (default: 28232, Linux's)",
            [&](const std::string& text) { asked.from.ports = whole_number("--nat-ports", text, 1, 65535); }),
        add(app, "--nat-reuse", "SECONDS",
            "How long after a close it gives out the port again, 0 to 3600 (default: 120, as a NAT on Linux; 0: a "
            "balancer or client whose peer closes first)",
            [&](const std::string& text) { asked.from.reuse_seconds = number("--nat-reuse", text, 0, 3600, seconds); }),
        add(app, "--nat-choice", "CHOICE", "How it chooses among its free ports: random (default) or sequential",
            [&](const std::string& name) {
                if (name != "random" && name != "sequential")
                    refuse("--nat-choice", name, "is not known; give random or sequential");
                asked.from.choice = name == "random" ? host::port_choice::random : host::port_choice::sequential;
            })};
}

} // namespace

capacity_answer answer(const capacity_question& asked, const host::snapshot& seen) {
    const auto limits = host::time_wait_limits_of(seen);
    if (!limits)
        throw std::runtime_error(
            "net.ipv4.tcp_max_tw_buckets and tcp_rfc1337 decide what becomes of TIME-WAIT, and cannot "
            "both be read below '" +
            asked.root + "'");
    capacity_answer a{.asked = asked,
                      .kernel = seen.kernel,
                      .limits = *limits,
                      .memory = memory_of(asked.root),
                      .share = share_of(asked)};
    if (asked.destinations)
        a.opened = open(asked, seen, *limits, a.share, asked.simulate);
    else
        for (const std::int64_t n : asked.addresses)
            a.accepted.push_back(accept(asked, *limits, a.share, n, asked.simulate));
    constexpr std::array<std::pair<const char*, closeside::close_policy>, 4> compared{
        {{"graceful", policies::graceful},
         {"peer_first", policies::peer_first},
         {"peer_first_or_reset", policies::peer_first_or_reset},
         {"abortive", policies::abortive}}};
    for (const auto& [name, policy] : compared) {
        policy_answer other{name, host::time_wait_share(policy, asked.peers_in_time), {}, {}};
        if (asked.destinations)
            other.opened = open(asked, seen, *limits, other.share, false);
        else
            other.accepted = accept(asked, *limits, other.share, asked.addresses.back(), false);
        a.policies.push_back(other);
    }
    return a;
}

void add_capacity(CLI::App& app, action& chosen) {
    const auto given = std::make_shared<command>();
    capacity_question& asked = given->what;
    CLI::App& capacity = *app.add_subcommand(
        "capacity", "Foretells what a rate of closes comes to: TIME-WAITs, memory, ports, and connects that meet one");
    add(capacity, "--root", "DIR", "Directory that holds proc/, whose values count (default: /)",
        [&](const std::string& directory) {
            if (directory.empty()) refuse("--root", directory, "is not a directory; give one that holds proc/");
            asked.root = directory;
        });
    add(capacity, "--closes", "RATE", "Connections that begin and are closed in a second, by either side (needed)",
        [&](const std::string& text) { asked.closes_per_second = rate("--closes", text); });
    add(capacity, "--assume", "POLICY",
        "How the program closes, as for the check: local (default), peer, abort, system, nginx, haproxy or apache",
        [&](const std::string& name) {
            asked.policies = assumed_policies("--assume", name);
            asked.assumed = name;
        });
    add(capacity, "--peers-in-time", "SHARE",
        "Of the peers, those that close within patience where they are to close first, 0 to 1 (default: 0.9)",
        [&](const std::string& text) {
            asked.peers_in_time =
                number("--peers-in-time", text, 0, 1, "is no share; give a number from 0 to 1, as in 0.95");
        });
    add(capacity, "--open-for", "SECONDS", "How long a connection is open, 0 to 3600 (default: 0)",
        [&](const std::string& text) {
            asked.open_seconds =
                number("--open-for", text, 0, 3600, "is no time; give seconds from 0 to 3600, as in 30 or 0.5");
        });
    const auto of_clients = add_client_options(capacity, asked);
    add(capacity, "--destinations", "N",
        "This host opens them, to so many addresses and ports, and its own ports are what runs out",
        [&](const std::string& text) { asked.destinations = whole_number("--destinations", text, 1, 1'000'000); });
    capacity.add_flag("--loopback", asked.to_loopback, "With --destinations: they are in 127.0.0.0/8 or ::1");
    capacity.add_flag("--simulate", asked.simulate, "Also goes through millions of connections one by one");
    add(capacity, "--seed", "N", "Of the simulation: the same gives the same (default: 1)",
        [&](const std::string& text) {
            asked.seed =
                static_cast<std::uint64_t>(whole_number("--seed", text, 0, std::numeric_limits<std::int64_t>::max()));
        });
    add_output_options(capacity, given->to, {output_format::text, output_format::json});
    capacity.footer("Exit status: 0 foretold, 64 usage, 70 a value is missing, or it could not be printed.\n"
                    "`closeside-check explain capacity` says what is assumed.");
    capacity.callback([&chosen, given, of_clients] {
        capacity_question& asked_for = given->what;
        for (const CLI::Option* const option : of_clients)
            if (asked_for.destinations && option->count() != 0)
                throw CLI::ValidationError("--destinations", "is for connections that this host opens, " +
                                                                 option->get_name() +
                                                                 " for those that it accepts; give one of the two");
        if (asked_for.to_loopback && !asked_for.destinations)
            throw CLI::ValidationError("--loopback", "says where destinations are; give --destinations with it");
        if (asked_for.closes_per_second <= 0)
            throw CLI::ValidationError("--closes", "is missing; give connections per second, as in --closes 250");
        if (asked_for.policies.empty()) asked_for.policies = assumed_policies("--assume", asked_for.assumed);
        chosen = [given] { return run(*given); };
    });
}

} // namespace check
