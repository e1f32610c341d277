// SPDX-License-Identifier: BSL-1.0
#include <closeside/host/audit.hpp>

#include "host/judge_host.hpp"
#include "support/fake_root.hpp"

#include <doctest/doctest.h>

#include <chrono>
#include <string>

using namespace tests;
using namespace std::chrono_literals;
using closeside::lingering;

namespace {

host::snapshot look(const fake_root& root) { return host::take_snapshot({.root = root.path()}); }

const policy_list plain{policies::system};
const policy_list acked{close_policy{.linger = lingering::until_acked(10s), .drain_time = {}}};

} // namespace

TEST_CASE("few tcp_orphan_retries are worse for a policy that closes with data under way") {
    const settings one{{key::tcp_orphan_retries, "1"}}, two{{key::tcp_orphan_retries, "2"}};
    CHECK(level("CS116", one, exposure::nat, plain) == "warning");
    CHECK(level("CS116", two, exposure::direct, plain) == "warning");
    CHECK(level("CS116", two, exposure::balancer, peer) == "warning");
    CHECK(level("CS116", two, exposure::nat, mixed) == "warning");
    CHECK(level("CS116", one, exposure::nat, local) == "note");
    CHECK(level("CS116", one, exposure::nat, acked) == "note");
    CHECK(level("CS116", one, exposure::nat, abortive) == "note");
    CHECK(level("CS116", one, exposure::loopback, plain) == "note");
    CHECK(level("CS116", {{key::tcp_orphan_retries, "3"}}, exposure::nat, plain) == "nothing");
    CHECK(level("CS116", {{key::tcp_orphan_retries, "0"}}, exposure::nat, plain) == "nothing");
    CHECK(judge("CS116", one, exposure::nat, abortive)->consequence.starts_with("None from the program"));

    fake_root root;
    root.defaults().set("net.ipv4.tcp_orphan_retries", "2");
    const auto f = judge("CS116", look(root), {.policies = plain});
    CHECK(level(f) == "warning");
    CHECK(f->message.find("for 1.4 s") != std::string::npos);
    CHECK(f->settings == std::vector{host::finding::setting{"net.ipv4.tcp_orphan_retries", "0"}});
    root.set("net.ipv4.tcp_orphan_retries", "0");
    CHECK(level("CS116", look(root), {.policies = plain}) == "nothing");
}

TEST_CASE("orphans above half of tcp_max_orphans are a warning to a program that leaves some") {
    fake_root root;
    root.defaults().set("net.ipv4.tcp_max_orphans", "100000");
    const auto orphans = [&](int number) {
        root.add("proc/net/sockstat", "TCP: inuse 5 orphan " + std::to_string(number) + " tw 0 alloc 6 mem 1\n");
        return look(root);
    };
    CHECK(level("CS117", look(root), {}) == "nothing");
    CHECK(level("CS117", orphans(50000), {}) == "nothing");
    CHECK(level("CS117", orphans(50001), {}) == "warning");
    CHECK(level("CS117", orphans(50001), {.policies = peer}) == "warning");
    CHECK(level("CS117", orphans(50001), {.policies = abortive}) == "note");
    CHECK(judge("CS117", orphans(99999), {})->message.starts_with("99999 of 100000 allowed orphans"));
    CHECK(judge("CS117", orphans(99999), {})->settings.empty());
    // A container sees the host's orphans, but not the host's limit.
    host::snapshot child = orphans(99999);
    child.space = host::network_namespace::child;
    child[key::tcp_max_orphans] = {key_status::hidden, {}, {}, {}, {}};
    CHECK(level("CS117", child, {}) == "nothing");
}

TEST_CASE("orphans that were dropped are a note, and a warning while it goes on") {
    fake_root root;
    root.defaults().add("proc/net/netstat", "TcpExt: TCPAbortOnMemory\nTcpExt: 7\n");
    const host::snapshot before = look(root);
    const auto once = judge("CS117", before, {});
    REQUIRE(once);
    CHECK(once->severity == severity::note);
    CHECK(once->message.starts_with("7 connections"));
    root.add("proc/net/netstat", "TcpExt: TCPAbortOnMemory\nTcpExt: 8\n");
    host::snapshot after = look(root);
    after.taken = before.taken + 1s;
    CHECK(find(host::audit(after, {}, {.earlier = &before}), "CS117")->severity == severity::warning);
    root.add("proc/net/netstat", "TcpExt: TCPAbortOnMemory\nTcpExt: 0\n");
    CHECK(level("CS117", look(root), {}) == "nothing");
}

TEST_CASE("tcp_max_orphans far below the kernel's own choice is a warning to who leaves orphans") {
    fake_root root;
    root.defaults();
    CHECK(level("CS118", look(root), {}) == "nothing");
    root.set("net.ipv4.tcp_max_orphans", "32768"); // a quarter of 131072
    CHECK(level("CS118", look(root), {}) == "nothing");
    root.set("net.ipv4.tcp_max_orphans", "32767");
    const auto f = judge("CS118", look(root), {});
    CHECK(level(f) == "warning");
    CHECK(f->message.find("own choice for this host is 131072") != std::string::npos);
    CHECK(f->settings == std::vector{host::finding::setting{"net.ipv4.tcp_max_orphans", "131072"}});

    const settings few{{key::tcp_max_orphans, "2000"}};
    for (const exposure peers : {exposure::nat, exposure::balancer, exposure::direct}) {
        CHECK(level("CS118", few, peers, local) == "warning");
        CHECK(level("CS118", few, peers, peer) == "warning");
        CHECK(level("CS118", few, peers, abortive) == "note");
    }
    CHECK(level("CS118", few, exposure::loopback, local) == "note");
    CHECK(judge("CS118", {{key::tcp_max_orphans, "0"}})->consequence.starts_with("Every close"));
    CHECK(level("CS118", {{key::tcp_max_orphans, "-1"}}) == "warning");
}

