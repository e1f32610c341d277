// SPDX-License-Identifier: BSL-1.0
#include "matrix.hpp"

#include "judge.hpp"
#include "support/own_network.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <array>
#include <cstdio>
#include <cstdlib>
#include <map>

namespace conformance {

namespace {

constexpr auto longest_allowed = std::chrono::milliseconds(50);
constexpr int repetitions = 10;
constexpr int most_unrepeated = 2; ///< of the closes of a policy

struct totals {
    int cells = 0;
    int closes = 0;
    int mismatches = 0;
    int unrepeated = 0;
    std::map<race, int> races;
    int crossed = 0;
    handler_watch::clock::duration longest{};
    handler_watch::clock::duration longest_with_waiting{};
    std::int64_t descriptors = 0;
    std::int64_t allocations = 0;
    int contexts_with_work = 0;
    std::size_t segments_dropped = 0;
    double seconds = 0;
};

std::vector<std::pair<std::string, totals>>& all_totals() {
    static std::vector<std::pair<std::string, totals>> rows;
    return rows;
}

observation::segment_capture& witness() {
    static observation::segment_capture instance("lo", observation::recorded::fin_and_rst, 1u << 16);
    return instance;
}

std::vector<evidence> slots_for(const char* name, const cs::close_policy& policy, bool v6) {
    std::vector<evidence> slots;
    for (const way_out way : all_ways)
        for (const peer_kind peer : all_peers)
            if (const cell_id id{name, policy, way, peer, v6}; exists(id)) slots.emplace_back().id = id;
    return slots;
}

void add(totals& t, const group_result& r) {
    t.longest = std::max(t.longest, r.longest_handler);
    t.longest_with_waiting = std::max(t.longest_with_waiting, r.longest_with_waiting);
    t.descriptors += r.descriptors_left;
    t.allocations += r.allocations_left;
    t.contexts_with_work += r.out_of_work ? 0 : 1;
    CHECK_MESSAGE(r.out_of_work, "operations are left");
    CHECK_MESSAGE(r.descriptors_left == 0, r.descriptors_left << " descriptors are left");
    CHECK_MESSAGE(r.allocations_left == 0, r.allocations_left << " allocations are left");
    CHECK_MESSAGE(r.longest_handler < longest_allowed,
                  "a handler kept the thread for "
                      << std::chrono::duration<double, std::milli>(r.longest_handler).count() << " ms");
}

/// Judges every cell; gives back the cells that do not match, with nothing observed in them, and a text for each.
std::vector<std::pair<evidence, std::string>> judge_all(const std::vector<evidence>& slots, totals& t) {
    std::vector<std::pair<evidence, std::string>> differing;
    for (const evidence& e : slots) {
        ++t.closes;
        t.crossed += e.wire.ending() == end::crossed;
        const judgement j = judge(e);
        for (const race r : j.races) {
            ++t.races[r];
            MESSAGE("listed race: " << std::string(to_string(r)) << "\n    " << to_string(e));
        }
        if (j.mismatches.empty()) continue;
        std::string text;
        for (const std::string& m : j.mismatches) text += "\n  * " + m;
        differing.emplace_back().first.id = e.id;
        differing.back().second = text + "\n    " + to_string(e);
    }
    return differing;
}

/// What a close does wrong it does again. What takes two processors in the same microsecond does not come back, such as
/// a RST that finds neither the orphan nor the mini-socket it turns into; it is printed and counted, and must stay rare.
template <class Open>
void judge_again(const std::vector<std::pair<evidence, std::string>>& differing, const Open& open, totals& t) {
    for (const auto& [cell, first_time] : differing) {
        std::vector<evidence> again(repetitions);
        for (evidence& e : again) e.id = cell.id;
        add(t, run_group(again, open, witness()));
        const auto repeated = judge_all(again, t);
        if (repeated.empty()) {
            ++t.unrepeated;
            MESSAGE("a mismatch that " << repetitions << " repetitions do not show again:" << first_time);
        }
        t.mismatches += static_cast<int>(repeated.size());
        for (const auto& r : repeated) FAIL_CHECK(first_time << "\nand again:" << r.second);
    }
}

} // namespace

int rounds() {
    const char* const text = std::getenv("CLOSESIDE_CONFORMANCE_ROUNDS");
    return text ? std::max(1, std::atoi(text)) : 1;
}

void run_policy(const char* name, const cs::close_policy& policy,
                cell_maker (*open)(asio::io_context&, const asio::ip::address&)) {
    const auto begin = std::chrono::steady_clock::now();
    totals t;
    for (int round = 0; round < rounds(); ++round) {
        for (const bool v6 : {false, true}) {
            asio::ip::address address = asio::ip::address_v4::loopback();
            if (v6) address = asio::ip::address_v6::loopback();
            std::vector<evidence> slots = slots_for(name, policy, v6);
            if (round == 0) t.cells += static_cast<int>(slots.size());
            const auto open_here = [&](asio::io_context& io) { return open(io, address); };
            // What is allocated once for the whole program is allocated in a group that is not counted.
            static const bool warm = [&] {
                std::vector<evidence> first(slots.begin(),
                                            slots.begin() + static_cast<std::ptrdiff_t>(all_peers.size()));
                return run_group(first, open_here, witness()).out_of_work;
            }();
            CHECK(warm);
            const group_result result = run_group(slots, open_here, witness());
            add(t, result);
            judge_again(judge_all(slots, t), open_here, t);
        }
    }
    t.segments_dropped = witness().dropped();
    CHECK(t.segments_dropped == 0);
    CHECK(t.unrepeated <= most_unrepeated * rounds());
    t.seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
    all_totals().emplace_back(name, std::move(t));
}

void run_slow_readers(const std::vector<policy_under_test>& policies) {
    const auto begin = std::chrono::steady_clock::now();
    // A send queue that takes all of the reply, so that the close begins with it.
    tests::set_sysctl("tcp_wmem", "4096 4194304 4194304");
    totals t;
    std::vector<evidence> slots;
    for (const policy_under_test& p : policies)
        for (const way_out way : all_ways)
            if (way != way_out::nobody_took)
                slots.emplace_back().id = {p.name, p.policy, way, peer_kind::reads_slowly, false};
    t.cells = static_cast<int>(slots.size());
    const auto open = [&](asio::io_context& io) -> cell_maker {
        std::map<std::string, cell_maker> makers;
        for (const policy_under_test& p : policies)
            makers.emplace(p.name, p.open(io, asio::ip::address_v4::loopback()));
        return [makers](asio::io_context& context, evidence& e, std::deque<peer>& far_ends, peers*& others) {
            return makers.at(e.id.policy_name)(context, e, far_ends, others);
        };
    };
    add(t, run_group(slots, open, witness(), std::chrono::seconds(30)));
    for (const auto& [cell, text] : judge_all(slots, t)) {
        ++t.mismatches;
        FAIL_CHECK(text);
    }
    tests::set_sysctl("tcp_wmem", "4096 16384 4194304");
    t.seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
    all_totals().emplace_back("slow readers", std::move(t));
}

std::string summary() {
    std::string text;
    const auto line = [&](const std::string& name, const totals& t) {
        int races = 0;
        for (const auto& [r, n] : t.races) races += n;
        char row[256];
        const auto ms = [](auto d) { return std::chrono::duration<double, std::milli>(d).count(); };
        std::snprintf(row, sizeof row, "%-22s %6d %7d %10d %6d %8d %10.2f %12.2f %6lld %6lld %6d %7.1f\n", name.c_str(),
                      t.cells, t.closes, t.mismatches, races, t.crossed, ms(t.longest), ms(t.longest_with_waiting),
                      static_cast<long long>(t.descriptors), static_cast<long long>(t.allocations),
                      t.contexts_with_work, t.seconds);
        text += row;
    };
    char head[256];
    std::snprintf(head, sizeof head, "%-22s %6s %7s %10s %6s %8s %10s %12s %6s %6s %6s %7s\n", "policy", "cells",
                  "closes", "mismatches", "races", "crossed", "longest ms", "with waiting", "fds", "blocks", "work",
                  "s");
    text += head;
    totals sum;
    for (const auto& [name, t] : all_totals()) {
        line(name, t);
        sum.cells += t.cells, sum.closes += t.closes, sum.mismatches += t.mismatches, sum.crossed += t.crossed;
        sum.unrepeated += t.unrepeated;
        for (const auto& [r, n] : t.races) sum.races[r] += n;
        sum.longest = std::max(sum.longest, t.longest);
        sum.longest_with_waiting = std::max(sum.longest_with_waiting, t.longest_with_waiting);
        sum.descriptors += t.descriptors, sum.allocations += t.allocations, sum.seconds += t.seconds;
        sum.contexts_with_work += t.contexts_with_work;
    }
    line("all", sum);
    text += std::to_string(sum.unrepeated) + " mismatches that did not repeat\nlisted races:\n";
    for (const race r : all_races) text += "  " + std::to_string(sum.races[r]) + "  " + to_string(r) + "\n";
    return text;
}

} // namespace conformance
