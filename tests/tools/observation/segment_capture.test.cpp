// SPDX-License-Identifier: BSL-1.0
#include "observation/segment_capture.hpp"

#include "support/every_state.hpp"
#include "support/in_child.hpp"
#include "support/own_network.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <string>

using observation::recorded;
using observation::segment;
using observation::segment_capture;

namespace {

/// What is wrong with the record of connections that end in every way.
std::string wrong_with(int family) {
    segment_capture endings, everything("lo", recorded::every_segment), little("lo", recorded::every_segment, 3);
    const tests::every_state sockets(family);
    const auto ended = endings.all(), all = everything.all(); // in this order: FINs may be sent again
    const auto count = [](const std::vector<segment>& in, auto wanted) {
        return std::count_if(in.begin(), in.end(), wanted);
    };
    const auto ends = [](const segment& s) { return s.fin || s.rst; };
    if (count(all, ends) == 0) return "no FIN";
    if (count(ended, ends) != static_cast<long>(ended.size())) return "a segment without FIN and RST";
    if (count(all, ends) < count(ended, ends)) return "a FIN in one record alone";
    if (count(all, [](const segment& s) { return s.syn && !s.ack; }) == 0) return "no SYN";
    if (count(all, [](const segment& s) { return s.length != 0; }) == 0) return "no data";
    if (count(all, [](const segment& s) { return !s.outgoing; }) != 0) return "a segment twice";
    const std::uint32_t address = family == AF_INET ? INADDR_LOOPBACK : 0;
    if (count(all, [&](const segment& s) { return s.from.address != address || s.to.address != address; }) != 0)
        return "a wrong address";
    const auto port = all.front().from.port;
    for (const segment& s : everything.between(port, sockets.port()))
        if (s.from.port != port && s.to.port != port) return "a segment of another connection";
    if (little.seen().size() != 3 || little.dropped() == 0) return "more than there is room for";
    if (everything.dropped() != 0) return "a segment that is missing";
    everything.forget();
    return everything.all().empty() ? "as expected" : "a segment that was to be forgotten";
}

} // namespace

TEST_CASE("a packet whose headers are shorter than any header is no segment") {
    std::array<std::uint8_t, 40> packet{};
    packet[0] = 0x45;
    packet[3] = 40;
    packet[32] = 0x50;
    CHECK(observation::parse_segment(packet.data(), packet.size()));
    CHECK_FALSE(observation::parse_segment(packet.data(), packet.size() - 1));
    packet[0] = 0x44;
    CHECK_FALSE(observation::parse_segment(packet.data(), packet.size()));
    packet[0] = 0x45;
    packet[32] = 0x40;
    CHECK_FALSE(observation::parse_segment(packet.data(), packet.size()));
}

TEST_CASE("network: a capture has each segment once, of IPv4 and of IPv6") {
    for (const int family : {AF_INET, AF_INET6}) {
        CAPTURE(family);
        const auto text = tests::in_own_network([&] {
            tests::bring_up_loopback();
            return wrong_with(family);
        });
        if (!text) {
            MESSAGE("SKIPPED: no right to make a network namespace");
            return;
        }
        CHECK(*text == "as expected");
    }
}
