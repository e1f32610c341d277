// SPDX-License-Identifier: BSL-1.0
#include "healthy.hpp"
#include "result.hpp"
#include "server.hpp"

#include <algorithm>
#include <cstdio>
#include <string>

namespace lab::slow_peer {

namespace {

// Measured: 690 bytes a close.
constexpr std::size_t heap_per_close = 1024;
// The allocator counts freed pieces that it keeps for the thread as held.
constexpr std::size_t heap_kept = 64 * 1024;

// A thread with much to do waits for a processor more often than an idle one, whatever it does: that is taken out.
constexpr double latency_factor = 3;
constexpr double latency_allowance_ms = 2;

std::string ms(double value) {
    char text[32];
    std::snprintf(text, sizeof text, "%.2f ms", value);
    return text;
}

void claim_limits(report& r, const outcome& found, std::size_t peers) {
    std::size_t by_limit = 0, closes = 0, slow = 0, never_cut = 0;
    double earliest = 0, latest = 0, least_given = 0;
    bool twice_at_most = true;
    for (const kind_result& one : by_kind(found.closes)) {
        if (one.late_ms.empty()) continue;
        if (one.what->reads_slowly()) {
            least_given = slow == 0 ? one.late_ms.front() : std::min(least_given, one.late_ms.front());
            slow += one.closes;
            never_cut += one.by_limit;
            continue;
        }
        closes += one.closes;
        by_limit += one.by_limit;
        earliest = std::min(earliest, one.late_ms.front());
        if (one.what->is_silent()) latest = std::max(latest, one.late_ms.back());
        const std::chrono::duration<double, std::milli> limits = one.what->within;
        twice_at_most = twice_at_most && one.late_ms.back() <= limits.count() + found.worst_two_gaps_ms;
    }
    r.check(
        by_limit == closes && closes + slow == peers && earliest >= 0 && latest <= found.worst_two_gaps_ms,
        "Every close of a peer that takes nothing ends by its limits, and not before them. That of a silent one ends "
        "at "
        "most one wake-up after them: no later than the thread's longest two runs of its loop, one that sees the limit "
        "and one that acts.",
        std::to_string(by_limit) + " of " + std::to_string(closes) + " ended by their limits, of the silent ones " +
            ms(latest) + " late at worst; the loop's longest run took " + ms(found.worst_gap_ms) + ", two " +
            ms(found.worst_two_gaps_ms));
    r.check(twice_at_most, "Whatever the peer sends, no close takes more than twice its limits.", "see the table");
    r.check(
        slow > 0 && never_cut == slow && found.whole_replies == slow && least_given > 0,
        "No limit cuts a peer that reads slowly, though it takes longer than them all: limits count from the last byte "
        "that it took.",
        std::to_string(found.whole_replies) + " of " + std::to_string(slow) + " got their whole reply, " +
            std::to_string(never_cut) + " closes kept their promise; the first took " + ms(least_given) +
            " more than the limit");
}

void claim_resources(report& r, const outcome& found, std::size_t peers) {
    const std::size_t acked_late = peers / kinds.size() + 1; // until_acked, peers that never read
    r.check(found.most.descriptors <= found.open.descriptors + acked_late &&
                found.after.descriptors == found.before.descriptors,
            "A close takes no descriptor beside the connection's own, one more while until_acked waits for an "
            "acknowledgement; when all are over, none is left.",
            std::to_string(found.before.descriptors) + " before the peers, " + std::to_string(found.open.descriptors) +
                " with them, at most " + std::to_string(found.most.descriptors) + " while closes wait, " +
                std::to_string(found.after.descriptors) + " after");
    const std::size_t taken = found.most.heap - std::min(found.most.heap, found.open.heap);
    r.check(taken <= peers * heap_per_close && found.after.heap <= found.before.heap + heap_kept,
            "A close that waits takes less than 1 KiB of heap, and gives it back.",
            std::to_string(taken / peers) + " bytes a close; of " + std::to_string(taken) + " in all, " +
                std::to_string(found.after.heap - std::min(found.after.heap, found.before.heap)) +
                " more than before the peers are held after");
}

void claim_latency(report& r, const outcome& found, const blocked& contender, std::size_t peers) {
    const double idle = quantile(found.healthy.idle, 0.99), control = quantile(found.healthy.control, 0.99),
                 waiting = quantile(found.healthy.waiting, 0.99);
    const double quiet = std::max(idle, control);
    r.check(found.most_waiting >= peers / 2 &&
                waiting <= std::max(quiet * latency_factor, quiet + latency_allowance_ms) + found.worst_starved_ms,
            "A healthy connection on the same thread does not feel it: its p99 from the first close to the last stays "
            "within 3 times, or 2 ms, of that on a server where nothing waits, and what the machine makes the thread "
            "wait for a processor.",
            "p99 " + ms(waiting) + " with up to " + std::to_string(found.most_waiting) + " closes waiting, " +
                ms(idle) + " idle before, " + ms(control) +
                " on an idle server at the same time; the thread waited up to " + ms(found.worst_starved_ms) +
                " for a processor, and without that its loop's longest run took " + ms(found.worst_work_ms));
    const double blocked_for = quantile(contender.waiting, 1);
    const std::chrono::duration<double, std::milli> linger = blocking_linger_time;
    r.check(blocked_for >= 0.9 * linger.count() && quantile(contender.waiting, 0.5) > waiting,
            "Under plain Asio with a positive SO_LINGER a few peers that do not read stop the whole thread.",
            std::to_string(contender.closes.size()) +
                " closes with SO_LINGER of 1 s: the healthy connection's median " +
                ms(quantile(contender.waiting, 0.5)) + ", worst " + ms(blocked_for));
}

} // namespace

void check_claims(report& r, const outcome& found, const blocked& contender, std::size_t peers) {
    claim_limits(r, found, peers);
    claim_resources(r, found, peers);
    claim_latency(r, found, contender, peers);
}

} // namespace lab::slow_peer
