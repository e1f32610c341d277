// SPDX-License-Identifier: BSL-1.0
#include "cell.hpp"
#include "message.hpp"
#include "programs.hpp"
#include "result.hpp"

#include "../labs.hpp"

#include <algorithm>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <exception>
#include <string>
#include <thread>
#include <tuple>
#include <utility>
#include <vector>

namespace lab {

namespace {

using namespace tls;

constexpr std::uint16_t first_port = 10'000;
constexpr std::size_t at_once = 16; // most of the time is spent waiting

/// Those that wait longest come first.
std::vector<variant> all_variants(std::size_t rounds, std::vector<std::string>& notes) {
    std::vector<variant> all;
    for (const server_kind server : all_servers)
        if (is_orderly(server)) all.push_back({server, peer_kind::never_closes, protocol::tcp});
    for (const peer_kind p : all_peers) {
        if (!is_installed(p)) {
            notes.push_back(std::string("skipped: the cells of ") + to_string(p) + ", which is not installed");
            continue;
        }
        for (const protocol over : {protocol::tls1_2, protocol::tls1_3})
            for (const server_kind server : all_servers) all.push_back({server, p, over});
    }
    const std::vector<variant> one_round = all;
    while (--rounds != 0) all.insert(all.end(), one_round.begin(), one_round.end());
    std::partition(all.begin(), all.end(), [](const variant& v) {
        return v.peer == peer_kind::never_closes || v.peer == peer_kind::stops_half_way;
    });
    return all;
}

result run_one(const surroundings_of_cells& hosts, const variant& what, std::uint16_t port) try {
    return hosts.run(what, port);
} catch (const std::exception& e) {
    result failed{.what = what, .said = {}, .got = {}};
    failed.said.failure = e.what();
    return failed;
}

results run_all(const std::vector<variant>& all) {
    const surroundings_of_cells hosts;
    results found(all.size());
    std::atomic<std::size_t> next = 0;
    std::vector<std::jthread> threads;
    for (std::size_t i = 0; i < at_once; ++i)
        threads.emplace_back([&] {
            for (std::size_t cell = next++; cell < all.size(); cell = next++)
                found[cell] = run_one(hosts, all[cell], static_cast<std::uint16_t>(first_port + cell));
        });
    threads.clear();
    return found;
}

/// Of each variant the round in which the peer got least, in the order of the table.
results the_least_of(results all) {
    const auto place = [](const auto& list, auto one) {
        return std::find(list.begin(), list.end(), one) - list.begin();
    };
    std::sort(all.begin(), all.end(), [&](const result& a, const result& b) {
        const auto key = [&](const variant& v) {
            return std::tuple(v.over, place(all_servers, v.server), place(all_peers, v.peer));
        };
        return std::pair(key(a.what), a.got.received) < std::pair(key(b.what), b.got.received);
    });
    const auto same = [](const result& a, const result& b) { return a.what == b.what; };
    all.erase(std::unique(all.begin(), all.end(), same), all.end());
    return all;
}

std::string in_seconds(std::chrono::milliseconds time) {
    return svg::number(static_cast<double>(time.count()) / 1000) + " s";
}

} // namespace

report run_tls(const settings& chosen) {
    const std::size_t rounds = chosen.quick ? 1 : 5;
    report r;
    const results all = run_all(all_variants(rounds, r.notes));
    const results shown = the_least_of(all);
    r.setting = {
        "server - client. A request, a reply of " + std::to_string(reply_size) +
            " bytes, all of which the server's send queue takes, and the server ends the connection.",
        "patience " + in_seconds(patience) + ", drain_idle " + in_seconds(drain_idle) + ", drain_time " +
            in_seconds(drain_time) + "; async_shutdown has " + in_seconds(shutdown_limit) + ", then close().",
        "Each cell was run " +
            (rounds == 1 ? "once." : std::to_string(rounds) + " times; shown is the time that the peer got least.")};
    r.tables.push_back(table_of(shown));
    check_claims(r, all);
    draw_picture(r, shown, protocol::tls1_3);
    return r;
}

} // namespace lab
