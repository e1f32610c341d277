// SPDX-License-Identifier: BSL-1.0
// closeside-check where people run it: without privileges, in containers, without /proc.
#include "support/in_child.hpp"
#include "support/own_network.hpp"
#include "support/proc_view.hpp"
#include "tools/check/check_program.hpp"

#include <doctest/doctest.h>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <sched.h>

using nlohmann::json;
using namespace tests;

namespace {

const std::vector<std::vector<std::string>> ways{
    {},         {"--format", "json"}, {"--format", "prometheus"}, {"--watch", "1"}, {"suggest"},
    {"states"}, {"config"},           {"explain", "CS101"}};

std::string name_of(const std::vector<std::string>& way) {
    std::string text;
    for (const std::string& word : way) text += (text.empty() ? "" : " ") + word;
    return text.empty() ? "(check)" : text;
}

/// What became of the program in each way of calling it, as JSON, run where the body of in_own_network is.
std::string run_every_way() {
    json all;
    for (const auto& way : ways) {
        const program_result r = check(way);
        all[name_of(way)] = {{"status", r.status}, {"out", r.out}, {"err", r.err}};
    }
    return all.dump();
}

/// In a network namespace with tcp_rfc1337 set and such a /proc; null, and a word about it, without the right to that.
json in_place(std::optional<proc_view> v) {
    const std::string no_right = "no right";
    const auto text = in_own_network([&]() -> std::string {
        set_sysctl("tcp_rfc1337", "1");
        return !v || take_proc_view(*v) ? run_every_way() : no_right;
    });
    if (text && *text != no_right) {
        CAPTURE(*text);
        REQUIRE(text->starts_with("{"));
        return json::parse(*text);
    }
    MESSAGE("SKIPPED: no right to what this takes: ", std::string(v ? to_string(*v) : "a network namespace"));
    return nullptr;
}

void check_that_it_works(const json& all) {
    for (const char* const way : {"(check)", "--format json", "--format prometheus", "--watch 1"}) {
        CAPTURE(way);
        CHECK(all.at(way).at("status") == 2);
        CHECK(all.at(way).at("err") == "");
        CHECK(all.at(way).at("out").get<std::string>().find("CS101") != std::string::npos);
    }
    CHECK(all.at("states").at("status") == 0);
    CHECK(all.at("explain CS101").at("status") == 0);
    CHECK(json::parse(all.at("--format json").at("out").get<std::string>()).at("values").size() > 30);
}

std::string fix_of(const json& all) {
    return finding(json::parse(all.at("--format json").at("out").get<std::string>()), "CS101").at("fix");
}

} // namespace

TEST_CASE("network: closeside-check without any privilege, in a user namespace, sees what its root has set") {
    const std::string no_right = "no right";
    const std::string text = in_unprivileged_child([&]() -> std::string {
        if (::unshare(CLONE_NEWUSER | CLONE_NEWNET) != 0) return no_right;
        set_sysctl("tcp_rfc1337", "1");
        return run_every_way();
    });
    if (text == no_right) {
        MESSAGE("SKIPPED: no right to user namespaces");
        return;
    }
    CAPTURE(text);
    REQUIRE(text.starts_with("{"));
    const json all = json::parse(text);
    check_that_it_works(all);
    CHECK(fix_of(all).find("as root inside this network namespace") != std::string::npos);
    CHECK(all.at("suggest").at("out").get<std::string>().find("net.ipv4.tcp_rfc1337 = 0") != std::string::npos);
}

TEST_CASE("network: closeside-check in a container with a read-only /proc/sys says who can set the value") {
    const json all = in_place(proc_view::sys_read_only);
    if (all.is_null()) return;
    check_that_it_works(all);
    CHECK(fix_of(all).find("/proc/sys/net is read-only here, so it cannot be set from inside") != std::string::npos);
}

TEST_CASE("network: closeside-check that sees no setting says so in one line and ends with 70, and does what it can") {
    proc_view view{};
    SUBCASE("/proc/sys is masked") { view = proc_view::sys_masked; }
    SUBCASE("/proc shows processes only") { view = proc_view::processes_only; }
    SUBCASE("there is no /proc") { view = proc_view::absent; }
    const json all = in_place(view);
    if (all.is_null()) return;
    for (const auto& way : ways) {
        const std::string name = name_of(way);
        const json& r = all.at(name);
        CAPTURE(name);
        CAPTURE(r.dump());
        // The kernel counts without /proc; the files are there; what a key means does not depend on its value.
        if (name == "states" || name == "config" || name == "explain CS101") {
            CHECK(r.at("status") <= 2);
            CHECK(r.at("err") == "");
            CHECK(r.at("out").get<std::string>().size() > 100);
            continue;
        }
        CHECK(r.at("status") == 70);
        CHECK(r.at("out") == "");
        const std::string err = r.at("err");
        CHECK(err.starts_with("closeside-check: cannot look below '/': proc/sys/net: No such file or directory"));
        CHECK(std::ranges::count(err, '\n') == 1);
    }
}
