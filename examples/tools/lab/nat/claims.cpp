// SPDX-License-Identifier: BSL-1.0
#include "result.hpp"

#include <algorithm>
#include <cstdint>
#include <string>
#include <utility>

namespace lab::nat {

namespace {

/// Sums over the variants that `wanted` picks.
struct sum {
    std::size_t variants = 0;
    std::size_t connects = 0;
    std::size_t challenged = 0;
    std::size_t stalled = 0;
    std::size_t failed = 0;
    std::size_t fewest_failed = SIZE_MAX; ///< in any one variant

    template <class Wanted>
    sum(const results& all, Wanted wanted) {
        for (const result& r : all) {
            if (!wanted(r.what)) continue;
            ++variants;
            connects += r.found.second.size();
            challenged += r.challenged;
            stalled += r.stalled;
            failed += r.failed;
            fewest_failed = std::min(fewest_failed, r.failed);
        }
    }

    std::string text() const {
        return "of " + std::to_string(connects) + " connects in " + std::to_string(variants) + " variants " +
               std::to_string(failed) + " failed, " + std::to_string(stalled) + " stalled, " +
               std::to_string(challenged) + " were challenged";
    }
};

void claim_who_holds_time_wait(report& r, const results& all, std::size_t connections) {
    std::string wrong;
    for (const result& one : all) {
        const bool server = server_closes_first(one.what.how);
        const std::size_t on_server = one.found.time_wait_on_server, on_clients = one.found.time_wait_on_clients;
        if (on_server == (server ? connections : 0) && on_clients == (server ? 0 : connections)) continue;
        wrong += std::string(wrong.empty() ? "" : "; ") + to_string(one.what.how) + ": " + std::to_string(on_server) +
                 " on the server, " + std::to_string(on_clients) + " on the clients";
    }
    r.check(wrong.empty(),
            "Who closes first holds TIME-WAIT: the server under plain Asio and graceful, the clients under peer_first.",
            wrong.empty() ? "all " + std::to_string(connections) + " in every variant, none on the other side" : wrong);
}

void claim_lock_outs(report& r, const results& all) {
    const auto server_first = [&](bool rfc1337, bool resets_lost) {
        return sum(all, [=](const variant& v) {
            return server_closes_first(v.how) && v.rfc1337 == rfc1337 && v.resets_lost == resets_lost;
        });
    };
    const sum locked_out = server_first(true, false), recovering = server_first(false, false),
              filtered = server_first(false, true);
    const sum peer_first(all, [](const variant& v) { return v.how == ending::peer_first; });
    r.check(locked_out.fewest_failed > 0,
            "With tcp_rfc1337 = 1 and a server that closes first, clients behind a NAT are locked out, with timestamps "
            "and without.",
            locked_out.text());
    r.check(recovering.failed == 0,
            "With tcp_rfc1337 = 0 none is: a challenged client's RST ends TIME-WAIT, and its next SYN is accepted.",
            recovering.text());
    r.check(filtered.fewest_failed > 0, "Where the path drops that RST, they are locked out with tcp_rfc1337 = 0, too.",
            filtered.text());
    r.check(peer_first.failed == 0 && peer_first.challenged == 0,
            "Under peer_first none is in any of these cases, and no SYN is challenged.", peer_first.text());
}

void claim_check(report& r, const results& all) {
    const auto& risky = pick(all, ending::plain_asio, true).found.check;
    const auto& defaults = pick(all, ending::plain_asio, false).found.check;
    if (!risky || !defaults) {
        r.notes.push_back("closeside-check was not asked: it is not beside this program; --check tells where it is");
        return;
    }
    const std::string severity = risky->before ? risky->before->value("severity", "?") : "not found";
    r.check(
        severity == "critical" && !defaults->before,
        "closeside-check, in the server's namespace before the first connection, calls tcp_rfc1337 = 1 critical and "
        "says nothing of 0.",
        "CS101 with 1: " + severity + "; with 0: " + (defaults->before ? "found" : "not found"));
    const std::string occurrence = risky->during ? risky->during->value("occurrence", "?") : "not found";
    r.check(occurrence == "happening",
            "closeside-check --watch 2, while clients are locked out, says that it is happening now.",
            "CS101: " + occurrence + (risky->during ? ": " + risky->during->value("evidence", "") : ""));
}

} // namespace

void check_claims(report& r, const results& all, std::size_t connections) {
    claim_who_holds_time_wait(r, all, connections);
    claim_lock_outs(r, all);
    claim_check(r, all);
}

} // namespace lab::nat
