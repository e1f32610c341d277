// SPDX-License-Identifier: BSL-1.0
#include "counted.hpp"

#include "judge.hpp"

#include "observation/segment_capture.hpp"

#include <closeside/detail/kernel/multipath.hpp>
#include <closeside/statistics.hpp>

#include <asio/post.hpp>

#include <doctest/doctest.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <deque>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <thread>
#include <vector>

namespace conformance {

using namespace std::chrono_literals;

namespace {

constexpr std::size_t at_once = 250;

/// Every way out of every policy and peer, spread so that a part of it is a mixture as well.
std::vector<cell_id> mixture(const std::vector<policy_under_test>& policies, bool multipath, std::size_t wanted) {
    std::vector<cell_id> all;
    for (const bool v6 : {false, true})
        for (const way_out way : all_ways)
            for (const peer_kind peer : all_peers)
                for (const policy_under_test& p : policies) {
                    const cell_id id{p.name, p.policy, way, peer, v6};
                    // Nobody has taken it: there was no stream to end.
                    const bool counts = way != way_out::nobody_took && is_multipath(peer) == multipath;
                    if (counts && exists(id)) all.push_back(id);
                }
    constexpr std::size_t stride = 7919; // prime to how many there are
    REQUIRE(all.size() % stride != 0);
    std::vector<cell_id> chosen;
    for (std::size_t i = 0; i < wanted; ++i) chosen.push_back(all[i * stride % all.size()]);
    return chosen;
}

/// A cell in a context of its own, which is counted.
struct counted_cell {
    asio::io_context io;
    evidence told; ///< what on_end was told, as if it were the report
    std::optional<cs::statistics> figures;
};

struct tally {
    int endings = 0;
    int contradictions = 0;
    int with_fin = 0;
    int unknown_end = 0, unknown_first = 0, unknown_holder = 0;

    void add(const evidence& e) {
        ++endings;
        if ((e.wire.ending() & (end::active | end::passive | end::crossed | end::orphan)) == 0) return;
        ++with_fin;
        unknown_end += e.report.ended_by == cs::ending::unknown;
        if (is_multipath(e.id.peer)) return;
        unknown_first += e.report.first_fin == cs::fin_sender::unknown;
        unknown_holder += e.report.time_wait == cs::time_wait_holder::unknown;
    }
};

class counted_group {
public:
    counted_group(const std::vector<policy_under_test>& policies, observation::segment_capture& witness)
        : policies_(policies), witness_(witness) {}

    void run(const std::vector<cell_id>& ids, std::map<way_out, tally>& sum, std::map<race, int>& races) {
        witness_.forget();
        std::deque<counted_cell> around;
        std::vector<evidence> slots(ids.size());
        std::deque<peer> far_ends;
        peers* others = nullptr;
        std::vector<std::unique_ptr<cell>> cells;
        for (std::size_t i = 0; i < ids.size(); ++i) {
            slots[i].id = ids[i];
            counted_cell& c = around.emplace_back();
            cells.push_back(make(c, slots[i], far_ends, others));
            observe(c, *cells.back());
        }
        for (auto& c : cells) c->settle();
        peers threads(far_ends);
        others = &threads;
        for (std::size_t i = 0; i < cells.size(); ++i) asio::post(around[i].io, [&, i] { cells[i]->go(); });
        drive(around, cells);
        look_at_the_end(cells, witness_);
        threads.stop();
        for (std::size_t i = 0; i < cells.size(); ++i) {
            far_ends[i].account(slots[i]);
            judge_one(around[i], slots[i], sum[ids[i].way], races);
        }
        cells.clear(); // before their contexts
    }

private:
    std::unique_ptr<cell> make(counted_cell& c, evidence& slot, std::deque<peer>& far_ends, peers*& others) {
        const cell_id& id = slot.id;
        const auto p = std::find_if(policies_.begin(), policies_.end(), [&](const policy_under_test& each) {
            return std::string(each.name) == id.policy_name;
        });
        asio::ip::address address = asio::ip::address_v4::loopback();
        if (id.v6) address = asio::ip::address_v6::loopback();
        return p->open(c.io, address)(c.io, slot, far_ends, others);
    }

