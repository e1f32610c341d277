// SPDX-License-Identifier: BSL-1.0
#include "result.hpp"

#include <algorithm>
#include <cstddef>
#include <initializer_list>
#include <string>

namespace lab::loss {

namespace {

/// Sums over every loss rate of one ending, for clients of one pace.
struct sum {
    std::size_t connections = 0;
    std::size_t unserved = 0;
    std::size_t complete = 0;
    std::size_t lost = 0;
    std::size_t lost_within_limits = 0;
    std::size_t corrupted = 0;
    std::size_t cut_short = 0;
    std::size_t gave_up = 0;
    std::size_t time_wait_on_server = 0;
    std::size_t truncated = 0;

    sum(const results& all, ending how, bool slow = false) {
        for (const result& r : all) {
            if (r.what.how != how || r.what.slow != slow) continue;
            unserved += r.unserved;
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

    /// Of those that had an answer at all and did not give up themselves.
    bool each_is_whole() const { return complete > 0 && complete + gave_up + unserved == connections && lost == 0; }

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
    const std::initializer_list<ending> with_limits{ending::graceful, ending::peer_first, ending::peer_first_or_reset};
    const bool kept = std::all_of(with_limits.begin(), with_limits.end(), [&](ending how) {
        const sum of(all, how);
        return of.lost_within_limits == 0 && of.complete > 0;
    });
    r.check(kept,
            "Under graceful, peer_first and peer_first_or_reset not a byte of a reply is lost within their limits, "
            "whatever the path loses and however much the client goes on sending.",
            texts(all, with_limits));
    const sum slow_graceful(all, ending::graceful, true), slow_peer_first(all, ending::peer_first, true);
    r.check(
        slow_graceful.each_is_whole() && slow_peer_first.each_is_whole(),
        "Who reads slowly gets the whole reply, too, though it takes longer than peer_first's patience: that counts "
        "from the last byte that the client took.",
        slow_graceful.text(ending::graceful) + "; " + slow_peer_first.text(ending::peer_first));
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
    const sum peer_first(all, ending::peer_first), or_reset(all, ending::peer_first_or_reset);
    r.check(
        peer_first.time_wait_on_server <= peer_first.cut_short && or_reset.time_wait_on_server == 0,
        "peer_first leaves the server no TIME-WAIT on a lossy path either, but where the client's FIN was lost until "
        "a limit was over; peer_first_or_reset leaves none.",
        std::to_string(peer_first.time_wait_on_server) + " on the server, " + std::to_string(peer_first.cut_short) +
            " closes cut short; " + std::to_string(or_reset.time_wait_on_server) + " under peer_first_or_reset");
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
