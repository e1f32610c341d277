// SPDX-License-Identifier: BSL-1.0
#include "result.hpp"

#include <algorithm>
#include <map>
#include <utility>

namespace lab::loss {

namespace {

void add(result& r, const receipt& one, const close_outcome* close) {
    r.complete += one.intact ? 1 : 0;
    r.reset += one.reset ? 1 : 0;
    r.corrupted += one.received == reply_size && !one.intact ? 1 : 0;
    if (one.received == reply_size) return;
    if (!one.connected || (!close && one.received == 0)) {
        ++r.unserved;
    } else if (one.gave_up) {
        ++r.gave_up;
    } else {
        ++r.truncated;
        r.lost += reply_size - one.received;
        if (!close || close->kept) r.lost_within_limits += reply_size - one.received;
    }
}

nlohmann::json kib(std::size_t bytes) { return static_cast<double>(bytes) / 1024; }

bool has_limits(ending how) {
    return how == ending::graceful || how == ending::peer_first || how == ending::peer_first_or_reset;
}

} // namespace

result evaluate(const variant& what, outcome found) {
    result r;
    r.what = what;
    std::map<request, const close_outcome*> closes;
    for (const close_outcome& one : found.closes) {
        closes[one.number] = &one;
        r.cut_short += one.kept ? 0 : 1;
        r.close_ms.push_back(static_cast<double>(one.took.count()) / 1000);
    }
    std::sort(r.close_ms.begin(), r.close_ms.end());
    for (const receipt& one : found.receipts) {
        const auto close = closes.find(one.number);
        add(r, one, close == closes.end() ? nullptr : close->second);
    }
    r.found = std::move(found);
    return r;
}

table table_of(const results& all) {
    table t{.key = "contenders",
            .title = "Replies of " + std::to_string(reply_size >> 10) +
                     " KiB. Truncated: the connection ended before the whole reply had come; gave up: the client's own "
                     "limit ended it;\nunserved: no reply was begun. Cut short: closes that a limit of the policy, or "
                     "a failure, ended. TW: who holds TIME-WAIT. AbortOn...: the server's counters.",
            .columns = {{"clients", "clients"},
                        {"loss_percent", "loss %"},
                        {"ending", "server ends by"},
                        {"connections", "connections"},
                        {"complete", "complete"},
                        {"truncated", "truncated"},
                        {"lost_kib", "lost KiB", 1},
                        {"lost_within_limits_kib", "within limits", 1},
                        {"reset", "reset"},
                        {"gave_up", "gave up"},
                        {"unserved", "unserved"},
                        {"cut_short", "cut short"},
                        {"close_median_ms", "close median ms", 2},
                        {"close_worst_ms", "worst ms", 1},
                        {"time_wait_server", "TW server"},
                        {"time_wait_client", "TW client"},
                        {"abort_on_close", "AbortOnClose"},
                        {"abort_on_data", "AbortOnData"}},
            .rows = {}};
    for (const result& r : all) {
        using nlohmann::json;
        const auto& ms = r.close_ms;
        t.rows.push_back({r.what.slow ? "slow" : "quick", r.what.percent, to_string(r.what.how),
                          r.found.receipts.size(), r.complete, r.truncated, kib(r.lost),
                          has_limits(r.what.how) ? kib(r.lost_within_limits) : json(), r.reset, r.gave_up, r.unserved,
                          r.cut_short, ms.empty() ? json() : json(ms[ms.size() / 2]),
                          ms.empty() ? json() : json(ms.back()), r.found.time_wait_on_server,
                          r.found.time_wait_on_client, r.found.aborts_on_close, r.found.aborts_on_data});
    }
    return t;
}

} // namespace lab::loss
