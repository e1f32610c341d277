// SPDX-License-Identifier: BSL-1.0
#include "network/packets/vocabulary.hpp"

#include <doctest/doctest.h>

// Our FIN is out and not acknowledged (RFC 9293, 3.10.7.4), and the close drains.

using namespace packets;

TEST_CASE("FIN-WAIT-1: the ACK of our FIN leads to FIN-WAIT-2, and the peer's FIN from there to TIME-WAIT") {
    for (const bool v6 : {false, true}) {
        if (v6 && !wire().has_v6()) continue;
        for (const bool connects : {false, true}) {
            script s(graceful, {.v6 = v6, .connects = connects});
            s.closes() >> fin(1).ack(1);
            s.in(fin_wait1).waits() << empty(1).ack(2);
            s.in(fin_wait2).waits() << fin(1).ack(2);
            s >> empty(2).ack(2);
            s.in(time_wait);
            s.reports({.first_fin = fin_by::local, .time_wait = time_wait_of::local});
        }
    }
}

TEST_CASE("FIN-WAIT-1: a FIN that acknowledges ours leads to TIME-WAIT at once") {
    script s(graceful);
    s.closes() >> fin(1).ack(1) << fin(1).ack(2) >> empty(2).ack(2);
    s.in(time_wait);
    s.reports({.first_fin = fin_by::local, .time_wait = time_wait_of::local});
}

TEST_CASE("FIN-WAIT-1: data that comes with the peer's FIN is acknowledged together with it, and discarded") {
    script s(graceful);
    s.closes() >> fin(1).ack(1) << data(1, 100).fin().ack(2) >> empty(2).ack(102);
    s.in(time_wait);
    s.reports({.first_fin = fin_by::local, .time_wait = time_wait_of::local, .discarded = 100});
}

TEST_CASE("FIN-WAIT-1: data without an ACK of our FIN is acknowledged and discarded, and the state stays") {
    script s(graceful);
    s.closes() >> fin(1).ack(1) << data(1, 100).ack(1) >> empty(2).ack(101);
    s.in(fin_wait1).waits() << data(101, 50).ack(1);
    s >> empty(2).ack(151) << fin(151).ack(2) >> empty(2).ack(152);
    s.in(time_wait);
    s.reports({.first_fin = fin_by::local, .time_wait = time_wait_of::local, .discarded = 150});
}

TEST_CASE("FIN-WAIT-1: a FIN behind a gap waits for what is missing") {
    script s(graceful);
    s.closes() >> fin(1).ack(1) << fin(101).ack(2) >> empty(2).ack(1);
    s.in(fin_wait2).waits() << data(1, 100).ack(2);
    s >> empty(2).ack(102);
    s.in(time_wait);
    s.reports({.first_fin = fin_by::local, .time_wait = time_wait_of::local, .discarded = 100});
}

TEST_CASE("FIN-WAIT-1: repeated data is acknowledged again, and counted once") {
    script s(graceful);
    s.closes() >> fin(1).ack(1) << data(1, 100).ack(1) >> empty(2).ack(101) << data(1, 100).ack(1) >> empty(2).ack(101);
    s.in(fin_wait1) << fin(101).ack(2) >> empty(2).ack(102);
    s.reports({.first_fin = fin_by::local, .time_wait = time_wait_of::local, .discarded = 100});
}

TEST_CASE("FIN-WAIT-1: a lost FIN is sent again, the same") {
    script s(graceful);
    s.closes() >> fin(1).ack(1) >> fin(1).ack(1);
    s.in(fin_wait1) << empty(1).ack(2);
    s.in(fin_wait2) << fin(1).ack(2) >> empty(2).ack(2);
    s.reports({.first_fin = fin_by::local, .time_wait = time_wait_of::local});
}

TEST_CASE("FIN-WAIT-1: lost data is sent again together with our FIN, and what is unacknowledged is told at a reset") {
    script s(graceful);
    s.writes(100) >> data(1, 100).ack(1);
    s.closes() >> fin(101).ack(1) >> data(1, 100).fin().ack(1) << rst(1);
    s.in(unknown);
    s.reports({.first_fin = fin_by::local, .ended_by = ended::reset_by_peer, .unacknowledged = 100},
              error::reset_by_peer);
}

TEST_CASE("FIN-WAIT-1: the exact RST ends the connection, and nobody holds TIME-WAIT") {
    script s(graceful);
    s.closes() >> fin(1).ack(1) << rst(1);
    s.in(unknown);
    s.reports({.first_fin = fin_by::local, .ended_by = ended::reset_by_peer}, error::reset_by_peer);
}

TEST_CASE("FIN-WAIT-1: an RST elsewhere in the window is challenged, one outside it is not") {
    script s(graceful);
    s.closes() >> fin(1).ack(1) << rst(100) >> empty(2).ack(1);
    s.in(fin_wait1).waits() << rst(0xfffffff0);
    s.in(fin_wait1).waits() << rst(1);
    s.in(unknown);
    s.reports({.first_fin = fin_by::local, .ended_by = ended::reset_by_peer}, error::reset_by_peer);
}

TEST_CASE("FIN-WAIT-1: a SYN is challenged, whatever its number") {
    script s(graceful);
    s.closes() >> fin(1).ack(1) << syn(1) >> empty(2).ack(1) << syn(0) >> empty(2).ack(1) << syn(1'000'000) >>
        empty(2).ack(1);
    s.in(fin_wait1).waits();
}

TEST_CASE("FIN-WAIT-1: an ACK of what was never sent is answered and changes nothing") {
    script s(graceful);
    s.closes() >> fin(1).ack(1) << empty(1).ack(3) >> empty(2).ack(1);
    s.in(fin_wait1).waits();
}

TEST_CASE("FIN-WAIT-1: what has no ACK is dropped in silence") {
    script s(graceful);
    s.closes() >> fin(1).ack(1) << data(1, 10) << fin(1);
    s.in(fin_wait1).waits();
}

TEST_CASE("FIN-WAIT-1: a segment outside the window is answered with an ACK") {
    script s(graceful);
    s.closes() >> fin(1).ack(1) << data(1'000'001, 10).ack(2) >> empty(2).ack(1) << fin(0xfffffff0).ack(2) >>
        empty(2).ack(1);
    s.in(fin_wait1).waits();
}

TEST_CASE("FIN-WAIT-1: an old timestamp makes a segment one of the past, and its ACK of our FIN counts for nothing") {
    script s(graceful, {.timestamps = 5000});
    s.closes() >> fin(1).ack(1).echoes(5000) << fin(1).ack(2).at_time(4000) >> empty(2).ack(1).echoes(5000);
    s.in(fin_wait1).waits() << fin(1).ack(2).at_time(6000) >> empty(2).ack(2).echoes(6000);
    s.in(time_wait);
    s.reports({.first_fin = fin_by::local, .time_wait = time_wait_of::local});
}

TEST_CASE("an orphan in FIN-WAIT-1: data is answered with RST, since nobody is left to read it") {
    script s(system_like);
    s.closes() >> fin(1).ack(1);
    s.reports({.first_fin = fin_by::local, .time_wait = time_wait_of::left_to_kernel}) << data(1, 10).ack(1) >> rst(1);
    s.in(unknown);
}

TEST_CASE("an orphan in FIN-WAIT-1: the peer's FIN is taken as ever") {
    script s(system_like);
    s.closes() >> fin(1).ack(1) << fin(1).ack(2) >> empty(2).ack(2);
    s.in(time_wait);
    s.reports({.first_fin = fin_by::local, .time_wait = time_wait_of::left_to_kernel});
}
