// SPDX-License-Identifier: BSL-1.0
#include "result.hpp"

#include <closeside/error.hpp>

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdio>
#include <utility>

namespace lab::tls {

namespace {

bool is_tls(const variant& v) { return v.over != protocol::tcp; }

/// A claim that holds for every cell that `wanted` picks. Names those it does not hold for, and counts the others.
template <class Wanted, class Holds, class Text>
void check_all(report& r, const results& all, const char* sentence, Wanted wanted, Holds holds, Text text) {
    std::size_t seen = 0, broken = 0;
    std::string numbers;
    for (const result& one : all) {
        if (!is_tls(one.what) || !wanted(one.what)) continue;
        ++seen;
        if (holds(one)) continue;
        ++broken;
        numbers += "; " + name_of(one.what) + ": " + text(one);
    }
    r.check(seen > 0 && broken == 0, sentence,
            std::to_string(seen - broken) + " of " + std::to_string(seen) + " cells" + numbers);
}

std::string what_the_peer_got(const result& one) {
    return std::to_string(one.got.received) + " bytes, " + to_string(one.got.end);
}

std::string holder(const result& one) {
    return std::string(time_wait_of(one)) + ", the server's " + state_name(one.at_server);
}

std::string text_of_seconds(double s) {
    char text[32];
    std::snprintf(text, sizeof text, "%.2f s", s);
    return text;
}

void claim_delivery(report& r, const results& all) {
    check_all(
        r, all, "Every cell was run to its end, plain Asio's too.", [](const variant&) { return true; },
        [](const result& one) { return one.failure().empty(); }, [](const result& one) { return one.failure(); });
    check_all(
        r, all,
        "graceful, dropped or closed, and both forms of peer first: a peer that reads gets every byte and "
        "close_notify, whether it answers, sends on or never closes.",
        [](const variant& v) { return is_orderly(v.server) && reads_to_the_end(v.peer); },
        [](const result& one) { return is_whole(one) && one.got.end == end_seen::close_notify; }, what_the_peer_got);
    // Between its last read and its close our close_notify can arrive: then its kernel resets, and sends no FIN.
    const auto succeeds = [](const result& one) { return !one.said.error; };
    const bool some = std::any_of(all.begin(), all.end(), [&](const result& one) {
        return is_orderly(one.what.server) && closes_first(one.what.peer) && one.said.report && succeeds(one);
    });
    check_all(
        r, all,
        "A client that closes first, as curl does, gets every byte, and if its FIN came the close is a success.",
        [](const variant& v) { return is_orderly(v.server) && closes_first(v.peer); },
        [&](const result& one) { return some && is_whole(one) && (succeeds(one) || !one.client_fin); },
        [](const result& one) { return what_the_peer_got(one) + ", " + told_error(one); });
    check_all(
        r, all,
        "A client that never reads our close_notify has every byte too; its kernel resets, which the report may say.",
        [](const variant& v) { return is_orderly(v.server) && v.peer == peer_kind::closes_unread; },
        [](const result& one) {
            return is_whole(one) && (!one.said.error || one.said.error == closeside::error::reset_by_peer);
        },
        [](const result& one) { return what_the_peer_got(one) + ", " + told_error(one); });
}

void claim_time_wait(report& r, const results& all) {
    check_all(
        r, all, "Peer first: clients that answer close_notify hold TIME-WAIT, and the server holds nothing.",
        [](const variant& v) { return waits_for_peer(v.server) && answers(v.peer); },
        [](const result& one) {
            return one.at_client == tcp_state::time_wait && one.at_server == tcp_state::unknown && !one.said.error;
        },
        holder);
}

/// The same server and peer without TLS.
const result* on_plain_tcp(const results& all, const variant& v) {
    const auto found = std::find_if(all.begin(), all.end(), [&](const result& one) {
        return one.what == variant{v.server, v.peer, protocol::tcp};
    });
    return found == all.end() ? nullptr : &*found;
}

void claim_silence(report& r, const results& all) {
    // Of two busy cores; the longest wait of TLS's own, if there were one, would be a round trip or a limit.
    constexpr double slack = 0.35;
    const auto silent = [](const variant& v) { return v.peer == peer_kind::never_closes && is_orderly(v.server); };
    check_all(
        r, all,
        "A peer that has everything and falls silent costs what it costs on plain TCP under the same policy: graceful "
        "drain_idle, peer first patience and then drain_idle, with on_limit = abort patience alone.",
        silent,
        [&](const result& one) {
            const double limit = std::chrono::duration<double>(cost_of_silence(one.what.server)).count();
            const result* const plain = on_plain_tcp(all, one.what);
            return plain && seconds(one) >= limit && seconds(one) < limit + slack &&
                   seconds(one) < seconds(*plain) + slack;
        },
        [](const result& one) { return text_of_seconds(seconds(one)); });
    std::string& numbers = r.claims.back().numbers;
    for (const server_kind s : all_servers) {
        if (!is_orderly(s)) continue;
        double longest = 0, on_tcp = 0;
        for (const result& one : all)
            if (one.what.server == s && silent(one.what))
                (is_tls(one.what) ? longest : on_tcp) = std::max(is_tls(one.what) ? longest : on_tcp, seconds(one));
        numbers += std::string("; ") + to_string(s) + ": " + text_of_seconds(longest) + " at most, on TCP " +
                   text_of_seconds(on_tcp);
    }
}

void claim_honesty(report& r, const results& all) {
    check_all(
        r, all, "No report says what the wire contradicts: close_notify, the reply, TIME-WAIT.",
        [](const variant& v) { return is_closeside(v.server) && v.server != server_kind::dropped; },
        [](const result& one) { return one.said.report && contradiction_of(one).empty(); }, contradiction_of);
    check_all(
        r, all, "abortive and system send no close_notify, and say so.",
        [](const variant& v) { return v.server == server_kind::abortive || v.server == server_kind::system; },
        [](const result& one) {
            return one.said.report && !one.said.report->close_notify_sent && one.got.end != end_seen::close_notify;
        },
        what_the_peer_got);
}

} // namespace

void check_claims(report& r, const results& all) {
    claim_delivery(r, all);
    claim_time_wait(r, all);
    claim_silence(r, all);
    claim_honesty(r, all);
}

} // namespace lab::tls
