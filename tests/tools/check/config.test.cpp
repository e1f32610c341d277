// SPDX-License-Identifier: BSL-1.0
// Runs the program itself; CLOSESIDE_CHECK is its path, defined by CMake.
#include "support/fake_root.hpp"
#include "support/run_program.hpp"

#include <doctest/doctest.h>
#include <nlohmann/json.hpp>

#include <filesystem>
#include <fstream>
#include <string>
#include <utility>
#include <vector>

#include <sys/stat.h>

using nlohmann::json;
using tests::fake_root;

namespace {

const std::string fin = "net.ipv4.tcp_fin_timeout";

tests::program_result config(const fake_root& root, std::vector<std::string> arguments = {}) {
    arguments.insert(arguments.begin(), {CLOSESIDE_CHECK, "config", "--root", root.path()});
    return tests::run_program(std::move(arguments), {"TERM=xterm", "COLUMNS=1000"});
}

json config_json(const fake_root& root) { return json::parse(config(root, {"--format", "json"}).out); }

void put(const fake_root& root, const std::string& path, const std::string& content) {
    const std::filesystem::path file = root.path() + path;
    std::filesystem::create_directories(file.parent_path());
    std::ofstream(file, std::ios::binary) << content;
}

/// As in the design: one value at boot, another by /etc/sysctl.conf, a third now.
void fill(fake_root& root) {
    root.defaults();
    std::filesystem::create_directories(root.path() + "/run/systemd/system");
    put(root, "/etc/sysctl.d/10.conf", fin + " = 20\n");
    put(root, "/etc/sysctl.d/9.conf", "# ours\n\n" + fin + " = 30\n");
    put(root, "/etc/sysctl.conf", fin + " = 25\n");
}

bool holds(const std::string& text, const std::string& part) { return text.find(part) != text.npos; }

} // namespace

TEST_CASE("the JSON of closeside-check config has every member that programs rely on") {
    fake_root root;
    fill(root);
    const json document = config_json(root);
    const json& k = document.at("keys").at(fin);
    CHECK(k.at("live") == "60");
    CHECK(k.at("systemd").at("value") == "30");
    CHECK(k.at("systemd").at("file") == "/etc/sysctl.d/9.conf");
    CHECK(k.at("systemd").at("line") == 3);
    CHECK(k.at("procps").at("value") == "25");
    CHECK(k.at("procps").at("file") == "/etc/sysctl.conf");
    CHECK(k.at("procps").at("line") == 1);
    CHECK(k.at("drift") == true);
    CHECK(k.at("losers").at("systemd").at(0).at("why") == "overridden");
    CHECK(document.at("loader") == "systemd");

    const json& unset = document.at("keys").at("net.ipv4.tcp_rfc1337");
    CHECK(unset.at("systemd") == nullptr);
    CHECK(unset.at("procps") == nullptr);
    CHECK(unset.at("drift") == false);

    bool lost = false;
    for (const json& p : document.at("problems"))
        lost = lost || (p.at("kind") == "lost-at-boot" && p.at("key") == fin && p.at("file") == "/etc/sysctl.conf");
    CHECK(lost);
}

TEST_CASE("closeside-check config ends with 0, 1 or 2 by the worst problem") {
    fake_root root;
    root.defaults();
    CHECK(config(root).status == 0);
    put(root, "/etc/sysctl.d/10.conf", "net.ipv4.tcp_tw_recycle = 1\n");
    CHECK(config(root).status == 1);
    put(root, "/etc/sysctl.d/10.conf", "");
    put(root, "/etc/sysctl.conf", fin + " = 30\n");
    root.set(fin, "30");
    CHECK(config(root).status == 1);
    CHECK(config(root, {"--loader", "procps"}).status == 0);
    CHECK(config(root, {"--loader", "systemd"}).status == 1);
    REQUIRE(::mkfifo((root.path() + "/etc/sysctl.d/20.conf").c_str(), 0644) == 0);
    CHECK(config(root).status == 2);
}

TEST_CASE("closeside-check config says what is wrong with its arguments, and with a root that is none") {
    fake_root root;
    CHECK(config(root, {"--loader", "openrc"}).status == 64);
    CHECK(config(root, {"--format", "prometheus"}).status == 64);
    CHECK(config(root, {"--nothing"}).status == 64);
    const auto nowhere = tests::run_program({CLOSESIDE_CHECK, "config", "--root", "/nowhere/at/all"});
    CHECK(nowhere.status == 70);
    CHECK(holds(nowhere.err, "/nowhere/at/all"));
    CHECK(nowhere.out.empty());
}

TEST_CASE("the text of closeside-check config has the problems first, and a line for each key that a file sets") {
    fake_root root;
    fill(root);
    const std::string text = config(root).out;
    CHECK(holds(text, "warning drift: /etc/sysctl.d/9.conf:3: " + fin));
    CHECK(holds(text, fin + ": now 60; systemd-sysctl 30 by /etc/sysctl.d/9.conf:3; sysctl --system 25 by "
                            "/etc/sysctl.conf:1; DRIFT\n"));
    CHECK(text.find("warning drift") < text.find(fin + ": now"));
    CHECK_FALSE(holds(text, "net.ipv4.tcp_rfc1337"));
    CHECK_FALSE(holds(text, "overridden"));

    const std::string verbose = config(root, {"--verbose"}).out;
    CHECK(holds(verbose, "net.ipv4.tcp_rfc1337: now 0; systemd-sysctl -; sysctl --system -\n"));
    CHECK(holds(verbose, "not 20 by /etc/sysctl.d/10.conf:1: overridden, /etc/sysctl.d/9.conf:3\n"));
    CHECK(holds(verbose, "    /etc/sysctl.conf\n"));
}

TEST_CASE("bytes that are no text reach neither a terminal nor a parser of JSON") {
    fake_root root;
    root.defaults();
    put(root, "/etc/sysctl.d/\x1b[31m\xff.conf", fin + " = \x1b[0m\xfe\nnet.ipv4.\x1b]0;x = 1\n");
    const std::string text = config(root, {"--verbose"}).out;
    CHECK(text.find('\x1b') == text.npos);
    CHECK(text.find('\xff') == text.npos);
    CHECK(config_json(root).at("problems").size() >= 2);
}
