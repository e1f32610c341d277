// SPDX-License-Identifier: BSL-1.0
#include "support/fake_root.hpp"
#include "support/run_in_terminal.hpp"
#include "tools/check/check_program.hpp"

#include <doctest/doctest.h>

#include <regex>
#include <sstream>
#include <string>
#include <utility>
#include <vector>

using tests::check;
using tests::fake_root;

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

TEST_CASE("each finding is one line of text, the worst first: code, severity, message, and what to set") {
    fake_root root;
    root.defaults().set("net.ipv4.tcp_rfc1337", "1").set("net.ipv4.tcp_syncookies", "0");
    const auto lines = lines_of(check(root).out);
    REQUIRE(lines.size() > 5);
    CHECK(lines[0].starts_with("Linux 6.18.0, "));
    CHECK(lines[1].empty());
    CHECK(std::regex_match(lines[2], std::regex("CS101 critical  .+ -> set net\\.ipv4\\.tcp_rfc1337=0")));
    CHECK(std::regex_match(lines[3], std::regex("CS201 warning   .+ -> set net\\.ipv4\\.tcp_syncookies=1")));
    for (std::size_t i = 4; i < lines.size() - 2; ++i)
        CHECK(std::regex_match(lines[i], std::regex("CS[0-9]{3} note      .+ -> .+")));
    CHECK(lines[lines.size() - 2].empty());
    CHECK(lines.back().starts_with("1 critical, 1 warning, "));
}

TEST_CASE("--verbose tells of each finding what was seen, what users will see, the fix and the source") {
    fake_root root;
    root.defaults().set("net.ipv4.tcp_rfc1337", "1").set("net.ipv4.tcp_syncookies", "0");
    for (const char* option : {"--verbose", "-v"}) {
        const std::string text = check(root, {option, "--ignore", "CS201,reason=known"}).out;
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

TEST_CASE("on a terminal each finding fits into a line, in colours that can be refused") {
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
    std::size_t findings = 0;
    for (const std::string& line : lines_of(plain)) {
        if (!line.starts_with("CS")) continue;
        CAPTURE(line);
        ++findings;
        CHECK(line.size() <= 80);
        CHECK(line.find(" -> ") != std::string::npos);
    }
    CHECK(findings >= 2);
    CHECK(plain.find("... -> set net.ipv4.tcp_rfc1337=0\n") != std::string::npos);
    CHECK(plain.find("(-v tells") != std::string::npos);
}
