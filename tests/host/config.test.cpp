// SPDX-License-Identifier: BSL-1.0
#include <closeside/host/config.hpp>
#include <closeside/host/detail/sysctl_d/kernel_value.hpp>

#include "config_trees.hpp"

#include "support/fake_root.hpp"

#include <doctest/doctest.h>

#include <cerrno>
#include <filesystem>
#include <fstream>
#include <set>
#include <string>
#include <string_view>
#include <vector>

namespace host = closeside::host;
using host::config_problem_kind;
using config_loss = host::config_key::loss;
using tests::fake_root;
using namespace tests::config_tree_words;

namespace {

/// Makes it a host with the usual keys and this tree.
void fill(tests::fake_root& root, const tests::config_tree& tree) {
    root.defaults();
    for (const char* interface : {"all", "default", "lo"})
        root.set("net.ipv4.conf." + std::string(interface) + ".rp_filter", "0");
    tests::make_tree(root.path(), tree);
}

std::string value_of(const host::config_key::outcome& outcome) { return outcome.winner ? outcome.shown : ""; }

std::vector<config_problem_kind> kinds(const host::config_view& view) {
    std::vector<config_problem_kind> all;
    for (const host::config_problem& p : view.problems) all.push_back(p.kind);
    return all;
}

} // namespace

TEST_CASE("every tree of configuration files comes to what the two loaders would make of it") {
    CHECK(tests::config_trees().size() >= 130);
    std::set<std::string> titles;
    for (const tests::config_tree& tree : tests::config_trees()) {
        CAPTURE(tree.title);
        CHECK(titles.insert(tree.title).second);
        tests::fake_root root;
        fill(root, tree);
        const auto view = host::read_config({.root = root.path()});
        CHECK(view.error == 0);
        for (const auto& [key, systemd, procps] : tree.expected) {
            CAPTURE(key);
            const host::config_key* const found = view.find(key);
            if (!found) {
                CHECK(systemd == "");
                CHECK(procps == "");
                continue;
            }
            CHECK(value_of(found->systemd) == systemd);
            CHECK(value_of(found->procps) == procps);
        }
    }
}

TEST_CASE("the winner and the losers of a key have their files and lines, without the root") {
    fake_root root;
    fill(root, {"",
                {file("etc/sysctl.d/10.conf", "# ours\n$F = 21\n"), file("usr/lib/sysctl.d/10.conf", "$F = 20\n"),
                 file("usr/lib/sysctl.d/90.conf", "\n\n$F = 22\n"), file("etc/sysctl.conf", "$F = 23\n")},
                {}});
    const auto view = host::read_config({.root = root.path()});
    const host::config_key& k = *view.find(fin);
    CHECK(k.live == "60");
    CHECK(k.systemd.winner == host::config_key::setting{"22", "/usr/lib/sysctl.d/90.conf", 3, ""});
    CHECK(k.procps.winner == host::config_key::setting{"23", "/etc/sysctl.conf", 1, ""});
    const host::config_key::loser masked{
        {"20", "/usr/lib/sysctl.d/10.conf", 1, ""}, config_loss::masked, "/etc/sysctl.d/10.conf"};
    CHECK(k.systemd.losers == std::vector{masked, host::config_key::loser{{"21", "/etc/sysctl.d/10.conf", 2, ""},
                                                                          config_loss::overridden,
                                                                          "/usr/lib/sysctl.d/90.conf:3"}});
    CHECK(k.procps.losers.size() == 3);
    CHECK(k.procps.losers.back().by == "/etc/sysctl.conf:1");
    CHECK(view.files ==
          std::vector<std::string>{"/etc/sysctl.d/10.conf", "/usr/lib/sysctl.d/90.conf", "/etc/sysctl.conf"});
}

TEST_CASE("a pattern that loses says to which line, and one that wins says that it is one") {
    fake_root root;
    fill(root, {"",
                lines("net.ipv4.tcp_fin_* = 20\n$F = 21\nnet.ipv4.tcp_tw_reus? = 1\n-net.ipv4.tcp_tw_reuse_delay\n"
                      "net.ipv4.tcp_tw_reuse_* = 5\n"),
                {}});
    const auto view = host::read_config({.root = root.path()});
    const host::config_key::loser& loser = view.find(fin)->systemd.losers.at(0);
    CHECK(loser.why == config_loss::literal);
    CHECK(loser.by == "/etc/sysctl.d/10.conf:2");
    CHECK(loser.setting.pattern == "net/ipv4/tcp_fin_*");
    CHECK(view.find(reuse)->procps.winner->pattern == "net/ipv4/tcp_tw_reus?");
    CHECK(view.find("net.ipv4.tcp_tw_reuse_delay")->procps.losers.at(0).why == config_loss::excluded);
    CHECK(view.find("net.ipv4.tcp_tw_reuse_delay")->systemd.losers.at(0).by == "/etc/sysctl.d/10.conf:4");
}

