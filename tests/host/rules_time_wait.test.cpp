// SPDX-License-Identifier: BSL-1.0
#include <closeside/host/audit.hpp>

#include "host/judge_host.hpp"
#include "support/fake_root.hpp"

#include <doctest/doctest.h>

#include <chrono>
#include <cstdint>
#include <limits>
#include <optional>
#include <string>

using namespace tests;
using namespace std::chrono_literals;

namespace {

host::snapshot look(const fake_root& root) { return host::take_snapshot({.root = root.path()}); }

host::program accepting(double rate, exposure peers = exposure::nat, const policy_list& policies = local) {
    return {.peers = peers, .policies = policies, .accepts_per_second = rate};
}

host::program connecting(double rate, exposure peers = exposure::nat, const policy_list& policies = local) {
    return {.peers = peers, .policies = policies, .connects_per_second = rate};
}

} // namespace

TEST_CASE("a short tcp_tw_reuse_delay is a warning where it reaches other hosts") {
    const auto delay = [](const char* ms, const char* reuse) {
        return settings{{key::tcp_tw_reuse_delay, ms}, {key::tcp_tw_reuse, reuse}};
    };
    for (const exposure peers : {exposure::nat, exposure::balancer, exposure::direct})
        CHECK(level("CS107", delay("999", "1"), peers) == "warning");
    CHECK(level("CS107", delay("999", "1"), exposure::loopback) == "note");
    CHECK(level("CS107", delay("1", "2")) == "note");
    CHECK(level("CS107", delay("1000", "1")) == "nothing");
    CHECK(level("CS107", delay("60000", "1")) == "nothing");
    // Without re-use, or without timestamps for it, the delay delays nothing.
    CHECK(level("CS107", delay("1", "0")) == "nothing");
    CHECK(level("CS107", {{key::tcp_tw_reuse_delay, "1"}, {key::tcp_tw_reuse, "1"}, {key::tcp_timestamps, "0"}}) ==
          "nothing");

    fake_root root;
    root.defaults();
    CHECK(level("CS107", look(root), {}) == "nothing");
    root.set("net.ipv4.tcp_tw_reuse", "1").set("net.ipv4.tcp_tw_reuse_delay", "20");
    const auto f = judge("CS107", look(root), {});
    CHECK(level(f) == "warning");
    CHECK(f->message.find("is 20 ms") != std::string::npos);
    CHECK(f->settings == std::vector{host::finding::setting{"net.ipv4.tcp_tw_reuse_delay", "1000"}});
    root.remove("net.ipv4.tcp_tw_reuse_delay");
    CHECK(level("CS107", look(root), {}) == "nothing");
}

TEST_CASE("tcp_tw_reuse = 1 is explained to a client, and to a server in other words") {
    fake_root root;
    root.defaults().set("net.ipv4.tcp_tw_reuse", "1");
    CHECK(level("CS108", look(root), connecting(10)) == "note");
    CHECK(level("CS106", look(root), connecting(10)) == "nothing");
    CHECK(level("CS108", look(root), accepting(10)) == "nothing");
    CHECK(level("CS106", look(root), accepting(10)) == "note");
    CHECK(level("CS108", look(root), connecting(10, exposure::loopback)) == "nothing");
    CHECK(judge("CS108", look(root), connecting(10))->settings.empty());
    root.set("net.ipv4.tcp_tw_reuse", "2");
    CHECK(level("CS108", look(root), connecting(10)) == "nothing");
    root.set("net.ipv4.tcp_tw_reuse", "1").set("net.ipv4.tcp_timestamps", "0");
    CHECK(level("CS108", look(root), connecting(10)) == "nothing");
    CHECK(level("CS104", look(root), connecting(10)) == "warning");
}

TEST_CASE("tcp_tw_reuse = 2 is explained to who does not say how often the program connects") {
    CHECK(level("CS105", host_with({}), {}) == "note");
    CHECK(level("CS105", host_with({}), connecting(1)) == "nothing");
}

TEST_CASE("TIME-WAIT here and peers that share addresses are worth a note") {
    for (const exposure peers : {exposure::nat, exposure::balancer}) {
        CHECK(level("CS109", {}, peers, local) == "note");
        CHECK(level("CS109", {}, peers, mixed) == "note");
        CHECK(level("CS109", {}, peers, peer) == "note");
        CHECK(level("CS109", {}, peers, peer_or_reset) == "nothing");
        CHECK(level("CS109", {}, peers, abortive) == "nothing");
    }
    CHECK(level("CS109", {}, exposure::direct, local) == "nothing");
    CHECK(level("CS109", {}, exposure::loopback, local) == "nothing");
    CHECK(judge("CS109", {})->settings.empty());
    CHECK(judge("CS109", {}, exposure::nat, local)->message.starts_with("The program closes first"));
    CHECK(judge("CS109", {}, exposure::nat, peer)->message.starts_with("The program can close first, where a peer"));
    CHECK(judge("CS109", {}, exposure::nat, peer)->consequence.starts_with("None while the peers close first"));
}

