// SPDX-License-Identifier: BSL-1.0
#include "../model/explorer.hpp"
#include "../model/scenarios.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

// Every exploration holds every step of both endpoints against the table of RFC 9293 (property::tcp). Here: that the table is
// used as a whole, and that an endpoint which is no TCP is noticed.

using namespace model;
using closeside::detail::close_machine;

namespace {

setting setting_of(const closeside::close_policy& policy, std::string_view peer, std::int64_t tick = 30'000) {
    const auto script = std::find_if(peers.begin(), peers.end(), [&](const auto& s) { return s.name == peer; });
    REQUIRE(script != peers.end());
    return {"against the table", policy, *script, tick};
}

/// The fewest interleavings: a peer that sends nothing but its FIN.
setting lean(setting s) {
    s.peer.chunks = 0;
    return s;
}

bool notices(endpoint_fault f, const closeside::close_policy& policy, std::string_view peer) {
    setting s = setting_of(policy, peer);
    if (f != endpoint_fault::takes_a_fin_behind_gap && f != endpoint_fault::takes_any_reset) s = lean(s);
    s.fault = f;
    return explorer<close_machine>(s).run().broken.count(property::tcp) != 0;
}

} // namespace

TEST_CASE("every row of RFC 9293's table is met by an endpoint of the model, and no step is outside it") {
    rfc9293::rows_met met{};
    const auto explore = [&](const setting& s) {
        const exploration found = explorer<close_machine>(s).run();
        if (const auto wrong = found.broken.find(property::tcp); wrong != found.broken.end()) FAIL_CHECK(wrong->second);
        for (std::size_t i = 0; i < met.size(); ++i) met[i] = met[i] || found.rows[i];
    };
    for (const named_policy& p : presets)
        for (const char* peer : {"closes at any moment", "half-closes, then resets"})
            explore(lean(setting_of(p.value, peer, p.tick)));
    explore(setting_of(closeside::policies::system, "closes on EOF"));
    for (const named_policy& p : further_policies)
        if (std::string_view(p.name).starts_with("local, until acked for less"))
            for (const char* peer : {"closes at any moment", "is lost with the path"})
                explore(lean(setting_of(p.value, peer, p.tick)));
    for (const closeside::close_policy& p : {closeside::policies::graceful, closeside::policies::peer_first}) {
        setting dies = lean(setting_of(p, "half-closes first"));
        dies.peer.path_dies = true;
        explore(dies);
    }
    for (std::size_t i = 0; i < met.size(); ++i) {
        const rfc9293::row& row = rfc9293::table[i];
        const std::string text = std::string(to_string(row.from)) + " to " + to_string(row.to) + ", event " +
                                 std::to_string(static_cast<int>(row.on));
        CHECK_MESSAGE(met[i], text);
    }
}

TEST_CASE("an endpoint that is no TCP is noticed") {
    const auto& graceful = closeside::policies::graceful;
    const auto& peer_first = closeside::policies::peer_first;
    CHECK_FALSE(notices(endpoint_fault::none, graceful, "closes at any moment"));
    CHECK(notices(endpoint_fault::passes_over_closing, graceful, "closes at any moment"));
    CHECK(notices(endpoint_fault::time_waits_in_last_ack, graceful, "closes on EOF"));
    CHECK(notices(endpoint_fault::takes_a_fin_behind_gap, graceful, "closes at any moment"));
    CHECK(notices(endpoint_fault::takes_any_reset, graceful, "resets while we drain"));
    CHECK(notices(endpoint_fault::forgets_to_acknowledge, peer_first, "half-closes first"));
    CHECK(notices(endpoint_fault::acknowledges_too_much, peer_first, "half-closes first"));
    CHECK(notices(endpoint_fault::believes_a_future_ack, graceful, "closes at any moment"));
    CHECK(notices(endpoint_fault::answers_acks_with_resets, peer_first, "half-closes first"));
}