TEST_CASE("where the size of the table is not shown, a power of two may be the kernel's own choice") {
    host::snapshot old = host_with({});
    const auto limit = [&](const char* value) {
        old[key::tcp_ehash_entries] = {};
        old[key::tcp_max_orphans] = host::detail::interpret(host::detail::key_shape::number, value);
        return judge("CS118", old, {});
    };
    CHECK_FALSE(limit("2048"));
    CHECK_FALSE(limit("4096"));
    CHECK_FALSE(limit("5000"));
    REQUIRE(limit("2000"));
    CHECK(limit("2000")->settings.empty());
    CHECK(level(limit("0")) == "warning");
}

TEST_CASE("a lowered tcp_rto_max_ms is a note, and a warning once connections live less than 100 s") {
    fake_root root;
    root.defaults().set("net.ipv4.tcp_retries2", "15").set("net.ipv4.tcp_rto_max_ms", "120000");
    CHECK(level("CS119", look(root), {}) == "nothing");
    root.set("net.ipv4.tcp_rto_max_ms", "119999");
    CHECK(level("CS119", look(root), {}) == "note");
    root.set("net.ipv4.tcp_rto_max_ms", "1000");
    const auto f = judge("CS119", look(root), {});
    CHECK(level(f) == "warning");
    CHECK(f->message.find("take 14.4 s and not 924.6 s") != std::string::npos);
    // 1.4 s, and then one retry a second.
    CHECK(f->settings == std::vector{host::finding::setting{"net.ipv4.tcp_retries2", "101"}});
    CHECK(level("CS119", {{key::tcp_rto_max_ms, "1000"}, {key::tcp_retries2, "101"}}) == "nothing");
    CHECK(level("CS119", {{key::tcp_rto_max_ms, "1000"}, {key::tcp_retries2, "100"}}) == "warning");
    CHECK(judge("CS119", {{key::tcp_rto_max_ms, "60000"}})->settings.empty());

    const settings low{{key::tcp_rto_max_ms, "1000"}};
    for (const exposure peers : {exposure::nat, exposure::balancer, exposure::direct})
        CHECK(level("CS119", low, peers) == "warning");
    CHECK(level("CS119", low, exposure::loopback) == "note");
    // The waits of few retries do not get that long; then the number is what is low.
    CHECK(level("CS119", {{key::tcp_rto_max_ms, "60000"}, {key::tcp_retries2, "8"}}) == "nothing");
    CHECK(level("CS119", {{key::tcp_rto_max_ms, "1000"}, {key::tcp_retries2, "5"}}) == "nothing");
    root.remove("net.ipv4.tcp_rto_max_ms");
    CHECK(level("CS119", look(root), {}) == "nothing");
}

TEST_CASE("a tcp_retries2 below the 100 s of the standard is a warning off loopback") {
    fake_root root;
    root.defaults().set("net.ipv4.tcp_retries2", "8");
    CHECK(level("CS140", look(root), {}) == "nothing");
    root.set("net.ipv4.tcp_retries2", "7");
    const auto f = judge("CS140", look(root), {});
    CHECK(level(f) == "warning");
    CHECK(f->message.find("after 51 s") != std::string::npos);
    CHECK(f->settings == std::vector{host::finding::setting{"net.ipv4.tcp_retries2", "8"}});
    for (const exposure peers : {exposure::nat, exposure::balancer, exposure::direct})
        for (const policy_list& program : {local, peer, abortive})
            CHECK(level("CS140", {{key::tcp_retries2, "7"}}, peers, program) == "warning");
    CHECK(level("CS140", {{key::tcp_retries2, "7"}}, exposure::loopback) == "note");
    CHECK(level("CS140", {{key::tcp_retries2, "0"}}) == "warning");
}

TEST_CASE("tcp_retries2 is compared with how long a policy waits for acknowledgement") {
    const auto waiting = [](closeside::close_duration time) {
        return policy_list{policies::graceful, close_policy{.linger = lingering::until_acked(time)}};
    };
    const settings eight{{key::tcp_retries2, "8"}};
    CHECK(level("CS140", eight, exposure::nat, waiting(102s)) == "nothing");
    CHECK(level("CS140", eight, exposure::nat, waiting(103s)) == "note");
    CHECK(judge("CS140", eight, exposure::nat, waiting(103s))->message.find("until_acked of 103 s") !=
          std::string::npos);
    CHECK(judge("CS140", eight, exposure::nat, waiting(103s))->settings.empty());
    CHECK(judge("CS140", {{key::tcp_retries2, "5"}}, exposure::nat, waiting(103s))->settings.at(0).value == "9");
    CHECK(level("CS140", {{key::tcp_retries2, "5"}}, exposure::loopback, waiting(10s)) == "note");
    CHECK(level("CS140", {}, exposure::nat, waiting(924s)) == "nothing");
}
