// SPDX-License-Identifier: BSL-1.0
#include "network/packets/time_wait.hpp"

#include <doctest/doctest.h>

// Both FINs are through, and ours was first. What is left is a mini-socket (tcp_timewait_state_process).

using namespace packets;

TEST_CASE("TIME-WAIT: the peer's FIN again is acknowledged again, and the 60 s begin anew") {
    script s(graceful);
    to_time_wait(s);
    const auto restarts = [&] {
        s.until([&] { return s.socket().timer_ms < 59'950; }, "50 ms of TIME-WAIT are over",
                std::source_location::current());
        const auto before = s.socket().timer_ms;
        s << fin(1).ack(2) >> empty(2).ack(2);
        return s.socket().timer_ms > before;
    };
    CHECK(restarts());
    CHECK(restarts());
    s.in(time_wait);
}

TEST_CASE("TIME-WAIT: a bare ACK with the next number is passed over") {
    script s(graceful);
    to_time_wait(s);
    s << empty(2).ack(2) << empty(2).ack(2);
    s.in(time_wait);
}

TEST_CASE("TIME-WAIT: data is answered with an ACK, old and new, and never with RST") {
    script s(graceful);
    to_time_wait(s);
    s << data(1, 10).ack(2) >> empty(2).ack(2) << data(2, 10).ack(2) >> empty(2).ack(2) << data(1000, 10).ack(2) >>
        empty(2).ack(2);
    s.in(time_wait);
}

TEST_CASE("TIME-WAIT: an RST that is not exact is passed over in silence") {
    script s(graceful);
    to_time_wait(s);
    s << rst(1) << rst(3) << rst(1000).ack(2);
    s.in(time_wait);
}

TEST_CASE("TIME-WAIT: the same 4-tuple is closed to a program that listens, and nobody accepts from it") {
    script s(graceful);
    to_time_wait(s);
    s << syn(1) >> empty(2).ack(2);
    s.in(time_wait);
    CHECK_FALSE(s.accepts_next());
}