    static void observe(counted_cell& c, cell& of) {
        c.figures.emplace(of.context());
        const evidence& e = of.seen();
        c.figures->on_end([&c, &e](const cs::close_report& r) {
            ++c.told.calls;
            c.told.report = r;
            c.told.told = wall_clock::now();
            c.told.local_when_told = kernel_view::find(e.local, e.peer);
        });
    }

    static void drive(std::deque<counted_cell>& around, const std::vector<std::unique_ptr<cell>>& cells) {
        const auto limit = std::chrono::steady_clock::now() + 20s;
        const auto still_runs = [](counted_cell& c) { return !c.io.stopped(); };
        while (std::chrono::steady_clock::now() < limit) {
            for (counted_cell& c : around)
                if (!c.io.stopped()) c.io.poll();
            if (std::none_of(around.begin(), around.end(), still_runs) && all_over(cells)) return;
            std::this_thread::yield();
        }
        FAIL_CHECK("a close is still under way after 20 s");
    }

    static void judge_one(counted_cell& c, const evidence& seen, tally& sum, std::map<race, int>& races) {
        evidence e = seen;
        if (tells_a_report(e.id.way)) CHECK_MESSAGE(c.told.report == e.report, to_string(seen));
        e.calls = c.told.calls;
        e.report = c.told.report;
        e.told = c.told.told;
        e.local_when_told = c.told.local_when_told;
        CHECK_MESSAGE(c.told.calls == 1, to_string(e));
        const cs::close_counters n = c.figures->snapshot();
        const bool once = n.total() == 1 && n.count(e.report.ended_by) == 1 && n.count(e.report.first_fin) == 1 &&
                          n.count(e.report.time_wait) == 1 && n.count(e.report.limit) == 1 &&
                          n.discarded == e.report.discarded;
        CHECK_MESSAGE(once, to_string(n) << " " << to_string(e));
        const judgement j = judge_counted(e);
        for (const race r : j.races) ++races[r];
        for (const std::string& m : j.mismatches) FAIL_CHECK(m << "\n    " << to_string(e));
        sum.contradictions += static_cast<int>(j.mismatches.size());
        sum.add(e);
    }

    const std::vector<policy_under_test>& policies_;
    observation::segment_capture& witness_;
};

void print(const char* name, const tally& t) {
    std::printf("%-34s %7d %14d %8d %11d %9d %9d\n", name, t.endings, t.contradictions, t.with_fin, t.unknown_end,
                t.unknown_first, t.unknown_holder);
}

} // namespace

void run_counted(const std::vector<policy_under_test>& policies) {
    observation::segment_capture witness("lo", observation::recorded::fin_and_rst, 1u << 16);
    const std::size_t wanted = rounds() > 1 ? 10'000 : 500;
    std::vector<cell_id> ids = mixture(policies, false, wanted);
    // Behind the others: where Multipath TCP has been seen, a close that nobody waits for cannot tell it from TCP.
    const std::vector<cell_id> multipath = mixture(policies, true, wanted / 20);
    ids.insert(ids.end(), multipath.begin(), multipath.end());
    cs::detail::multipath_seen = false;
    std::map<way_out, tally> by_way;
    std::map<race, int> races;
    counted_group group(policies, witness);
    for (std::size_t i = 0; i < ids.size(); i += at_once) {
        const auto from = ids.begin() + static_cast<std::ptrdiff_t>(i);
        const auto n = static_cast<std::ptrdiff_t>(std::min(at_once, ids.size() - i));
        group.run(std::vector<cell_id>(from, from + n), by_way, races);
    }
    CHECK(witness.dropped() == 0);
    std::printf("%-34s %7s %14s %8s %11s %9s %9s\n", "counted; of those with FIN, unknown:", "endings",
                "contradictions", "with FIN", "end", "first FIN", "TIME-WAIT");
    tally all;
    for (const auto& [way, t] : by_way) {
        print(to_string(way), t);
        all.endings += t.endings, all.contradictions += t.contradictions, all.with_fin += t.with_fin;
        all.unknown_end += t.unknown_end, all.unknown_first += t.unknown_first, all.unknown_holder += t.unknown_holder;
    }
    print("all", all);
    for (const auto& [r, n] : races) std::printf("  %d listed race: %s\n", n, to_string(r));
    CHECK(all.contradictions == 0);
}

} // namespace conformance
