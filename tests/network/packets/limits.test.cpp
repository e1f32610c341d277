// SPDX-License-Identifier: BSL-1.0
#include "network/packets/vocabulary.hpp"

#include <doctest/doctest.h>

// What goes out when a limit of the policy runs out.

using namespace packets;
using closeside::limit_action;
using closeside::lingering;

namespace {

constexpr auto peer = closeside::side::peer;

} // namespace

TEST_CASE("peer_first: when patience is over our FIN goes out, and the close drains") {
    script s(peer_first);
    s.closes({.closes_first = peer, .patience = 30ms}) >> fin(1).ack(1);
    s.in(fin_wait1).waits() << data(1, 10).ack(2) >> empty(2).ack(11) << fin(11).ack(2) >> empty(2).ack(12);
    s.in(time_wait);
    s.reports(
        {.first_fin = fin_by::local, .time_wait = time_wait_of::local, .limit = limit_of::patience, .discarded = 10},
        error::patience_over);
}

TEST_CASE("peer_first_or_reset: when patience is over the peer is reset, and TIME-WAIT is nowhere") {
    script s(peer_first_or_reset);
    s.closes({.closes_first = peer, .patience = 30ms, .on_limit = limit_action::abort}) >> rst(1).ack(1);
    s.in(unknown).reports({.ended_by = ended::reset_by_us, .limit = limit_of::patience}, error::patience_over);
}

TEST_CASE("peer_first_or_reset: within its patience it closes as peer_first does") {
    script s(peer_first_or_reset);
    s.closes();
    s.waits() << fin(1).ack(1) >> fin(1).ack(2) << empty(2).ack(2);
    s.in(unknown).reports({.first_fin = fin_by::peer, .time_wait = time_wait_of::peer});
}

TEST_CASE("peer_first: a peer that sends on instead of its FIN gets ours") {
    script s(peer_first);
    s.closes({.closes_first = peer, .patience = 60s});
    s.waits() << data(1, 10).ack(1) >> empty(1).ack(11) >> fin(1).ack(11) << fin(11).ack(2) >> empty(2).ack(12);
    s.reports({.first_fin = fin_by::local, .time_wait = time_wait_of::local, .limit = limit_of::input, .discarded = 10},
              error::peer_still_sends);
}

TEST_CASE("drain_time: when it is over the orphan is the kernel's, and late data is answered with RST") {
    script s(graceful);
    s.closes({.drain_time = 30ms}) >> fin(1).ack(1);
    s.reports({.first_fin = fin_by::local, .time_wait = time_wait_of::left_to_kernel, .limit = limit_of::drain_time},
              error::drain_time_over);
    s.in(fin_wait1) << empty(1).ack(2);
    s.in(fin_wait2).silence() << data(1, 10).ack(2) >> rst(2);
}

TEST_CASE("drain_time: under limit_action::abort what is over is reset, in FIN-WAIT-1 and in FIN-WAIT-2") {
    const close_policy aborts{.drain_time = 100ms, .on_limit = limit_action::abort};
    script first(graceful);
    first.closes(aborts) >> fin(1).ack(1) >> rst(2).ack(1);
    first.in(unknown).reports(
        {.first_fin = fin_by::local, .ended_by = ended::reset_by_us, .limit = limit_of::drain_time},
        error::drain_time_over);
    script second(graceful);
    second.closes(aborts) >> fin(1).ack(1) << empty(1).ack(2) >> rst(2).ack(1);
    second.in(unknown).reports(
        {.first_fin = fin_by::local, .ended_by = ended::reset_by_us, .limit = limit_of::drain_time},
        error::drain_time_over);
}

TEST_CASE("drain_idle: a peer that has acknowledged all and says nothing more is let go before drain_time") {
    script s(graceful);
    s.closes({.drain_time = 60s, .drain_idle = 30ms}) >> fin(1).ack(1) << empty(1).ack(2);
    s.reports({.first_fin = fin_by::local, .time_wait = time_wait_of::left_to_kernel, .limit = limit_of::drain_idle},
              error::drain_time_over);
    s.in(fin_wait2).silence();
}

TEST_CASE("drain_bytes: one byte beyond lets the orphan go, and the next segment is answered with RST") {
    script s(graceful);
    s.closes({.drain_bytes = 100}) >> fin(1).ack(1) << data(1, 100).ack(2) >> empty(2).ack(101);
    s.in(fin_wait2).waits() << data(101, 1).ack(2) >> empty(2).ack(102);
    s.reports({.first_fin = fin_by::local,
               .time_wait = time_wait_of::left_to_kernel,
               .limit = limit_of::drain_bytes,
               .discarded = 101},
              error::drain_bytes_over);
    s.in(fin_wait2).silence() << data(102, 1).ack(2) >> rst(2);
}

