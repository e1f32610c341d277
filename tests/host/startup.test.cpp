// SPDX-License-Identifier: BSL-1.0
#include <closeside/host.hpp>

#include "support/fake_root.hpp"

#include <doctest/doctest.h>

#include <sstream>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

namespace cs = closeside;
namespace host = closeside::host;
using host::severity;
using tests::fake_root;

namespace {

struct recorder {
    std::vector<std::pair<severity, std::string>> lines;
    void operator()(severity level, std::string_view line) { lines.emplace_back(level, line); }
};

} // namespace

TEST_CASE("a host at its defaults is silent at start-up, although there are notes") {
    fake_root root;
    root.defaults();
    recorder log;
    CHECK(cs::warn_at_startup<cs::policies::graceful>(log, {.root = root.path()}) == severity::note);
    CHECK(log.lines.empty());
}

TEST_CASE("a start-up warning is one line that begins with the code") {
    fake_root root;
    root.defaults().set("net.ipv4.tcp_rfc1337", "1").set("net.ipv4.tcp_syncookies", "0");
    recorder log;
    CHECK(cs::warn_at_startup<cs::policies::graceful>(log, {.root = root.path()}) == severity::critical);
    REQUIRE(log.lines.size() == 2);
    CHECK(log.lines[0].first == severity::critical);
    CHECK(log.lines[0].second.starts_with("CS101 critical: [net.ipv4.tcp_rfc1337=1]"));
    CHECK(log.lines[1].first == severity::warning);
    CHECK(log.lines[1].second.starts_with("CS201 warning: "));
    for (const auto& [level, line] : log.lines) {
        CHECK(line.find('\n') == std::string::npos);
        CHECK(line.find("Effect: ") != std::string::npos);
        CHECK(line.find("Fix: ") != std::string::npos);
    }
}

TEST_CASE("start-up warnings go by the policies that are compiled in") {
    fake_root root;
    root.defaults().set("net.ipv4.tcp_rfc1337", "1");
    recorder log;
    const host::startup_options options{.root = root.path()};
    CHECK(cs::warn_at_startup<cs::policies::peer_first>(log, options) == severity::note);
    CHECK(cs::warn_at_startup<cs::policies::peer_first, cs::policies::abortive>(log, options) == severity::note);
    CHECK(log.lines.empty());
    CHECK(cs::warn_at_startup<cs::policies::peer_first, cs::policies::graceful>(log, options) == severity::critical);
    CHECK(cs::warn_at_startup(log, options) == severity::critical);
    CHECK(log.lines.size() == 2);
}

TEST_CASE("exposure, minimum and ignored codes are options") {
    fake_root root;
    root.defaults().set("net.ipv4.tcp_rfc1337", "1");
    recorder log;
    SUBCASE("exposure") {
        CHECK(cs::warn_at_startup(log, {.root = root.path(), .exposure = host::exposure::direct}) == severity::warning);
        CHECK(log.lines.size() == 1);
    }
    SUBCASE("minimum") {
        cs::warn_at_startup(log, {.root = root.path(), .minimum = severity::note});
        CHECK(log.lines.size() == 2);
    }
    SUBCASE("ignored") {
        CHECK(cs::warn_at_startup(log, {.root = root.path(), .ignore = {"CS101", "CS105"}}) == std::nullopt);
        CHECK(log.lines.empty());
    }
}

TEST_CASE("a stream gets one line each, ended") {
    fake_root root;
    root.defaults().set("net.ipv4.tcp_rfc1337", "1").set("net.ipv4.tcp_syncookies", "0");
    std::ostringstream out;
    CHECK(cs::warn_at_startup<cs::policies::graceful>(out, {.root = root.path()}) == severity::critical);
    std::istringstream lines(out.str());
    std::string line;
    REQUIRE(std::getline(lines, line));
    CHECK(line.starts_with("CS101 critical: "));
    REQUIRE(std::getline(lines, line));
    CHECK(line.starts_with("CS201 warning: "));
    CHECK_FALSE(std::getline(lines, line));
    CHECK(out.str().back() == '\n');
}

TEST_CASE("a host that cannot be looked at is one warning") {
    recorder log;
    const fake_root root = fake_root::empty();
    CHECK(cs::warn_at_startup(log, {.root = root.path()}) == severity::warning);
    REQUIRE(log.lines.size() == 1);
    CHECK(log.lines[0].second.starts_with("CS001 warning: "));
}

TEST_CASE("what the sink throws passes through") {
    fake_root root;
    root.defaults().set("net.ipv4.tcp_rfc1337", "1");
    const auto refuse = [](severity, std::string_view) { throw std::runtime_error("no log"); };
    CHECK_THROWS_WITH(cs::warn_at_startup(refuse, {.root = root.path()}), "no log");
}
