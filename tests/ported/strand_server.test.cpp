// SPDX-License-Identifier: BSL-1.0
#include "ported/strand_server.hpp"

#include "ported/hard_clients.hpp"
#include "support/kernel_view.hpp"

#include <doctest/doctest.h>

namespace cs = closeside;
namespace kv = kernel_view;

namespace {

constexpr cs::close_policy graceful = cs::policies::graceful;

} // namespace

TEST_CASE("a server with a strand for each connection, its types changed, serves healthy clients and cuts no reply") {
    ported::running<ported::strand_server<ported::closeside_types<graceful>>> server;
    const ported::experience seen = ported::visit(server, true, true);
    CHECK_FALSE(seen.exited);
    CHECK(seen.healthy_served == seen.healthy);
    CHECK(seen.floods_whole == seen.floods);
    CHECK(seen.flood_bytes >= ported::large);
    CHECK(seen.kicked == seen.half_requests);
    for (const auto& client : seen.healthy_clients) {
        REQUIRE(kv::eventually([&] { return kv::state(server.at(), client) == kv::time_wait; }));
        REQUIRE(kv::eventually([&] { return kv::state(client, server.at()) == kv::none; }));
    }
    CHECK(server.stops());
}

TEST_CASE("the server with strands itself serves healthy clients, and cuts the reply of each that sends more") {
    ported::running<ported::strand_server<ported::asio_types>> server;
    const ported::experience seen = ported::visit(server, true, true);
    CHECK_FALSE(seen.exited);
    CHECK(seen.healthy_served == seen.healthy);
    CHECK(seen.floods == 4);
    CHECK(seen.floods_whole == 0);
    CHECK(seen.kicked == seen.half_requests);
    CHECK(server.stops());
}
