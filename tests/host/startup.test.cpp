// SPDX-License-Identifier: BSL-1.0
#include <closeside/host.hpp>

#include "support/fake_root.hpp"
#include "support/scarce_memory.hpp"

#include <doctest/doctest.h>

#include <array>
#include <optional>
#include <sstream>
#include <stdexcept>
#include <string>
#include <system_error>
#include <utility>
#include <vector>

namespace cs = closeside;
namespace host = closeside::host;
using host::severity;
using tests::fake_root;

namespace {

struct recorder {
    /// Of findings, and the one that says that there are none.
    std::vector<std::pair<severity, std::string>> lines, clear;
    void operator()(severity level, std::string_view line) {
        (line.starts_with("The host check has read ") ? clear : lines).emplace_back(level, line);
    }
};

} // namespace

TEST_CASE("where nothing is to be told, one line says that the host was looked at") {
    fake_root root;
    root.defaults();
    recorder log;
    CHECK(cs::warn_at_startup<cs::policies::graceful>(log, {.root = root.path()}) == severity::note);
    REQUIRE(log.clear.size() == 1);
    CHECK(log.clear[0].first == severity::note);
    CHECK(log.clear[0].second == "The host check has read 15 TCP settings of Linux 6.18.0 and found nothing that is a "
                                 "warning or worse; 2 findings below that");
    CHECK(cs::check_at_startup<cs::policies::graceful>(log, {.root = root.path()}) == std::error_code());
    CHECK(log.clear.size() == 2);
    // It is no finding, and so no reason to refuse.
    CHECK(cs::check_at_startup(log, {.root = root.path(), .ignore = {"CS105", "CS109"}, .refuse_at = severity::note}) ==
          std::error_code());
    CHECK(log.clear.size() == 3);
    CHECK(log.clear[2].second.ends_with("found nothing to tell"));
    cs::warn_at_startup(log, {.root = root.path(), .say_if_nothing_found = false});
    CHECK(log.clear.size() == 3);
    root.set("net.ipv4.tcp_rfc1337", "1");
    cs::warn_at_startup(log, {.root = root.path()});
    CHECK(log.clear.size() == 3);
    CHECK(log.lines.size() == 1);
}

