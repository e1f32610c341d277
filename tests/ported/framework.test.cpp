// SPDX-License-Identifier: BSL-1.0
#include "ported/framework.hpp"

#include "ported/hard_clients.hpp"
#include "support/kernel_view.hpp"

#include <doctest/doctest.h>

#include <chrono>

namespace cs = closeside;
namespace kv = kernel_view;
using namespace std::chrono_literals;

namespace {

// What it answers says that the connection ends.
constexpr cs::close_policy told{.closes_first = cs::side::peer, .patience = 300ms};

} // namespace

TEST_CASE("a framework, its types changed, accepts into its workers' streams, and leaves TIME-WAIT to the clients") {
    ported::running<ported::framework<ported::closeside_types<told>>> server;
    const ported::experience seen = ported::visit(server, false, true);
    CHECK_FALSE(seen.exited);
    CHECK(seen.healthy_served == seen.healthy);
    CHECK(seen.floods_whole == seen.floods);
    CHECK(seen.flood_bytes >= ported::large);
    CHECK(seen.kicked == seen.half_requests);
    for (const auto& client : seen.healthy_clients) {
        REQUIRE(kv::eventually([&] { return kv::state(server.at(), client) == kv::none; }));
        CHECK(kv::state(client, server.at()) == kv::time_wait);
    }
    CHECK(server.stops());
}

TEST_CASE("the framework itself serves healthy clients, and cuts the reply of each that sends more") {
    ported::running<ported::framework<ported::asio_types>> server;
    const ported::experience seen = ported::visit(server, false, true);
    CHECK_FALSE(seen.exited);
    CHECK(seen.healthy_served == seen.healthy);
    CHECK(seen.floods == 4);
    CHECK(seen.floods_whole == 0);
    CHECK(seen.kicked == seen.half_requests);
    CHECK(server.stops());
}
