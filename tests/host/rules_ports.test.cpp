// SPDX-License-Identifier: BSL-1.0
#include <closeside/host/audit.hpp>

#include "host/judge_host.hpp"
#include "support/fake_root.hpp"

#include <doctest/doctest.h>

#include <cstdint>
#include <limits>
#include <string>
#include <vector>

using namespace tests;

namespace {

host::snapshot look(const fake_root& root) { return host::take_snapshot({.root = root.path()}); }

host::program listening(std::vector<std::uint16_t> ports, exposure peers = exposure::nat) {
    return {.peers = peers, .listening_ports = std::move(ports)};
}

host::program connecting(double rate, exposure peers = exposure::nat, const policy_list& policies = local) {
    return {.peers = peers, .policies = policies, .connects_per_second = rate};
}

settings range(const char* ports, const char* reserved = "") {
    return {{key::ip_local_port_range, ports}, {key::ip_local_reserved_ports, reserved}};
}

} // namespace

TEST_CASE("a listening port that outgoing connections can take is a warning, whoever connects to it") {
    fake_root root;
    root.defaults();
    CHECK(level("CS301", look(root), {}) == "nothing");
    CHECK(level("CS301", look(root), listening({443, 32767, 61000})) == "nothing");
    for (const exposure peers : every_exposure)
        for (const std::uint16_t port : std::vector<std::uint16_t>{32768, 40000, 60999})
            CHECK(level("CS301", look(root), listening({port}, peers)) == "warning");
    root.set("net.ipv4.ip_local_reserved_ports", "39999-40001");
    CHECK(level("CS301", look(root), listening({40000})) == "nothing");
    const auto f = judge("CS301", look(root), listening({443, 40000, 40002}));
    REQUIRE(f);
    CHECK(f->message.starts_with("The program listens on 40002, among the ports 32768 to 60999"));
    CHECK(f->settings == std::vector{host::finding::setting{"net.ipv4.ip_local_reserved_ports", "39999-40001,40002"}});
}

TEST_CASE("what the fix reserves is reserved") {
    const auto f = judge("CS301", host_with({}), listening({40000, 50000}));
    REQUIRE(f);
    CHECK(f->message.find("40000,50000") != std::string::npos);
    CHECK(f->message.find("these are not reserved") != std::string::npos);
    CHECK(level("CS301", host_with(range("32768\t60999", f->settings.at(0).value.c_str())),
                listening({40000, 50000})) == "nothing");
}

TEST_CASE("a port is not called unreserved where the list cannot be read") {
    host::snapshot s = host_with({});
    s[key::ip_local_reserved_ports] = {key_status::denied, {}, {}, {}, "Permission denied"};
    CHECK(level("CS301", s, listening({40000})) == "nothing");
    s[key::ip_local_reserved_ports] = {};
    CHECK(level("CS301", s, listening({40000})) == "warning");
}

TEST_CASE("a stated rate of connects is held against the local ports and their 60 s") {
    fake_root root;
    // 6000 ports / 60 s = 100 a second.
    root.defaults().set("net.ipv4.ip_local_port_range", "40000\t45999");
    CHECK(level("CS302", look(root), {}) == "nothing");
    CHECK(level("CS302", look(root), connecting(80)) == "nothing");
    CHECK(level("CS302", look(root), connecting(81)) == "note");
    CHECK(level("CS302", look(root), connecting(100)) == "note");
    for (const exposure peers : {exposure::nat, exposure::balancer, exposure::direct})
        CHECK(level("CS302", look(root), connecting(101, peers)) == "warning");
    const auto f = judge("CS302", look(root), connecting(200));
    REQUIRE(f);
    CHECK(f->message.find("6000 local ports, each bound for 60 s after the close, allow 100") != std::string::npos);
    CHECK(f->message.find("(to 127.0.0.0/8 and ::1: 6000)") != std::string::npos);
    CHECK(f->consequence.starts_with("After 30 s"));
    CHECK(f->settings == std::vector{host::finding::setting{"net.ipv4.tcp_tw_reuse", "1"}});
    CHECK(judge("CS302", look(root), connecting(81))->settings.empty());
}

