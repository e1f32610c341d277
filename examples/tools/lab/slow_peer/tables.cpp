// SPDX-License-Identifier: BSL-1.0
#include "healthy.hpp"
#include "result.hpp"

#include <algorithm>

namespace lab::slow_peer {

namespace {

table table_of_closes(const outcome& found) {
    table t{
        .key = "closes",
        .title =
            "Closes. By limit: that limit was over first, and no other. Late: how long after the limits of the close "
            "were over it ended;\nof peers that read slowly: how much longer they were given.",
        .columns = {{"policy", "policy"},
                    {"peer", "peer"},
                    {"closes", "closes"},
                    {"limit", "limit"},
                    {"limit_s", "limits s", 1},
                    {"by_limit", "by limit"},
                    {"late_median_ms", "late: median ms", 2},
                    {"late_p99_ms", "p99 ms", 2},
                    {"late_worst_ms", "worst ms", 2}},
        .rows = {}};
    for (const kind_result& one : by_kind(found.closes)) {
        const std::chrono::duration<double> limit = one.what->within;
        t.rows.push_back({one.what->policy, to_string(one.what->peer), one.closes, to_string(one.what->limit),
                          limit.count(), one.by_limit, quantile(one.late_ms, 0.5), quantile(one.late_ms, 0.99),
                          quantile(one.late_ms, 1)});
    }
    return t;
}

table table_of_latencies(const outcome& found, const blocked& contender) {
    table t{.key = "healthy",
            .title = "Round trips of a healthy connection on the same thread. The control is another server, at the "
                     "same time.",
            .columns = {{"run", "run"},
                        {"closes", "closes"},
                        {"pings", "pings"},
                        {"median_ms", "median ms", 3},
                        {"p99_ms", "p99 ms", 3},
                        {"worst_ms", "worst ms", 1}},
            .rows = {}};
    const auto add = [&](const char* run, std::size_t closes, const std::vector<double>& ms) {
        t.rows.push_back({run, closes, ms.size(), quantile(ms, 0.5), quantile(ms, 0.99), quantile(ms, 1)});
    };
    add("idle", 0, found.healthy.idle);
    add("control", 0, found.healthy.control);
    add("closes wait", found.closes.size(), found.healthy.waiting);
    add("SO_LINGER blocks", contender.closes.size(), contender.waiting);
    return t;
}

table table_of_weights(const outcome& found) {
    table t{.key = "resources",
            .title = "What the server process holds.",
            .columns = {{"moment", "moment"}, {"descriptors", "descriptors"}, {"heap_bytes", "heap, bytes"}},
            .rows = {}};
    const auto add = [&](const char* moment, const weight& w) { t.rows.push_back({moment, w.descriptors, w.heap}); };
    add("before the peers", found.before);
    add("peers connected", found.open);
    add("most while closes wait", found.most);
    add("closes over", found.after);
    return t;
}

} // namespace

std::vector<kind_result> by_kind(const std::vector<close_record>& closes) {
    std::vector<kind_result> all;
    for (const kind& one : kinds) all.push_back({.what = &one, .late_ms = {}});
    for (const close_record& record : closes) {
        kind_result& r = all.at(record.kind);
        ++r.closes;
        r.by_limit += record.limit == r.what->limit ? 1 : 0;
        r.late_ms.push_back(std::chrono::duration<double, std::milli>(record.elapsed - r.what->within).count());
    }
    for (kind_result& r : all) std::sort(r.late_ms.begin(), r.late_ms.end());
    return all;
}

void add_tables(report& r, const outcome& found, const blocked& contender) {
    r.tables = {table_of_closes(found), table_of_latencies(found, contender), table_of_weights(found)};
}

} // namespace lab::slow_peer
