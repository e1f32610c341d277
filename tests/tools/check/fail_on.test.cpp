// SPDX-License-Identifier: BSL-1.0
#include "support/fake_root.hpp"
#include "tools/check/check_program.hpp"

#include <doctest/doctest.h>

#include <string>
#include <vector>

using tests::check;
using tests::fake_root;

namespace {

/// Of the audit of a host whose worst finding is a note, a warning or critical.
std::vector<int> statuses(const std::vector<std::string>& arguments) {
    std::vector<int> all;
    fake_root root;
    root.defaults();
    all.push_back(check(root, arguments).status);
    root.set("net.ipv4.tcp_syncookies", "0");
    all.push_back(check(root, arguments).status);
    root.set("net.ipv4.tcp_rfc1337", "1");
    all.push_back(check(root, arguments).status);
    return all;
}

} // namespace

TEST_CASE("--fail-on says from which severity on the exit status is not 0") {
    CHECK(statuses({}) == std::vector{0, 1, 2});
    CHECK(statuses({"--fail-on", "warning"}) == std::vector{0, 1, 2});
    CHECK(statuses({"--fail-on", "critical"}) == std::vector{0, 0, 2});
    CHECK(statuses({"--fail-on", "note"}) == std::vector{1, 1, 2});
    CHECK(statuses({"--fail-on", "note", "--ignore", "CS105", "--ignore", "CS109"}) == std::vector{0, 1, 2});
    CHECK(statuses({"--fail-on", "note", "--format", "json"}) == std::vector{1, 1, 2});
    CHECK(statuses({"--fail-on", "critical", "--format", "prometheus"}) == std::vector{0, 0, 2});
}

TEST_CASE("--fail-on goes for the problems of the configuration files too") {
    fake_root root;
    root.defaults().add("etc/sysctl.d/10.conf", "net.ipv4.tcp_tw_recycle = 1\n");
    const auto status = [&](const std::string& severity) {
        return check({"config", "--root", root.path(), "--fail-on", severity}).status;
    };
    CHECK(status("note") == 1);
    CHECK(status("warning") == 1);
    CHECK(status("critical") == 0);
}

TEST_CASE("--fail-on refuses what is no severity") {
    for (const char* name : {"", "error", "Warning", "2"}) {
        const auto r = check({"--fail-on", name});
        CHECK(r.status == 64);
        CHECK(r.err.find("note, warning or critical") != std::string::npos);
    }
}
