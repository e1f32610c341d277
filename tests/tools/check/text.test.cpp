// SPDX-License-Identifier: BSL-1.0
#include <closeside/host/detail/rule_table.hpp>

#include "support/fake_root.hpp"
#include "support/run_in_terminal.hpp"
#include "tools/check/check_program.hpp"

#include <doctest/doctest.h>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <cstddef>
#include <regex>
#include <sstream>
#include <string>
#include <utility>
#include <vector>

namespace host = closeside::host;
using nlohmann::json;
using tests::check;
using tests::check_json;
using tests::fake_root;
using tests::finding;

namespace {

std::vector<std::string> lines_of(const std::string& text) {
    std::vector<std::string> lines;
    std::istringstream in(text);
    for (std::string line; std::getline(in, line);) lines.push_back(line);
    return lines;
}

/// What a terminal of 80 columns shows, its line ends apart.
std::string in_terminal(const fake_root& root, std::vector<std::string> environment = {"TERM=xterm"}) {
    std::string text = tests::run_in_terminal({CLOSESIDE_CHECK, "--root", root.path()}, std::move(environment), 80);
    std::erase(text, '\r');
    return text;
}

const std::regex colours("\x1b\\[[0-9;]*m");

} // namespace

TEST_CASE("each finding has its title first, then what was seen, then what to set; the worst first") {
    fake_root root;
    root.defaults().set("net.ipv4.tcp_rfc1337", "1").set("net.ipv4.tcp_syncookies", "0");
    const auto lines = lines_of(check(root).out);
    REQUIRE(lines.size() > 9);
    CHECK(lines[0].starts_with("Linux 6.18.0, "));
    CHECK(lines[1].empty());
    CHECK(lines[2] == "CS101 critical  " + std::string(host::detail::find_rule("CS101")->title));
    CHECK(lines[3].starts_with("                The RST "));
    CHECK(lines[4] == "                -> set net.ipv4.tcp_rfc1337=0");
    CHECK(lines[5].empty());
    CHECK(lines[6] == "CS201 warning   " + std::string(host::detail::find_rule("CS201")->title));
    CHECK(lines[8] == "                -> set net.ipv4.tcp_syncookies=1");
    CHECK(lines.back().starts_with("1 critical, 1 warning, "));
}

TEST_CASE("notes that hold on any default host are one line, and told in full if asked for") {
    fake_root root;
    SUBCASE("of a host") { root.defaults(); }
    SUBCASE("of a host that tracks flows") { root.defaults().conntrack_defaults(); }
    SUBCASE("of a container") {
        root.defaults().remove("net.ipv4.tcp_max_orphans").namespaces("net:[4026532001]", "net:[4026531840]");
    }
    for (const char* exposure : {"nat", "balancer", "direct", "loopback"})
        for (const char* assumed : {"local", "peer", "abort"}) {
            CAPTURE(exposure);
            CAPTURE(assumed);
            const std::vector<std::string> arguments{"--exposure", exposure, "--assume", assumed};
            const auto folded = lines_of(check(root, arguments).out);
            // The head, a blank line, the folded notes if there are any, the sum.
            CHECK(folded.size() <= 4);
            std::size_t notes = 0;
            for (const json& f : check_json(root, arguments).at("findings")) {
                CHECK(f.at("standing") == true);
                CHECK(f.at("severity") == "note");
                ++notes;
            }
            if (notes == 0) continue;
            CHECK(folded[2].starts_with(std::to_string(notes) + " standing note"));
            std::vector<std::string> all(arguments);
            all.emplace_back("--all");
            const std::string told = check(root, all).out;
            CHECK(told.find("standing note") == std::string::npos);
            for (const json& f : check_json(root, arguments).at("findings"))
                CHECK(told.find(f.at("message").get<std::string>()) != std::string::npos);
        }
}

TEST_CASE("--verbose tells of each finding what was seen, what users will see, the fix and the source") {
    fake_root root;
    root.defaults().set("net.ipv4.tcp_rfc1337", "1").set("net.ipv4.tcp_syncookies", "0");
    for (const char* option : {"--verbose", "-v"}) {
        const std::string text = check(root, {option, "--ignore", "CS201,reason=known"}).out;
        CHECK(text.find("CS101 critical  " + std::string(host::detail::find_rule("CS101")->title) + "\n") !=
              std::string::npos);
        for (const char* label : {"\n  what ", "\n  seen ", "\n  effect ", "\n  fix ", "\n  source "})
            CHECK(text.find(label) != std::string::npos);
        CHECK(text.find("\nCS201 warning ignored for good: known\n") != std::string::npos);
        CHECK(text.find("\n1 critical, 0 warnings, ") != std::string::npos);
        CHECK(text.ends_with(", 1 ignored\n"));
    }
    CHECK(check(root).out.find("  source ") == std::string::npos);
}

