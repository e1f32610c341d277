// SPDX-License-Identifier: BSL-1.0
#include <closeside/host/key.hpp>

#include <doctest/doctest.h>

#include <set>
#include <string>
#include <string_view>

namespace host = closeside::host;

TEST_CASE("every key has a name of its own below net") {
    std::set<std::string_view> names;
    for (const host::detail::key_facts& facts : host::detail::key_table) {
        CAPTURE(std::string(facts.name));
        CHECK(facts.name.starts_with("net."));
        CHECK(names.insert(facts.name).second);
        CHECK(&host::detail::facts(facts.id) == &facts);
    }
}

TEST_CASE("keys are named as sysctl(8) names them") {
    CHECK(to_string(host::key::tcp_rfc1337) == "net.ipv4.tcp_rfc1337");
    CHECK(to_string(host::key::somaxconn) == "net.core.somaxconn");
    CHECK(to_string(host::key::conntrack_close_wait) == "net.netfilter.nf_conntrack_tcp_timeout_close_wait");
}

TEST_CASE("the release since which a namespace has a key of its own is that of the commit") {
    using host::detail::facts, host::detail::kernel_version, host::key;
    const struct {
        key which;
        kernel_version since;
    } cases[] = {{key::ip_local_reserved_ports, {3, 16}},
                 {key::tcp_keepalive_time, {4, 5}},
                 {key::tcp_keepalive_intvl, {4, 5}},
                 {key::tcp_keepalive_probes, {4, 5}},
                 {key::tcp_fin_timeout, {4, 6}},
                 {key::tcp_syncookies, {4, 6}},
                 {key::tcp_syn_retries, {4, 6}},
                 {key::tcp_synack_retries, {4, 6}},
                 {key::tcp_retries2, {4, 6}},
                 {key::tcp_orphan_retries, {4, 6}},
                 {key::tcp_tw_reuse, {4, 10}},
                 {key::tcp_tw_recycle, {4, 11}},
                 {key::tcp_max_tw_buckets, {4, 11}},
                 {key::tcp_max_syn_backlog, {4, 11}},
                 {key::tcp_timestamps, {4, 13}},
                 {key::tcp_rfc1337, {4, 15}},
                 {key::tcp_abort_on_overflow, {4, 15}},
                 {key::tcp_invalid_ratelimit, {4, 15}}};
    for (const auto& c : cases) {
        CAPTURE(std::string(to_string(c.which)));
        CHECK(facts(c.which).per_namespace_since == c.since);
    }
}
