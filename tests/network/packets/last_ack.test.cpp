// SPDX-License-Identifier: BSL-1.0
#include "network/packets/vocabulary.hpp"

#include <doctest/doctest.h>

// The peer's FIN came first, ours is out and not acknowledged.

using namespace packets;

namespace {

void to_last_ack(script& s) {
    s << fin(1).ack(1) >> empty(1).ack(2);
    s.closes() >> fin(1).ack(2);
    s.in(last_ack).reports({.first_fin = fin_by::peer, .time_wait = time_wait_of::peer});
}

} // namespace

TEST_CASE("LAST-ACK: the ACK of our FIN ends the connection, and what comes later is answered with RST") {
    script s(peer_first);
    to_last_ack(s);
    s << empty(2).ack(2);
    s.in(unknown).silence() << fin(1).ack(2) >> rst(2);
}

TEST_CASE("LAST-ACK: a lost FIN is sent again, the same") {
    script s(peer_first);
    to_last_ack(s);
    s >> fin(1).ack(2) << empty(2).ack(2);
    s.in(unknown);
}

TEST_CASE("LAST-ACK: the peer's FIN again is acknowledged again") {
    script s(peer_first);
    to_last_ack(s);
    s << fin(1).ack(1) >> empty(2).ack(2);
    s.in(last_ack) << empty(2).ack(2);
    s.in(unknown);
}

TEST_CASE("LAST-ACK: an ACK of the data alone leaves our FIN to be acknowledged") {
    script s(graceful);
    s << fin(1).ack(1) >> empty(1).ack(2);
    s.writes(100) >> data(1, 100).ack(2);
    s.closes() >> fin(101).ack(2) << empty(2).ack(101);
    s.in(last_ack) << empty(2).ack(102);
    s.in(unknown);
}

TEST_CASE("LAST-ACK: the exact RST ends it, one elsewhere in the window and a SYN are challenged") {
    script s(peer_first);
    to_last_ack(s);
    s << rst(100) >> empty(2).ack(2) << syn(2) >> empty(2).ack(2);
    s.in(last_ack) << rst(2);
    s.in(unknown);
}

TEST_CASE("LAST-ACK: an ACK of what was never sent is answered") {
    script s(peer_first);
    to_last_ack(s);
    s << empty(2).ack(3) >> empty(2).ack(2);
    s.in(last_ack);
}

TEST_CASE("LAST-ACK: data beyond the peer's FIN is passed over in silence") {
    script s(peer_first);
    to_last_ack(s);
    s << data(2, 10).ack(1);
    s.in(last_ack).silence();
}

TEST_CASE("LAST-ACK: until_acked waits here, and completes with the ACK of our FIN") {
    script s(peer_first);
    s << fin(1).ack(1) >> empty(1).ack(2);
    s.closes({.closes_first = closeside::side::peer, .linger = closeside::lingering::until_acked(20s)}) >>
        fin(1).ack(2);
    s.in(last_ack).waits() << empty(2).ack(2);
    s.in(unknown).reports({.first_fin = fin_by::peer, .time_wait = time_wait_of::peer});
}

TEST_CASE("LAST-ACK: an abort sends nothing and forgets the connection, which the peer's next segment finds gone") {
    script s(peer_first);
    s << fin(1).ack(1) >> empty(1).ack(2);
    s.closes({.closes_first = closeside::side::peer,
              .linger = closeside::lingering::until_acked(20s),
              .on_limit = closeside::limit_action::abort}) >>
        fin(1).ack(2);
    s.in(last_ack).waits().cancels();
    s.in(unknown).silence().reports(
        {.first_fin = fin_by::peer, .time_wait = time_wait_of::peer, .limit = limit_of::cancelled}, error::cancelled);
    s << empty(2).ack(2) >> rst(2);
}
