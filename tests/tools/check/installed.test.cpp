// SPDX-License-Identifier: BSL-1.0
// What is installed beside the program: manual page, completions, units. CHECK_FILES is the tool's directory; MANDOC,
// SYSTEMD_ANALYZE, BASH, ZSH and FISH are paths of programs, empty if they are not installed. Defined by CMake.
#include "support/temporary_directory.hpp"
#include "tools/check/check_program.hpp"

#include <doctest/doctest.h>
#include <nlohmann/json.hpp>

#include <cstddef>
#include <filesystem>
#include <regex>
#include <set>
#include <sstream>
#include <string>
#include <string_view>
#include <vector>

using tests::content;
using tests::program_result;

namespace {

const std::string files = CHECK_FILES;

/// The first group of each match.
std::set<std::string> matches(const std::string& text, const std::string& pattern) {
    const std::regex expression(pattern);
    std::set<std::string> all;
    for (std::sregex_iterator m(text.begin(), text.end(), expression), end; m != end; ++m) all.insert((*m)[1]);
    return all;
}

std::set<std::string> commands() {
    const std::string help = tests::check({"--help"}, 80).out;
    const std::size_t begin = help.find("Subcommands:");
    return matches(help.substr(begin, help.find("\n\n", begin) - begin), "\n  ([a-z]+) ");
}

std::set<std::string> options(const std::vector<std::string>& command) {
    std::vector<std::string> arguments(command);
    arguments.emplace_back("--help");
    return matches(tests::check(arguments, 80).out, "\n  (?:-[a-z],)?(--[a-z][a-z0-9-]*)");
}

/// In an environment of its own, in which the program is found by name.
program_result run(std::vector<std::string> arguments) {
    const std::string directory = std::filesystem::path(CLOSESIDE_CHECK).parent_path();
    const tests::temporary_directory home;
    return tests::run_program(arguments,
                              {"PATH=" + directory + ":/usr/bin:/bin", "HOME=" + home.path("."), "TERM=dumb"});
}

bool is_missing(std::string_view program, const char* package) {
    if (!program.empty()) return false;
    MESSAGE("SKIPPED: " << package << " is not installed");
    return true;
}

/// What one shell offers for a command line that ends in the word to be completed.
using completer = std::set<std::string> (*)(const std::vector<std::string>&);

void check_completion(completer offered) {
    CHECK(offered({"closeside-check", ""}) == commands());
    CHECK(offered({"closeside-check", "stat"}) == std::set<std::string>{"states"});
    CHECK(offered({"closeside-check", "--"}) == options({}));
    for (const std::string& command : commands()) {
        CAPTURE(command);
        CHECK(offered({"closeside-check", command, "--"}) == options({command}));
    }
    CHECK(offered({"closeside-check", "--exposure", ""}) ==
          std::set<std::string>{"balancer", "direct", "loopback", "nat"});
    CHECK(offered({"closeside-check", "--fail-on", ""}) == std::set<std::string>{"critical", "note", "warning"});
    CHECK(offered({"closeside-check", "states", "--format", ""}) ==
          std::set<std::string>{"json", "prometheus", "text"});
    CHECK(offered({"closeside-check", "--watch", ""}).empty());
    CHECK(offered({"closeside-check", "--assume", ""}).contains("peer"));
    CHECK(offered({"closeside-check", "config", "--loader", ""}).contains("procps"));
    CHECK(offered({"closeside-check", "capacity", "--nat-choice", ""}) ==
          std::set<std::string>{"random", "sequential"});
    CHECK(offered({"closeside-check", "capacity", "--closes", ""}).empty());
    CHECK(offered({"closeside-check", "--ignore", "CS10"}).contains("CS101"));
    CHECK_FALSE(offered({"closeside-check", "--ignore", "CS10"}).contains("CS201"));
    CHECK(offered({"closeside-check", "explain", "tcp_rfc"}) == std::set<std::string>{"tcp_rfc1337"});
    CHECK(offered({"closeside-check", "explain", "net.ipv4.tcp_rfc"}) == std::set<std::string>{"net.ipv4.tcp_rfc1337"});
    for (const char* word : {"CS101", "PAWSTimewait", "time-wait", "counters"})
        CHECK(offered({"closeside-check", "explain", word}) == std::set<std::string>{word});
    CHECK(offered({"closeside-check", "--save", files + "/ma"}).size() > 1);
}

std::set<std::string> lines_of(const program_result& r) {
    CAPTURE(r.err);
    CHECK(r.err.empty());
    std::set<std::string> lines;
    std::istringstream in(r.out);
    // fish tells more behind a tab.
    for (std::string line; std::getline(in, line);) lines.insert(line.substr(0, line.find('\t')));
    lines.erase("");
    return lines;
}

std::set<std::string> offered_by_bash(const std::vector<std::string>& words) {
    std::vector<std::string> arguments{BASH, "--norc", "-uc",
                                       "source \"$0\"; COMP_WORDS=(\"$@\"); COMP_CWORD=$(($# - 1)); COMPREPLY=(); "
                                       "_closeside_check; printf '%s\\n' \"${COMPREPLY[@]-}\"",
                                       files + "/completions/closeside-check.bash"};
    arguments.insert(arguments.end(), words.begin(), words.end());
    return lines_of(run(arguments));
}

/// compadd and _files work inside zsh's line editor only; these stand for them.
std::set<std::string> offered_by_zsh(const std::vector<std::string>& words) {
    std::vector<std::string> arguments{
        ZSH, "-fc",
        "compdef() { }; compadd() { shift; print -l -- ${(M)@:#$words[CURRENT]*} }; "
        "_files() { print -l -- $words[CURRENT]*(N) }; file=$1; shift; words=(\"$@\"); CURRENT=$#; "
        "source $file; _closeside-check",
        "zsh", files + "/completions/_closeside-check"};
    arguments.insert(arguments.end(), words.begin(), words.end());
    return lines_of(run(arguments));
}

std::set<std::string> offered_by_fish(const std::vector<std::string>& words) {
    std::string line;
    for (const std::string& word : words) line += (line.empty() ? "" : " ") + word;
    std::set<std::string> all = lines_of(run({FISH, "--no-config", "-c", "source $argv[1]; complete -C $argv[2]",
                                              files + "/completions/closeside-check.fish", line}));
    return all;
}

} // namespace

