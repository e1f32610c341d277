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
