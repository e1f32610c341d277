// SPDX-License-Identifier: BSL-1.0
#include "network/packets/vocabulary.hpp"

#include <doctest/doctest.h>

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
