// SPDX-License-Identifier: BSL-1.0
#include "network/packets/vocabulary.hpp"

#include <doctest/doctest.h>

#include <functional>
#include <stdexcept>
#include <string>

// The scripts can fail: what is not as written is noticed, and said with its line.

using namespace packets;

namespace {

/// What the script says that something has gone wrong; empty if nothing has.
std::string departs(const std::function<void()>& script) {
    try {
        script();
    } catch (const departure& e) {
        return e.what();
    }
    return {};
}

bool contains(const std::string& text, const std::string& part) { return text.find(part) != std::string::npos; }

} // namespace

TEST_CASE("a segment with another flag, number, acknowledgement or length is not the one expected") {
    for (const segment& wrong : {fin(2).ack(1), fin(1).ack(2), rst(1).ack(1), empty(1).ack(1), data(1, 1).fin().ack(1),
                                 fin(1), fin(1).ack(1).win(1), fin(1).ack(1).echoes(1)}) {
        script s(graceful);
        s.closes();
        const std::string text = departs([&] { s >> wrong; });
        CHECK(contains(text, "player.test.cpp:"));
        CHECK(contains(text, "expected " + to_string(wrong) + ", the kernel sent F. 1:1(0) ack 1 win"));
        CHECK(contains(text, "FIN-WAIT-1"));
    }
}

TEST_CASE("a segment that nothing has expected breaks the silence") {
    script s(graceful);
    s << data(1, 10).ack(1) >> empty(1).ack(11) << data(1, 10).ack(1);
    CHECK(contains(departs([&] { s.silence(); }), "the kernel also sent . 1:1(0) ack 11"));
    s >> empty(1).ack(11);
    s.closes() >> fin(1).ack(11) << rst(12);
    CHECK(contains(departs([&] { s.silence(); }), "the kernel also sent . 2:2(0) ack 11"));
    s >> empty(2).ack(11);
}

TEST_CASE("a segment that is passed over since it comes again must be the same") {
    script s(graceful);
    s.closes() >> fin(1).ack(1) << rst(2);
    CHECK(contains(departs([&] { s >> fin(1).ack(1); }), "expected F. 1:1(0) ack 1, the kernel sent . 2:2(0) ack 1"));
}

TEST_CASE("another report, another error and a close that waits no more are noticed") {
    script s(abortive);
    s.closes() >> rst(1).ack(1);
    CHECK(contains(departs([&] { s.reports({}); }), "reports first_fin=none ended_by=reset_by_us"));
    CHECK(contains(departs([&] { s.reports({.ended_by = ended::reset_by_us}, error::reset_by_peer); }),
                   "the peer reset the connection"));
    CHECK(contains(departs([&] { s.waits(); }), "waits no more"));
}

TEST_CASE("what is written on the wire is read off it again, and a wrong checksum is noticed") {
    for (const bool v6 : {false, true}) {
        const address from = at(v6 ? "2001:db8::1" : "198.51.100.1", 1),
                      to = at(v6 ? "2001:db8::2" : "203.0.113.1", 65535);
        for (segment s : {syn(0xffffffff).win(65535), data(7, 1001).fin().ack(9).win(1), rst(1).win(0),
                          empty(1).ack(2).win(3).at_time(4).echoes(5)}) {
            bytes wire = encode({from, to, s});
            const auto read = decode(wire);
            REQUIRE(read);
            CHECK(read->from == from);
            CHECK(read->to == to);
            CHECK(matches(read->tcp, s));
            wire.back() ^= 1;
            CHECK_THROWS_AS(decode(wire), std::runtime_error);
        }
    }
    CHECK_FALSE(decode(echo_request(at("192.0.2.1", 0), at("192.0.2.2", 0), 1)));
}