TEST_CASE("every key that the host check reads is listed, whether a file sets it or not") {
    fake_root root;
    root.defaults();
    const auto view = host::read_config({.root = root.path()});
    CHECK(view.keys.size() == host::all_keys.size());
    for (const host::detail::key_facts& facts : host::detail::key_table) {
        const host::config_key* const k = view.find(facts.name);
        REQUIRE(k);
        CHECK_FALSE(k->systemd.winner);
        CHECK_FALSE(k->procps.winner);
        CHECK_FALSE(k->drift);
    }
    CHECK(view.find("net.ipv4.nothing") == nullptr);
    CHECK(view.problems.empty());
}

TEST_CASE("drift goes by the loader in use, and by what the kernel makes of a value") {
    const auto drift = [](std::string_view live, std::string_view text, host::sysctl_loader loader) {
        fake_root root;
        fill(root, {"", {file("etc/sysctl.d/10.conf", text), file("etc/sysctl.conf", "$F = 23\n")}, {}});
        root.set(fin, live);
        return host::read_config({.root = root.path(), .loader = loader}).find(fin)->drift;
    };
    using enum host::sysctl_loader;
    CHECK(drift("60", "$F = 22\n", systemd));
    CHECK_FALSE(drift("22", "$F = 22\n", systemd));
    CHECK(drift("22", "$F = 22\n", procps));
    CHECK_FALSE(drift("23", "$F = 22\n", procps));
    CHECK_FALSE(drift("24", "$F = 030\n", systemd));
    CHECK(drift("30", "$F = 030\n", systemd));
    CHECK_FALSE(drift("60", "$F = bogus\n", systemd));
}

TEST_CASE("the blanks of a range, the order of a list and the rounding of a tick are no drift") {
    fake_root root;
    fill(root,
         {"",
          lines("$P = 2000   3000\nnet.ipv4.ip_local_reserved_ports = 9,7,8\nnet.ipv4.tcp_invalid_ratelimit = 501\n"),
          {}});
    root.set(range, "2000\t3000").set(reserved, "7-9").set("net.ipv4.tcp_invalid_ratelimit", "504");
    const auto view = host::read_config({.root = root.path()});
    for (const std::string& key : {range, reserved, std::string("net.ipv4.tcp_invalid_ratelimit")}) {
        CAPTURE(key);
        CHECK(view.find(key)->procps.winner);
        CHECK_FALSE(view.find(key)->drift);
    }
    root.set(range, "2000\t3001");
    CHECK(host::read_config({.root = root.path()}).find(range)->drift);
}

TEST_CASE("a value in its plain form is its own, whatever blanks there were around it") {
    using host::detail::sysctl_d::plain;
    CHECK(plain(" 1 2\t03 \n") == "1\t2\t3");
    CHECK(plain("1 2\v") == "1\t2");
    CHECK(plain("\r\f1 2 x \v") == "1 2 x");
    CHECK(plain(" \t\v").empty());
}

TEST_CASE("the loader in use is systemd where systemd has booted, and says how that is known") {
    fake_root root;
    root.defaults();
    const auto look = [&] { return host::read_config({.root = root.path()}); };
    CHECK(look().loader == host::sysctl_loader::procps);
    CHECK_FALSE(look().loader_is_certain);
    std::filesystem::create_directories(root.path() + "/etc/init.d");
    std::ofstream(root.path() + "/etc/init.d/procps") << "#!/bin/sh\n";
    CHECK(look().loader == host::sysctl_loader::procps);
    CHECK(look().loader_is_certain);
    std::filesystem::create_directories(root.path() + "/run/systemd/system");
    CHECK(look().loader == host::sysctl_loader::systemd);
    CHECK(look().loader_reason == "/run/systemd/system is there");
    CHECK(host::read_config({.root = root.path(), .loader = host::sysctl_loader::procps}).loader_reason == "asked for");
}

