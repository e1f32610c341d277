// SPDX-License-Identifier: BSL-1.0
#include "network/packets/vocabulary.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>

// The peer has closed its window, and data of ours waits in the send queue.

using namespace packets;

namespace {

/// 100 bytes are acknowledged with a window of 0, so many more wait.
void shut(script& s, std::size_t waiting) {
    s.writes(100) >> data(1, 100).ack(1) << empty(1).ack(101).win(0);
    s.silence().writes(waiting).silence();
}

} // namespace

TEST_CASE("a closed window: our FIN waits behind the data, and both go out when it opens") {
    script s(graceful);
    shut(s, 200);
    s.closes().silence().in(fin_wait1).waits() << empty(1).ack(101).win(1000);
    s >> data(101, 200).fin().ack(1) << fin(1).ack(302) >> empty(302).ack(2);
    s.in(time_wait).reports({.first_fin = fin_by::local, .time_wait = time_wait_of::local});
}

TEST_CASE("a closed window: the kernel probes it with an old number, and an answer that keeps it closed is no end") {
    script s(graceful);
    shut(s, 200);
    s.closes().waits() >> empty(100).ack(1) << empty(1).ack(101).win(0) >>
        empty(100).ack(1) << empty(1).ack(101).win(1000) >> data(101, 200).fin().ack(1);
    s.in(fin_wait1).waits();
}

TEST_CASE("a closed window: what fits goes out first, the rest with our FIN") {
    script s(graceful);
    shut(s, 200);
    s.closes().waits() << empty(1).ack(101).win(150);
    s >> data(101, 150).ack(1) << empty(1).ack(251).win(1000) >> data(251, 50).fin().ack(1);
}

TEST_CASE("a closed window: an abort sends RST, and the report counts what was never sent too") {
    script s(abortive);
    shut(s, 200);
    s.closes() >> rst(101).ack(1);
    s.in(unknown).reports({.ended_by = ended::reset_by_us, .unacknowledged = 200});
}

TEST_CASE("a closed window: system leaves an orphan that goes on by itself, and the peer's RST ends it") {
    script s(system_like);
    shut(s, 200);
    s.closes();
    s.in(fin_wait1).silence().reports(
        {.first_fin = fin_by::local, .time_wait = time_wait_of::left_to_kernel, .unacknowledged = 200});
    s >> empty(100).ack(1) << rst(1);
    s.in(unknown);
}

TEST_CASE("a closed window: a peer that closes keeps it closed for our FIN too") {
    script s(peer_first);
    shut(s, 200);
    s.closes().waits() << fin(1).ack(101).win(0) >> empty(101).ack(2);
    s.in(last_ack).silence().reports(
        {.first_fin = fin_by::peer, .time_wait = time_wait_of::peer, .unacknowledged = 200});
    s << empty(2).ack(101).win(1000) >> data(101, 200).fin().ack(2) << empty(2).ack(302);
    s.in(unknown);
}

TEST_CASE("a window of ours that nobody reads closes, and the discarding close opens it again") {
    script s(graceful);
    std::uint32_t all = 0;
    const auto fill = [&](std::uint32_t window) {
        for (std::uint32_t length; window != 0; all += length, window -= length)
            s << data(1 + all, length = std::min(1000u, window)).ack(1);
        s.skips_to(empty(1).ack(1 + all));
    };
    for (int i = 0; i != 100 && s.last_window() != 0; ++i)
        fill(s.last_window()); // some kernels open it a little at first
    CHECK(s.last_window() == 0);
    s.closes() >> empty(1).ack(1 + all);
    CHECK(s.last_window() > 1000);
    s >> fin(1).ack(1 + all) << fin(1 + all).ack(2) >> empty(2).ack(2 + all);
    s.in(time_wait).reports({.first_fin = fin_by::local, .time_wait = time_wait_of::local, .discarded = all});
}
