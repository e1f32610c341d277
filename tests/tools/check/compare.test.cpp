// SPDX-License-Identifier: BSL-1.0
#include "support/fake_root.hpp"
#include "tools/check/check_program.hpp"

#include <doctest/doctest.h>
#include <nlohmann/json.hpp>

#include <cstddef>
#include <filesystem>
#include <fstream>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include <sys/stat.h>

using nlohmann::json;
using tests::check;
using tests::check_json;
using tests::content;
using tests::fake_root;
using tests::program_result;

namespace {

std::set<std::string> codes(const json& findings) {
    std::set<std::string> all;
    for (const json& f : findings) all.insert(f.at("code"));
    return all;
}

bool has(const std::string& text, std::string_view part) { return text.find(part) != text.npos; }

/// A host as it was saved, to be changed afterwards.
struct saved_host {
    saved_host() {
        root.defaults().set("net.ipv4.tcp_syncookies", "0").set("net.ipv4.tcp_fin_timeout", "30");
        root.conntrack_defaults();
        CHECK(check(root, {"--save", file}).status == 1);
    }

    /// The error of comparing with a file of that content.
    std::string refused(const std::string& with) {
        std::ofstream(file, std::ios::binary) << with;
        return refusal();
    }

    std::string refusal() {
        const program_result r = check(root, {"--against", file});
        CAPTURE(r.err);
        CHECK(r.status == 70);
        CHECK(r.out.empty());
        CHECK(r.err.starts_with("closeside-check: cannot compare with '" + file + "': "));
        CHECK(r.err.find('\n') == r.err.size() - 1);
        CHECK(r.err.size() < 400);
        return r.err;
    }

    fake_root root;
    std::string file = root.path() + "/saved.json";
};

} // namespace

TEST_CASE_FIXTURE(saved_host, "a look that is the same differs in nothing") {
    const json same = check_json(root, {"--against", file});
    for (const char* list : {"came", "went", "changed"}) CHECK(same.at(list) == json::array());
    for (const char* list : {"values", "circumstances"}) CHECK(same.at(list) == json::object());
    CHECK(same.at("before").at("kernel") == "6.18.0");
    const program_result r = check(root, {"--against", file});
    CHECK(r.status == 1);
    CHECK(has(r.out, "The findings are the same."));
    CHECK(has(r.out, "The values are the same."));
    CHECK(r.out.ends_with("0 came (+), 0 went (-), 0 changed (~); 0 values differ\n"));
}

TEST_CASE_FIXTURE(saved_host, "--against tells which findings came, went and changed, and which values differ") {
    root.kernel("6.19.1").set("net.ipv4.tcp_syncookies", "1").set("net.ipv4.tcp_rfc1337", "1");
    root.set("net.ipv4.tcp_fin_timeout", "20").remove("net.ipv4.tcp_max_orphans");
    root.set("net.ipv4.ip_local_port_range", "1024\t65000").set("net.netfilter.nf_conntrack_count", "7");
    const json found = check_json(root, {"--against", file, "--exposure", "balancer"});
    CHECK(codes(found.at("came")).contains("CS101"));
    CHECK(codes(found.at("went")).contains("CS201"));
    CHECK(codes(found.at("changed")).contains("CS110"));
    CHECK_FALSE(codes(found.at("came")).contains("CS110"));
    CHECK(found.at("values").at("net.ipv4.tcp_rfc1337") == json{{"before", "0"}, {"after", "1"}});
    CHECK(found.at("values").at("net.ipv4.tcp_max_orphans") == json{{"before", "131072"}, {"after", "(hidden)"}});
    CHECK_FALSE(found.at("values").contains("net.netfilter.nf_conntrack_count"));
    CHECK_FALSE(found.at("values").contains("net.ipv4.tcp_timestamps"));
    CHECK(found.at("circumstances").at("kernel") == json{{"before", "6.18.0"}, {"after", "6.19.1"}});
    CHECK(found.at("circumstances").at("exposure") == json{{"before", "nat"}, {"after", "balancer"}});

    const program_result r = check(root, {"--against", file, "--exposure", "balancer"});
    CHECK(r.status == 2);
    CHECK(has(r.out, "\n+ CS101 critical  "));
    CHECK(has(r.out, "\n- CS201 warning   "));
    CHECK(has(r.out, "\n~ CS110 note      "));
    CHECK(has(r.out, "\nnet.ipv4.tcp_fin_timeout: 30 -> 20\n"));
    CHECK(has(r.out, "\nnet.ipv4.ip_local_port_range: 32768 60999 -> 1024 65000\n"));
    CHECK(has(r.out, "Judged otherwise: exposure nat then, balancer now"));
}

TEST_CASE_FIXTURE(saved_host, "a finding that is ignored now has changed, and so has one that is worse") {
    const json ignored = check_json(root, {"--against", file, "--ignore", "CS201"});
    CHECK(codes(ignored.at("changed")) == std::set<std::string>{"CS201"});
    CHECK(ignored.at("changed").at(0).at("after").at("suppressed") == true);
    CHECK(has(check(root, {"--against", file, "--ignore", "CS201"}).out, "is ignored now"));

    root.set("net.ipv4.tcp_rfc1337", "1");
    check(root, {"--save", file, "--exposure", "direct"});
    CHECK(has(check(root, {"--against", file}).out, "was warning, is critical"));
}

