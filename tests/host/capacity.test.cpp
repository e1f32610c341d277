// SPDX-License-Identifier: BSL-1.0
#include <closeside/host/capacity.hpp>

#include <doctest/doctest.h>

#include <initializer_list>
#include <utility>

namespace host = closeside::host;
using host::key;

namespace {

host::snapshot host_with(std::initializer_list<std::pair<key, const char*>> values) {
    host::snapshot s;
    for (const auto& [k, text] : values) s[k] = host::detail::interpret(host::detail::facts(k).shape, text);
    return s;
}

host::capacity ports(const char* range, const char* reserved, const char* reuse, const char* timestamps = "1") {
    return host::capacity_of(host_with({{key::ip_local_port_range, range},
                                        {key::ip_local_reserved_ports, reserved},
                                        {key::tcp_tw_reuse, reuse},
                                        {key::tcp_timestamps, timestamps}}));
}

} // namespace

TEST_CASE("a closed connection keeps its port for 60 s, unless it can be re-used") {
    CHECK(ports("32768\t60999", "", "0").local_ports == 28232);
    CHECK(*ports("32768\t60999", "", "0").connects_per_second == doctest::Approx(470.5).epsilon(0.001));
    CHECK(*ports("1000\t1099", "", "1").connects_per_second == doctest::Approx(100));
    CHECK(*ports("1000\t1099", "", "1", "0").connects_per_second == doctest::Approx(100.0 / 60));
    CHECK(*ports("1000\t1099", "", "2").connects_per_second == doctest::Approx(100.0 / 60));
    CHECK(*ports("1000\t1099", "", "2").loopback_connects_per_second == doctest::Approx(100));
}

TEST_CASE("tcp_tw_reuse_delay sets the pace of re-use where the kernel has it") {
    auto s = host_with({{key::ip_local_port_range, "1000 1099"},
                        {key::tcp_tw_reuse, "1"},
                        {key::tcp_timestamps, "1"},
                        {key::tcp_tw_reuse_delay, "100"}});
    CHECK(*host::capacity_of(s).connects_per_second == doctest::Approx(1000));
}

TEST_CASE("reserved ports are no local ports, however the list overlaps") {
    CHECK(ports("1000 1009", "1000,1002-1004,1003,9999,65535-70000", "0").local_ports == 6);
    CHECK(ports("1000 1009", "0-65535", "0").local_ports == 0);
    CHECK(ports("1009 1000", "", "0").local_ports == 0);
    CHECK(ports("1000 99999", "", "0").local_ports == 64536);
    CHECK(ports("1000 1009", "-,,5-,-7,1001", "0").local_ports == 9);
}

TEST_CASE("what cannot be read gives no capacity") {
    const auto none = host::capacity_of({});
    CHECK_FALSE(none.local_ports);
    CHECK_FALSE(none.connects_per_second);
    CHECK_FALSE(none.closes_per_second);
    CHECK_FALSE(none.flows_per_second);
    CHECK_FALSE(none.time_wait_used);
    CHECK_FALSE(host::capacity_of(host_with({{key::ip_local_port_range, "1 2"}})).connects_per_second);
    CHECK_FALSE(host::capacity_of(host_with({{key::tcp_max_tw_buckets, "-1"}})).closes_per_second);
}

TEST_CASE("tables are given as the rate that fills them and as the part in use") {
    auto s = host_with({{key::tcp_max_tw_buckets, "6000"},
                        {key::conntrack_max, "262144"},
                        {key::conntrack_count, "65536"},
                        {key::conntrack_time_wait, "120"},
                        {key::tcp_max_orphans, "1000"}});
    s.sockets.time_wait = 1500;
    s.sockets.orphans = 10;
    const auto c = host::capacity_of(s);
    CHECK(*c.closes_per_second == doctest::Approx(100));
    CHECK(*c.time_wait_used == doctest::Approx(0.25));
    CHECK(*c.flows_per_second == doctest::Approx(2184.5).epsilon(0.001));
    CHECK(*c.conntrack_used == doctest::Approx(0.25));
    CHECK(*c.orphans_used == doctest::Approx(0.01));
}
