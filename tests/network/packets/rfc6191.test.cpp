// SPDX-License-Identifier: BSL-1.0
#include "network/packets/time_wait.hpp"

#include <doctest/doctest.h>

// A SYN for a connection in TIME-WAIT: RFC 6191, section 2, says when it may end it. Where the RFC drops a SYN in silence,
// Linux sends the last ACK again, which the peer's RST answers.

using namespace packets;

namespace {

constexpr std::uint32_t newer = 1000, same = 2, older = 0; ///< the SYN's number; the last one seen is 2

void honours(script& s, const segment& syn_of_peer) {
    to_time_wait(s);
    s.numbers_anew();
    const std::uint32_t next = syn_of_peer.sequence + 1;
    s << syn_of_peer >> syn(0).ack(next) << empty(next).ack(1).at_time(syn_of_peer.timestamp.value_or(0));
    s.in(established);
    CHECK(goes_beyond(s, 2));
    CHECK(s.accepts_next());
}

void refuses(script& s, const segment& syn_of_peer) {
    to_time_wait(s);
    s << syn_of_peer >> empty(2).ack(2);
    s.in(time_wait);
    CHECK_FALSE(s.accepts_next());
}

} // namespace

TEST_CASE("RFC 6191: a newer timestamp is enough, whatever the number") {
    for (const std::uint32_t number : {newer, same, older}) {
        script s(graceful, {.timestamps = 5000});
        honours(s, syn(number).at_time(5001));
    }
}

TEST_CASE("RFC 6191: with the same timestamp the number must be newer") {
    script s(graceful, {.timestamps = 5000});
    honours(s, syn(newer).at_time(5000));
    for (const std::uint32_t number : {same, older}) {
        script t(graceful, {.timestamps = 5000});
        refuses(t, syn(number).at_time(5000));
    }
}

TEST_CASE("RFC 6191: an older timestamp is refused, whatever the number") {
    for (const std::uint32_t number : {newer, same, older}) {
        script s(graceful, {.timestamps = 5000});
        refuses(s, syn(number).at_time(4999));
    }
}

TEST_CASE("RFC 6191: without timestamps on either connection the number must be newer") {
    script s(graceful);
    honours(s, syn(newer));
    for (const std::uint32_t number : {same, older}) {
        script t(graceful);
        refuses(t, syn(number));
    }
}

TEST_CASE(
    "RFC 6191: Linux wants a newer number where only the next connection has timestamps, which the RFC does not") {
    script s(graceful);
    honours(s, syn(newer).at_time(1));
    script t(graceful);
    refuses(t, syn(older).at_time(1));
}

TEST_CASE("RFC 6191: a refused SYN comes again and is let in once the peer's RST has ended TIME-WAIT") {
    const with_sysctl off("tcp_rfc1337", "0");
    script s(graceful);
    refuses(s, syn(older));
    s << rst(2);
    s.in(unknown).numbers_anew();
    s << syn(older) >> syn(0).ack(older + 1) << empty(older + 1).ack(1);
    s.in(established);
    CHECK(s.accepts_next());
}
