// SPDX-License-Identifier: BSL-1.0
#include "result.hpp"

#include "flows.hpp"

#include <algorithm>
#include <chrono>
#include <stdexcept>
#include <utility>

namespace lab::nat {

namespace {

constexpr std::chrono::milliseconds stall{200};

} // namespace

result evaluate(const variant& what, outcome found) {
    result r;
    r.what = what;
    for (const attempt& a : found.first)
        if (!a.answered)
            throw std::runtime_error("a connection of the first round, from an unused port, was not answered");
    for (const attempt& a : found.second) {
        if (!a.connected) {
            ++r.failed;
            continue;
        }
        r.stalled += *a.connected > stall ? 1 : 0;
        r.connect_ms.push_back(static_cast<double>(a.connected->count()) / 1000);
    }
    std::sort(r.connect_ms.begin(), r.connect_ms.end());
    const std::vector<flow> flows = flows_of(found.segments);
    r.challenged = static_cast<std::size_t>(
        std::count_if(flows.begin(), flows.end(), [](const flow& f) { return f.challenged(); }));
    r.found = std::move(found);
    return r;
}

const result& pick(const results& all, ending how, bool rfc1337) {
    return *std::find_if(all.begin(), all.end(), [&](const result& r) {
        return r.what.how == how && r.what.rfc1337 == rfc1337 && r.what.timestamps && !r.what.resets_lost;
    });
}

table table_of(const results& all) {
    table t{.key = "variants",
            .title =
                "Connects from used ports. Challenged: the SYN was answered by an ACK; stalled: connected, after more "
                "than 200 ms; failed: not connected.\nTW: who holds TIME-WAIT of the first round. The counters are "
                "the server's.",
            .columns = {{"server", "server"},
                        {"rfc1337", "rfc1337"},
                        {"timestamps", "timestamps"},
                        {"resets", "RST"},
                        {"connects", "connects"},
                        {"challenged", "challenged"},
                        {"stalled", "stalled"},
                        {"failed", "failed"},
                        {"median_ms", "median ms", 2},
                        {"worst_ms", "worst ms", 1},
                        {"time_wait_server", "TW server"},
                        {"time_wait_clients", "TW clients"}},
            .rows = {}};
    for (const std::string& name : counter_names) t.columns.push_back({name, name});
    for (const result& r : all) {
        using nlohmann::json;
        const auto& ms = r.connect_ms;
        t.rows.push_back({to_string(r.what.how), r.what.rfc1337 ? 1 : 0, r.what.timestamps ? "on" : "off",
                          r.what.resets_lost ? "dropped" : "passes", r.found.second.size(), r.challenged, r.stalled,
                          r.failed, ms.empty() ? json() : json(ms[ms.size() / 2]),
                          ms.empty() ? json() : json(ms.back()), r.found.time_wait_on_server,
                          r.found.time_wait_on_clients});
        for (const std::string& name : counter_names) {
            const auto counted = r.found.counted.find(name);
            t.rows.back().push_back(counted == r.found.counted.end() ? json() : json(counted->second));
        }
    }
    return t;
}

} // namespace lab::nat
