// SPDX-License-Identifier: BSL-1.0
#include <closeside/host/audit.hpp>
#include <closeside/host/capacity.hpp>
#include <closeside/host/detail/kernel_defaults.hpp>
#include <closeside/host/detail/remedy.hpp>
#include <closeside/host/detail/sysctl_d/kernel_value.hpp>
#include <closeside/host/detail/sysctl_d/read_texts.hpp>

#include "host/judge_host.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

// The same value on kernels of different age: what it means there, and whether the fix can be done there.

using namespace tests;

namespace {

host::snapshot host_of(const char* release, const settings& values) {
    host::snapshot s = host_with(values);
    s.kernel = release;
    return s;
}

bool says(const std::optional<host::finding>& f, std::string_view words) {
    return f && (f->message + f->fix).find(words) != std::string::npos;
}

/// What is said of that line in a file for a kernel; nothing if it is faultless.
std::optional<host::config_problem> problem_of(const char* line, std::string_view release) {
    const std::vector<host::detail::sysctl_d::settings_text> texts{{"a.conf", line, false}};
    const auto problems = host::detail::sysctl_d::read_texts(texts, release).problems;
    return problems.empty() ? std::nullopt : std::optional(problems.front());
}

host::program connecting(double rate, exposure peers) { return {.peers = peers, .connects_per_second = rate}; }

} // namespace

TEST_CASE("before Linux 4.18 a tcp_tw_reuse of 2 is one of 1, and no fix asks for it") {
    for (const char* const value : {"2", "3", "-1"}) {
        CAPTURE(value);
        const host::snapshot old = host_of("4.4.0-210-generic", {{key::tcp_tw_reuse, value}});
        CHECK_FALSE(judge("CS105", old, {}));
        CHECK(says(judge("CS106", old, {}), std::string("tcp_tw_reuse is ") + value + " (before Linux 4.18"));
        CHECK(host::capacity_of(old).connects_per_second == host::capacity_of(old).loopback_connects_per_second);
        const auto firewalls = judge("CS108", old, connecting(10, exposure::direct));
        CHECK(says(firewalls, "tcp_tw_reuse=0"));
        CHECK_FALSE(says(firewalls, "tcp_tw_reuse=2"));
        host::snapshot blind = old;
        blind[key::tcp_timestamps] = host::detail::interpret(host::detail::key_shape::number, "0");
        CHECK(judge("CS104", blind, {}));
    }
    CHECK(judge("CS105", host_of("4.18.0-553.el8.x86_64", {}), {}));
    CHECK(says(judge("CS108", host_of("4.18.0", {{key::tcp_tw_reuse, "1"}}), connecting(10, exposure::direct)),
               "tcp_tw_reuse=2"));
}

TEST_CASE("too few ports on loopback are cured by the value that the kernel has for loopback") {
    const settings off{{key::tcp_tw_reuse, "0"}, {key::tcp_tw_reuse_delay, "1000"}};
    for (const auto& [release, value] : {std::pair{"4.15.0-213-generic", "1"}, std::pair{"6.18.0", "2"}}) {
        const auto f = judge("CS302", host_of(release, off), connecting(5000, exposure::loopback));
        REQUIRE(f);
        CHECK(f->settings == std::vector{host::finding::setting{"net.ipv4.tcp_tw_reuse", value}});
    }
}

TEST_CASE("nf_conntrack_buckets is set where the kernel lets one set it") {
    const settings long_chains{
        {key::conntrack_max, "1048576"}, {key::conntrack_buckets, "65536"}, {key::conntrack_count, "10"}};
    const auto old = judge("CS408", host_of("4.4.0-210-generic", long_chains), {});
    REQUIRE(old);
    CHECK(old->settings.empty());
    CHECK(says(old, "echo 262145 > /sys/module/nf_conntrack/parameters/hashsize"));
    CHECK_FALSE(says(old, "sysctl -w"));
    CHECK(
        says(judge("CS408", host_of("4.7.0", long_chains), {}), "sysctl -w net.netfilter.nf_conntrack_buckets=262145"));
}

TEST_CASE("a backlog of more than 16 bits is not asked of a kernel that has no more") {
    host::program program;
    program.backlog = 100000;
    const auto old = judge("CS205", host_of("3.10.0-1160.el7.x86_64", {{key::somaxconn, "128"}}), program);
    REQUIRE(old);
    CHECK(old->settings == std::vector{host::finding::setting{"net.core.somaxconn", "65535"}});
    CHECK(says(old, "before Linux 4.1 no queue can be longer than 65535"));
    const auto at_the_end = judge("CS205", host_of("3.10.0-1160.el7.x86_64", {{key::somaxconn, "65535"}}), program);
    REQUIRE(at_the_end);
    CHECK(at_the_end->settings.empty());
    CHECK(says(at_the_end, "Give listen(2) 65535 or less"));
    const auto today = judge("CS205", host_of("4.1.0", {{key::somaxconn, "128"}}), program);
    REQUIRE(today);
    CHECK(today->settings == std::vector{host::finding::setting{"net.core.somaxconn", "100000"}});
}

