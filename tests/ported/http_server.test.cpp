// SPDX-License-Identifier: BSL-1.0
#include "ported/http_server.hpp"

#include "ported/hard_clients.hpp"
#include "ported/told.hpp"
#include "support/kernel_view.hpp"

#include <doctest/doctest.h>

#include <chrono>
#include <string>
#include <utility>
#include <vector>

namespace cs = closeside;
namespace kv = kernel_view;
using namespace std::chrono_literals;

namespace {

constexpr cs::close_policy graceful = cs::policies::graceful;
constexpr cs::close_policy impatient{.drain_time = 1s};

/// A stream with a close() that blocks, and throws for what the peer did.
class blocking_stream : public cs::stream<impatient> {
public:
    blocking_stream(cs::stream<impatient>&& stream) : cs::stream<impatient>(std::move(stream)) {}
    void close() { close_and_wait(); }
};

struct blocking_types {
    using socket = blocking_stream;
    using acceptor = cs::acceptor<impatient>;
};

} // namespace

TEST_CASE("Asio's HTTP server, its types changed, serves healthy clients whatever others do, and cuts no reply") {
    ported::running<ported::http_server<ported::closeside_types<graceful>>> server;
    const ported::experience seen = ported::visit(server, true, false);
    CHECK_FALSE(seen.exited);
    CHECK(seen.healthy_served == seen.healthy);
    CHECK(seen.floods_whole == seen.floods);
    CHECK(seen.flood_bytes >= ported::large);
    for (const auto& client : seen.healthy_clients) {
        REQUIRE(kv::eventually([&] { return kv::state(server.at(), client) == kv::time_wait; }));
        REQUIRE(kv::eventually([&] { return kv::state(client, server.at()) == kv::none; }));
    }
    CHECK(server.stops());
}

TEST_CASE("Asio's HTTP server itself serves healthy clients, and cuts the reply of each that sends more") {
    ported::running<ported::http_server<ported::asio_types>> server;
    const ported::experience seen = ported::visit(server, true, false);
    CHECK_FALSE(seen.exited);
    CHECK(seen.healthy_served == seen.healthy);
    CHECK(seen.floods == 4);
    CHECK(seen.floods_whole == 0);
    CHECK(server.stops());
}

TEST_CASE("the reports of Asio's HTTP server, its types changed, are what the kernel says") {
    using types = ported::told_types<impatient>;
    ported::running<ported::http_server<types>> server;
    const auto& told = types::socket::told();

    const ported::healthy_client healthy(server.at(), true);
    CHECK(healthy.served);
    const ported::told_end orderly = told.of(healthy.local);
    CHECK_FALSE(orderly.ec);
    CHECK(orderly.report.first_fin == cs::fin_sender::local);
    CHECK(orderly.report.ended_by == cs::ending::fin);
    CHECK(orderly.report.time_wait == cs::time_wait_holder::local);
    CHECK(kv::state(server.at(), healthy.local) == kv::time_wait);

    ported::peer reset_late(server.at());
    reset_late.send(ported::http_request(1000));
    CHECK(kv::eventually([&] { return kv::state(server.at(), reset_late.local()) == kv::fin_wait2; }));
    reset_late.reset();
    const ported::told_end reset = told.of(reset_late.local());
    CHECK(reset.ec == cs::error::reset_by_peer);
    CHECK(reset.report.ended_by == cs::ending::reset_by_peer);
    CHECK(reset.report.first_fin == cs::fin_sender::local);
    CHECK(reset.report.time_wait == cs::time_wait_holder::nobody);
    CHECK(kv::state(server.at(), reset_late.local()) == kv::none);

    // The server's own read has taken the error that told how.
    ported::peer reset_early(server.at());
    reset_early.send("GET /1000 HT");
    CHECK(kv::eventually([&] {
        const auto entry = kv::find(server.at(), reset_early.local());
        return entry.inode != 0 && entry.receive_queue == 0;
    }));
    reset_early.reset();
    const ported::told_end taken = told.of(reset_early.local());
    CHECK(taken.ec == asio::error::not_connected);
    CHECK(taken.report.ended_by == cs::ending::unknown);
    CHECK(taken.report.first_fin == cs::fin_sender::unknown);

    std::vector<ported::peer> flooding;
    flooding.emplace_back(server.at()).send(ported::http_request(1'000'000) + std::string(20'000, 'f'));
    const auto flooder = flooding.front().local();
    {
        const ported::flood more(flooding);
        CHECK(ported::is_whole(flooding.front().read_to_end(), 1'000'000));
    }
    flooding.clear();
    const ported::told_end flooded = told.of(flooder);
    CHECK_FALSE(flooded.ec);
    CHECK(flooded.report.discarded > 0);
    CHECK(flooded.report.time_wait == cs::time_wait_holder::local);
    CHECK(kv::state(server.at(), flooder) == kv::time_wait);

    ported::peer stalled(server.at());
    stalled.send(ported::http_request(1'000'000));
    const ported::told_end over = told.of(stalled.local());
    CHECK(over.ec == cs::error::drain_time_over);
    CHECK(over.report.limit == cs::close_limit::drain_time);
    CHECK(over.report.time_wait == cs::time_wait_holder::left_to_kernel);
    const auto orphan = kv::find(server.at(), stalled.local());
    CHECK(orphan.state == kv::fin_wait1);
    CHECK(orphan.inode == 0);
    CHECK(orphan.send_queue == over.report.unacknowledged + 1); // our FIN
    CHECK(ported::is_whole(stalled.read_to_end(), 1'000'000));  // the kernel goes on

    stalled.close();
    CHECK(server.stops());
}

TEST_CASE("a server that stalls a healthy client is noticed, and one that ends by a client's reset") {
    ported::running<ported::http_server<blocking_types>> server;
    ported::peer stalled(server.at());
    stalled.send(ported::http_request(1'000'000));
    CHECK(kv::eventually([&] { return kv::state(server.at(), stalled.local()) == kv::fin_wait1; }));
    CHECK_FALSE(ported::healthy_client(server.at(), true, 200ms).served);
    CHECK(kv::eventually([&] { return server.has_exited(); })); // the limit ran out, and close() threw
    CHECK_FALSE(server.stops());
}