TEST_CASE("a fix names the place where the setting has to be made") {
    fake_root root;
    root.defaults().set("net.ipv4.tcp_rfc1337", "1").remove("net.ipv4.tcp_max_orphans");
    root.namespaces("net:[4026532001]", "net:[4026531840]");
    CHECK(check(root).out.find("-> set net.ipv4.tcp_rfc1337=0\n") != std::string::npos);
}

TEST_CASE("of a drift it is said first which line has to go, not what to set beside it") {
    fake_root root;
    root.defaults().add("run/systemd/system/.keep", "");
    root.add("etc/sysctl.d/9.conf", "net.ipv4.tcp_rfc1337 = 1\nnet.ipv4.tcp_fin_timeout = 30\n");
    std::string text = check(root).out;
    std::ranges::replace(text, '\n', ' ');
    text.erase(std::ranges::unique(text, [](char a, char b) { return a == ' ' && b == ' '; }).begin(), text.end());
    CHECK(text.find("-> Take /etc/sysctl.d/9.conf:1 out") != std::string::npos);
    CHECK(text.find("-> set net.ipv4.tcp_fin_timeout=30") == std::string::npos);
}

TEST_CASE("the text for a person has neither C++ nor an escape sequence for a tab in it") {
    fake_root root;
    root.defaults().set("net.ipv4.tcp_rfc1337", "1").set("net.ipv4.tcp_fin_timeout", "30");
    root.set("net.ipv4.ip_local_port_range", "1024\t1100").set("net.ipv4.tcp_tw_reuse", "1");
    root.set("net.ipv4.tcp_max_tw_buckets", "100");
    root.add("etc/sysctl.d/60-range.conf", "net.ipv4.ip_local_port_range = 1024\t65535\n");
    for (const char* exposure : {"nat", "balancer"})
        for (const auto& arguments : {std::vector<std::string>{"-v", "--all"}, {"--connects-per-second", "900"}}) {
            std::vector<std::string> all(arguments);
            all.insert(all.end(), {"--exposure", exposure});
            const std::string text = check(root, all).out;
            CHECK(text.find("1024 1100") != std::string::npos);
            CHECK(text.find("\\x09") == std::string::npos);
            CHECK(std::regex_replace(text, std::regex("::1"), "").find("::") == std::string::npos);
            CHECK(text.find("this program") == std::string::npos);
            CHECK(text.find("This program") == std::string::npos);
        }
}

TEST_CASE("on a terminal a finding keeps to its width, in colours that can be refused") {
    fake_root root;
    root.defaults().set("net.ipv4.tcp_rfc1337", "1").set("net.ipv4.tcp_syncookies", "0");
    const std::string coloured = in_terminal(root);
    CHECK(coloured.find("\x1b[1;31mCS101 critical") != std::string::npos);
    CHECK(in_terminal(root, {"TERM=xterm", "NO_COLOR="}).find('\x1b') != std::string::npos);
    for (const auto& plainly : {std::vector<std::string>{"TERM=xterm", "NO_COLOR=1"}, {"TERM=dumb"}, {}}) {
        const std::string text = in_terminal(root, plainly);
        CHECK(text.find("CS101") != std::string::npos);
        CHECK(text.find('\x1b') == std::string::npos);
    }

    const std::string plain = std::regex_replace(coloured, colours, "");
    for (const std::string& line : lines_of(plain)) {
        CAPTURE(line);
        CHECK(line.size() <= 80);
    }
    CHECK(plain.find("\n                -> set net.ipv4.tcp_rfc1337=0\n") != std::string::npos);
    CHECK(plain.find("(-v tells") != std::string::npos);
    // Nothing of what the title and the message say is left out.
    const std::string words = std::regex_replace(plain, std::regex("\\s+"), " ");
    const json critical = finding(check_json(root), "CS101");
    CHECK(words.find(" " + std::string(host::detail::find_rule("CS101")->title) + " " +
                     critical.at("message").get<std::string>()) != std::string::npos);
}

TEST_CASE("what only the next boot brings is told as that, in text and in JSON, and counts") {
    fake_root root;
    root.defaults()
        .add("run/systemd/system/.keep", "")
        .add("etc/sysctl.d/9.conf", "# copied\nnet.ipv4.tcp_rfc1337 = 1\n");
    const tests::program_result r = check(root);
    CHECK(r.status == 2);
    CHECK(r.out.find("CS101 critical  at the next boot: " + std::string(host::detail::find_rule("CS101")->title)) !=
          std::string::npos);
    CHECK(r.out.find("-> Before the next boot take /etc/sysctl.d/9.conf:2 out") != std::string::npos);
    CHECK(r.out.find("set net.ipv4.tcp_rfc1337=1") == std::string::npos);
    const json document = check_json(root);
    const json f = finding(document, "CS101");
    REQUIRE(f.is_object());
    CHECK(f.at("when") == "next boot");
    CHECK(f.at("observed").at("net.ipv4.tcp_rfc1337") == "1");
    CHECK(f.at("where").at("net.ipv4.tcp_rfc1337") == "/etc/sysctl.d/9.conf:2");
    CHECK(finding(document, "CS502").at("when") == "now");
}