TEST_CASE("the side that does not close first keeps no port") {
    const settings few = range("40000\t45999");
    CHECK(level("CS302", host_with(few), connecting(1e4, exposure::nat, peer_or_reset)) == "nothing");
    CHECK(level("CS302", host_with(few), connecting(1e4, exposure::nat, abortive)) == "nothing");
    CHECK(level("CS302", host_with(few), connecting(1e4, exposure::nat, mixed)) == "warning");
    const auto f = judge("CS302", host_with(few), connecting(1e4, exposure::nat, peer));
    REQUIRE(f);
    CHECK(f->severity == severity::note);
    CHECK(f->consequence.starts_with("None while the other end closes first"));
    CHECK(f->fix.find("close first") == std::string::npos);
}

TEST_CASE("ports are re-used after a second: with tcp_tw_reuse = 1, on loopback with 2, never without timestamps") {
    const auto with = [](const char* reuse, const char* timestamps, const char* delay = "1000") {
        return host_with({{key::ip_local_port_range, "40000\t45999"},
                          {key::tcp_tw_reuse, reuse},
                          {key::tcp_timestamps, timestamps},
                          {key::tcp_tw_reuse_delay, delay}});
    };
    CHECK(level("CS302", with("1", "1"), connecting(4800)) == "nothing");
    CHECK(level("CS302", with("1", "1"), connecting(6001)) == "warning");
    CHECK(level("CS302", with("1", "1", "100"), connecting(6001)) == "nothing");
    CHECK(level("CS302", with("1", "0"), connecting(101)) == "warning");
    CHECK(level("CS302", with("2", "1"), connecting(4800, exposure::loopback)) == "nothing");
    CHECK(level("CS302", with("2", "1"), connecting(6001, exposure::loopback)) == "warning");
    CHECK(level("CS302", with("0", "1"), connecting(101, exposure::loopback)) == "warning");
    // What is proposed helps where it is proposed.
    CHECK(judge("CS302", with("0", "1"), connecting(101, exposure::loopback))->settings.at(0).value == "2");
    CHECK(judge("CS302", with("0", "0"), connecting(101))->settings.empty());
    CHECK(judge("CS302", with("2", "1"), connecting(6000))->settings.at(0).value == "1");
    CHECK(judge("CS302", with("2", "1"), connecting(6001))->settings.empty());
    CHECK(judge("CS302", with("1", "1"), connecting(6001))->settings.empty());
    CHECK(judge("CS302", with("1", "1"), connecting(6001))->fix.find("widen") != std::string::npos);
}

TEST_CASE("a rate that cannot be is not judged") {
    for (const double rate : {0.0, -1.0, std::numeric_limits<double>::quiet_NaN()})
        CHECK(level("CS302", host_with({}), connecting(rate)) == "nothing");
    CHECK(level("CS302", host_with({}), connecting(std::numeric_limits<double>::infinity())) == "warning");
}

TEST_CASE("ip_autobind_reuse is a warning for a program that connects out and re-uses addresses") {
    fake_root root;
    root.defaults();
    CHECK(level("CS303", look(root), connecting(1)) == "nothing");
    root.set("net.ipv4.ip_autobind_reuse", "1");
    for (const exposure peers : every_exposure) {
        CHECK(level("CS303", look(root), connecting(1, peers)) == "warning");
        CHECK(level("CS303", look(root), {.peers = peers}) == "note");
    }
    const policy_list exclusive{close_policy{.reuse_address = false}};
    CHECK(level("CS303", look(root), connecting(1, exposure::nat, exclusive)) == "note");
    CHECK(level("CS303", look(root), connecting(0)) == "note");
    root.set("net.ipv4.ip_autobind_reuse", "0");
    CHECK(level("CS303", look(root), connecting(1)) == "nothing");
}

TEST_CASE("a narrow ip_local_port_range is worse for a program that connects out") {
    fake_root root;
    root.defaults().set("net.ipv4.ip_local_port_range", "40000\t40999");
    CHECK(level("CS304", look(root), connecting(1)) == "nothing");
    root.set("net.ipv4.ip_local_port_range", "40000\t40998");
    CHECK(level("CS304", look(root), {}) == "note");
    for (const exposure peers : every_exposure) CHECK(level("CS304", look(root), connecting(1, peers)) == "warning");
    const auto f = judge("CS304", look(root), {});
    CHECK(f->message.find("999 usable, or 16.6 closed") != std::string::npos);
    CHECK(f->settings == std::vector{host::finding::setting{"net.ipv4.ip_local_port_range", "32768 60999"}});
    CHECK(f->fix.find("`sysctl -w net.ipv4.ip_local_port_range=\"32768 60999\"`") != std::string::npos);
    // Half of it reserved, as long as it is not nearly all.
    CHECK(level("CS304", range("40000\t41599", "40000-40799")) == "note");
}

