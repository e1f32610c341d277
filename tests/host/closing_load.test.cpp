// SPDX-License-Identifier: BSL-1.0
#include <closeside/host/closing_load.hpp>

#include <closeside/policy.hpp>

#include <doctest/doctest.h>

#include <cmath>
#include <initializer_list>
#include <string>
#include <utility>

namespace host = closeside::host;
namespace policies = closeside::policies;
using doctest::Approx;
using host::key;

namespace {

host::snapshot host_with(std::initializer_list<std::pair<key, const char*>> values, std::string kernel = "6.18.1") {
    host::snapshot s;
    s.kernel = std::move(kernel);
    for (const auto& [k, text] : values) s[k] = host::detail::interpret(host::detail::facts(k).shape, text);
    return s;
}

/// Of one address with 1000 ports.
host::accepted_load from_one(double per_second, double reuse) {
    return {.per_second = per_second, .ports = 1000, .reuse_seconds = reuse};
}

} // namespace

TEST_CASE("who closes first decides which closes leave a TIME-WAIT here, and those that are late where peers are to") {
    CHECK(host::time_wait_share(policies::graceful, 0.9) == 1);
    CHECK(host::time_wait_share(policies::system, 0.9) == 1);
    CHECK(host::time_wait_share(policies::peer_first, 0.9) == Approx(0.1));
    CHECK(host::time_wait_share(policies::peer_first, 1) == 0);
    CHECK(host::time_wait_share(policies::peer_first_or_reset, 0) == 0);
    CHECK(host::time_wait_share(policies::abortive, 0) == 0);
}

TEST_CASE("Erlang's loss formula gives what its tables have") {
    CHECK(host::detail::erlang_loss(0, 10) == 0);
    CHECK(host::detail::erlang_loss(1, 1) == Approx(0.5));
    CHECK(host::detail::erlang_loss(10, 10) == Approx(0.21458).epsilon(0.0001));
    CHECK(host::detail::erlang_loss(100, 120) == Approx(0.0057).epsilon(0.01));
    CHECK(host::detail::erlang_loss(1, 60000) == 0);
    CHECK(host::detail::erlang_loss(1e6, 28232) == Approx(1 - 0.028232).epsilon(0.0001));
}

TEST_CASE("there are 60 times as many TIME-WAITs as closes a second, if nothing ends them") {
    const auto f = host::forecast(from_one(2, 120), {});
    CHECK(f.time_waits == Approx(120));
    CHECK(f.meet == 0);
    CHECK(f.refused < 1e-9);
    CHECK(f.ports_held == Approx(240));
    CHECK(f.address_per_second == Approx(1000.0 / 120));
    CHECK(f.without_time_wait == 0);
}

TEST_CASE("a NAT that forgets before TIME-WAIT is over lets connects meet it, the more the sooner ports come round") {
    const auto few = host::forecast(from_one(0.1, 0), {});
    CHECK(few.meet == Approx(0.1 * 60 / 1000).epsilon(0.01));
    CHECK(few.challenged == Approx(few.meet / 2));
    CHECK(few.timed_out == 0);
    const auto many = host::forecast(from_one(100, 0), {});
    CHECK(many.meet > 0.99);
    CHECK(many.time_waits < 1000.5);
    CHECK(host::forecast(from_one(100, 59), {}).refused == Approx(1 - 1000.0 / 5900).epsilon(0.01));
    CHECK(host::forecast(from_one(10, 60), {}).meet == 0);
}

TEST_CASE("in turn, ports meet TIME-WAIT if they come round within 60 s, and not if they do not") {
    host::accepted_load load = from_one(14, 0);
    load.choice = host::port_choice::sequential;
    CHECK(host::forecast(load, {}).meet < 0.001);
    load.per_second = 20;
    CHECK(host::forecast(load, {}).meet > 0.999);
    CHECK(*host::rate_at_meet(load, 0.5) == Approx(1000.0 / 60));
}