TEST_CASE("the manual page names every command and every option of each") {
    std::string page = content(files + "/man/closeside-check.1");
    page = std::regex_replace(page, std::regex("\\\\-"), "-");
    const std::set<std::string> described = matches(page, "Fl (-[a-z][a-z0-9-]*)");
    CHECK(commands().size() >= 4);
    std::set<std::string> all = options({});
    for (const std::string& command : commands()) {
        CAPTURE(command);
        CHECK(page.find(".Ss " + command + "\n") != std::string::npos);
        all.merge(options({command}));
    }
    CHECK(all.size() > 20);
    for (const std::string& option : all) {
        CAPTURE(option);
        CHECK(described.contains(option.substr(1)));
    }
    // And none that there is not.
    for (const std::string& option : described) {
        CAPTURE(option);
        CHECK(all.contains("-" + option));
    }
}

TEST_CASE("mandoc finds nothing to say about the manual page") {
    if (is_missing(MANDOC, "mandoc")) return;
    const program_result r = tests::run_program({MANDOC, "-T", "lint", files + "/man/closeside-check.1"});
    std::istringstream lines(r.out + r.err);
    for (std::string line; std::getline(lines, line);)
        // Whether the pages that it refers to are installed here.
        if (line.find("mandoc.db") == line.npos && line.find("referenced manual not found") == line.npos)
            FAIL_CHECK(line);
}

TEST_CASE("systemd understands the units whole") {
    if (is_missing(SYSTEMD_ANALYZE, "systemd-analyze")) return;
    const tests::temporary_directory directory;
    // It looks for the program where distributions install it.
    const std::string service =
        std::regex_replace(content(files + "/systemd/closeside-check.service"),
                           std::regex("ExecStart=closeside-check "), std::string("ExecStart=") + CLOSESIDE_CHECK + " ");
    REQUIRE(service.find(CLOSESIDE_CHECK) != std::string::npos);
    const std::string service_file = directory.write("closeside-check.service", service);
    const std::string timer =
        directory.write("closeside-check.timer", content(files + "/systemd/closeside-check.timer"));
    const auto verify = [&] {
        return tests::run_program({SYSTEMD_ANALYZE, "verify", "--man=no", service_file, timer}, {"PATH=/usr/bin:/bin"});
    };
    const program_result r = verify();
    CHECK(r.status == 0);
    CHECK(r.out + r.err == "");
    directory.write("closeside-check.service", service + "ProtectHom=yes\n");
    CHECK(verify().err.find("ProtectHom") != std::string::npos);
}

TEST_CASE("bash completes commands, options, values, codes, keys and files") {
    if (is_missing(BASH, "bash")) return;
    check_completion(offered_by_bash);
}

TEST_CASE("zsh completes commands, options, values, codes, keys and files") {
    if (is_missing(ZSH, "zsh")) return;
    check_completion(offered_by_zsh);
}

TEST_CASE("fish completes commands, options, values, codes, keys and files") {
    if (is_missing(FISH, "fish")) return;
    check_completion(offered_by_fish);
}
