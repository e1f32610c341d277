// SPDX-License-Identifier: BSL-1.0
#include "network/packets/vocabulary.hpp"

#include <doctest/doctest.h>

// The peer's FIN came first, and the program has not closed.

using namespace packets;

namespace {

void peer_closes(script& s) {
    s << fin(1).ack(1) >> empty(1).ack(2);
    s.in(close_wait);
}

} // namespace

TEST_CASE("CLOSE-WAIT: under peer_first the close waits for the peer's FIN, and answers it with ours") {
    for (const bool v6 : {false, true}) {
        if (v6 && !wire().has_v6()) continue;
        for (const bool connects : {false, true}) {
            script s(peer_first, {.v6 = v6, .connects = connects});
            s.closes();
            s.in(established).waits() << fin(1).ack(1) >> fin(1).ack(2);
            s.in(last_ack).reports({.first_fin = fin_by::peer, .time_wait = time_wait_of::peer});
            s << empty(2).ack(2);
            s.in(unknown);
        }
    }
}

TEST_CASE("CLOSE-WAIT: whatever the policy, but abortive, a close sends our FIN and the peer keeps TIME-WAIT") {
    for (const under* policy : {&graceful, &peer_first, &peer_first_or_reset, &system_like, &skips_fin_wait2}) {
        CAPTURE(policy->name);
        script s(*policy);
        peer_closes(s);
        s.closes() >> fin(1).ack(2);
        s.in(last_ack).reports({.first_fin = fin_by::peer, .time_wait = time_wait_of::peer});
        s << empty(2).ack(2);
        s.in(unknown);
    }
}

TEST_CASE("CLOSE-WAIT: abortive resets, and nobody keeps TIME-WAIT") {
    script s(abortive);
    peer_closes(s);
    s.closes() >> rst(1).ack(2);
    s.in(unknown).reports({.first_fin = fin_by::peer, .ended_by = ended::reset_by_us});
}

TEST_CASE("CLOSE-WAIT: a half-closed peer gets all that the program has to say, and our FIN behind it") {
    script s(graceful);
    peer_closes(s);
    s.writes(300) >> data(1, 300).ack(2) << empty(2).ack(301);
    s.in(close_wait).writes(200) >> data(301, 200).ack(2);
    s.closes() >> fin(501).ack(2);
    s.in(last_ack).reports({.first_fin = fin_by::peer, .time_wait = time_wait_of::peer, .unacknowledged = 200});
    s << empty(2).ack(502);
    s.in(unknown);
}

TEST_CASE("CLOSE-WAIT: data that came before the peer's FIN is discarded, not reset, except by close(2) alone") {
    script drains(graceful);
    drains << data(1, 50).fin().ack(1) >> empty(1).ack(52);
    drains.in(close_wait).closes() >> fin(1).ack(52);
    drains.reports({.first_fin = fin_by::peer, .time_wait = time_wait_of::peer, .discarded = 50});
    script does_not(system_like);
    does_not << data(1, 50).fin().ack(1) >> empty(1).ack(52);
    does_not.in(close_wait).closes() >> rst(1).ack(52);
    does_not.in(unknown).reports({.first_fin = fin_by::peer, .ended_by = ended::reset_by_us});
}

TEST_CASE("CLOSE-WAIT: the peer's FIN again is acknowledged again, data beyond it passed over") {
    script s(peer_first);
    peer_closes(s);
    s << fin(1).ack(1) >> empty(1).ack(2) << data(2, 10).ack(1);
    s.in(close_wait).silence();
}

TEST_CASE("CLOSE-WAIT: the exact RST ends it, and the report knows that the peer's FIN had come before") {
    script s(graceful);
    peer_closes(s);
    s << rst(2);
    s.in(unknown).closes();
    s.reports({.first_fin = fin_by::peer, .ended_by = ended::reset_by_peer}, error::reset_by_peer);
}

TEST_CASE("CLOSE-WAIT: an RST elsewhere in the window and a SYN are challenged") {
    script s(graceful);
    peer_closes(s);
    s << rst(100) >> empty(1).ack(2) << syn(2) >> empty(1).ack(2);
    s.in(close_wait);
}