TEST_CASE("a balancer that comes round to its ports within 60 s makes it a warning") {
    fake_root root;
    root.defaults();
    // 28232 ports: 60 s at 470.53 a second.
    CHECK(level("CS109", look(root), accepting(470, exposure::balancer)) == "note");
    CHECK(level("CS109", look(root), accepting(471, exposure::balancer)) == "warning");
    CHECK(level("CS109", look(root), accepting(471, exposure::balancer, mixed)) == "warning");
    CHECK(level("CS109", look(root), accepting(471, exposure::balancer, peer)) == "note");
    CHECK(level("CS109", look(root), accepting(471, exposure::balancer, peer_or_reset)) == "nothing");
    CHECK(level("CS109", look(root), accepting(1e6, exposure::nat)) == "note");
    CHECK(level("CS109", look(root), accepting(0, exposure::balancer)) == "note");
    CHECK(level("CS109", look(root), accepting(-1, exposure::balancer)) == "note");
    CHECK(judge("CS109", look(root), accepting(2000, exposure::balancer))->message.find("after 14.1 s") !=
          std::string::npos);
}

TEST_CASE("where TIME-WAIT cannot be taken over, or is not kept, another rule speaks") {
    CHECK(level("CS109", {{key::tcp_rfc1337, "1"}}) == "nothing");
    CHECK(level("CS101", {{key::tcp_rfc1337, "1"}}, exposure::balancer) == "critical");
    CHECK(level("CS109", {{key::tcp_max_tw_buckets, "0"}}) == "nothing");
    host::snapshot unknown = host_with({});
    unknown[key::tcp_rfc1337] = {key_status::hidden, {}, {}, {}, {}};
    CHECK(level("CS109", unknown, {}) == "nothing");
}

TEST_CASE("SYNs that TIME-WAIT refuses are counted, before Linux 6.16 by a counter that they share") {
    host::snapshot before = host_with({}), after = before;
    after.taken = before.taken + 4s;
    set_count(before, counter::paws_estab, 5);
    set_count(after, counter::paws_estab, 9);
    const auto shared = find(host::audit(after, {}, {.earlier = &before}), "CS109");
    REQUIRE(shared);
    CHECK(shared->occurrence == host::occurrence::happening);
    CHECK(shared->evidence == "PAWSEstab 9 (+4 in 4.0 s), which counts late segments of established connections too");
    // It proves nothing by itself.
    CHECK(shared->severity == severity::note);
    set_count(before, counter::paws_timewait, 5);
    set_count(after, counter::paws_timewait, 9);
    const auto f = find(host::audit(after, {}, {.earlier = &before}), "CS109");
    REQUIRE(f);
    CHECK(f->severity == severity::warning);
    CHECK(f->evidence == "PAWSTimewait 9 (+4 in 4.0 s)");
}

TEST_CASE("a tcp_invalid_ratelimit that outlasts the SYN's first wait is worse where SYNs meet TIME-WAIT") {
    CHECK(level("CS115", {{key::tcp_invalid_ratelimit, "1000"}}) == "nothing");
    CHECK(level("CS115", {{key::tcp_invalid_ratelimit, "0"}}) == "nothing");
    const settings slow{{key::tcp_invalid_ratelimit, "1001"}};
    CHECK(level("CS115", slow, exposure::nat, local) == "warning");
    CHECK(level("CS115", slow, exposure::balancer, local) == "warning");
    CHECK(level("CS115", slow, exposure::balancer, peer) == "note");
    CHECK(judge("CS115", slow, exposure::nat, peer)->consequence.starts_with("None while the peers close first"));
    CHECK(level("CS115", slow, exposure::nat, peer_or_reset) == "note");
    CHECK(judge("CS115", slow, exposure::nat, peer_or_reset)->consequence.starts_with("None from the program"));
    CHECK(level("CS115", slow, exposure::direct, local) == "note");
    CHECK(level("CS115", slow, exposure::loopback, local) == "note");

    fake_root root;
    root.defaults().set("net.ipv4.tcp_invalid_ratelimit", "5000");
    root.add("proc/net/netstat", "TcpExt: TCPACKSkippedTimeWait\nTcpExt: 3\n");
    const auto f = judge("CS115", look(root), {});
    CHECK(level(f) == "warning");
    CHECK(f->occurrence == host::occurrence::seen);
    CHECK(f->settings == std::vector{host::finding::setting{"net.ipv4.tcp_invalid_ratelimit", "500"}});
    root.set("net.ipv4.tcp_invalid_ratelimit", "500");
    CHECK(level("CS115", look(root), {}) == "nothing");
}

