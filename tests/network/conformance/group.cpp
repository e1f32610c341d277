// SPDX-License-Identifier: BSL-1.0
#include "group.hpp"

#include "ending.hpp"
#include "live_memory.hpp"

#include <asio/post.hpp>

#include <algorithm>
#include <stdexcept>
#include <thread>

#include <dirent.h>

namespace conformance {

using namespace std::chrono_literals;

void cell::begin() {
    if (far_end().kind() == peer_kind::simultaneous) peers_->close_together_with_caller(far_end());
    far_end().begin();
    evidence_.started = wall_clock::now();
}

void cell::cut_here() { evidence_.cut = wall_clock::now(); }

void cell::told(closeside::error_code ec, const cs::close_report& report) {
    evidence& e = evidence_;
    e.told = wall_clock::now();
    e.local_when_told = kernel_view::find(e.local, e.peer);
    e.peer_when_told = kernel_view::find(e.peer, e.local);
    ++e.calls;
    e.ec = ec;
    e.report = report;
}

namespace {

std::int64_t open_descriptors() {
    ::DIR* const directory = ::opendir("/proc/self/fd");
    if (!directory) throw std::runtime_error("no /proc/self/fd");
    std::int64_t count = -1; // the directory's own
    while (const ::dirent* entry = ::readdir(directory))
        if (entry->d_name[0] != '.') ++count;
    ::closedir(directory);
    return count;
}

} // namespace

bool all_over(const std::vector<std::unique_ptr<cell>>& cells) {
    return std::all_of(cells.begin(), cells.end(), [](const std::unique_ptr<cell>& c) {
        return c->finished() && (!c->far_end().will_end() || c->far_end().ended());
    });
}

void look_at_the_end(std::vector<std::unique_ptr<cell>>& cells, observation::segment_capture& witness) {
    const auto limit = std::chrono::steady_clock::now() + 2s;
    for (auto& c : cells) {
        evidence& e = c->seen();
        do {
            e.local_at_end = kernel_view::find(e.local, e.peer);
            e.peer_at_end = kernel_view::find(e.peer, e.local);
            e.wire = wire_of(e, witness.seen());
            if (at_rest(e, e.wire.ending())) break;
            std::this_thread::yield();
        } while (std::chrono::steady_clock::now() < limit);
    }
}

namespace {

/// Returns true when the context has run out of work.
bool drive(asio::io_context& io, const std::vector<std::unique_ptr<cell>>& cells, handler_watch& watch,
           std::chrono::milliseconds longest) {
    const auto limit = std::chrono::steady_clock::now() + longest;
    while (!(io.stopped() && all_over(cells)) && std::chrono::steady_clock::now() < limit) {
        // The wait for the next event, of at most 200 us, counts as the handler's; the bound is far above that.
        if (!io.stopped())
            watch.run([&] { return io.run_one_for(200us); });
        else
            std::this_thread::yield();
    }
    return io.stopped();
}

void run_cells(std::vector<evidence>& slots, const std::function<cell_maker(asio::io_context&)>& open,
               observation::segment_capture& witness, std::chrono::milliseconds longest, group_result& result) {
    handler_watch watch;
    asio::io_context io;
    std::deque<peer> far_ends;
    peers* others = nullptr;
    std::vector<std::unique_ptr<cell>> cells;
    {
        const cell_maker make = open(io);
        for (evidence& e : slots) cells.push_back(make(io, e, far_ends, others));
        // The listener goes here: what it has accepted must not need it.
    }
    for (auto& c : cells) c->settle();
    peers threads(far_ends);
    others = &threads;
    for (auto& c : cells) asio::post(io, [&c] { c->go(); });

    result.out_of_work = drive(io, cells, watch, longest);
    look_at_the_end(cells, witness);
    threads.stop();
    for (auto& c : cells) c->far_end().account(c->seen());
    result.longest_handler = watch.longest();
    result.longest_with_waiting = watch.longest_with_waiting();
}

} // namespace

group_result run_group(std::vector<evidence>& slots, const std::function<cell_maker(asio::io_context&)>& open,
                       observation::segment_capture& witness, std::chrono::milliseconds longest) {
    group_result result;
    witness.forget();
    const std::int64_t descriptors = open_descriptors();
    const std::int64_t allocations = live_allocations();
    run_cells(slots, open, witness, longest, result);
    result.allocations_left = live_allocations() - allocations;
    result.descriptors_left = open_descriptors() - descriptors;
    return result;
}

} // namespace conformance
