// SPDX-License-Identifier: BSL-1.0
#include "result.hpp"

#include "../support/check_each.hpp"

#include <closeside/error.hpp>

#include <algorithm>
#include <cmath>
#include <cstdio>

namespace lab::port {

using closeside::side;

static std::string name_of(const variant& v) {
    return std::string(to_string(v.way)) + ", tw_reuse = " + std::to_string(v.tw_reuse) +
           (v.timestamps ? "" : ", no timestamps") + (v.closes_first == side::local ? "" : ", server first");
}

namespace {

std::string text_of(double value) {
    char text[32];
    std::snprintf(text, sizeof text, "%.1f", value);
    return text;
}

/// By how much the measured rate differs from this one, in percent.
std::optional<double> deviation_from(double foretold, const outcome& o) {
    if (!o.rate || foretold <= 0) return std::nullopt;
    return (*o.rate / foretold - 1) * 100;
}

std::optional<double> deviation(const outcome& o) { return deviation_from(o.capacity, o); }

bool any(const variant&) { return true; }
bool client_first(const variant& v) { return v.closes_first == side::local; }
bool server_first(const variant& v) { return v.closes_first == side::peer; }
bool held_long(const variant& v) { return v.holds_long(); }
bool held_short(const variant& v) { return client_first(v) && !v.holds_long(); }

/// Ports got free faster than the loop took them: what limited it was the machine, and nothing can be said of the ports.
bool too_slow(const result& one) {
    const outcome& o = one.found;
    if (server_first(one.what)) return o.rate && *o.rate <= o.capacity;
    return held_short(one.what) && o.made.refused == 0;
}

/// Without those on which the machine was too slow, which are noted.
results fast_enough(report& r, const results& all) {
    results judged;
    for (const result& one : all) {
        if (!too_slow(one)) {
            judged.push_back(one);
            continue;
        }
        r.notes.push_back(name_of(one.what) + ": not judged, since this machine makes " +
                          text_of(one.found.rate.value_or(0)) + " connects a second, and ports get free for " +
                          text_of(one.found.capacity));
    }
    return judged;
}

/// Nothing is claimed of variants of which there is none.
bool has(const results& all, bool (*wanted)(const variant&)) {
    return std::any_of(all.begin(), all.end(), [&](const result& one) { return wanted(one.what); });
}

bool exhausted(const outcome& o) { return o.made.async_error == closeside::error::ports_exhausted; }

auto foretold_within(double percent) {
    return [=](const result& one) {
        const auto off = deviation(one.found);
        return off && std::abs(*off) <= percent;
    };
}

void claim_rates(report& r, const results& all, const dimensions& size) {
    const auto rate = [](const result& one) {
        const outcome& o = one.found;
        return (o.rate ? text_of(*o.rate) : "not reached") + " of " + text_of(o.capacity) + " a second";
    };
    if (has(all, held_short))
        check_each(
            r, all,
            "The rate that a client which closes first can sustain is what the host check foretells, within 5 %.",
            held_short, foretold_within(5), rate);
    if (size.waits_for_time_wait)
        check_each(
            r, all,
            "So it is where TIME-WAIT binds ports for 60 s, within 9 %: the kernel rounds so long a timer up, by 2 to "
            "5 s at most (HZ).",
            held_long, foretold_within(9), rate);
    const auto simulated_within = [](double percent) {
        return [=](const result& one) {
            const auto off = deviation_from(one.found.simulated, one.found);
            return off && std::abs(*off) <= percent;
        };
    };
    const auto simulated = [](const result& one) {
        return (one.found.rate ? text_of(*one.found.rate) : "not reached") + ", simulated " +
               text_of(one.found.simulated);
    };
    if (has(all, held_short))
        check_each(r, all, "The simulation of closeside-check capacity comes to the same rate, within 5 %.", held_short,
                   simulated_within(5), simulated);
    if (size.waits_for_time_wait)
        check_each(r, all,
                   "The simulation, which does not round that timer up, comes within 9 % of it where TIME-WAIT binds "
                   "ports for 60 s.",
                   held_long, simulated_within(9), simulated);
    check_each(
        r, all,
        "Where ports stay bound (tcp_tw_reuse = 0, 2 away from loopback, or no timestamps), exactly as many connects "
        "succeed as there are ports, and the next one finds none.",
        held_long,
        [&](const result& one) {
            const bool none_more = size.waits_for_time_wait || one.found.made.at.size() == one.found.local_ports;
            return one.found.local_ports == size.ports && one.found.made.at_first == size.ports && none_more;
        },
        [](const result& one) {
            const outcome& o = one.found;
            return std::to_string(o.made.at_first) + " of " + std::to_string(o.local_ports) + " ports";
        });
}

void claim_error(report& r, const results& all) {
    std::string missing, said;
    for (const result& one : all) {
        if (!one.what.holds_long()) continue;
        const outcome& o = one.found;
        const std::string count =
            std::to_string(o.local_ports) + " ports, " + std::to_string(o.made.at_first) + " in TIME-WAIT to ";
        const bool good = o.made.refused > 0 && exhausted(o) && o.made.message.find(count) != std::string::npos;
        if (said.empty()) said = o.made.message;
        if (!good) missing += name_of(one.what) + ": " + o.made.message + ", " + o.made.async_error.message() + "; ";
    }
    r.check(
        missing.empty() && !said.empty(),
        "Then closeside::connect and async_connect raise error::ports_exhausted, and explain_ports counts the ports "
        "and the TIME-WAITs.",
        missing.empty() ? said : missing);
}

} // namespace

table table_of(const results& all) {
    table t{.key = "variants",
            .title =
                "Connects to one address and port. First round: how many succeeded before the first found no port. "
                "Capacity: by the host check.\nTW: of the client's ends after the loop. Cure: what freed ports at "
                "once, in place.",
            .columns = {{"path", "path"},
                        {"tw_reuse", "tw_reuse"},
                        {"timestamps", "timestamps"},
                        {"closes_first", "closes first"},
                        {"ports", "ports"},
                        {"connects", "connects"},
                        {"first_round", "first round"},
                        {"exhausted", "no port"},
                        {"rate", "rate, 1/s", 1},
                        {"capacity", "capacity, 1/s", 1},
                        {"deviation_percent", "off by %", 2},
                        {"simulated_rate", "simulated, 1/s", 1},
                        {"time_wait", "TW"},
                        {"cure", "cure"},
                        {"recovered", "recovered"}},
            .rows = {}};
    for (const result& one : all) {
        using nlohmann::json;
        const outcome& o = one.found;
        const bool limited = client_first(one.what);
        const auto percent = limited ? deviation(o) : std::nullopt;
        t.rows.push_back({to_string(one.what.way), one.what.tw_reuse, one.what.timestamps ? "on" : "off",
                          limited ? "client" : "server", o.local_ports, o.made.at.size(),
                          o.made.refused ? json(o.made.at_first) : json(), o.made.refused,
                          o.rate ? json(*o.rate) : json(), limited ? json(o.capacity) : json(),
                          percent ? json(*percent) : json(), limited ? json(o.simulated) : json(), o.time_wait,
                          o.cure.empty() ? json() : json(o.cure), o.recovered});
    }
    return t;
}

void check_claims(report& r, const results& all, const dimensions& size) {
    const results judged = fast_enough(r, all);
    claim_rates(r, judged, size);
    claim_error(r, all);
    check_each(
        r, all, "They recover when ports are free again: by tcp_tw_reuse = 1, by a wider range, or after the delay.",
        any, [](const result& one) { return one.found.recovered; },
        [](const result& one) {
            const outcome& o = one.found;
            return std::string(o.recovered ? "yes" : "no") + (o.cure.empty() ? "" : " (" + o.cure + ")");
        });
    if (has(judged, server_first))
        check_each(
            r, judged,
            "Where the server closes first (the client connects under peer_first), no port is held and there is no "
            "limit: every connect succeeds, ten times as many as there are ports and more a second than get free where "
            "the client closes first, no TIME-WAIT stays.",
            server_first,
            [&](const result& one) {
                const outcome& o = one.found;
                return o.made.at.size() == 10 * size.ports && o.made.refused == 0 && o.time_wait == 0 &&
                       !o.made.async_error;
            },
            [](const result& one) {
                const outcome& o = one.found;
                return std::to_string(o.made.at.size()) + " connects, " + std::to_string(o.made.refused) +
                       " refused, TIME-WAIT " + std::to_string(o.time_wait) + ", " + text_of(o.rate.value_or(0)) +
                       " a second; client first: " + text_of(o.capacity);
            });
    std::size_t closes = 0, wrong = 0;
    for (const result& one : all) {
        closes += one.found.made.at.size();
        wrong += one.found.made.closed_wrong;
    }
    r.check(wrong == 0, "Every close keeps its policy's promise.",
            "of " + std::to_string(closes) + " closes " + std::to_string(wrong) + " did not");
}

} // namespace lab::port