TEST_CASE("tcp_max_tw_buckets is judged by a stated rate, where there is one") {
    fake_root root;
    root.defaults().set("net.ipv4.tcp_max_tw_buckets", "60000");
    CHECK(level("CS122", look(root), {}) == "nothing");
    CHECK(level("CS122", look(root), accepting(1000)) == "nothing");
    CHECK(level("CS122", look(root), accepting(1001)) == "warning");
    for (const exposure peers : every_exposure) CHECK(level("CS122", look(root), accepting(1001, peers)) == "warning");
    CHECK(level("CS122", look(root), accepting(1001, exposure::nat, mixed)) == "warning");
    CHECK(level("CS122", look(root), accepting(1001, exposure::nat, peer)) == "note");
    CHECK(level("CS122", look(root), accepting(1001, exposure::nat, peer_or_reset)) == "nothing");
    CHECK(level("CS122", look(root), accepting(1001, exposure::nat, abortive)) == "nothing");
    CHECK(level("CS122", look(root), connecting(1001)) == "warning");
    CHECK(level("CS122", look(root), {.policies = local, .accepts_per_second = 600, .connects_per_second = 401}) ==
          "warning");
    CHECK(judge("CS122", look(root), accepting(1001, exposure::nat, peer))->fix.find("close first") ==
          std::string::npos);
    const auto f = judge("CS122", look(root), accepting(1001));
    REQUIRE(f);
    CHECK(f->message.find("room for 1000 closes a second") != std::string::npos);
    CHECK(f->message.find("states 1001 connections") != std::string::npos);
    // What the kernel chooses for a table of 262144; where that is not known, room for 60060.
    CHECK(f->settings == std::vector{host::finding::setting{"net.ipv4.tcp_max_tw_buckets", "131072"}});
    root.remove("net.ipv4.tcp_ehash_entries");
    CHECK(judge("CS122", look(root), accepting(1001))->settings ==
          std::vector{host::finding::setting{"net.ipv4.tcp_max_tw_buckets", "65536"}});
}

TEST_CASE("a setting that resolves a finding resolves it") {
    for (const double rate : {2185.0, 5000.0, 1e5}) {
        const auto f = judge("CS122", host_with({}), accepting(rate));
        REQUIRE(f);
        CHECK(level("CS122", host_with({{key::tcp_max_tw_buckets, f->settings.at(0).value.c_str()}}),
                    accepting(rate)) == "nothing");
    }
}

TEST_CASE("a rate that cannot be is no rate, and one beyond any table asks for the largest") {
    for (const double rate : {0.0, -5.0, std::numeric_limits<double>::quiet_NaN()})
        CHECK(level("CS122", host_with({}), accepting(rate)) == "nothing");
    for (const double rate : {1e9, 1e300, std::numeric_limits<double>::infinity()})
        CHECK(judge("CS122", host_with({}), accepting(rate))->settings.at(0).value == "2147483647");
}

TEST_CASE("few TIME-WAIT buckets are a note where they are enough for the stated rate") {
    const host::snapshot few = host_with({{key::tcp_max_tw_buckets, "5000"}});
    CHECK(level("CS120", few, {.policies = local}) == "warning");
    CHECK(level("CS120", few, accepting(83)) == "note");
    // Beyond it CS122 speaks, with the numbers; nobody hears both.
    CHECK(level("CS120", few, accepting(84)) == "nothing");
    CHECK(level("CS122", few, accepting(84)) == "warning");
    CHECK(level("CS120", few, accepting(84, exposure::nat, peer)) == "nothing");
    CHECK(level("CS122", few, accepting(84, exposure::nat, peer)) == "note");
    CHECK(level("CS120", few, accepting(84, exposure::nat, peer_or_reset)) == "note");
    CHECK(level("CS122", few, accepting(84, exposure::nat, peer_or_reset)) == "nothing");
    CHECK(level("CS120", host_with({{key::tcp_max_tw_buckets, "0"}}), accepting(1)) == "warning");
    CHECK(level("CS122", host_with({{key::tcp_max_tw_buckets, "0"}}), accepting(1)) == "nothing");
    CHECK(level("CS121", host_with({{key::tcp_max_tw_buckets, "-1"}}), accepting(1)) == "warning");
    CHECK(level("CS122", host_with({{key::tcp_max_tw_buckets, "-1"}}), accepting(1)) == "nothing");
}

