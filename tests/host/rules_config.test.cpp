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

    std::optional<host::finding> find(std::string_view code, const host::program& program = {}) const {
        const auto seen = host::take_snapshot({.root = root.path()});
        const auto config = host::read_config({.root = root.path()});
        const auto findings = host::audit(seen, program, {.config = &config});
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

TEST_CASE("a byte order mark, which no editor shows, is named with its cure") {
    const judged_host key(lines("\xef\xbb\xbf$F = 25\n")), comment(lines("\xef\xbb\xbf# of Windows\n"));
    for (const judged_host* h : {&key, &comment}) {
        const auto problems = host::read_config({.root = h->root.path()}).problems;
        REQUIRE(problems.size() == 1);
        CHECK(holds(problems[0].text, "a byte order mark stands before it: save the file without one"));
        CHECK_FALSE(holds(problems[0].text, "\\xef"));
    }
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

TEST_CASE("CS502: no value is to be set for which another finding, be it a note, would have another") {
    const judged_host short_time(lines("$F = 5\n$R = 1\n"));
    const auto f = short_time.find("CS502");
    REQUIRE(f);
    CHECK(short_time.find("CS112")->severity == severity::note);
    CHECK(f->settings == std::vector<host::finding::setting>{{reuse, "1"}});
    CHECK(holds(f->fix, "/etc/sysctl.d/10.conf:1 out"));

    const judged_host keeps(lines("net.ipv4.tcp_rfc1337 = 1\n"));
    const auto by_peers = keeps.find("CS502", {.policies = {closeside::policies::peer_first}});
    REQUIRE(by_peers);
    CHECK(keeps.find("CS101", {.policies = {closeside::policies::peer_first}})->severity == severity::note);
    CHECK(by_peers->settings.empty());
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

TEST_CASE("CS506: a container with systemd has the modules of its host, which alone can load them") {
    judged_host h(lines("net.netfilter.nf_conntrack_tcp_timeout_time_wait = 120\n"));
    h.root.remove("net.ipv4.tcp_max_orphans");
    const auto f = h.find("CS506");
    REQUIRE(f);
    CHECK(holds(f->message, "only the host can load it"));
    CHECK(f->fix.starts_with("Have the host load `nf_conntrack`"));
    CHECK_FALSE(holds(f->message, "modules-load.d"));
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

namespace {

/// The findings of one time, as "CS101 critical".
std::vector<std::string> told(const judged_host& h, host::moment when) {
    const auto seen = host::take_snapshot({.root = h.root.path()});
    const auto config = host::read_config({.root = h.root.path()});
    std::vector<std::string> all;
    for (const host::finding& f : host::audit(seen, host::program{}, {.config = &config}))
        if (f.when == when && f.severity >= severity::warning && !f.code.starts_with("CS5"))
            all.push_back(std::string(f.code) + " " + to_string(f.severity));
    return all;
}

std::optional<host::finding> at_next_boot(const judged_host& h, std::string_view code) {
    const auto seen = host::take_snapshot({.root = h.root.path()});
    const auto config = host::read_config({.root = h.root.path()});
    for (const host::finding& f : host::audit(seen, host::program{}, {.config = &config}))
        if (f.code == code && f.when == host::moment::next_boot) {
            CHECK(tests::is_complete(f));
            return f;
        }
    return std::nullopt;
}

bool sets(const host::finding& f, std::string_view key, std::string_view value) {
    return std::ranges::any_of(f.settings, [&](const auto& s) { return s.key == key && s.value == value; });
}

} // namespace

TEST_CASE("what the files will make of the host is told as of the next boot, by file and line") {
    judged_host h(lines("# hardening\nnet.ipv4.tcp_rfc1337 = 1\n"));
    CHECK(told(h, host::moment::now) == codes{});
    CHECK(told(h, host::moment::next_boot) == codes{"CS101 critical"});
    const auto f = at_next_boot(h, "CS101");
    REQUIRE(f);
    CHECK(f->message.starts_with(
        "At the next boot, as /etc/sysctl.d/10.conf:2 sets net.ipv4.tcp_rfc1337 to 1 (now 0): The RST"));
    CHECK(f->fix ==
          "Before the next boot take /etc/sysctl.d/10.conf:2 out, or let it set net.ipv4.tcp_rfc1337 to 0, as "
          "it is now");
    REQUIRE(f->observed.size() == 1);
    CHECK(f->observed[0].value == "1");
    CHECK(f->observed[0].where == "/etc/sysctl.d/10.conf:2");
    CHECK(sets(*f, "net.ipv4.tcp_rfc1337", "0"));
    CHECK(f->occurrence == host::occurrence::uncounted);
}

TEST_CASE("what is so now is not told again of the next boot, but if it will be worse") {
    judged_host h(lines("net.ipv4.tcp_rfc1337 = 1\n"));
    h.root.set("net.ipv4.tcp_rfc1337", "1");
    CHECK(told(h, host::moment::now) == codes{"CS101 critical"});
    CHECK(told(h, host::moment::next_boot) == codes{});
    CHECK(holds(h.find("CS101")->fix,
                "and change /etc/sysctl.d/10.conf:1, which sets net.ipv4.tcp_rfc1337 to 1 at boot"));

    judged_host worse(lines("net.ipv4.tcp_fin_timeout = 70\n"));
    worse.root.set("net.ipv4.tcp_fin_timeout", "100");
    CHECK(told(worse, host::moment::next_boot) == codes{"CS111 warning"});

    judged_host cured(lines("net.ipv4.tcp_rfc1337 = 0\n"));
    cured.root.set("net.ipv4.tcp_rfc1337", "1");
    CHECK(told(cured, host::moment::now) == codes{"CS101 critical"});
    CHECK(told(cured, host::moment::next_boot) == codes{});
    CHECK(holds(cured.find("CS101")->fix, "at boot /etc/sysctl.d/10.conf:1 sets net.ipv4.tcp_rfc1337 so already"));
}

TEST_CASE("nobody is told to set what another rule warns of, whatever the files say") {
    judged_host h(lines("net.ipv4.tcp_tw_recycle = 1\n"));
    h.root.kernel("3.10.0-1160.el7.x86_64").set("net.ipv4.tcp_tw_recycle", "0");
    CHECK(told(h, host::moment::next_boot) == codes{"CS102 critical"});
    const auto drift = h.find("CS502");
    REQUIRE(drift);
    CHECK(drift->settings.empty());
    CHECK(drift->fix.starts_with("Take /etc/sysctl.d/10.conf:1 out"));
    CHECK(at_next_boot(h, "CS102")->fix.starts_with("Before the next boot take /etc/sysctl.d/10.conf:1 out"));
}

TEST_CASE("of several values of the files those are set of which no rule warns") {
    judged_host h(lines("net.ipv4.tcp_rfc1337 = 1\nnet.ipv4.tcp_fin_timeout = 30\nnet.ipv4.tcp_syncookies = 0\n"));
    const auto drift = h.find("CS502");
    REQUIRE(drift);
    CHECK(drift->settings == std::vector<host::finding::setting>{{"net.ipv4.tcp_fin_timeout", "30"}});
    CHECK(holds(drift->fix, "10.conf:1"));
    CHECK(holds(drift->fix, "10.conf:3"));
    CHECK_FALSE(holds(drift->fix, "10.conf:2"));
}

TEST_CASE("timestamps that the files turn on under a live tcp_tw_recycle are not set for drift") {
    judged_host h(lines("net.ipv4.tcp_timestamps = 1\n"));
    h.root.kernel("4.9.0").set("net.ipv4.tcp_tw_recycle", "1").set("net.ipv4.tcp_timestamps", "0");
    CHECK(h.find("CS502")->settings.empty());
    CHECK(told(h, host::moment::next_boot).front() == "CS102 critical");
}

TEST_CASE("a port range is set with a blank") {
    judged_host h(lines("net.ipv4.ip_local_port_range = 20000 50000\n"));
    CHECK(sets(*h.find("CS502"), "net.ipv4.ip_local_port_range", "20000 50000"));
}

TEST_CASE("no loss is told of what the boot brings anyway") {
    judged_host h({file("etc/sysctl.conf", "net.ipv4.tcp_syncookies = 1\n$F = 60\n")});
    CHECK(h.codes() == codes{});
}

TEST_CASE("a line of /etc/sysctl.conf that is not in force is no loss") {
    judged_host h({file("etc/sysctl.conf", "$F = 30\n")});
    const auto f = h.find("CS503");
    REQUIRE(f);
    CHECK(f->severity == severity::note);
    CHECK(f->consequence.starts_with("None now"));
    CHECK(told(h, host::moment::next_boot) == codes{});
}

TEST_CASE("nobody is told to keep a line of which a rule warns") {
    judged_host h({file("etc/sysctl.conf", "net.ipv4.tcp_tw_recycle = 1\n")});
    h.root.kernel("4.9.0").set("net.ipv4.tcp_tw_recycle", "1");
    CHECK_FALSE(h.find("CS503"));
    CHECK(told(h, host::moment::now) == codes{"CS102 critical"});
}

TEST_CASE("of a key that comes with a late module CS506 speaks alone, and its value is not foretold") {
    judged_host h(lines("net.netfilter.nf_conntrack_tcp_timeout_time_wait = 5\n"));
    h.root.conntrack_defaults();
    h.root.add("proc/modules", "nf_conntrack 172032 1 - Live 0x0\n");
    CHECK(h.codes() == codes{"CS506"});
    CHECK(told(h, host::moment::next_boot) == codes{});
    std::filesystem::create_directories(h.root.path() + "/etc/modules-load.d");
    std::ofstream(h.root.path() + "/etc/modules-load.d/nf.conf") << "nf_conntrack\n";
    CHECK(h.codes() == codes{"CS502"});
    CHECK(told(h, host::moment::next_boot) == codes{"CS401 warning"});
}

TEST_CASE("a file that nobody applies foretells nothing") {
    judged_host h(lines("net.ipv4.tcp_rfc1337 = 1\n"));
    h.root.remove("net.ipv4.tcp_max_orphans").set("net.ipv4.tcp_orphan_retries", "0");
    std::filesystem::remove_all(h.root.path() + "/run/systemd");
    CHECK(told(h, host::moment::next_boot) == codes{});
}
