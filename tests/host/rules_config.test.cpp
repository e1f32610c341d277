// SPDX-License-Identifier: BSL-1.0
#include <closeside/host/detail/rules/config.hpp>

#include <closeside/host/audit.hpp>
#include <closeside/host/config.hpp>
#include <closeside/host/take_snapshot.hpp>

#include "config_trees.hpp"
#include "judge_host.hpp"

#include "support/fake_root.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace host = closeside::host;
using host::severity;
using tests::fake_root;
using namespace tests::config_tree_words;

namespace {

/// A host that systemd has booted, its snapshot and its files.
struct judged_host {
    fake_root root;

    explicit judged_host(std::vector<tests::tree_entry> entries) {
        root.defaults();
        std::filesystem::create_directories(root.path() + "/run/systemd/system");
        tests::make_tree(root.path(), {"", std::move(entries), {}});
    }

    std::optional<host::finding> find(std::string_view code) const {
        const auto seen = host::take_snapshot({.root = root.path()});
        const auto config = host::read_config({.root = root.path()});
        const auto findings = host::audit(seen, host::program{}, {.config = &config});
        const auto at = std::ranges::find(findings, code, &host::finding::code);
        if (at == findings.end()) return std::nullopt;
        CAPTURE(at->message);
        CHECK(tests::is_complete(*at));
        return *at;
    }

    /// The codes of the rules about files that have something to say.
    std::vector<std::string> codes() const {
        std::vector<std::string> all;
        for (const char* code : {"CS501", "CS502", "CS503", "CS504", "CS505", "CS506", "CS507", "CS508"})
            if (find(code)) all.emplace_back(code);
        return all;
    }
};

using codes = std::vector<std::string>;

bool holds(std::string_view text, std::string_view part) { return text.find(part) != text.npos; }

} // namespace

TEST_CASE("files that agree with the kernel raise none of the rules about files") {
    judged_host h(lines("$F = 25\n"));
    h.root.set(fin, "25");
    CHECK(h.codes() == codes{});
    CHECK(judged_host({}).codes() == codes{});
}

TEST_CASE("where nobody has read the files the rules about them are silent") {
    judged_host h({fifo("etc/sysctl.d/x.conf"), file("etc/sysctl.conf", "$F = 25\nnet.ipv4.tcp_tw_recycle = 1\n")});
    const auto seen = host::take_snapshot({.root = h.root.path()});
    for (const host::finding& f : host::audit(seen, host::program{})) CHECK_FALSE(f.code.starts_with("CS5"));
}

TEST_CASE("CS501: a removed key is a note, a renamed one a warning") {
    const auto removed = judged_host(lines("net.ipv4.tcp_tw_recycle = 1\n")).find("CS501");
    REQUIRE(removed);
    CHECK(removed->severity == severity::note);
    CHECK(removed->keys == std::vector<std::string>{"net.ipv4.tcp_tw_recycle"});
    CHECK(holds(removed->message, "/etc/sysctl.d/10.conf:1"));
    const auto renamed = judged_host(lines("net.ipv4.ip_conntrack_max = 9\n")).find("CS501");
    REQUIRE(renamed);
    CHECK(renamed->severity == severity::warning);
    CHECK(judged_host(lines("# net.ipv4.tcp_tw_recycle = 1\n")).codes() == codes{});
}

TEST_CASE("CS502: drift names both values, and sets that of the files") {
    judged_host h(lines("$F = 25\n"));
    const auto f = h.find("CS502");
    REQUIRE(f);
    CHECK(f->severity == severity::warning);
    CHECK(f->settings == std::vector<host::finding::setting>{{fin, "25"}});
    CHECK(holds(f->fix, "systemctl restart systemd-sysctl"));
    h.root.set(fin, "25");
    CHECK(h.codes() == codes{});
}