TEST_CASE("a root that is none is an error, not an exception") {
    CHECK(host::read_config({.root = "/nowhere/at/all"}).error == ENOENT);
    CHECK(host::read_config({.root = "/dev/null"}).error == ENOTDIR);
    CHECK(host::read_config({.root = ""}).error == ENOENT);
    const auto nothing = fake_root::empty();
    const auto view = host::read_config({.root = nothing.path()});
    CHECK(view.error == 0);
    CHECK(view.problems.empty());
}

TEST_CASE("without proc below the root the files are told all the same") {
    const auto root = fake_root::empty();
    tests::make_tree(root.path(), {"", lines("$F = 25\nnet.ipv4.tcp_tw_recycle = 1\nnet.ipv4.tcp_tw_reus* = 1\n"), {}});
    const auto view = host::read_config({.root = root.path()});
    CHECK(view.find(fin)->procps.shown == "25");
    CHECK(view.find(fin)->status == host::key_status::absent);
    CHECK(view.find(reuse)->systemd.shown == "1");
    // Without a procps either, nothing tells whether `sysctl --system` knows patterns.
    CHECK(kinds(view) == std::vector{config_problem_kind::removed_key, config_problem_kind::uncertain_loader,
                                     config_problem_kind::uncertain_loader});
}

TEST_CASE("without proc below the root a star stops at a slash all the same") {
    const auto root = fake_root::empty();
    tests::make_tree(root.path(),
                     {"", lines("net.ipv4* = 21\nnet*fin_timeout = 22\nnet.*.tcp_fin_timeou? = 23\n"), {}});
    const auto view = host::read_config({.root = root.path(), .procps = host::procps_release{}});
    REQUIRE(view.find(fin)->systemd.winner);
    CHECK(view.find(fin)->systemd.shown == "23");
    CHECK(view.find(fin)->systemd.losers.empty());
    CHECK(view.find(fin)->procps.shown == "23");
    CHECK(view.find(fin)->procps.losers.empty());
    CHECK_FALSE(view.find(reuse)->systemd.winner);
}

TEST_CASE("links of a tree stay inside its root") {
    fake_root root;
    fill(root,
         {"",
          {link_to("etc/sysctl.d/10.conf", "/../../../../etc/inside"), file("etc/inside", "$F = 25\n"),
           link_to("run/sysctl.d/20.conf", "../../../../../../../../etc/inside2"), file("etc/inside2", "$R = 1\n")},
          {}});
    const auto view = host::read_config({.root = root.path()});
    CHECK(view.find(fin)->systemd.shown == "25");
    CHECK(view.find(reuse)->systemd.shown == "1");
}

TEST_CASE("sysctl.d may itself be a link, and /lib another directory than /usr/lib") {
    const auto root = fake_root::empty();
    const std::filesystem::path top = root.path();
    std::filesystem::create_directories(top / "lib/sysctl.d");
    std::filesystem::create_directories(top / "etc");
    std::filesystem::create_symlink("/srv/sysctl", top / "etc/sysctl.d");
    std::filesystem::create_directories(top / "srv/sysctl");
    std::ofstream(top / "srv/sysctl/10.conf") << text("$F = 25\n");
    std::ofstream(top / "lib/sysctl.d/20.conf") << text("$R = 1\n");
    const auto view = host::read_config({.root = root.path()});
    CHECK(view.find(fin)->systemd.winner->file == "/etc/sysctl.d/10.conf");
    CHECK(view.find(reuse)->procps.winner->file == "/lib/sysctl.d/20.conf");
    CHECK_FALSE(view.find(reuse)->systemd.winner);
}

TEST_CASE("older releases of procps differ as they do") {
    fake_root root;
    fill(root, {"",
                {file("etc/sysctl.d/10.conf", "net.ipv4.tcp_fin_* = 25\n-net.ipv4.tcp_f*\n"),
                 file("run/sysctl.d/20.conf", "$R = 0\n"), file("etc/sysctl.d/20.conf", "$R = 1\n")},
                {}});
    const auto look = [&](int major, int minor, int patch) {
        return host::read_config({.root = root.path(), .procps = host::procps_release::of(major, minor, patch)});
    };
    CHECK_FALSE(look(4, 0, 5).find(fin)->procps.winner);
    CHECK(look(4, 0, 4).find(fin)->procps.shown == "25");
    CHECK_FALSE(look(3, 3, 17).find(fin)->procps.winner);
    CHECK(look(3, 3, 17).find(reuse)->procps.shown == "1");
    CHECK(look(3, 3, 16).find(reuse)->procps.shown == "0");
}
