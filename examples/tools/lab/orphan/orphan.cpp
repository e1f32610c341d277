// SPDX-License-Identifier: BSL-1.0
#include "result.hpp"

#include "../labs.hpp"
#include "../support/allow_descriptors.hpp"

#include <future>
#include <utility>

namespace lab {

namespace {

using namespace std::chrono_literals;
using namespace orphan;
using closeside::fin_wait2;

std::vector<variant> all_variants(bool quick) {
    std::vector<variant> all{{.linger2 = fin_wait2::skip}, {.linger2 = 1s}, {.linger2 = 2s}, {.fin_timeout = 5}};
    if (!quick) all.push_back({.fin_timeout = 60});
    all.push_back({.peers = behaviour::read_slowly, .linger2 = 1s});
    all.push_back({.peers = behaviour::close_late});
    // Not neighbours: the kernel compares times when a timer fires, so how late that is decides whether one retry more or
    // less is the last (retransmits_timed_out).
    for (const int retries : quick ? std::vector{1, 3} : std::vector{1, 3, 5})
        all.push_back({.peers = behaviour::silent, .linger2 = 1s, .orphan_retries = retries});
    all.push_back({.peers = behaviour::silent_a_while, .linger2 = 1s});
    return all;
}

/// Every variant at the same time: they share no host, and most of the time is spent waiting.
results run_all(const std::vector<variant>& variants, std::size_t connections, std::chrono::milliseconds limit) {
    // Both ends of every connection are this process's.
    allow_descriptors(variants.size() * (2 * connections + 20) + 100);
    std::vector<std::pair<variant, std::future<outcome>>> running;
    for (const variant& v : variants)
        running.emplace_back(v, std::async(std::launch::async, [&, v] { return orphan::run(v, connections, limit); }));
    results all;
    for (auto& [what, found] : running) all.push_back(evaluate(what, found.get()));
    return all;
}

} // namespace

report run_orphan(const settings& chosen) {
    const std::size_t connections = chosen.quick ? 200 : 400;
    const results all = run_all(all_variants(chosen.quick), connections, chosen.quick ? 30s : 100s);
    report r;
    r.setting = {"server - peers. The server writes " + std::to_string(reply_size) + " bytes into each of " +
                     std::to_string(connections) +
                     " connections, and closes them under graceful with drain_time = 0.2 s.",
                 "Peers never close, close when the server's descriptors have been released, or acknowledge nothing. "
                 "Slow ones read 200 bytes a twentieth of a second; drain_time is 1 s for them."};
    r.tables.push_back(table_of(all));
    check_claims(r, all, connections);
    draw_picture(r, all);
    r.notes.push_back("tcp_max_orphans is not reached here: it is one number for all namespaces of the machine, is not "
                      "to be seen in a "
                      "child namespace, and lowering it would reset other programs' connections. Orphans in FIN-WAIT-1 "
                      "count towards it; "
                      "those in FIN-WAIT-2 for 60 s and less do not (tcp_time_wait)");
    return r;
}

} // namespace lab
