// SPDX-License-Identifier: BSL-1.0
#include "network/packets/vocabulary.hpp"

#include <doctest/doctest.h>

// The FINs have crossed: the peer's is in, ours is not acknowledged.

using namespace packets;

namespace {

void cross(script& s) {
    s.closes() >> fin(1).ack(1) << fin(1).ack(1) >> empty(2).ack(2);
    s.in(closing).reports({.first_fin = fin_by::local, .time_wait = time_wait_of::both});
}

} // namespace

TEST_CASE("CLOSING: FINs that cross leave both sides in TIME-WAIT once ours is acknowledged") {
    for (const bool v6 : {false, true}) {
        if (v6 && !wire().has_v6()) continue;
        script s(graceful, {.v6 = v6});
        cross(s);
        s << empty(2).ack(2);
        s.in(time_wait);
    }
}

TEST_CASE("CLOSING: the FIN again is acknowledged again, and leads to TIME-WAIT if it acknowledges ours") {
    script s(graceful);
    cross(s);
    s << fin(1).ack(1) >> empty(2).ack(2);
    s.in(closing) << fin(1).ack(2); // just below the window: its ACK counts, and Linux says nothing (tcp_sequence)
    s.in(time_wait).silence() << fin(1).ack(2) >> empty(2).ack(2);
}

TEST_CASE("CLOSING: a FIN of ours that was lost is sent again, with the peer's acknowledged") {
    script s(graceful);
    cross(s);
    s >> fin(1).ack(2) << empty(2).ack(2);
    s.in(time_wait);
}

TEST_CASE("CLOSING: data beyond the peer's FIN is passed over in silence") {
    script s(graceful);
    cross(s);
    s << data(2, 10).ack(1);
    s.in(closing).silence() << data(2, 10).ack(2);
    s.in(time_wait);
}

TEST_CASE("CLOSING: the exact RST ends it, one elsewhere in the window and a SYN are challenged") {
    script s(graceful);
    cross(s);
    s << rst(100) >> empty(2).ack(2) << syn(2) >> empty(2).ack(2);
    s.in(closing) << rst(2);
    s.in(unknown);
}

TEST_CASE("CLOSING: an ACK of what was never sent is answered") {
    script s(graceful);
    cross(s);
    s << empty(2).ack(3) >> empty(2).ack(2);
    s.in(closing);
}

TEST_CASE("CLOSING: until_acked waits here, and has seen both TIME-WAITs when it completes") {
    script s(graceful);
    s.closes({.linger = closeside::lingering::until_acked(20s)}) >> fin(1).ack(1) << fin(1).ack(1) >> empty(2).ack(2);
    s.in(closing).waits() << empty(2).ack(2);
    s.in(time_wait).reports({.first_fin = fin_by::local, .time_wait = time_wait_of::both});
}

TEST_CASE("CLOSING: an abort sends nothing and forgets the connection; the peer's TIME-WAIT is its own") {
    script s(graceful);
    s.closes({.linger = closeside::lingering::until_acked(20s), .on_limit = closeside::limit_action::abort}) >>
        fin(1).ack(1) << fin(1).ack(1) >> empty(2).ack(2);
    s.in(closing).waits().cancels();
    s.in(unknown).silence().reports(
        {.first_fin = fin_by::local, .time_wait = time_wait_of::peer, .limit = limit_of::cancelled}, error::cancelled);
    s << fin(1).ack(2) >> rst(2);
}
