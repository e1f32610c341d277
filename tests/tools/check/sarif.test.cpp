// SPDX-License-Identifier: BSL-1.0
// What SARIF 2.1.0 asks of a log (sections 3.13 to 3.29), of what the tool prints.
#include "support/fake_root.hpp"
#include "tools/check/check_program.hpp"

#include <doctest/doctest.h>
#include <nlohmann/json.hpp>

#include <set>
#include <string>
#include <string_view>

using nlohmann::json;
using tests::check;
using tests::fake_root;

namespace {

bool is_uri_reference(const std::string& uri) {
    constexpr std::string_view allowed =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~:/?#[]@!$&'()*+,;=%";
    return !uri.empty() && uri.find_first_not_of(allowed) == uri.npos;
}

void check_location(const json& location, const json& run) {
    const json& physical = location.at("physicalLocation");
    const json& artifact = physical.at("artifactLocation");
    CHECK(is_uri_reference(artifact.at("uri")));
    if (artifact.contains("uriBaseId"))
        CHECK(run.at("originalUriBaseIds").contains(artifact.at("uriBaseId").get<std::string>()));
    if (physical.contains("region")) CHECK(physical.at("region").at("startLine").get<int>() >= 1);
}

/// The one run of a log that is as it has to be.
json run_of(const std::string& text) {
    const json log = json::parse(text);
    CHECK(log.at("version") == "2.1.0");
    CHECK(log.at("$schema").get<std::string>().find("sarif-2.1.0") != std::string::npos);
    REQUIRE(log.at("runs").size() == 1);
    const json run = log.at("runs").at(0);
    const json& driver = run.at("tool").at("driver");
    CHECK(driver.at("name") == "closeside-check");
    std::set<std::string> ids;
    for (const json& rule : driver.at("rules")) {
        CHECK(ids.insert(rule.at("id")).second);
        CHECK_FALSE(rule.at("shortDescription").at("text").get<std::string>().empty());
    }
    const json bases = run.value("originalUriBaseIds", json::object());
    for (const auto& [name, base] : bases.items()) {
        CHECK(base.at("uri").get<std::string>().starts_with("file:///"));
        CHECK(base.at("uri").get<std::string>().ends_with("/"));
    }
    for (const json& result : run.at("results")) {
        CHECK(driver.at("rules").at(result.at("ruleIndex").get<std::size_t>()).at("id") == result.at("ruleId"));
        CHECK(std::set<std::string>{"none", "note", "warning", "error"}.contains(result.at("level")));
        CHECK_FALSE(result.at("message").at("text").get<std::string>().empty());
        CHECK(result.at("locations").is_array());
        for (const json& location : result.at("locations")) check_location(location, run);
        for (const json& location : result.value("relatedLocations", json::array())) check_location(location, run);
        for (const json& suppression : result.value("suppressions", json::array()))
            CHECK(suppression.at("kind") == "external");
    }
    return run;
}

json result_of(const json& run, std::string_view code) {
    for (const json& result : run.at("results"))
        if (result.at("ruleId") == code) return result;
    return nullptr;
}

} // namespace

TEST_CASE("lint prints SARIF with the file and the line of each finding") {
    fake_root root = fake_root::empty();
    root.add("my tuning.conf", "net.ipv4.tcp_rfc1337 = 1\nnet.ipv4.tcp_tw_recycle = 1\n");
    const std::string file = root.path() + "/my tuning.conf";
    const auto r = check({"lint", file, "--kernel", "6.18", "--format", "sarif", "--ignore", "CS501,reason=old hosts"});
    CHECK(r.status == 2);
    const json run = run_of(r.out);
    const json found = result_of(run, "CS101");
    CHECK(found.at("level") == "error");
    const json where = found.at("locations").at(0).at("physicalLocation");
    CHECK(where.at("artifactLocation").at("uri") == root.path() + "/my%20tuning.conf");
    CHECK(where.at("region").at("startLine") == 1);
    const json removed = result_of(run, "CS501");
    CHECK(removed.at("locations").at(0).at("physicalLocation").at("region").at("startLine") == 2);
    CHECK(removed.at("suppressions").size() == 1);
}

TEST_CASE("lint of a faultless file prints a run without results") {
    fake_root root = fake_root::empty();
    root.add("x.conf", "net.ipv4.tcp_syncookies = 1\n");
    CHECK(run_of(check({"lint", root.path() + "/x.conf", "--kernel", "6.18", "--format", "sarif"}).out)
              .at("results")
              .empty());
}

TEST_CASE("config prints SARIF with paths below its root") {
    fake_root root;
    root.defaults().add("run/systemd/system/.keep", "").add("etc/sysctl.d/a b.conf", "\nnet.ipv4.tcp_tw_recycle = 1\n");
    const auto r = check({"config", "--root", root.path(), "--format", "sarif"});
    CHECK(r.status == 1);
    const json run = run_of(r.out);
    const json where = result_of(run, "CS501").at("locations").at(0).at("physicalLocation");
    CHECK(where.at("artifactLocation").at("uri") == "etc/sysctl.d/a%20b.conf");
    CHECK(where.at("artifactLocation").at("uriBaseId") == "ROOT");
    CHECK(where.at("region").at("startLine") == 2);
    CHECK(run.at("originalUriBaseIds").at("ROOT").at("uri") == "file://" + root.path() + "/");
}
