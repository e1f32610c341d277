// SPDX-License-Identifier: BSL-1.0
#include <closeside/host/detail/rule_table.hpp>
#include <closeside/host/key.hpp>

#include "support/fake_root.hpp"
#include "support/in_child.hpp"
#include "tools/check/check_program.hpp"

#include <doctest/doctest.h>
#include <nlohmann/json.hpp>

#include <fstream>
#include <regex>
#include <string>
#include <vector>

namespace host = closeside::host;
using nlohmann::json;
using tests::check;
using tests::check_json;
using tests::fake_root;
using tests::finding;
using tests::program_result;

TEST_CASE("closeside-check ends with 0, 1 or 2 by the worst finding") {
    fake_root root;
    root.defaults();
    CHECK(check(root).status == 0);
    root.set("net.ipv4.tcp_syncookies", "0");
    CHECK(check(root).status == 1);
    root.set("net.ipv4.tcp_rfc1337", "1");
    CHECK(check(root).status == 2);
}

TEST_CASE("closeside-check judges the policies and the exposure that it is told") {
    fake_root root;
    root.defaults().set("net.ipv4.tcp_rfc1337", "1");
    CHECK(check(root, {"--assume", "local"}).status == 2);
    CHECK(check(root, {"--assume", "peer"}).status == 0);
    CHECK(check(root, {"--assume", "abort"}).status == 0);
    for (const char* server : {"system", "nginx", "haproxy", "apache"})
        CHECK(check(root, {"--assume", server}).status == 2);
    CHECK(check(root, {"--assume", "peer", "--assume", "abort"}).status == 0);
    CHECK(check(root, {"--assume", "peer", "--assume", "local"}).status == 2);
    CHECK(check(root, {"--exposure", "nat"}).status == 2);
    CHECK(check(root, {"--exposure", "direct"}).status == 1);
    CHECK(check(root, {"--exposure", "loopback"}).status == 0);
}

TEST_CASE("closeside-check lists an ignored finding for machines, but does not count it") {
    fake_root root;
    root.defaults().set("net.ipv4.tcp_rfc1337", "1").set("net.ipv4.tcp_syncookies", "0");
    CHECK(check(root, {"--ignore", "CS101"}).status == 1);
    CHECK(check(root, {"--ignore", "CS101", "--ignore", "CS201"}).status == 0);
    const json document = check_json(root, {"--ignore", "CS101"});
    CHECK(finding(document, "CS101").at("suppressed") == true);
    CHECK(finding(document, "CS201").at("suppressed") == false);
    CHECK(check(root, {"--ignore", "CS101"}).out.find("CS101") == std::string::npos);
}

TEST_CASE("the JSON of closeside-check has every member that programs rely on") {
    fake_root root;
    root.defaults().set("net.ipv4.tcp_rfc1337", "1").namespaces("net:[4026531840]", "net:[4026531840]");
    const json document = check_json(root);
    CHECK(document.at("kernel") == "6.18.0");
    CHECK(document.at("netns") == 4026531840);

    const json f = document.at("findings").at(0);
    CHECK(f.at("code") == "CS101");
    CHECK(f.at("severity") == "critical");
    CHECK(f.at("keys") == json::array({"net.ipv4.tcp_rfc1337"}));
    CHECK(f.at("observed") == json{{"net.ipv4.tcp_rfc1337", "1"}});
    CHECK(f.at("where").at("net.ipv4.tcp_rfc1337") == root.path() + "/proc/sys/net/ipv4/tcp_rfc1337");
    for (const char* text : {"message", "consequence", "fix", "source"}) CHECK(f.at(text).get<std::string>() != "");
    CHECK(f.at("suppressed") == false);

    CHECK(document.at("values").size() == host::all_keys.size());
    CHECK(document.at("values").at("net.ipv4.tcp_rfc1337") == json{{"status", "present"}, {"value", "1"}});
    CHECK(document.at("values").at("net.ipv4.tcp_tw_recycle") == json{{"status", "absent"}, {"value", nullptr}});
}

TEST_CASE("closeside-check ends in an orderly way whatever stands in the place of a value") {
    fake_root root;
    root.defaults().set("net.ipv4.tcp_syncookies", "1");
    const std::string key = "net.ipv4.tcp_rfc1337";
    SUBCASE("a FIFO") { root.set_fifo(key); }
    SUBCASE("a directory") { root.set_directory(key); }
    SUBCASE("a link to an endless file") { root.set_link(key, "/dev/zero"); }
    SUBCASE("nothing") { root.set_raw(key, ""); }
    SUBCASE("binary") { root.set_raw(key, std::string("\xff\xfe\0\x1b[2J", 8)); }
    SUBCASE("too much") { root.set_raw(key, std::string(5'000'000, '1')); }
    for (const char* format : {"text", "json", "prometheus"}) {
        const program_result r = check(root, {"--format", format});
        CHECK(r.status == 1);
        CHECK(r.err.empty());
        CHECK(r.out.find("CS003") != std::string::npos);
        CHECK(r.out.find('\x1b') == std::string::npos);
    }
    const json document = check_json(root);
    CHECK(document.at("values").at(key).at("status") == "malformed");
    CHECK(finding(document, "CS003").at("message").get<std::string>().find(key) != std::string::npos);
}

