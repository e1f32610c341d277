// SPDX-License-Identifier: BSL-1.0
#include "result.hpp"

#include <closeside/error.hpp>

#include <algorithm>
#include <chrono>
#include <utility>

namespace lab::orphan {

namespace cs = closeside;

result evaluate(const variant& what, outcome found) {
    result r{.what = what, .found = std::move(found)};
    for (const ended& e : r.found.endings) {
        const double took = std::chrono::duration<double>(e.report.elapsed).count();
        r.shortest_close = r.shortest_close == 0 ? took : std::min(r.shortest_close, took);
        if (e.error == cs::error::drain_time_over) ++r.over_drain_time;
        if (e.report.time_wait == cs::time_wait_holder::left_to_kernel) ++r.left_to_kernel;
        if (e.report.ended_by == cs::ending::reset_by_us) ++r.reset_by_us;
        r.unacknowledged += e.report.unacknowledged;
    }
    return r;
}

table table_of(const results& all) {
    table t{.key = "variants",
            .title =
                "What async_close says when the descriptor is released (after how many seconds at least, drain_time "
                "over, TIME-WAIT left to the kernel, "
                "unacknowledged bytes), and what the kernel then\ndoes: orphans in FIN-WAIT-1 (FW1) and FIN-WAIT-2 "
                "(FW2) at most, seconds until half of them and all are gone, bytes that reached the peers.",
            .columns = {{"peers", "peers"},
                        {"linger2", "linger2"},
                        {"orphan_retries", "retries"},
                        {"closed", "closed"},
                        {"close_s", "after s", 2},
                        {"over_drain_time", "over"},
                        {"left_to_kernel", "left"},
                        {"unacknowledged", "unacked"},
                        {"fin_wait_1", "FW1"},
                        {"queued", "queued"},
                        {"fin_wait_2", "FW2"},
                        {"half_gone_s", "half gone", 2},
                        {"gone_s", "gone", 2},
                        {"received", "received"},
                        {"resets", "resets"},
                        {"time_wait", "TW"}},
            .rows = {}};
    for (const std::string& name : counter_names) t.columns.push_back({name, name});
    for (const result& r : all) {
        using nlohmann::json;
        const outcome& o = r.found;
        t.rows.push_back({to_string(r.what.peers), name_of_linger2(r.what), r.what.orphan_retries, o.endings.size(),
                          r.shortest_close, r.over_drain_time, r.left_to_kernel, r.unacknowledged, o.most_fin_wait1,
                          o.queued, o.most_fin_wait2, o.half_gone ? json(*o.half_gone) : json(),
                          o.gone ? json(*o.gone) : json(), o.received, o.resets, o.time_wait});
        for (const std::string& name : counter_names) {
            const auto counted = o.counted.find(name);
            t.rows.back().push_back(counted == o.counted.end() ? json() : json(counted->second));
        }
    }
    return t;
}

} // namespace lab::orphan
