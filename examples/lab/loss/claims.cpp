// SPDX-License-Identifier: BSL-1.0
#include "result.hpp"

#include <algorithm>
#include <cstddef>
#include <initializer_list>
#include <string>

namespace lab::loss {

namespace {

/// Sums over every loss rate of one ending.
struct sum {
    std::size_t connections = 0;
    std::size_t complete = 0;
    std::size_t lost = 0;
    std::size_t lost_within_limits = 0;
    std::size_t corrupted = 0;
    std::size_t cut_short = 0;
    std::size_t gave_up = 0;
    std::size_t time_wait_on_server = 0;
    std::size_t truncated = 0;

    sum(const results& all, ending how) {
        for (const result& r : all) {
            if (r.what.how != how) continue;
            connections += r.found.receipts.size();
            complete += r.complete;
            lost += r.lost;
            lost_within_limits += r.lost_within_limits;
            corrupted += r.corrupted;
            cut_short += r.cut_short;
            gave_up += r.gave_up;
            time_wait_on_server += r.found.time_wait_on_server;
            truncated += r.truncated;
        }
    }

    std::string text(ending how) const {
        return std::string(to_string(how)) + ": " + std::to_string(complete) + " of " + std::to_string(connections) +
               " replies complete, " + std::to_string(lost) + " bytes lost, " + std::to_string(cut_short) +
               " closes cut short, " + std::to_string(gave_up) + " clients that gave up";
    }
};

std::string texts(const results& all, std::initializer_list<ending> of) {
    std::string text;
    for (const ending how : of) text += (text.empty() ? "" : "; ") + sum(all, how).text(how);
    return text;
}

void claim_complete(report& r, const results& all) {
    const sum graceful(all, ending::graceful), peer_first(all, ending::peer_first);
    r.check(graceful.lost_within_limits == 0 && peer_first.lost_within_limits == 0 && graceful.complete > 0 &&
                peer_first.complete > 0,
            "Under graceful and peer_first not a byte of a reply is lost within their limits, whatever the path loses "
            "and however much the client goes on sending.",
            texts(all, {ending::graceful, ending::peer_first}));
    std::size_t corrupted = 0;
    for (const ending how : endings) corrupted += sum(all, how).corrupted;
    r.check(corrupted == 0, "What comes is what was sent.",
            std::to_string(corrupted) + " replies of the right length with a wrong hash");
}

void claim_truncated(report& r, const results& all, std::string text, std::initializer_list<ending> of) {
    const bool each = std::all_of(of.begin(), of.end(), [&](ending how) { return sum(all, how).truncated > 0; });
    r.check(each, std::move(text), texts(all, of));
}

void claim_time_wait(report& r, const results& all) {
    const std::size_t left = sum(all, ending::peer_first).time_wait_on_server;
    r.check(left == 0, "peer_first leaves the server no TIME-WAIT on a lossy path either.",
            std::to_string(left) + " on the server");
}

/// Of the machine, not of these hosts: another program's orphans count, too.
void note_orphans(report& r, const results& all) {
    long long reset = 0;
    for (const result& one : all) reset += one.found.orphans_reset;
    if (reset > 0)
        r.notes.push_back(std::to_string(reset) +
                          " closed sockets were reset for want of memory or because the machine had "
                          "reached net.ipv4.tcp_max_orphans; some closes were cut short by that");
}

} // namespace

void check_claims(report& r, const results& all) {
    claim_complete(r, all);
    claim_truncated(r, all,
                    "A plain close() with unread input truncates replies that write() had taken whole; so does Asio's "
                    "destructor, and policies::system, which is the same close(2).",
                    {ending::plain_close, ending::destructor, ending::system});
    claim_truncated(r, all,
                    "One read before close() is not enough: the input that comes after it resets the connection, too.",
                    {ending::one_read});
    claim_truncated(r, all, "An abort loses what is in flight, as it says.", {ending::abortive});
    claim_time_wait(r, all);
    note_orphans(r, all);
}

} // namespace lab::loss
