// SPDX-License-Identifier: BSL-1.0
// Every text of the tool, on narrow and on wide terminals and in a pipe of a stated width.
#include "support/fake_root.hpp"
#include "support/run_in_terminal.hpp"
#include "tools/check/check_program.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <cstddef>
#include <initializer_list>
#include <regex>
#include <sstream>
#include <string>
#include <vector>

using tests::fake_root;

namespace {

/// With findings of every severity, and files that set, lose and drift.
struct troubled_host {
    troubled_host() {
        root.defaults().set("net.ipv4.tcp_rfc1337", "1").set("net.ipv4.tcp_syncookies", "0");
        root.set("net.ipv4.tcp_fin_timeout", "30").set("net.ipv4.ip_local_port_range", "1024\t1100");
        root.add("proc/net/sockstat", "sockets: used 9\nTCP: inuse 5 orphan 1 tw 7 alloc 8 mem 2\n");
        root.add("run/systemd/system/.keep", "");
        root.add("etc/sysctl.d/10-tuning.conf", "net.ipv4.tcp_fin_timeout = 20\nnet.ipv4.tcp_tw_recycle = 1\n");
        root.add("etc/sysctl.d/99-hardening.conf", "net.ipv4.tcp_rfc1337 = 1\nnet.ipv4.tcp_fin_timeout = 15\n");
        root.add("etc/sysctl.conf", "net.ipv4.tcp_max_tw_buckets = 5000\nnet.ipv4.ip_local_port_range = 1024 65535\n");
        const std::string saved = root.path() + "/saved.json";
        tests::check(root, {"--save", saved});
        root.set("net.ipv4.tcp_timestamps", "0");
        for (std::vector<std::string> command : std::vector<std::vector<std::string>>{
                 {}, {"-v"}, {"--all", "-v"}, {"--watch", "1"}, {"--against", saved}, {"--help"}})
            add({}, command);
        for (const char* name : {"config", "states", "suggest", "explain"}) add({name}, {});
        for (const char* name : {"capacity", "config", "states", "suggest", "explain", "lint", "follow", "top"})
            commands.push_back({name, "--help"});
        commands.push_back({"states"});
        const std::string files = root.path() + "/etc/sysctl.d/";
        commands.push_back({"lint", "--kernel", "4.4", files + "10-tuning.conf", files + "99-hardening.conf"});
        commands.push_back({"follow", "--for", "1"});
        commands.push_back({"top", "--for", "1"});
        add({"capacity"}, {"--closes", "500"});
        add({"capacity"},
            {"--closes", "50000", "--nat-reuse", "1", "--assume", "peer", "--simulate", "--clients", "10"});
        add({"capacity"}, {"--closes", "5000", "--destinations", "3", "--simulate"});
        add({"config"}, {"--verbose"});
        add({"suggest"}, {"--all"});
        for (const char* word : {"tcp_tw_reuse", "CS101", "PAWSTimewait", "time-wait", "counters", "CS406"})
            add({"explain", word}, {});
    }

    void add(std::vector<std::string> command, const std::vector<std::string>& more) {
        command.insert(command.end(), {"--root", root.path()});
        command.insert(command.end(), more.begin(), more.end());
        commands.push_back(command);
    }

    fake_root root;
    std::vector<std::vector<std::string>> commands;
};

std::string joined(const std::vector<std::string>& words) {
    std::string text;
    for (const std::string& word : words) text += word + " ";
    return text;
}

/// The longest line, colours and line ends apart.
std::size_t widest(const std::string& text) {
    std::istringstream lines(std::regex_replace(text, std::regex("\x1b\\[[0-9;]*m|\r"), ""));
    std::size_t most = 0;
    for (std::string line; std::getline(lines, line);) {
        CHECK_FALSE(line.ends_with(' '));
        most = std::max(most, line.size());
    }
    return most;
}

} // namespace

TEST_CASE_FIXTURE(troubled_host, "no line of any text is wider than the terminal, or than COLUMNS says in a pipe") {
    std::size_t used = 0;
    for (const auto& command : commands)
        for (const unsigned short columns : std::initializer_list<unsigned short>{80, 200}) {
            CAPTURE(joined(command));
            CAPTURE(columns);
            std::vector<std::string> with_program(command);
            with_program.insert(with_program.begin(), CLOSESIDE_CHECK);
            // The terminal knows better than the variable.
            const std::string shown = tests::run_in_terminal(with_program, {"TERM=xterm", "COLUMNS=30"}, columns);
            CHECK(shown.size() > 100);
            CHECK(widest(shown) <= columns);
            const tests::program_result piped = tests::check(command, columns);
            CHECK(piped.status <= 2);
            CHECK(widest(piped.out) <= columns);
            used = std::max(used, widest(piped.out));
        }
    // A wide terminal is used.
    CHECK(used > 150);
}

TEST_CASE_FIXTURE(troubled_host, "a pipe without COLUMNS, or with nonsense in it, has 80 columns; help never more") {
    for (const char* columns :
         {"COLUMNS=", "COLUMNS=0", "COLUMNS=-5", "COLUMNS=wide", "COLUMNS=99999999999999999999", "NOTHING=1"}) {
        const auto r = tests::run_program({CLOSESIDE_CHECK, "-v", "--root", root.path()}, {columns});
        CHECK(r.status == 2);
        CHECK(widest(r.out) <= 80);
        CHECK(widest(r.out) > 70);
    }
    CHECK(widest(tests::check({"--help"}, 200).out) <= 80);
    CHECK(widest(tests::check({"states", "--help"}, 200).out) <= 80);
    // Too narrow to write in: 40.
    CHECK(widest(tests::check({"explain", "CS101"}, 1).out) <= 40);
}
