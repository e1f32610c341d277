// SPDX-License-Identifier: BSL-1.0
#include "support/fake_root.hpp"
#include "support/in_child.hpp"
#include "support/own_mounts.hpp"
#include "support/own_network.hpp"
#include "tools/check/check_program.hpp"

#include <doctest/doctest.h>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <cstddef>
#include <fstream>
#include <set>
#include <sstream>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <sys/mount.h>
#include <unistd.h>

using nlohmann::json;
using tests::fake_root;
using tests::program_result;

namespace {

program_result suggest(const fake_root& root, std::vector<std::string> more = {}) {
    std::vector<std::string> arguments{"suggest", "--root", root.path()};
    arguments.insert(arguments.end(), more.begin(), more.end());
    return tests::check(std::move(arguments));
}

/// The lines that a loader would take as settings.
std::set<std::string> settings_in(const std::string& fragment) {
    std::set<std::string> settings;
    std::istringstream lines(fragment);
    for (std::string line; std::getline(lines, line);)
        if (!line.empty() && !line.starts_with('#')) settings.insert(line);
    return settings;
}

/// A value that the kernel takes and shows as it is.
std::string other_than(const std::string& key, const std::string& value) {
    if (key == "net.ipv4.ip_local_port_range") return "20000 50000";
    if (key == "net.ipv4.ip_local_reserved_ports") return "8080,9000-9010";
    if (key == "net.ipv4.tcp_invalid_ratelimit") return "400"; // whole ticks
    const long long number = std::stoll(value);
    return std::to_string(number == 0 ? 1 : number - 1);
}

bool has(const std::string& text, std::string_view part) { return text.find(part) != text.npos; }

} // namespace

TEST_CASE("suggest prints a setting for each finding, with why and what it was, and sets nothing") {
    fake_root root;
    root.defaults().set("net.ipv4.tcp_rfc1337", "1").set("net.ipv4.tcp_syncookies", "0");
    const program_result r = suggest(root);
    CHECK(r.status == 0);
    CHECK(r.err.empty());
    CHECK(settings_in(r.out) == std::set<std::string>{"net.ipv4.tcp_rfc1337 = 0", "net.ipv4.tcp_syncookies = 1"});
    CHECK(has(r.out, "review"));
    CHECK(has(r.out, "/etc/sysctl.d/60-closeside.conf"));
    CHECK(has(r.out, "# CS101 critical: "));
    CHECK(has(r.out, "# It was 1.\nnet.ipv4.tcp_rfc1337 = 0\n"));
    std::string live;
    std::getline(std::ifstream(root.file("net.ipv4.tcp_rfc1337")), live);
    CHECK(live == "1");

    root.defaults().set("net.ipv4.tcp_rfc1337", "0");
    CHECK(settings_in(suggest(root).out).empty());
    CHECK(has(suggest(root).out, "No finding asks for a setting."));
}

TEST_CASE("suggest names the loader in use, and the line that is read after the fragment") {
    fake_root root;
    root.defaults().set("net.ipv4.tcp_rfc1337", "1");
    root.add("run/systemd/system/.keep", "")
        .add("etc/sysctl.d/99-hardening.conf", "# copied\nnet.ipv4.tcp_rfc1337=1\n");
    CHECK(has(suggest(root).out, "systemd-sysctl reads it"));
    CHECK(has(suggest(root).out, "/etc/sysctl.d/99-hardening.conf:2 sets it to 1 again"));
    CHECK(has(suggest(root).out, "net.ipv4.tcp_rfc1337 = 0\n"));
}

TEST_CASE("a later line that sets the suggested value undoes nothing") {
    fake_root root;
    root.defaults();
    root.add("run/systemd/system/.keep", "").add("etc/sysctl.d/99-own.conf", "net.ipv4.tcp_fin_timeout=30\n");
    const std::string out = suggest(root).out;
    CHECK(has(out, "net.ipv4.tcp_fin_timeout = 30\n"));
    CHECK_FALSE(has(out, "sets it to 30 again"));
}

TEST_CASE("suggest in a container says who sets its values, and leaves the host's keys to the host") {
    fake_root root;
    root.defaults().set("net.ipv4.tcp_rfc1337", "1").remove("net.ipv4.tcp_max_orphans");
    root.namespaces("net:[4026532001]", "net:[4026531840]");
    const program_result r = suggest(root);
    CHECK(has(r.out, "what starts the container"));
    CHECK(settings_in(r.out).contains("net.ipv4.tcp_rfc1337 = 0"));
}