TEST_CASE("a host at its defaults has no finding told at start-up, although there are notes") {
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

TEST_CASE("the exposure of the options comes before that of the program") {
    fake_root root;
    root.defaults().set("net.ipv4.tcp_rfc1337", "1");
    recorder log;
    const auto worst = [&](const host::startup_options& options) { return cs::warn_at_startup(log, options); };
    CHECK(worst({.root = root.path(), .program = {}}) == severity::critical);
    CHECK(worst({.root = root.path(), .program = {.peers = host::exposure::direct}}) == severity::warning);
    CHECK(worst({.root = root.path(), .exposure = host::exposure::loopback, .program = {}}) == severity::note);
    CHECK(
        worst({.root = root.path(), .exposure = host::exposure::nat, .program = {.peers = host::exposure::loopback}}) ==
        severity::critical);
}

TEST_CASE("a program owns the policies that it is given") {
    const auto make = [] {
        return host::program{.policies = std::array{cs::policies::peer_first, cs::policies::abortive}};
    };
    const host::program from_array = make();
    REQUIRE(from_array.policies.size() == 2);
    CHECK(from_array.policies[0] == cs::policies::peer_first);
    static constexpr cs::close_policy front_end{.closes_first = cs::side::peer}, metrics = cs::policies::abortive;
    CHECK(host::program{.policies = {front_end, metrics}}.policies == from_array.policies);
    CHECK(host::program{.policies = {front_end}}.policies.size() == 1);
    const std::vector<cs::close_policy> some{front_end, metrics};
    CHECK(host::program{.policies = some}.policies == from_array.policies);
    CHECK(host::program{.policies = std::span<const cs::close_policy>(some)}.policies == from_array.policies);
    const cs::close_policy built_in[]{front_end, metrics};
    CHECK(host::program{.policies = built_in}.policies == from_array.policies);
    CHECK(host::program{}.policies.empty());
}

TEST_CASE("policies known at run time only are judged beside those compiled in") {
    fake_root root;
    root.defaults().set("net.ipv4.tcp_rfc1337", "1");
    recorder log;
    const std::array closing{cs::policies::graceful};
    const std::array waiting{cs::policies::peer_first};
    const auto options = [&](std::span<const cs::close_policy> policies) {
        return host::startup_options{.root = root.path(), .program = {.policies = policies}};
    };
    CHECK(cs::warn_at_startup(log, options(waiting)) == severity::note);
    CHECK(cs::warn_at_startup(log, options(closing)) == severity::critical);
    CHECK(cs::warn_at_startup<cs::policies::abortive>(log, options(waiting)) == severity::note);
    CHECK(cs::warn_at_startup<cs::policies::abortive>(log, options(closing)) == severity::critical);
    CHECK(cs::warn_at_startup<cs::policies::graceful>(log, options(waiting)) == severity::critical);
}

TEST_CASE("a suppressed finding is not delivered until its day is over, and then with a word about it") {
    fake_root root;
    root.defaults().set("net.ipv4.tcp_rfc1337", "1");
    recorder log;
    const auto day = [](const char* text) { return host::detail::parse_date(text); };
    SUBCASE("for good") {
        CHECK(cs::warn_at_startup(log, {.root = root.path(), .suppressions = {{"CS101"}}}) == severity::note);
        CHECK(log.lines.empty());
    }
    SUBCASE("until a day to come") {
        const host::suppression s{"CS101", day("9999-12-31"), "nothing closes first"};
        CHECK(cs::warn_at_startup(log, {.root = root.path(), .suppressions = {s}}) == severity::note);
        CHECK(log.lines.empty());
    }
    SUBCASE("until a day that has passed") {
        const host::suppression s{"CS101", day("2024-02-29"), "until the \x1b[2Jupgrade"};
        CHECK(cs::warn_at_startup(log, {.root = root.path(), .suppressions = {s}}) == severity::critical);
        REQUIRE(log.lines.size() == 1);
        CHECK(log.lines[0].second.ends_with(" It was suppressed until 2024-02-29: until the \\x1b[2Jupgrade"));
    }
    SUBCASE("another one") {
        CHECK(cs::warn_at_startup(log, {.root = root.path(), .suppressions = {{"CS120"}}}) == severity::critical);
        CHECK(log.lines.size() == 1);
    }
}

TEST_CASE("a strict program is refused by a critical finding, or by what it chooses") {
    fake_root root;
    root.defaults();
    recorder log;
    const auto check = [&](severity refuse_at) {
        log.lines.clear();
        return cs::check_at_startup<cs::policies::graceful>(log, {.root = root.path(), .refuse_at = refuse_at});
    };
    SUBCASE("at its defaults a host has notes only") {
        CHECK_FALSE(check(severity::critical));
        CHECK_FALSE(check(severity::warning));
        CHECK(log.lines.empty());
        CHECK(check(severity::note) == cs::error::unsafe_host);
        CHECK_FALSE(log.lines.empty());
    }
    SUBCASE("a warning") {
        root.set("net.ipv4.tcp_syncookies", "0");
        CHECK_FALSE(check(severity::critical));
        CHECK(log.lines.size() == 1);
        CHECK(check(severity::warning) == cs::error::unsafe_host);
    }
    SUBCASE("a critical finding") {
        root.set("net.ipv4.tcp_rfc1337", "1");
        CHECK(check(severity::critical) == cs::error::unsafe_host);
        CHECK(log.lines.size() == 1);
        CHECK(check(severity::warning) == cs::error::unsafe_host);
    }
}

TEST_CASE("what a strict program is refused for is in its log, whatever the minimum") {
    fake_root root;
    root.defaults().set("net.ipv4.tcp_syncookies", "0");
    recorder log;
    const host::startup_options options{
        .root = root.path(), .minimum = severity::critical, .refuse_at = severity::warning};
    CHECK(cs::check_at_startup(log, options) == cs::error::unsafe_host);
    REQUIRE(log.lines.size() == 1);
    CHECK(log.lines[0].second.starts_with("CS201 "));
}

TEST_CASE("what is ignored or suppressed refuses nobody, and what cannot be looked at is a warning") {
    fake_root root;
    root.defaults().set("net.ipv4.tcp_rfc1337", "1");
    std::ostringstream out;
    CHECK(cs::check_at_startup(out, {.root = root.path()}) == cs::error::unsafe_host);
    CHECK(out.str().starts_with("CS101 critical: "));
    CHECK_FALSE(cs::check_at_startup(out, {.root = root.path(), .ignore = {"CS101"}}));
    CHECK_FALSE(cs::check_at_startup(out, {.root = root.path(), .suppressions = {{"CS101"}}}));
    CHECK_FALSE(cs::check_at_startup<cs::policies::peer_first>(out, {.root = root.path()}));

    const fake_root blind = fake_root::empty();
    CHECK_FALSE(cs::check_at_startup(out, {.root = blind.path()}));
    CHECK(cs::check_at_startup(out, {.root = blind.path(), .refuse_at = severity::warning}) == cs::error::unsafe_host);
}

TEST_CASE("a server starts without any memory for the host check, and hears that it was not finished") {
    fake_root root;
    root.defaults().set("net.ipv4.tcp_rfc1337", "1");
    const host::startup_options options{.root = root.path()};
    int lines = 0, unfinished = 0;
    const auto count = [&](severity, std::string_view line) {
        ++lines;
        if (line.find("ran out of memory") != line.npos) ++unfinished;
    };
    std::error_code strict;
    int n = 0;
    for (bool enough = false; !enough; ++n) {
        lines = unfinished = 0;
        std::optional<severity> worst;
        {
            const tests::scarce_memory scarce(n);
            worst = cs::warn_at_startup<cs::policies::graceful>(count, options);
            enough = tests::scarce_memory::failures() == 0;
        }
        CHECK(worst >= severity::warning);
        CHECK(lines >= 1);
        CHECK((enough || unfinished <= 1));
        {
            const tests::scarce_memory scarce(n);
            strict = cs::check_at_startup<cs::policies::graceful>(count, options);
        }
        CHECK((strict == cs::error::unsafe_host || strict == std::errc::not_enough_memory));
        if (n == 0) CHECK(unfinished == 2);
    }
    CHECK(n > 10);
    CHECK(strict == cs::error::unsafe_host);
}

TEST_CASE("a log that needs memory when there is none does not keep a server from starting") {
    fake_root root;
    root.defaults();
    const tests::scarce_memory scarce(0);
    bool asked = false;
    const auto log = [&](severity, std::string_view line) {
        asked = true;
        const std::string copy(line);
    };
    CHECK(cs::warn_at_startup(log, {.root = "/"}) == severity::warning);
    CHECK(asked);
}
