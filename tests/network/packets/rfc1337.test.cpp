// SPDX-License-Identifier: BSL-1.0
#include "network/packets/time_wait.hpp"

#include <doctest/doctest.h>

// RFC 1337: an old duplicate draws an ACK from TIME-WAIT, the peer has forgotten the connection and answers RST, and that RST
// ends TIME-WAIT early, where tcp_rfc1337 is 0. The hazards H1 to H3 are what may then happen to the next connection.

using namespace packets;

namespace {

constexpr std::uint32_t old_data = 1000;     ///< bytes that the peer has sent on the first connection
constexpr std::uint32_t next = old_data + 2; ///< the peer's next number in TIME-WAIT
constexpr std::uint32_t overlap = 500;       ///< the next connection's SYN: within the numbers of the first

/// Figure 1.
void old_duplicate(script& s) {
    to_time_wait(s, old_data);
    s << data(201, 100).ack(1) >> empty(2).ack(next);
    s << rst(next);
}

void assassinate(script& s) {
    old_duplicate(s);
    s.in(unknown);
}

/// The 4-tuple again, with numbers that overlap the first connection's.
void connect_again(script& s) {
    s.numbers_anew();
    s << syn(overlap) >> syn(0).ack(overlap + 1) << empty(overlap + 1).ack(1);
    s.in(established);
    CHECK(s.accepts_next());
}

} // namespace

TEST_CASE("RFC 1337: with tcp_rfc1337 = 0 the RST that an old duplicate has drawn ends TIME-WAIT") {
    const with_sysctl off("tcp_rfc1337", "0");
    script s(graceful);
    old_duplicate(s);
    s.in(unknown).silence();
}

TEST_CASE(
    "RFC 1337: with tcp_rfc1337 = 1 TIME-WAIT stays, and the overlapping connection of every hazard is not made") {
    const with_sysctl on("tcp_rfc1337", "1");
    script s(graceful);
    old_duplicate(s);
    s.in(time_wait).silence() << syn(overlap) >> empty(2).ack(next);
    s.in(time_wait) << rst(next); // the peer is in SYN-SENT, and the ACK is not one of its SYN
    s.in(time_wait) << syn(overlap) >> empty(2).ack(next);
    s.in(time_wait);
    CHECK_FALSE(s.accepts_next());
}

TEST_CASE("RFC 1337, H1: data of the first connection that falls into the window of the next is taken for its own") {
    const with_sysctl off("tcp_rfc1337", "0");
    script s(graceful);
    assassinate(s);
    connect_again(s);
    s << data(561, 80).ack(1) >> empty(1).ack(501);  // the old duplicate lurks behind a gap …
    s << data(501, 100).ack(1) >> empty(1).ack(641); // … until the data before it comes
    s.reads(140).closes() >> fin(1).ack(641);
}

TEST_CASE("RFC 1337, H2: both sides then answer each other's ACKs without end, which tcp_invalid_ratelimit bounds") {
    const with_sysctl off("tcp_rfc1337", "0");
    script s(graceful);
    assassinate(s);
    connect_again(s);
    s << data(501, 140).ack(1) >> empty(1).ack(641); // of the first connection; the peer has sent nothing yet
    for (int round = 0; round != 3; ++round) s << empty(501).ack(1) >> empty(1).ack(641);
    const with_sysctl bound("tcp_invalid_ratelimit", "60000");
    s << empty(501).ack(1);
    s.silence();
}

TEST_CASE("RFC 1337, H3: an old duplicate ACK has a connect of ours send RST, and the connection dies that it opens") {
    script s(graceful, {.connects = true, .unanswered = true});
    s << empty(300).ack(123) >> rst(123); // the old duplicate
    s.in(syn_sent) << syn(400).ack(1) >> empty(1).ack(401);
    s.in(established) << rst(401);
    s.in(unknown).closes();
    s.reports({.ended_by = ended::reset_by_peer}, error::reset_by_peer);
}

TEST_CASE("RFC 1337, H3: on the other side such an RST ends SYN-RECEIVED, and the peer's ACK is refused") {
    const with_sysctl off("tcp_rfc1337", "0");
    script s(graceful);
    assassinate(s);
    s.numbers_anew();
    s << syn(overlap) >> syn(0).ack(overlap + 1) << rst(overlap + 23);
    // Kernels with "tcp: challenge ACK for non-exact RST in SYN-RECEIVED" want the exact number, others any in the window.
    if (s.sends(empty(1).ack(overlap + 1))) s << rst(overlap + 1);
    s.in(unknown) << empty(overlap + 1).ack(1) >> rst(1);
    CHECK_FALSE(s.accepts_next());
}

TEST_CASE(
    "RFC 1337: with timestamps the old duplicate is known by them in the next connection, and H1 does not come about") {
    const with_sysctl off("tcp_rfc1337", "0");
    script s(graceful, {.timestamps = 5000});
    assassinate(s);
    s.numbers_anew();
    s << syn(overlap).at_time(6000) >> syn(0).ack(overlap + 1) << empty(overlap + 1).ack(1).at_time(6000);
    s.in(established) << data(561, 80).ack(1).at_time(5000) >> empty(1).ack(501);
    s << data(501, 100).ack(1).at_time(6001) >> empty(1).ack(601);
}
