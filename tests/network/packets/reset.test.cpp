// SPDX-License-Identifier: BSL-1.0
#include "network/packets/vocabulary.hpp"

#include <doctest/doctest.h>

// What ends connections with RST, and what they answer afterwards.

using namespace packets;

TEST_CASE("abortive: one RST with the next number, and every later segment is answered with another") {
    for (const bool v6 : {false, true}) {
        if (v6 && !wire().has_v6()) continue;
        for (const bool connects : {false, true}) {
            script s(abortive, {.v6 = v6, .connects = connects});
            s.closes() >> rst(1).ack(1);
            s.in(unknown).reports({.ended_by = ended::reset_by_us});
            s << data(1, 10).ack(1) >> rst(1) << fin(11).ack(1) >> rst(1);
        }
    }
}

TEST_CASE("abortive: what is on its way is given up, and the report says how much") {
    script s(abortive);
    s.writes(300) >> data(1, 300).ack(1);
    s.closes() >> rst(301).ack(1);
    s.in(unknown).reports({.ended_by = ended::reset_by_us, .unacknowledged = 300});
}

TEST_CASE("abortive: the destructor resets too, and so does abort() under any policy, whatever is unread") {
    script dropped(abortive);
    dropped.drops() >> rst(1).ack(1);
    dropped.in(unknown);
    script aborted(graceful);
    aborted << data(1, 10).ack(1) >> empty(1).ack(11);
    aborted.aborts() >> rst(1).ack(11);
    aborted.in(unknown);
}

TEST_CASE("abortive: a peer that has reset first gets nothing, and is no error") {
    script s(abortive);
    s << rst(1);
    s.in(unknown).closes();
    s.reports({.ended_by = ended::reset_by_peer});
}

TEST_CASE("system: unread input has close(2) reset, and what was to be sent is lost with it") {
    script s(system_like);
    s.writes(100) >> data(1, 100).ack(1) << data(1, 10).ack(1) >> empty(101).ack(11);
    s.closes() >> rst(101).ack(11);
    s.in(unknown).reports({.ended_by = ended::reset_by_us, .unacknowledged = 100});
}

TEST_CASE("graceful: unread input is discarded, and our FIN goes out as if it had been read") {
    script s(graceful);
    s.writes(100) >> data(1, 100).ack(1) << data(1, 10).ack(1) >> empty(101).ack(11);
    s.closes() >> fin(101).ack(11) << fin(11).ack(102) >> empty(102).ack(12);
    s.in(time_wait).reports({.first_fin = fin_by::local, .time_wait = time_wait_of::local, .discarded = 10});
}

TEST_CASE("graceful: a peer that has reset before the close is told of, and gets nothing") {
    script s(graceful);
    s << rst(1);
    s.in(unknown).closes();
    s.reports({.ended_by = ended::reset_by_peer}, error::reset_by_peer);
}

TEST_CASE("the destructor under graceful sends our FIN, and drains in the background until the peer's") {
    script s(graceful);
    s.drops() >> fin(1).ack(1) << data(1, 100).ack(2) >> empty(2).ack(101) << fin(101).ack(2) >> empty(2).ack(102);
    s.in(time_wait);
}

TEST_CASE("destroy_action::close: the destructor sends our FIN, and what comes then is answered with RST") {
    script s(drops_as_system);
    s << data(1, 10).ack(1) >> empty(1).ack(11);
    s.drops() >> fin(1).ack(11) << data(11, 100).ack(2) >> rst(2);
    s.in(unknown);
}

TEST_CASE(
    "SYN-SENT: a peer that refuses the connection gets nothing more, and nor does one that sends a wrong ACK first") {
    script s(graceful, {.connects = true, .unanswered = true});
    s << empty(1).ack(7) >> rst(7);
    s.in(syn_sent) << rst(0).ack(1);
    s.in(unknown);
}