TEST_CASE("CS502: drift of a key that has nothing to do with closing is left to closeside-check config") {
    judged_host h(lines("net.ipv4.ip_forward = 1\n"));
    h.root.set("net.ipv4.ip_forward", "0");
    CHECK(h.codes() == codes{});
}

TEST_CASE("CS503: what only /etc/sysctl.conf sets is lost at the next boot") {
    judged_host h({file("etc/sysctl.conf", "$F = 25\n")});
    h.root.set(fin, "25");
    CHECK(h.codes() == codes{"CS503"});
    CHECK(h.find("CS503")->severity == severity::warning);
    CHECK(holds(h.find("CS503")->fix, "/etc/sysctl.d/"));
    std::filesystem::create_symlink("../sysctl.conf", h.root.path() + "/etc/sysctl.d/99-sysctl.conf");
    CHECK(h.codes() == codes{});
}

TEST_CASE("CS503: on a host that procps sets up, it is a note") {
    judged_host h({file("etc/sysctl.conf", "$F = 25\n"), file("etc/init.d/procps", "")});
    h.root.set(fin, "25");
    std::filesystem::remove_all(h.root.path() + "/run/systemd");
    CHECK(h.find("CS503")->severity == severity::note);
}

TEST_CASE("CS504: the loaders disagree") {
    judged_host h(lines("$R = 1\n- $R = 2\n"));
    CHECK(h.codes() == codes{"CS504"});
    CHECK(holds(h.find("CS504")->message, "sysctl --system"));
    CHECK(judged_host(lines("$R = 1\n-$R = 2\n")).codes() == codes{});
}

TEST_CASE("CS505: the kernel refuses a value") {
    judged_host h(lines("$R = 3\n"));
    CHECK(h.codes() == codes{"CS505"});
    CHECK(holds(h.find("CS505")->message, "0 to 2"));
    CHECK(judged_host(lines("$R = 2\n")).codes() == codes{});
}

TEST_CASE("CS506: a conntrack key is set before its module is loaded") {
    judged_host h(lines("net.netfilter.nf_conntrack_tcp_timeout_time_wait = 120\n"));
    CHECK(h.codes() == codes{"CS506"});
    std::filesystem::create_directories(h.root.path() + "/etc/modules-load.d");
    std::ofstream(h.root.path() + "/etc/modules-load.d/nf.conf") << "nf_conntrack\n";
    CHECK_FALSE(h.find("CS506"));
}

TEST_CASE("CS507: a FIFO is critical, a link to nothing a note") {
    CHECK(judged_host({fifo("etc/sysctl.d/x.conf")}).find("CS507")->severity == severity::critical);
    CHECK(judged_host({link_to("etc/sysctl.d/x.conf", "/nowhere")}).find("CS507")->severity == severity::note);
    CHECK(judged_host({link_to("etc/sysctl.d/x.conf", "x.conf")}).find("CS507")->severity == severity::warning);
    CHECK(judged_host({link_to("etc/sysctl.d/x.conf", "/dev/null")}).codes() == codes{});
}

TEST_CASE("CS508: lines that set nothing are listed, the first of them in full") {
    const auto f = judged_host(lines("$F 25\nexport $F=25\nnet.ipv4.tcp_fin_timeot=25\n$F: 25\n")).find("CS508");
    REQUIRE(f);
    CHECK(f->severity == severity::note);
    CHECK(holds(f->message, "and 1 more"));
    CHECK(judged_host(lines("# $F 25\n")).codes() == codes{});
}

TEST_CASE("in a container, whose files nobody applies, the rules about files are silent") {
    judged_host h(
        {file("etc/sysctl.conf", "$F = 25\n"), file("etc/sysctl.d/10.conf", "$R = 3\n"), fifo("etc/sysctl.d/20.conf")});
    CHECK(h.codes().size() == 3);
    h.root.remove("net.ipv4.tcp_max_orphans");
    std::filesystem::remove_all(h.root.path() + "/run/systemd");
    CHECK(h.codes() == codes{});
}