TEST_CASE("closeside-check says which key it may not read") {
    fake_root root;
    root.defaults().set_mode("net.ipv4.tcp_rfc1337", 0);
    const auto text = tests::in_unprivileged_child([&] {
        const json document = check_json(root);
        return document.at("values").at("net.ipv4.tcp_rfc1337").at("status").get<std::string>() + " " +
               finding(document, "CS002").at("keys").dump();
    });
    CHECK(text == "denied [\"net.ipv4.tcp_rfc1337\"]");
}

TEST_CASE("closeside-check that cannot look at all says so in one line and ends with 70") {
    const fake_root nothing = fake_root::empty();
    const std::string gone = fake_root::empty().path();
    for (const std::string& root : {nothing.path(), gone}) {
        const program_result r = check({"--root", root, "--format", "json"});
        CHECK(r.status == 70);
        CHECK(r.out.empty());
        CHECK(std::regex_match(r.err, std::regex("closeside-check: [^\n]*No such file[^\n]*--root[^\n]*\n")));
        CHECK(r.err.find(root) != std::string::npos);
    }
}

TEST_CASE("closeside-check answers a wrong argument with one line that names it and the cure, and 64") {
    const struct {
        std::vector<std::string> arguments;
        const char* named;
        const char* cure;
    } cases[] = {
        {{"--assume", "lokal"}, "'lokal'", "local, peer, abort, system, nginx, haproxy or apache"},
        {{"--format", "yaml"}, "'yaml'", "text, json, prometheus or html"},
        {{"--exposure", "lan"}, "'lan'", "nat, direct or loopback"},
        {{"--ignore", "CS999"}, "'CS999'", "CS101"},
        {{"--ignore", "cs101"}, "'cs101'", "CS101"},
        {{"--root", ""}, "''", "proc/"},
        {{"--root"}, "--root", "--help"},
        {{"--nonsense"}, "--nonsense", "--help"},
        {{"nonsense"}, "nonsense", "--help"},
        {{"--format", "json", "--format", "text"}, "--format", "--help"},
        {{"--assume", "a\nb\x1b"}, "'a b '", "local, peer, abort, system, nginx, haproxy or apache"},
    };
    for (const auto& c : cases) {
        const program_result r = check(c.arguments);
        CAPTURE(r.err);
        CHECK(r.status == 64);
        CHECK(r.out.empty());
        CHECK(std::regex_match(r.err, std::regex("closeside-check: [^\n\x1b]*\n")));
        CHECK(r.err.find(c.named) != std::string::npos);
        CHECK(r.err.find(c.cure) != std::string::npos);
    }
}

TEST_CASE("the help of closeside-check and of each command is its own; explain lists the rules") {
    const std::string own_exit = "Exit status: 0 nothing worse than a note";
    const program_result r = check({"--help"});
    CHECK(r.status == 0);
    CHECK(r.out.find(own_exit) != std::string::npos);
    CHECK(r.out.find("CS101") == std::string::npos);
    for (const char* command : {"config", "explain", "states", "suggest"}) {
        CAPTURE(command);
        CHECK(r.out.find("\n  " + std::string(command) + " ") != std::string::npos);
        const program_result own = check({command, "--help"});
        CHECK(own.status == 0);
        CHECK(own.out.find("Usage: closeside-check " + std::string(command)) != std::string::npos);
        CHECK(own.out.find(own_exit) == std::string::npos);
        CHECK(own.out.find("Exit status: 0") != std::string::npos);
    }
    const std::string list = check({"explain"}).out;
    for (const host::detail::rule& rule : host::detail::rule_table)
        CHECK(list.find("\n  " + std::string(rule.code) + "    " + std::string(rule.title) + "\n") !=
              std::string::npos);
}

TEST_CASE("the text of closeside-check is without colour in a pipe, and ends with the count") {
    fake_root root;
    root.defaults().set("net.ipv4.tcp_rfc1337", "1").set("net.ipv4.tcp_syncookies", "0");
    const program_result r = check(root, {"--ignore", "CS201"});
    CHECK(r.out.find('\x1b') == std::string::npos);
    CHECK(r.out.ends_with("\n1 critical, 0 warnings, 1 note, 1 ignored\n"));
}

TEST_CASE("network: closeside-check on the running kernel finds tcp_rfc1337 set in its namespace") {
    const auto text = tests::in_own_network([]() -> std::string {
        std::ofstream("/proc/sys/net/ipv4/tcp_rfc1337") << "1" << std::flush;
        const program_result r = check({"--format", "json"});
        const json document = json::parse(r.out);
        return std::to_string(r.status) + " " + finding(document, "CS101").value("severity", "missing") + " " +
               document.at("values").at("net.ipv4.tcp_max_orphans").at("status").get<std::string>();
    });
    if (!text) {
        MESSAGE("SKIPPED: neither root nor user namespaces give the right to a network namespace");
        return;
    }
    CHECK(*text == "2 critical hidden");
}