TEST_CASE_FIXTURE(saved_host,
                  "a file can be compared with and saved to in one run, and the save is JSON with its format") {
    root.set("net.ipv4.tcp_rfc1337", "1");
    const program_result r = check(root, {"--against", file, "--save", file});
    CHECK(has(r.out, "+ CS101"));
    CHECK(has(check(root, {"--against", file}).out, "0 came (+)"));
    const json saved = json::parse(content(file));
    CHECK(saved.at("closeside_check_save") == 1);
    CHECK(saved.at("taken").get<std::string>().ends_with("Z"));
    CHECK(saved.at("findings") == check_json(root).at("findings"));
    // Written beside the printing, whatever is printed.
    CHECK(check(root, {"--save", file, "--format", "prometheus"}).out.starts_with("# HELP"));
    CHECK(json::parse(content(file)).at("values") == saved.at("values"));
}

TEST_CASE_FIXTURE(saved_host, "a file that is no save is refused by name, with what is wrong with it") {
    const std::string whole = content(file);
    CHECK(has(refused(""), "no JSON"));
    CHECK(has(refused("\x1b[31m\xff\n"), "no JSON"));
    CHECK(has(refused("[]"), "not written by --save"));
    CHECK(has(refused("17"), "not written by --save"));
    CHECK(has(refused(check(root, {"--format", "json"}).out), "not written by --save"));
    CHECK(has(refused(std::string(1'000'000, '[')), "no JSON"));
    CHECK(has(refused(std::string(9'000'000, ' ')), "larger than"));
    for (const std::size_t part : {1u, 2u, 3u, 5u, 9u})
        CHECK(has(refused(whole.substr(0, whole.size() * part / 10)), "no JSON"));
    for (const char* format : {"2", "0", "\"1\"", "1.5", "null", "{}"})
        CHECK(has(refused("{\"closeside_check_save\":" + std::string(format) + "}"), "another format than 1"));

    std::filesystem::remove(file);
    CHECK(has(refusal(), "No such file"));
    std::filesystem::create_directory(file);
    CHECK(has(refusal(), "not a regular file"));
    std::filesystem::remove(file);
    REQUIRE(::mkfifo(file.c_str(), 0644) == 0);
    CHECK(has(refusal(), "not a regular file"));
}

TEST_CASE_FIXTURE(saved_host, "a save with a member missing or of another type is refused, and names it") {
    const json whole = json::parse(content(file));
    for (const char* name : {"findings", "values", "assumed"}) {
        json without = whole;
        without.erase(name);
        CHECK(has(refused(without.dump()), "it has no \"" + std::string(name) + "\""));
        without[name] = 3;
        CHECK(has(refused(without.dump()), "\"" + std::string(name) + "\" is of another type"));
        without[name] = json::array({json::array()});
        CHECK(refused(without.dump()).size() > 0);
    }
    for (const char* name : {"code", "severity", "message", "occurrence", "suppressed", "observed"}) {
        json without = whole;
        without["findings"][0].erase(name);
        CHECK(has(refused(without.dump()), name));
        without["findings"][0][name] = 3;
        CHECK(has(refused(without.dump()), name));
    }
    json odd = whole;
    odd["findings"][0]["severity"] = "fatal";
    CHECK(has(refused(odd.dump()), "'fatal' in it is no severity"));
    odd = whole;
    odd["findings"][0]["observed"]["x"] = nullptr;
    CHECK(has(refused(odd.dump()), "observed"));
    odd = whole;
    odd["values"]["net.ipv4.tcp_rfc1337"] = {{"status", "present"}, {"value", nullptr}};
    CHECK(has(refused(odd.dump()), "value"));
}

TEST_CASE_FIXTURE(saved_host, "what stands in a save cannot steer the terminal, and may be of a newer release") {
    json saved = json::parse(content(file));
    saved["host"] = "\x1b[31mweb\n1";
    saved["kernel"] = "\x1b]0;x";
    saved["assumed"] = {"\x1b[2J"};
    saved["findings"][0]["code"] = "CS\x1b[5m";
    saved["findings"][0]["message"] = "\x1b[2Jgone";
    saved["findings"][0]["when"] = "\x1b[1mlater";
    saved["values"]["net.ipv4.tcp_new\x1b"] = {{"status", "present"}, {"value", "\x1b[7m"}};
    saved["more"] = {{"than", "is known"}};
    std::ofstream(file) << saved.dump();
    const program_result r = check(root, {"--against", file});
    CHECK(r.status == 1);
    CHECK_FALSE(has(r.out, "\x1b"));
    CHECK(has(r.out, "\\x1b[2Jgone"));
    CHECK(has(r.out, "(not looked at)"));
    CHECK(json::parse(check(root, {"--against", file, "--format", "json"}).out).at("went").size() == 1);
}

TEST_CASE_FIXTURE(saved_host, "a save of many members is read in time that grows with its size") {
    json saved = json::parse(content(file));
    for (int i = 0; i < 150'000; ++i) saved["values"]["key" + std::to_string(i)] = {{"status", "absent"}};
    const std::string text = saved.dump();
    REQUIRE(text.size() < 8u << 20);
    std::ofstream(file) << text;
    CHECK(check(root, {"--against", file, "--format", "json"}).status == 1);
}

TEST_CASE_FIXTURE(saved_host, "--save that cannot be written, and --against with metrics, are refused") {
    const program_result r = check(root, {"--save", root.path() + "/none/saved.json"});
    CHECK(r.status == 70);
    CHECK(has(r.err, "cannot write '" + root.path() + "/none/saved.json'"));
    CHECK(r.out.empty());
    CHECK(check(root, {"--save", ""}).status == 64);
    CHECK(check(root, {"--against", ""}).status == 64);
    CHECK(check(root, {"--against", file, "--format", "prometheus"}).status == 64);
}