TEST_CASE("a TIME-WAIT table that is nearly full is a warning to who fills it") {
    fake_root root;
    root.defaults().set("net.ipv4.tcp_max_tw_buckets", "10000");
    const auto holding = [&](int sockets) {
        root.add("proc/net/sockstat", "TCP: inuse 5 orphan 0 tw " + std::to_string(sockets) + " alloc 6 mem 1\n");
        return look(root);
    };
    CHECK(level("CS123", look(root), {}) == "nothing");
    CHECK(level("CS123", holding(8000), {}) == "nothing");
    CHECK(level("CS123", holding(8001), {}) == "warning");
    CHECK(level("CS123", holding(8001), {.policies = peer}) == "note");
    const auto f = judge("CS123", holding(9999), {});
    REQUIRE(f);
    CHECK(f->message.starts_with("9999 of tcp_max_tw_buckets = 10000"));
    CHECK(f->settings == std::vector{host::finding::setting{"net.ipv4.tcp_max_tw_buckets", "131072"}});
    // Two rules that speak of one key propose one value.
    const host::snapshot full = holding(9999);
    CHECK(judge("CS122", full, accepting(5000))->settings == judge("CS123", full, accepting(5000))->settings);
    CHECK(judge("CS123", full, accepting(5000))->settings.at(0).value == "524288");
    root.remove("net.ipv4.tcp_ehash_entries");
    CHECK(judge("CS123", holding(9999), {})->settings.at(0).value == "32768");
    // No limit, or none that can be reached.
    root.set("net.ipv4.tcp_max_tw_buckets", "-1");
    CHECK(level("CS123", holding(8001), {}) == "nothing");
}

TEST_CASE("who ran out of TIME-WAITs is told at least twice what there is now") {
    for (const auto& [now, wanted] : {std::pair{"131072", "262144"}, {"262144", "524288"}, {"1000000", "2097152"}}) {
        host::snapshot s = host_with({{key::tcp_max_tw_buckets, now}});
        set_count(s, counter::tw_overflow, 4);
        const auto f = judge("CS123", s, {});
        REQUIRE(f);
        CAPTURE(f->fix);
        CHECK(f->fix.find(std::string("tcp_max_tw_buckets=") + wanted) != std::string::npos);
    }
    // And a rate never asks for fewer than there are.
    host::snapshot s = host_with({{key::tcp_max_tw_buckets, "1000000"}, {key::tcp_ehash_entries, "16384"}});
    CHECK(judge("CS122", s, accepting(20000))->settings.at(0).value == "2097152");
}

TEST_CASE("connections that got no TIME-WAIT are a note, and a warning while it goes on") {
    fake_root root;
    root.defaults().add("proc/net/netstat", "TcpExt: TW TCPTimeWaitOverflow\nTcpExt: 98 902\n");
    const host::snapshot before = look(root);
    const auto once = judge("CS123", before, {});
    REQUIRE(once);
    CHECK(once->severity == severity::note);
    CHECK(once->occurrence == host::occurrence::seen);
    CHECK(once->message.starts_with("902 connections"));
    CHECK(once->settings.empty());

    root.add("proc/net/netstat", "TcpExt: TW TCPTimeWaitOverflow\nTcpExt: 98 903\n");
    host::snapshot after = look(root);
    after.taken = before.taken + 1s;
    const auto again = find(host::audit(after, {}, {.earlier = &before}), "CS123");
    REQUIRE(again);
    CHECK(again->severity == severity::warning);
    CHECK(again->occurrence == host::occurrence::happening);

    root.add("proc/net/netstat", "TcpExt: TW TCPTimeWaitOverflow\nTcpExt: 98 0\n");
    CHECK(level("CS123", look(root), {}) == "nothing");
}

TEST_CASE("tcp_timestamps above 1 is a note off loopback") {
    fake_root root;
    root.defaults();
    for (const char* mode : {"2", "255"}) {
        root.set("net.ipv4.tcp_timestamps", mode);
        for (const exposure peers : {exposure::nat, exposure::balancer, exposure::direct})
            CHECK(level("CS131", look(root), {.peers = peers}) == "note");
        CHECK(level("CS131", look(root), {.peers = exposure::loopback}) == "nothing");
    }
    CHECK(level("CS131", {{key::tcp_timestamps, "1"}}) == "nothing");
    CHECK(level("CS131", {{key::tcp_timestamps, "0"}}) == "nothing");
}

TEST_CASE("a balancer shares addresses as NAT does, for the rules that are older than the word") {
    const settings bad{{key::tcp_rfc1337, "1"}, {key::tcp_tw_recycle, "1"}};
    CHECK(level("CS101", bad, exposure::balancer, local) == "critical");
    CHECK(level("CS101", bad, exposure::balancer, peer_or_reset) == "note");
    CHECK(level("CS102", bad, exposure::balancer, peer_or_reset) == "critical");
    CHECK(level("CS130", {{key::tcp_timestamps, "0"}}, exposure::balancer) == "warning");
    CHECK(level("CS105", {}, exposure::balancer) == "note");
}
