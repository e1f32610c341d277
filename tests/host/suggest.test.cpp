// SPDX-License-Identifier: BSL-1.0
#include <closeside/host/audit.hpp>
#include <closeside/host/config_view.hpp>
#include <closeside/host/suggest.hpp>

#include <doctest/doctest.h>

#include <algorithm>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace host = closeside::host;
using host::key;
using host::key_status;

namespace {

host::finding finding_with(std::string_view code, std::vector<host::finding::setting> settings) {
    host::finding f;
    f.code = code;
    f.settings = std::move(settings);
    return f;
}

host::snapshot host_with(key k, std::string value, host::network_namespace space = host::network_namespace::initial) {
    host::snapshot s;
    s.space = space;
    s[k] = host::detail::interpret(host::detail::facts(k).shape, value);
    return s;
}

} // namespace

TEST_CASE("a suggestion sets each key once, to what the worst finding asks for, and says who wanted otherwise") {
    const std::vector<host::finding> findings{
        finding_with("CS101", {{"net.ipv4.tcp_rfc1337", "0"}}),
        finding_with("CS110", {{"net.ipv4.tcp_fin_timeout", "60"}, {"net.ipv4.tcp_rfc1337", "0"}}),
        finding_with("CS112", {{"net.ipv4.tcp_fin_timeout", "30"}}),
        finding_with("CS105", {}),
    };
    const auto s = host::suggest(findings, host_with(key::tcp_rfc1337, "1"));
    REQUIRE(s.settings.size() == 2);
    CHECK(s.settings[0].setting == host::finding::setting{"net.ipv4.tcp_rfc1337", "0"});
    CHECK(s.settings[0].was == "1");
    CHECK(s.settings[0].where == host::suggestion::settable::here);
    CHECK(s.settings[0].reasons == std::vector<const host::finding*>{&findings[0], &findings[1]});
    CHECK(s.settings[0].overruled.empty());
    CHECK(s.settings[1].setting == host::finding::setting{"net.ipv4.tcp_fin_timeout", "60"});
    CHECK(s.settings[1].was == "(absent)");
    CHECK(s.settings[1].where == host::suggestion::settable::none);
    REQUIRE(s.settings[1].overruled.size() == 1);
    CHECK(s.settings[1].overruled[0] == std::pair{&findings[2], std::string("30")});
    CHECK(s.unresolved == std::vector<const host::finding*>{&findings[3]});
}

TEST_CASE("a suggestion tells what only the host can set") {
    const auto child = host::network_namespace::child;
    auto seen = host_with(key::conntrack_max, "1000", child);
    seen[key::tcp_max_orphans].status = key_status::hidden;
    seen[key::tcp_rfc1337] = host::detail::interpret(host::detail::key_shape::number, "1");
    const std::vector<host::finding> findings{finding_with("CS101", {{"net.netfilter.nf_conntrack_max", "2000"},
                                                                     {"net.ipv4.tcp_max_orphans", "2000"},
                                                                     {"net.ipv4.tcp_rfc1337", "0"}})};
    const auto s = host::suggest(findings, seen);
    CHECK(s.settings.at(0).where == host::suggestion::settable::host);
    CHECK(s.settings.at(1).where == host::suggestion::settable::host);
    CHECK(s.settings.at(1).was == "(hidden)");
    CHECK(s.settings.at(2).where == host::suggestion::settable::here);
    // What is to be set elsewhere does not change what is seen here.
    const auto after = s.applied_to(seen);
    CHECK(after.number(key::conntrack_max) == 1000);
    CHECK(after.number(key::tcp_rfc1337) == 0);
}

TEST_CASE("with its settings made, a suggestion resolves the findings it was made from") {
    const auto seen = host_with(key::tcp_rfc1337, "1");
    const auto findings = host::audit(seen);
    REQUIRE(findings.at(0).code == "CS101");
    const auto after = host::audit(host::suggest(findings, seen).applied_to(seen));
    CHECK(std::ranges::find(after, "CS101", &host::finding::code) == after.end());
}

TEST_CASE("a line that undoes a suggestion is one that is read after its file") {
    host::config_view config;
    config.loader = host::sysctl_loader::systemd;
    const std::string name = "net.ipv4.tcp_rfc1337";
    const auto undone_by = [&](const std::string& file, const std::string& pattern = "") {
        host::config_key k;
        k.name = name;
        k.systemd.winner = k.procps.winner = host::config_key::setting{"1", file, 3, pattern};
        config.keys = {k};
        return config.undoing(name, "60-closeside.conf") != nullptr;
    };
    CHECK(undone_by("/etc/sysctl.d/99-local.conf"));
    CHECK(undone_by("/usr/lib/sysctl.d/60-z.conf"));
    CHECK_FALSE(undone_by("/etc/sysctl.d/10-local.conf"));
    CHECK_FALSE(undone_by("/etc/sysctl.d/60-closeside.conf"));
    CHECK_FALSE(undone_by("/etc/sysctl.d/99-local.conf", "net.ipv4.*"));
    CHECK(undone_by("/etc/sysctl.d/sysctl.conf"));
    CHECK(undone_by("/etc/sysctl.conf"));
    config.loader = host::sysctl_loader::procps;
    CHECK(undone_by("/etc/sysctl.conf"));
    config.keys.clear();
    CHECK(config.undoing(name, "60-closeside.conf") == nullptr);
}
