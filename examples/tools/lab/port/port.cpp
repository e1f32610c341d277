// SPDX-License-Identifier: BSL-1.0
#include "result.hpp"

#include "../labs.hpp"

#include <future>
#include <utility>

namespace lab {

namespace {

using namespace std::chrono_literals;
using namespace port;
using closeside::side;

std::vector<variant> all_variants() {
    std::vector<variant> all;
    for (const path way : {path::loopback, path::veth})
        for (const int tw_reuse : {0, 1, 2}) all.push_back({.way = way, .tw_reuse = tw_reuse});
    all.push_back({.way = path::loopback, .tw_reuse = 2, .timestamps = false});
    all.push_back({.way = path::veth, .tw_reuse = 1, .timestamps = false});
    for (const path way : {path::loopback, path::veth})
        all.push_back({.way = way, .tw_reuse = 0, .closes_first = side::peer});
    all.push_back({.way = path::veth, .tw_reuse = 0, .timestamps = false, .closes_first = side::peer});
    return all;
}

/// Every variant at the same time: they share no host, and most of the time is spent waiting.
results run_all(const dimensions& size) {
    std::vector<std::pair<variant, std::future<outcome>>> running;
    for (const variant& v : all_variants())
        running.emplace_back(v, std::async(std::launch::async, [&, v] { return port::run(v, size); }));
    results all;
    for (auto& [what, found] : running) all.push_back({what, found.get()});
    return all;
}

} // namespace

report run_port(const settings& chosen) {
    const dimensions size = chosen.quick ? dimensions{.ports = 200, .delay = 2s, .waits_for_time_wait = false}
                                         : dimensions{.ports = 400, .delay = 2s, .waits_for_time_wait = true};
    const results all = run_all(size);
    report r;
    r.setting = {"A client connects to one address and port and closes, one connection after the other, from " +
                     std::to_string(size.ports) + " local ports.",
                 "Where tcp_tw_reuse applies, a port is re-used " + std::to_string(size.delay.count() / 1000) +
                     " s (tcp_tw_reuse_delay; before Linux 6.14: one) after it went into TIME-WAIT; else after 60 s.",
                 "The client has tcp_rfc1337 = 1, so that no stray RST ends a TIME-WAIT early."};
    r.tables.push_back(table_of(all));
    check_claims(r, all, size);
    draw_picture(r, all, size);
    if (!size.waits_for_time_wait)
        r.notes.push_back(
            "the rate of what is bound for 60 s is not waited for in the short form; the full form measures it");
    return r;
}

} // namespace lab
