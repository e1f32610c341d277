// SPDX-License-Identifier: BSL-1.0
#include "lab/port/result.hpp"

#include <closeside/error.hpp>

#include <doctest/doctest.h>

#include <algorithm>
#include <cstddef>
#include <string>

// What the port lab concludes from numbers that no machine can be made to show at will.

using namespace lab;
using namespace lab::port;
using closeside::side;

namespace {

constexpr dimensions size{.ports = 200, .delay = std::chrono::seconds(2), .waits_for_time_wait = false};

/// A loop that made `rate` connects a second where ports get free for 100, and found none so often.
result loop(const variant& what, double rate, std::size_t refused) {
    outcome o;
    o.local_ports = size.ports;
    o.capacity = 100;
    o.simulated = 100;
    o.rate = rate;
    o.made.at.resize(10 * size.ports);
    o.made.refused = refused;
    o.recovered = true;
    return {what, o};
}

const variant client_first{.way = path::veth, .tw_reuse = 1};
const variant server_first{.way = path::veth, .tw_reuse = 0, .closes_first = side::peer};

results with_bound_ports(results all) {
    result bound = loop({.way = path::veth, .tw_reuse = 0}, 0, 1);
    bound.found.rate.reset();
    bound.found.made.at.resize(size.ports);
    bound.found.made.at_first = size.ports;
    bound.found.made.message = "none free: 200 ports, 200 in TIME-WAIT to it";
    bound.found.made.async_error = make_error_code(closeside::error::ports_exhausted);
    all.push_back(bound);
    return all;
}

report judge(const results& all) {
    report r;
    check_claims(r, with_bound_ports(all), size);
    return r;
}

bool claims(const report& r, const std::string& words) {
    return std::any_of(r.claims.begin(), r.claims.end(),
                       [&](const claim& c) { return c.text.find(words) != std::string::npos; });
}

} // namespace

TEST_CASE("a rate that is not the foretold one is held against the host check") {
    const report near = judge({loop(client_first, 98, 40), loop(server_first, 2000, 0)});
    CHECK(near.good());
    CHECK(near.notes.empty());
    CHECK_FALSE(judge({loop(client_first, 80, 40), loop(server_first, 2000, 0)}).good());
    CHECK_FALSE(judge({loop(client_first, 120, 40), loop(server_first, 2000, 0)}).good());
}

TEST_CASE("a rate that is not the simulated one is held against the simulation") {
    result off = loop(client_first, 98, 40);
    off.found.simulated = 110;
    CHECK_FALSE(judge({off}).good());
    CHECK_FALSE(claims(judge({loop(server_first, 2000, 0)}), "the simulation"));
}

TEST_CASE("a limit where the server closes first is held against the policy") {
    CHECK_FALSE(judge({loop(client_first, 98, 40), loop(server_first, 2000, 3)}).good());
}

TEST_CASE("where the machine is too slow for the rate nothing is claimed of it, and a note says so") {
    const report slow = judge({loop(client_first, 80, 0), loop(server_first, 85, 0)});
    CHECK(slow.good());
    CHECK_FALSE(claims(slow, "the host check foretells, within 5 %"));
    CHECK_FALSE(claims(slow, "Where the server closes first"));
    REQUIRE(slow.notes.size() == 2);
    CHECK(slow.notes[0] == "veth, tw_reuse = 1: not judged, since this machine makes 80.0 connects a second, and ports "
                           "get free for 100.0");
    CHECK(claims(slow, "exactly as many connects succeed as there are ports"));
}