TEST_CASE("suggest leaves out what is suppressed, lists what no setting resolves, and what comes up behind it") {
    fake_root root;
    root.defaults().set("net.ipv4.tcp_rfc1337", "1").set("net.ipv4.tcp_syncookies", "not a number");
    const program_result r = suggest(root, {"--ignore", "CS101"});
    CHECK(settings_in(r.out).empty());
    CHECK(has(r.out, "# Ignored as told: CS101."));
    CHECK(has(r.out, "# No setting resolves these:\n"));
    CHECK(has(r.out, "# CS003 warning: "));
    CHECK(suggest(root, {"--ignore", "CS999"}).status == 64);
    CHECK(tests::check({"--assume", "peer", "suggest"}).status == 64);
    CHECK(suggest(fake_root::empty()).status == 70);
}

TEST_CASE("what stands in a file of the host cannot add a line to the fragment") {
    fake_root root;
    root.defaults().set_raw("net.ipv4.tcp_rfc1337", "1\nnet.ipv4.tcp_timestamps = 0\n");
    root.kernel("6.18\x1b[2J");
    const std::string text = suggest(root).out;
    CHECK_FALSE(has(text, "\nnet.ipv4.tcp_timestamps"));
    CHECK(text.find('\x1b') == text.npos);
}

TEST_CASE("network: sysctl -p with what suggest prints resolves the findings of a running kernel") {
    if (::access("/sbin/sysctl", X_OK) != 0 && ::access("/usr/sbin/sysctl", X_OK) != 0) {
        MESSAGE("SKIPPED: sysctl is not installed (Debian: procps)");
        return;
    }
    fake_root directory;
    const std::string file = directory.path() + "/60-closeside.conf";
    const auto text = tests::in_own_network([&]() -> std::string {
        for (const auto& [name, value] : {std::pair{"tcp_rfc1337", "1"},
                                          {"tcp_syncookies", "0"},
                                          {"tcp_timestamps", "0"},
                                          {"tcp_fin_timeout", "5"},
                                          {"tcp_max_tw_buckets", "100"}})
            tests::set_sysctl(name, value);
        const auto look = [] { return json::parse(tests::check({"--format", "json"}).out); };
        std::set<std::string> codes;
        const json before = look();
        for (const json& f : before.at("findings"))
            if (!f.at("settings").empty()) codes.insert(f.at("code"));
        const program_result written = tests::check({"suggest", "--output", file});
        const program_result applied =
            tests::run_program({"/bin/sh", "-c", "PATH=/usr/sbin:/sbin:$PATH; sysctl -p \"$0\"", file});
        std::string left;
        const json after = look();
        for (const json& f : after.at("findings"))
            if (codes.contains(f.at("code"))) left += " " + f.at("code").get<std::string>();
        return std::to_string(written.status) + " " + std::to_string(applied.status) + " " + applied.err +
               (codes.size() >= 5 ? "enough" : "too few") + left;
    });
    if (!text) {
        MESSAGE("SKIPPED: neither root nor user namespaces give the right to a network namespace");
        return;
    }
    CHECK(*text == "0 0 enough");
}

TEST_CASE("network: every line that suggest prints for any key is taken by the kernel, and reads back as meant") {
    const std::string no_right = "no right";
    fake_root directory = fake_root::empty();
    const auto text = tests::in_own_network([&]() -> std::string {
        // A host whose files were changed after its boot: what it has now differs from them in every key.
        directory.add("run/systemd/system/.keep", "").add("proc/.keep", "");
        const std::string proc = directory.path() + "/proc";
        if (!tests::take_own_mounts() || ::mount("/proc", proc.c_str(), nullptr, MS_BIND | MS_REC, nullptr) != 0)
            return no_right;
        std::string file;
        const json before = json::parse(tests::check({"--format", "json"}).out);
        for (const auto& [key, value] : before.at("values").items()) {
            if (value.at("status") != "present") continue;
            const std::string now = value.at("value");
            file += key + " = " + other_than(key, now) + "\n";
        }
        directory.add("etc/sysctl.d/50.conf", file);
        std::string wrong;
        std::size_t lines = 0;
        for (const std::string& line : settings_in(suggest(directory).out)) {
            const std::size_t equals = line.find(" = ");
            const std::string key = line.substr(0, equals), value = line.substr(equals + 3);
            tests::write_sysctl(key, value);
            std::string path = "/proc/sys/" + key, found;
            std::replace(path.begin(), path.end(), '.', '/');
            std::getline(std::ifstream(path), found);
            std::replace(found.begin(), found.end(), '\t', ' ');
            ++lines;
            if (found != value) wrong += line + ": " + found + "\n";
        }
        return wrong + (lines >= 10 ? "many" : "few");
    });
    if (!text || *text == no_right) {
        MESSAGE("SKIPPED: no right to namespaces");
        return;
    }
    CHECK(*text == "many");
}