TEST_CASE("a line is held against the keys, bounds and defaults of the kernel that it is for") {
    using kind = host::config_problem_kind;
    const char* const long_queue = "net.core.somaxconn = 65536\n";
    for (const char* const release : {"3.10.0-1160.el7.x86_64", "3.16.0-4-amd64"}) {
        REQUIRE(problem_of(long_queue, release));
        CHECK(problem_of(long_queue, release)->kind == kind::refused_value);
    }
    CHECK_FALSE(problem_of(long_queue, "4.1.0"));
    CHECK_FALSE(problem_of("net.core.somaxconn = 65535\n", "3.10"));

    const char* const ratelimit = "net.ipv4.tcp_invalid_ratelimit = 500\n";
    REQUIRE(problem_of(ratelimit, "3.16.0-4-amd64"));
    CHECK(problem_of(ratelimit, "3.16.0-4-amd64")->kind == kind::future_key);
    CHECK_FALSE(problem_of(ratelimit, "3.10.0-1160.el7.x86_64"));

    const char* const delay = "net.ipv4.tcp_tw_reuse_delay = 1000\n";
    CHECK(problem_of(delay, "5.14.0-503.el9.x86_64")->text.ends_with("unless Red Hat has taken the key over"));
    CHECK(problem_of(delay, "5.14.0")->text.ends_with("the line sets nothing"));

    const auto* const ports = host::detail::history_of(key::ip_local_port_range);
    REQUIRE(ports);
    for (const auto& [release, last] : {std::pair{host::detail::kernel_version{3, 10}, "60999"},
                                        std::pair{host::detail::kernel_version{4, 1}, "61000"},
                                        std::pair{host::detail::kernel_version{4, 2}, "60999"}})
        CHECK(host::detail::default_of(*ports, release).ends_with(last));
}

TEST_CASE("without timestamps tcp_rfc1337 holds a TIME-WAIT for its 60 s, and up to Linux 4.18 for longer") {
    const settings both{{key::tcp_rfc1337, "1"}, {key::tcp_timestamps, "0"}};
    for (const exposure peers : every_exposure)
        for (const policy_list& policies : {local, peer}) {
            const host::program program{.peers = peers, .policies = policies};
            const auto today = judge("CS101", host_of("6.1.0-18-amd64", both), program);
            REQUIRE(today);
            CHECK(today->consequence.find("for up to a minute") != std::string::npos);
            CHECK_FALSE(says(today, "starts its 60 s anew"));
            const auto old = judge("CS101", host_of("4.18.0-553.el8.x86_64", both), program);
            REQUIRE(old);
            CHECK(old->consequence.find("for over two minutes") != std::string::npos);
            CHECK(says(old, "starts its 60 s anew"));
        }
    CHECK(says(judge("CS101", {{key::tcp_rfc1337, "1"}}), "starts its 60 s anew"));
}

TEST_CASE("a power of two can be the kernel's choice, but not far below what the memory comes to") {
    host::snapshot s =
        host_of("5.15.0-105-generic", {{key::tcp_max_tw_buckets, "4096"}, {key::tcp_max_orphans, "2048"}});
    s[key::tcp_ehash_entries] = {};
    for (const auto& [memory, told] :
         {std::pair<std::int64_t, const char*>{24 << 20, "warning"}, {8 << 20, "warning"}, {1 << 20, "nothing"}}) {
        s.memory_kib = memory;
        CHECK(level("CS120", s, {}) == told);
        CHECK(level("CS118", s, {}) == told);
    }
    s.memory_kib.reset();
    CHECK(level("CS120", s, {}) == "nothing");
}

TEST_CASE("without timestamps it is sequence numbers by which a TIME-WAIT refuses") {
    CHECK(judge("CS109", {{key::tcp_timestamps, "0"}})->consequence.find("sequence number") != std::string::npos);
    CHECK(judge("CS109", {})->consequence.find("timestamp") != std::string::npos);
}

TEST_CASE("a tcp_timestamps above 1 is told where 1 hides more") {
    const settings two{{key::tcp_timestamps, "2"}};
    CHECK_FALSE(judge("CS131", host_of("4.9.0-19-amd64", two), {}));
    CHECK(judge("CS131", host_of("4.10.0", two), {}));
}

TEST_CASE("the module that a key comes with is loaded by the host, not by a container that runs systemd") {
    host::snapshot s = host_with({});
    s.loader = host::sysctl_loader::systemd;
    const auto fix = [&] { return host::detail::set_key(s, key::conntrack_time_wait, "120").text; };
    CHECK(fix().find("nf_conntrack into /etc/modules-load.d/") != std::string::npos);
    s.space = host::network_namespace::child;
    CHECK(fix().find("the host has to load nf_conntrack before") != std::string::npos);
    CHECK(fix().find("modules-load.d") == std::string::npos);
}

TEST_CASE("a carriage return that a loader leaves on a value is named, whatever the form of the key") {
    for (const char* const path : {"net/ipv4/tcp_rfc1337", "net/ipv4/ip_local_port_range",
                                   "net/ipv4/ip_local_reserved_ports", "net/ipv4/tcp_rmem"}) {
        CAPTURE(path);
        const auto result = host::detail::sysctl_d::write_value(path, "1\r", {"4096\t1\t2"});
        CHECK_FALSE(result.accepted);
        CHECK(result.reason.starts_with("it ends in a carriage return: save the file"));
    }
}