TEST_CASE("a range of one port is a warning for everybody") {
    CHECK(level("CS304", range("40000\t40000")) == "warning");
    CHECK(judge("CS304", range("40000\t40000"))->message.find("gives port 40000 alone") != std::string::npos);
    CHECK(level("CS304", range("40000\t40001")) == "note");
    CHECK(level("CS304", range("40000\t40001", "40001")) == "warning");
}

TEST_CASE("reserved ports that leave no local port are a warning, those that leave few a note") {
    fake_root root;
    root.defaults().set("net.ipv4.ip_local_reserved_ports", "0-65535");
    CHECK(level("CS305", look(root), {}) == "warning");
    CHECK(level("CS304", look(root), {}) == "nothing");
    CHECK(level("CS306", look(root), {}) == "nothing");
    const auto f = judge("CS305", look(root), {});
    CHECK(f->message.find("takes 28232 of the 28232 local ports and leaves 0") != std::string::npos);
    CHECK(f->settings.empty());
    // 10000 ports: 1000 are left, and 1001.
    root.set("net.ipv4.ip_local_port_range", "40000\t49999").set("net.ipv4.ip_local_reserved_ports", "41000-49999");
    CHECK(level("CS305", look(root), {}) == "note");
    CHECK(level("CS305", look(root), connecting(1)) == "warning");
    root.set("net.ipv4.ip_local_reserved_ports", "41001-49999");
    CHECK(level("CS305", look(root), connecting(1)) == "nothing");
    root.set("net.ipv4.ip_local_reserved_ports", "");
    CHECK(level("CS305", look(root), {}) == "nothing");
}

TEST_CASE("a range that begins among the ports of services is a note") {
    fake_root root;
    root.defaults();
    CHECK(level("CS306", look(root), {}) == "nothing");
    root.set("net.ipv4.ip_local_port_range", "10000\t65535");
    CHECK(level("CS306", look(root), {}) == "nothing");
    root.set("net.ipv4.ip_local_port_range", "1024\t65535");
    for (const exposure peers : every_exposure) CHECK(level("CS306", look(root), {.peers = peers}) == "note");
    const auto f = judge("CS306", look(root), {});
    CHECK(f->message.find("none is reserved") != std::string::npos);
    CHECK(f->fix.find("10000 65535") != std::string::npos);
    CHECK(f->settings.empty());
    CHECK(judge("CS306", range("1024\t9999", "8080"))->message.find("reserved are 8080") != std::string::npos);
    CHECK(judge("CS306", range("1024\t9999"))->fix.find("32768 60999") != std::string::npos);
}

TEST_CASE("one tcp_syn_retries is a warning for a program that connects out, very many are a note") {
    fake_root root;
    root.defaults().set("net.ipv4.tcp_syn_retries", "1");
    for (const exposure peers : {exposure::nat, exposure::balancer, exposure::direct})
        CHECK(level("CS307", look(root), connecting(1, peers)) == "warning");
    CHECK(level("CS307", look(root), connecting(1, exposure::loopback)) == "note");
    CHECK(level("CS307", look(root), {}) == "warning");
    CHECK(level("CS307", look(root), connecting(0)) == "note");
    CHECK(level("CS307", look(root), {.peers = exposure::loopback}) == "note");
    CHECK(judge("CS307", look(root), {})->message.find("fails after 3 s (since Linux 6.5: 7 s)") != std::string::npos);
    for (const char* usual : {"2", "6", "7"}) {
        root.set("net.ipv4.tcp_syn_retries", usual);
        CHECK(level("CS307", look(root), connecting(1)) == "nothing");
    }
    root.set("net.ipv4.tcp_syn_retries", "8");
    CHECK(level("CS307", look(root), connecting(1)) == "note");
    CHECK(judge("CS307", look(root), {})->message.find("367 s") != std::string::npos);
}