TEST_CASE("the rate at which a share meets one is that at which so many do") {
    for (const double reuse : {0.0, 1.0, 30.0})
        for (const double share : {0.01, 0.1, 0.5}) {
            CAPTURE(reuse);
            CAPTURE(share);
            host::accepted_load load = from_one(1, reuse);
            load.open_seconds = 2;
            load.addresses = 7;
            const auto rate = host::rate_at_meet(load, share);
            REQUIRE(rate);
            load.per_second = *rate * 7;
            const auto f = host::forecast(load, {});
            CHECK(f.refused < 1e-6);
            CHECK(f.meet == Approx(share).epsilon(0.001));
        }
    CHECK_FALSE(host::rate_at_meet(from_one(1, 60), 0.01));
    host::accepted_load exception = from_one(1, 0);
    exception.time_wait_share = 0.1;
    CHECK(host::rate_at_meet(exception, 0.05));
    CHECK_FALSE(host::rate_at_meet(exception, 0.1));
    CHECK_FALSE(host::rate_at_meet(exception, 0));
}

TEST_CASE("tcp_max_tw_buckets bounds TIME-WAITs, and what is beyond is met by nobody") {
    const auto f = host::forecast(from_one(10, 0), {.buckets = 100});
    CHECK(f.time_waits == Approx(100).epsilon(0.001));
    CHECK(f.without_time_wait > 0.7);
    CHECK(f.meet < host::forecast(from_one(10, 0), {}).meet / 3);
    const auto none = host::forecast(from_one(10, 0), {.buckets = 0});
    CHECK(none.time_waits == 0);
    CHECK(none.meet == Approx(0));
    CHECK(none.without_time_wait == Approx(1));
}

TEST_CASE("with tcp_rfc1337 half of those that meet a TIME-WAIT are locked out, and keep it and their port") {
    const auto f = host::forecast(from_one(5, 10), {.ignores_resets = true});
    const auto without = host::forecast(from_one(5, 10), {});
    CHECK(f.timed_out == Approx(f.meet / 2).epsilon(0.001));
    CHECK(f.ports_held > without.ports_held);
    CHECK(f.time_waits > without.time_waits);
}

TEST_CASE("connections that this host opens have the ports and the rate that its capacity says") {
    const auto s = host_with({{key::ip_local_port_range, "32768 60999"},
                              {key::ip_local_reserved_ports, ""},
                              {key::tcp_tw_reuse, "2"},
                              {key::tcp_timestamps, "1"}});
    const host::capacity can = host::capacity_of(s);
    for (const bool loopback : {false, true}) {
        host::opened_load load{.per_second = 100, .destinations = 3, .ports = *can.local_ports};
        load.hold_seconds = *host::port_hold_seconds_of(s, loopback);
        const auto f = host::forecast(load, {});
        CHECK(f.per_second == Approx(3 * *(loopback ? can.loopback_connects_per_second : can.connects_per_second)));
        CHECK(f.refused < 1e-9);
        CHECK(f.ports_held == Approx(100.0 / 3 * load.hold_seconds));
        CHECK(f.time_waits == Approx(6000));
    }
    CHECK_FALSE(host::port_hold_seconds_of({}, false));
    host::opened_load beyond{.per_second = 941, .destinations = 1};
    CHECK(host::forecast(beyond, {}).refused == Approx(0.5).epsilon(0.01));
    beyond.time_wait_share = 0;
    CHECK(host::forecast(beyond, {}).refused == 0);
    CHECK(std::isinf(host::forecast(beyond, {}).per_second));
}

TEST_CASE("where tcp_tw_reuse takes TIME-WAITs over there are no more of them than ports") {
    const host::opened_load load{.per_second = 1000, .destinations = 2, .ports = 1000, .hold_seconds = 1};
    const auto f = host::forecast(load, {});
    CHECK(f.refused < 1e-9);
    CHECK(f.time_waits == Approx(2000));
    CHECK(host::forecast(load, {.buckets = 500}).time_waits == 500);
}

TEST_CASE("a negative tcp_max_tw_buckets is none or no limit, by the kernel") {
    const auto limits = [](const char* buckets, const char* kernel) {
        return host::time_wait_limits_of(
            host_with({{key::tcp_max_tw_buckets, buckets}, {key::tcp_rfc1337, "1"}}, kernel));
    };
    CHECK(limits("5000", "6.1.0") == host::time_wait_limits{5000, true});
    CHECK(limits("-1", "5.10.0") == host::time_wait_limits{0, true});
    CHECK(limits("-1", "6.1.0") == host::time_wait_limits{{}, true});
    CHECK_FALSE(limits("-1", ""));
    CHECK_FALSE(host::time_wait_limits_of(host_with({{key::tcp_max_tw_buckets, "5000"}})));
}
