// SPDX-License-Identifier: BSL-1.0
#include "result.hpp"

#include "../labs.hpp"

#include <string>
#include <vector>

namespace lab {

namespace {

using namespace std::chrono_literals;
using namespace restart;

constexpr auto wait_limit = 110s;

} // namespace

report run_restart(const settings& chosen) {
    const amounts many = chosen.quick ? amounts{.closed_by_server = 400, .kept = 20, .silent = 10, .worker = 10}
                                      : amounts{.closed_by_server = 2000, .kept = 200, .silent = 100, .worker = 100};
    results all;
    for (const situation& one : situations()) all.push_back(restart::run(one, many));
    std::vector<waited> waits;
    if (!chosen.quick) waits = wait_for_port(wait_limit);

    report r;
    r.setting = {"client, gone - server. The server closes " + std::to_string(many.closed_by_server) +
                     " connections itself, keeps others, and is killed; a worker of it lives on.",
                 "Then everybody tries to listen on its port, once and at once. The host gone falls silent before the "
                 "stop."};
    r.tables = {table_of_attempts(all), table_of_states(all), table_of_diagnoses(all)};
    if (!waits.empty()) r.tables.push_back(table_of_waits(waits));
    check_claims(r, all, waits);
    r.picture = picture(all, waits);
    r.picture_title = "Who gets the port of a server that was stopped";
    r.picture_description =
        "A grid: for each way in which the old server ended, whether a new listener gets the port at once. Without an "
        "option never; with SO_REUSEADDR only where the old socket had it and nothing listens; closeside's acceptor "
        "likewise, by default. Below, if it was measured, how many connections keep the port for how long.";
    return r;
}

} // namespace lab
