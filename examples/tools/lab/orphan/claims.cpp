// SPDX-License-Identifier: BSL-1.0
#include "result.hpp"

#include "../support/check_each.hpp"

#include <algorithm>
#include <cstdio>

namespace lab::orphan {

static std::string name_of(const variant& v) {
    std::string name = std::string(to_string(v.peers)) + ", linger2 " + name_of_linger2(v);
    if (v.ever_silent()) name += ", retries " + std::to_string(v.orphan_retries);
    return name;
}

namespace {

std::string seconds(std::optional<double> s) {
    char text[32];
    if (!s) return "never";
    std::snprintf(text, sizeof text, "%.2f s", *s);
    return text;
}

bool never_close(const variant& v) { return v.peers == behaviour::never_close; }
bool kept(const variant& v) { return never_close(v) && !v.skips(); }
bool skipped_state(const variant& v) { return never_close(v) && v.skips(); }
bool silent(const variant& v) { return v.peers == behaviour::silent; }

bool told_all(const result& one, std::size_t connections) {
    return one.over_drain_time == connections && one.left_to_kernel == connections;
}

std::string told(const result& one) {
    return "of " + std::to_string(one.found.endings.size()) + " closes " + std::to_string(one.over_drain_time) +
           " drain_time_over, " + std::to_string(one.left_to_kernel) + " left_to_kernel; ";
}

void claim_fin_wait2(report& r, const results& all, std::size_t connections) {
    check_each(
        r, all,
        "Peers that never close: the close ends by drain_time, reports that TIME-WAIT is left to the kernel and that "
        "nothing "
        "is unacknowledged, and the kernel has every connection as an orphan in FIN-WAIT-2.",
        kept,
        [&](const result& one) {
            return told_all(one, connections) && one.unacknowledged == 0 && one.found.most_fin_wait2 == connections;
        },
        [](const result& one) { return told(one) + std::to_string(one.found.most_fin_wait2) + " in FIN-WAIT-2"; });
    check_each(
        r, all,
        "They are gone after TCP_LINGER2, or under fin_wait2::system after tcp_fin_timeout: not before, and long "
        "before "
        "twice that time.",
        kept,
        [](const result& one) {
            const double wanted = one.what.fin_wait2_seconds(), took = one.found.half_gone.value_or(0);
            return took >= 0.95 * wanted && took <= 2 * wanted && one.found.gone;
        },
        [](const result& one) { return seconds(one.found.half_gone); });
    check_each(
        r, all, "Under fin_wait2::skip there are none: the close resets what the peer has not closed.", skipped_state,
        [&](const result& one) {
            const auto counted = one.found.counted.find("TCPAbortOnLinger");
            const bool kernel =
                counted == one.found.counted.end() || counted->second == static_cast<long long>(connections);
            return one.found.most_fin_wait2 <= connections / 100 && one.found.resets == connections && kernel &&
                   one.reset_by_us == connections;
        },
        [](const result& one) {
            return std::to_string(one.found.most_fin_wait2) + " in FIN-WAIT-2; peers saw " +
                   std::to_string(one.found.resets) + " resets, close_report says reset_by_us of " +
                   std::to_string(one.reset_by_us);
        });
    check_each(
        r, all, "Whatever the setting, no byte of a reply is lost.", never_close,
        [&](const result& one) { return one.found.received == connections * reply_size; },
        [](const result& one) { return std::to_string(one.found.received) + " bytes received"; });
    check_each(
        r, all,
        "Peers that take longer to read than drain_time lose nothing by it: the close waits while they take some, and "
        "drain_time counts from the last of it.",
        [](const variant& v) { return v.peers == behaviour::read_slowly; },
        [&](const result& one) {
            const double limit = std::chrono::duration<double>(one.what.drain_time()).count();
            return told_all(one, connections) && one.unacknowledged == 0 &&
                   one.found.received == connections * reply_size && one.shortest_close > 2 * limit;
        },
        [](const result& one) {
            return told(one) + std::to_string(one.found.received) + " bytes received; the shortest close took " +
                   seconds(one.shortest_close);
        });
    check_each(
        r, all,
        "What was left to the kernel: peers that close while the orphan is there leave TIME-WAIT here, the others "
        "nothing.",
        [](const variant& v) { return never_close(v) || v.peers == behaviour::close_late; },
        [&](const result& one) {
            return one.found.time_wait == (one.what.peers == behaviour::close_late ? connections : 0);
        },
        [](const result& one) { return std::to_string(one.found.time_wait) + " in TIME-WAIT"; });
}

void claim_fin_wait1(report& r, const results& all, std::size_t connections) {
    check_each(
        r, all,
        "Peers that do not acknowledge: close_report counts as unacknowledged what the kernel has queued for orphans "
        "in "
        "FIN-WAIT-1, and all of it is lost.",
        silent,
        [&](const result& one) {
            const std::uint64_t all_replies = connections * reply_size;
            return told_all(one, connections) && one.unacknowledged == all_replies && one.found.queued == all_replies &&
                   one.found.received == 0 && one.found.most_fin_wait1 == connections && one.found.gone;
        },
        [](const result& one) {
            return std::to_string(one.found.most_fin_wait1) + " in FIN-WAIT-1, " + std::to_string(one.unacknowledged) +
                   " bytes unacknowledged, " + std::to_string(one.found.queued) + " queued, " +
                   std::to_string(one.found.received) + " received";
        });
    check_each(
        r, all, "The kernel's word for it is TCPAbortOnTimeout, once a connection.", silent,
        [&](const result& one) {
            const auto counted = one.found.counted.find("TCPAbortOnTimeout");
            return counted == one.found.counted.end() || counted->second == static_cast<long long>(connections);
        },
        [](const result& one) {
            const auto counted = one.found.counted.find("TCPAbortOnTimeout");
            return counted == one.found.counted.end() ? "not counted here" : std::to_string(counted->second);
        });
    check_each(
        r, all, "Where the path recovers after the close, the same report precedes a delivery without loss.",
        [](const variant& v) { return v.peers == behaviour::silent_a_while; },
        [&](const result& one) {
            return one.unacknowledged == connections * reply_size && one.found.received == connections * reply_size;
        },
        [](const result& one) {
            return std::to_string(one.unacknowledged) + " bytes unacknowledged at the close, " +
                   std::to_string(one.found.received) + " received";
        });
}

void claim_retries(report& r, const results& all) {
    std::vector<const result*> by_patience;
    for (const result& one : all)
        if (silent(one.what)) by_patience.push_back(&one);
    const auto retries = [](const result* one) { return one->what.orphan_retries == 0 ? 8 : one->what.orphan_retries; };
    std::sort(by_patience.begin(), by_patience.end(),
              [&](const result* a, const result* b) { return retries(a) < retries(b); });
    bool grows = by_patience.size() >= 2;
    std::string numbers;
    double before = 0;
    for (const result* one : by_patience) {
        const double took = one->found.half_gone.value_or(0);
        grows = grows && took > 1.5 * before;
        before = took;
        numbers += (numbers.empty() ? "" : "; ") + std::string("tcp_orphan_retries ") +
                   std::to_string(one->what.orphan_retries) + ": " + seconds(one->found.half_gone);
    }
    grows = grows && before > 1.5 * by_patience.back()->what.fin_wait2_seconds();
    r.check(grows,
            "How long they stay is tcp_orphan_retries' to say (0: 8), each retry about doubling it; "
            "TCP_LINGER2, here 1 s, does not bound FIN-WAIT-1.",
            numbers);
}

} // namespace

void check_claims(report& r, const results& all, std::size_t connections) {
    claim_fin_wait2(r, all, connections);
    claim_fin_wait1(r, all, connections);
    claim_retries(r, all);
}

} // namespace lab::orphan
