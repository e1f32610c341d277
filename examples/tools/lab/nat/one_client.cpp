// SPDX-License-Identifier: BSL-1.0
#include "one_client.hpp"
#include "pictures.hpp"

#include "../labs.hpp"
#include "../support/allow_descriptors.hpp"

#include <future>
#include <utility>
#include <vector>

namespace lab {

namespace {

using namespace std::chrono_literals;
using namespace nat;
using one_client::result;
using one_client::results;

std::vector<one_client::variant> variants() {
    std::vector<one_client::variant> all;
    for (const bool rfc1337 : {false, true}) {
        for (const int timestamps : {1, 0, 2})
            all.push_back({.how = ending::graceful, .rfc1337 = rfc1337, .client_timestamps = timestamps});
        for (const ending how : {ending::peer_first, ending::peer_first_or_reset})
            for (const bool client_ends : {true, false})
                all.push_back({.how = how, .client_ends = client_ends, .rfc1337 = rfc1337});
    }
    return all;
}

/// Every variant at the same time: they share no host, and most of the time is spent waiting.
results run_all(const one_client::dimensions& size) {
    // Both ends of every connection are this process's.
    allow_descriptors(variants().size() * (2 * size.ports + 20) + 100);
    std::vector<std::future<result>> running;
    std::size_t first_port = 32768;
    for (const one_client::variant& v : variants()) {
        const auto first = static_cast<std::uint16_t>(first_port);
        running.push_back(std::async(std::launch::async, [&, v, first] { return one_client::run(v, size, first); }));
        first_port += one_client::ports_of_client(size);
    }
    results all;
    for (std::future<result>& one : running) all.push_back(one.get());
    return all;
}

long long counted(const result& r, const std::string& name) {
    long long sum = 0;
    for (const outcome& one : r.found)
        if (const auto c = one.counted.find(name); c != one.counted.end()) sum += c->second;
    return sum;
}

table table_of(const results& all) {
    table t{.key = "variants",
            .title =
                "The second round's connects. TW: the first round's TIME-WAITs on the server; behind: SYNs with an "
                "older timestamp than the\nport's last; challenged: SYNs answered by an ACK; late: connected after "
                "more than 200 ms; failed: not connected.",
            .columns = {{"server", "server"},
                        {"client_ends", "client"},
                        {"client_timestamps", "its timestamps"},
                        {"rfc1337", "rfc1337"},
                        {"connects", "connects"},
                        {"time_wait_server", "TW"},
                        {"behind", "behind"},
                        {"challenged", "challenged"},
                        {"challenged_percent", "%", 1},
                        {"late", "late"},
                        {"failed", "failed"},
                        {"failed_percent", "%", 1},
                        {"worst_ms", "worst ms", 1},
                        {"paws", "PAWSEstab + PAWSTimewait"}},
            .rows = {}};
    for (const result& r : all) {
        using nlohmann::json;
        const auto percent = [&](std::size_t n) {
            return 100 * static_cast<double>(n) / static_cast<double>(r.connects);
        };
        t.rows.push_back({to_string(r.what.how), r.what.client_ends ? "ends" : "waits", r.what.client_timestamps,
                          r.what.rfc1337 ? 1 : 0, r.connects, r.time_wait_on_server, r.behind, r.challenged,
                          percent(r.challenged), r.late, r.failed, percent(r.failed),
                          r.connect_ms.empty() ? json() : json(r.connect_ms.back()),
                          counted(r, "PAWSEstab") + counted(r, "PAWSTimewait")});
    }
    return t;
}

void draw_picture(report& r, const results& all, const one_client::dimensions& size) {
    const outcome& locked_out = one_client::pick(all, ending::graceful, true).found.front();
    std::vector<svg::panel> panels;
    if (const auto diagram =
            lock_out(locked_out, size.connect_limit, "the same client, from another of its ports, the NAT's the same"))
        panels.push_back(*diagram);
    panels.push_back(latencies(one_client::pick(all, ending::graceful, false).found.front(), locked_out,
                               one_client::pick(all, ending::peer_first, true).found.front(), size.connect_limit));
    r.picture = svg::stacked(panels);
    r.picture_title = "One client comes from a port of the NAT that the server holds in TIME-WAIT";
    r.picture_description =
        "Where its kernel gives each connection's timestamps an offset of their own, half of its "
        "connects are challenged, and with tcp_rfc1337 = 1 at the server they are locked out. Below, "
        "the share of connects that succeed after a time.";
}

} // namespace

report run_one_client(const settings& chosen) {
    const one_client::dimensions size =
        chosen.quick ? one_client::dimensions{.ports = 40, .repetitions = 1, .connect_limit = 2s}
                     : one_client::dimensions{.ports = 100, .repetitions = 5, .connect_limit = 4s};
    const results all = run_all(size);
    const bool own_offsets = one_client::kernel_has_own_offsets(all);
    report r;
    r.setting = {"client - NAT - server. The NAT has " + std::to_string(size.ports) + " ports. The client connects " +
                     std::to_string(size.ports) + " times; when the NAT has forgotten that, a second later, as often",
                 "again from other local ports" +
                     (size.repetitions > 1 ? ", " + std::to_string(size.repetitions) + " times over" : std::string()) +
                     ". The server may remember them for 60 s. A connect may take " +
                     std::to_string(size.connect_limit.count() / 1000) + " s.",
                 std::string("Timestamps of this kernel (tcp_timestamps = 1): ") +
                     (own_offsets ? "an offset for each connection, as up to 4.10 and where CVE-2026-23247 is mended."
                                  : "one offset for all connections between two addresses.")};
    r.tables.push_back(table_of(all));
    one_client::check_claims(r, all);
    draw_picture(r, all, size);
    return r;
}

} // namespace lab
