// SPDX-License-Identifier: BSL-1.0
#include "network/packets/vocabulary.hpp"

#include <doctest/doctest.h>

// Our FIN is acknowledged, the peer's has not come.

using namespace packets;

TEST_CASE("FIN-WAIT-2: a peer that has half to say yet is read to its end, segment by segment") {
    for (const bool v6 : {false, true}) {
        if (v6 && !wire().has_v6()) continue;
        script s(graceful, {.v6 = v6});
        s.writes(200) >> data(1, 200).ack(1);
        s.closes() >> fin(201).ack(1) << empty(1).ack(202);
        s.in(fin_wait2).waits() << data(1, 500).ack(202);
        s >> empty(202).ack(501) << data(501, 500).ack(202) >> empty(202).ack(1001) << fin(1001).ack(202) >>
            empty(202).ack(1002);
        s.in(time_wait);
        s.reports({.first_fin = fin_by::local, .time_wait = time_wait_of::local, .discarded = 1000});
    }
}

TEST_CASE("FIN-WAIT-2: while the close has the descriptor the kernel's own timer does not run") {
    script s(graceful);
    s.closes() >> fin(1).ack(1) << empty(1).ack(2);
    s.in(fin_wait2).waits();
    CHECK(s.socket().timer_ms == 0);
    CHECK(s.socket().inode != 0);
}

TEST_CASE("FIN-WAIT-2: another ACK of our FIN is passed over in silence") {
    script s(graceful);
    s.closes() >> fin(1).ack(1) << empty(1).ack(2) << empty(1).ack(2) << empty(1).ack(2);
    s.in(fin_wait2).waits();
}

TEST_CASE("FIN-WAIT-2: the exact RST ends the connection, one elsewhere in the window and a SYN are challenged") {
    script s(graceful);
    s.closes() >> fin(1).ack(1) << empty(1).ack(2) << rst(2) >> empty(2).ack(1) << syn(5) >> empty(2).ack(1);
    s.in(fin_wait2).waits() << rst(1);
    s.in(unknown);
    s.reports({.first_fin = fin_by::local, .ended_by = ended::reset_by_peer}, error::reset_by_peer);
}

TEST_CASE("FIN-WAIT-2: an abort sends RST with the next number") {
    script s(graceful);
    s.half_closes() >> fin(1).ack(1) << empty(1).ack(2);
    s.in(fin_wait2).aborts() >> rst(2).ack(1);
    s.in(unknown);
}

TEST_CASE("an orphan in FIN-WAIT-2: data after close(2) is answered with RST, and the connection is gone") {
    for (const bool v6 : {false, true}) {
        if (v6 && !wire().has_v6()) continue;
        script s(system_like, {.v6 = v6});
        s.closes() >> fin(1).ack(1) << empty(1).ack(2);
        s.in(fin_wait2).reports({.first_fin = fin_by::local, .time_wait = time_wait_of::left_to_kernel})
                << data(1, 10).ack(2) >>
            rst(2);
        s.in(unknown) << data(11, 10).ack(2) >> rst(2);
    }
}

TEST_CASE("an orphan in FIN-WAIT-2: data with the FIN behind it is answered with RST too") {
    script s(system_like);
    s.closes() >> fin(1).ack(1) << empty(1).ack(2);
    s.in(fin_wait2) << data(1, 10).fin().ack(2) >> rst(2);
    s.in(unknown);
}

TEST_CASE("an orphan in FIN-WAIT-2: the FIN alone leads to TIME-WAIT, for all of its 60 s") {
    script s(system_like);
    s.closes() >> fin(1).ack(1) << empty(1).ack(2);
    s.in(fin_wait2) << fin(1).ack(2) >> empty(2).ack(2);
    s.in(time_wait);
    CHECK(s.socket().timer_ms > 40'000);
    CHECK(s.socket().timer_ms <= 60'000);
}

TEST_CASE("an orphan in FIN-WAIT-2: a bare ACK is passed over, old data acknowledged again") {
    script s(system_like);
    s.writes(10) >> data(1, 10).ack(1) << data(1, 20).ack(11) >> empty(11).ack(21);
    s.reads(20).closes() >> fin(11).ack(21) << empty(21).ack(12) << empty(21).ack(12);
    s.in(fin_wait2).silence() << data(1, 20).ack(12) >> empty(12).ack(21);
    s.in(fin_wait2);
}

TEST_CASE("an orphan in FIN-WAIT-2: RST ends it without an answer, wherever in the window") {
    for (const std::uint32_t number : {1u, 100u}) {
        script s(system_like);
        s.closes() >> fin(1).ack(1) << empty(1).ack(2);
        s.in(fin_wait2) << rst(number);
        s.in(unknown);
    }
}

TEST_CASE("an orphan in FIN-WAIT-2: an RST below the window is answered with an ACK, which RFC 9293 drops in silence") {
    script s(system_like);
    s.closes() >> fin(1).ack(1) << empty(1).ack(2);
    s.in(fin_wait2) << rst(0xfffffff0) >> empty(2).ack(1);
    s.in(fin_wait2);
}

TEST_CASE("an orphan in FIN-WAIT-2: a new SYN is answered with RST, an old one with an ACK") {
    script s(system_like);
    s.closes() >> fin(1).ack(1) << empty(1).ack(2);
    s.in(fin_wait2) << syn(0) >> empty(2).ack(1);
    s.in(fin_wait2) << syn(1000) >> rst_from_zero(1001);
    s.in(unknown);
}

TEST_CASE("an orphan in FIN-WAIT-2: tcp_fin_timeout bounds it, or linger2 where the policy states one") {
    const with_sysctl timeout("tcp_fin_timeout", "40");
    const auto rest = [](const close_policy& p) {
        script s(graceful);
        s.closes(p) >> fin(1).ack(1) << empty(1).ack(2);
        s.in(fin_wait2).reports({.first_fin = fin_by::local, .time_wait = time_wait_of::left_to_kernel});
        CHECK(s.socket().inode == 0);
        return s.socket().timer_ms;
    };
    const auto of_host = rest(policies::system);
    CHECK(of_host > 20'000);
    CHECK(of_host <= 40'000);
    const auto of_policy = rest({.linger2 = 17s, .drain_time = 0s});
    CHECK(of_policy > 5'000);
    CHECK(of_policy <= 17'000);
}

TEST_CASE("fin_wait2::skip: the ACK of our FIN is answered with RST, and there is neither FIN-WAIT-2 nor TIME-WAIT") {
    script s(skips_fin_wait2);
    s.closes() >> fin(1).ack(1);
    s.in(fin_wait1).reports({.first_fin = fin_by::local, .time_wait = time_wait_of::left_to_kernel})
            << empty(1).ack(2) >>
        rst(2);
    s.in(unknown);
}

TEST_CASE("fin_wait2::skip: a FIN that comes with the ACK of ours is answered with RST all the same") {
    script s(skips_fin_wait2);
    s.closes() >> fin(1).ack(1) << fin(1).ack(2) >> rst(2);
    s.in(unknown);
}

TEST_CASE("fin_wait2::skip: a close that finds the connection in FIN-WAIT-2 resets it at once") {
    script s(skips_fin_wait2);
    s.half_closes() >> fin(1).ack(1) << empty(1).ack(2);
    s.in(fin_wait2).closes() >> rst(2).ack(1);
    s.in(unknown).reports({.first_fin = fin_by::local, .ended_by = ended::reset_by_us});
}