TEST_CASE("drain_bytes: under limit_action::abort one byte beyond is answered with RST") {
    script s(graceful);
    s.closes({.drain_bytes = 100, .on_limit = limit_action::abort}) >> fin(1).ack(1) << data(1, 101).ack(2) >>
        empty(2).ack(102) >> rst(2).ack(102);
    s.in(unknown).reports(
        {.first_fin = fin_by::local, .ended_by = ended::reset_by_us, .limit = limit_of::drain_bytes, .discarded = 101},
        error::drain_bytes_over);
}

TEST_CASE("until_acked: without draining the close completes with the ACK of our FIN, and not before") {
    script s(graceful);
    s.writes(100) >> data(1, 100).ack(1);
    s.closes({.linger = lingering::until_acked(20s), .drain_time = 0s}) >> fin(101).ack(1);
    s.waits() << empty(1).ack(101);
    s.waits() << empty(1).ack(102);
    s.reports({.first_fin = fin_by::local, .time_wait = time_wait_of::left_to_kernel});
    s.in(fin_wait2) << fin(1).ack(102) >> empty(102).ack(2);
    s.in(time_wait);
}

TEST_CASE("until_acked: when its second is over what is unacknowledged is told, and the kernel goes on sending it") {
    script s(graceful);
    s.writes(100) >> data(1, 100).ack(1);
    s.closes({.linger = lingering::until_acked(1s), .drain_time = 0s}) >> fin(101).ack(1);
    s.reports({.first_fin = fin_by::local,
               .time_wait = time_wait_of::left_to_kernel,
               .limit = limit_of::linger,
               .unacknowledged = 100},
              error::linger_over);
    s.in(fin_wait1) >> data(1, 100).fin().ack(1) << empty(1).ack(102);
    s.in(fin_wait2);
}

TEST_CASE("a cancelled close lets go at once: what has come is discarded, and nothing more goes out than our FIN") {
    script s(graceful);
    s.closes() >> fin(1).ack(1) << data(1, 10).ack(2) >> empty(2).ack(11);
    s.waits().cancels();
    s.reports({.first_fin = fin_by::local,
               .time_wait = time_wait_of::left_to_kernel,
               .limit = limit_of::cancelled,
               .discarded = 10},
              error::cancelled);
    s.in(fin_wait2).silence() << fin(11).ack(2) >> empty(2).ack(12);
    s.in(time_wait);
}

TEST_CASE("a close that is cancelled while it waits for the peer sends our FIN with close(2)") {
    script s(peer_first);
    s.closes();
    s.waits().cancels() >> fin(1).ack(1);
    s.reports({.first_fin = fin_by::local, .time_wait = time_wait_of::left_to_kernel, .limit = limit_of::cancelled},
              error::cancelled);
    s.in(fin_wait1);
}

TEST_CASE("last bytes go out before our FIN, and under peer_first at once, before the peer's") {
    script local(graceful);
    local.closes_with(16) >> data(1, 16).ack(1) >> fin(17).ack(1) << fin(1).ack(18) >> empty(18).ack(2);
    local.in(time_wait).reports(
        {.first_fin = fin_by::local, .time_wait = time_wait_of::local, .last_bytes = last::sent});
    script waits(peer_first);
    waits.closes_with(16) >> data(1, 16).ack(1);
    waits.waits() << fin(1).ack(17) >> fin(17).ack(2) << empty(2).ack(18);
    waits.in(unknown).reports({.first_fin = fin_by::peer, .time_wait = time_wait_of::peer, .last_bytes = last::sent});
}

TEST_CASE("an orderly stop resets at its deadline whoever is busy, so that a cut message shows") {
    script s(graceful);
    s.writes(100) >> data(1, 100).ack(1);
    s.stops(false, 30ms) >> rst(101).ack(1);
    s.in(unknown);
}

TEST_CASE("an orderly stop ends the read of whoever is idle, and our FIN goes out") {
    for (const under* policy : {&graceful, &peer_first}) {
        CAPTURE(policy->name);
        script s(*policy);
        s.stops(true, 20s) >> fin(1).ack(1) << fin(1).ack(2) >> empty(2).ack(2);
        s.in(time_wait).reports({.first_fin = fin_by::local, .time_wait = time_wait_of::local});
    }
}
