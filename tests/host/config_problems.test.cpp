// SPDX-License-Identifier: BSL-1.0
#include <closeside/host/config.hpp>
#include <closeside/host/detail/sysctl_d/file_content.hpp>
#include <closeside/host/detail/sysctl_d/file_problems.hpp>
#include <closeside/host/detail/sysctl_d/path_in_root.hpp>

#include "config_trees.hpp"

#include "support/fake_root.hpp"
#include "support/in_child.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <cerrno>
#include <filesystem>
#include <fstream>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

namespace host = closeside::host;
using host::config_problem_kind, host::severity;
using tests::fake_root;
using namespace tests::config_tree_words;

namespace {

/// A host that systemd has booted, with the usual keys and these entries.
class booted_host {
public:
    explicit booted_host(std::vector<tests::tree_entry> entries) {
        root_.defaults();
        std::filesystem::create_directories(root_.path() + "/run/systemd/system");
        tests::make_tree(root_.path(), {"", std::move(entries), {}});
    }

    fake_root& root() { return root_; }
    host::config_view look() const { return host::read_config({.root = root_.path()}); }

private:
    fake_root root_;
};

std::optional<host::config_problem> find(const host::config_view& view, config_problem_kind kind) {
    const auto at = std::ranges::find(view.problems, kind, &host::config_problem::kind);
    return at == view.problems.end() ? std::nullopt : std::optional(*at);
}

/// The one problem there is; fails the test if there are others.
host::config_problem only(const host::config_view& view) {
    REQUIRE(view.problems.size() == 1);
    return view.problems[0];
}

host::config_problem only(std::vector<tests::tree_entry> entries) {
    return only(booted_host(std::move(entries)).look());
}

bool holds(std::string_view text, std::string_view part) { return text.find(part) != text.npos; }

} // namespace

TEST_CASE("a host whose files and keys agree has no problem") {
    booted_host h(lines("$F = 25\n"));
    h.root().set(fin, "25");
    CHECK(h.look().problems.empty());
}

TEST_CASE("a removed key is named with its release, at its file and line") {
    const auto p = only(lines("# old\nnet.ipv4.tcp_tw_recycle = 1\n"));
    CHECK(p.kind == config_problem_kind::removed_key);
    CHECK(p.severity == severity::warning);
    CHECK(p.key == "net.ipv4.tcp_tw_recycle");
    CHECK(p.file == "/etc/sysctl.d/10.conf");
    CHECK(p.line == 2);
    CHECK(holds(p.text, "4.12"));
}

TEST_CASE("a key that this kernel still has is not called removed") {
    booted_host h(lines("net.ipv4.tcp_tw_recycle = 1\n"));
    h.root().kernel("4.11.0").set("net.ipv4.tcp_tw_recycle", "1");
    CHECK(h.look().problems.empty());
    h.root().remove("net.ipv4.tcp_tw_recycle").remove("net.ipv4.tcp_max_orphans");
    CHECK(only(h.look()).kind == config_problem_kind::hidden_key);
}

TEST_CASE("a renamed key is named with its name of today") {
    const auto p = only(lines("net.ipv4.netfilter.ip_conntrack_tcp_timeout_time_wait = 60\n"));
    CHECK(p.kind == config_problem_kind::renamed_key);
    CHECK(holds(p.text, "net.netfilter.nf_conntrack_tcp_timeout_time_wait"));
    CHECK(holds(only(lines("net.ipv4.ip_conntrack_max = 60000\n")).text, "net.netfilter.nf_conntrack_max"));
}

TEST_CASE("a misspelt key is told with the one that is near to it") {
    const auto p = only(lines("net.ipv4.tcp_fin_timeot = 30\n"));
    CHECK(p.kind == config_problem_kind::unknown_key);
    CHECK(holds(p.text, "net.ipv4.tcp_fin_timeout is near to it"));
    CHECK_FALSE(holds(only(lines("net.ipv4.entirely_different = 30\n")).text, "near"));
}

TEST_CASE("the key of an interface that is not there yet is no mistake") {
    CHECK(booted_host(lines("net.ipv4.conf.eth7.rp_filter = 1\n")).look().problems.empty());
    CHECK(booted_host(lines("net.mptcp.enabled = 1\n")).look().problems.empty());
}

TEST_CASE("in a child namespace an unknown key is perhaps the host's") {
    booted_host h(lines("net.core.netdev_max_backlog = 5000\n"));
    CHECK(only(h.look()).kind == config_problem_kind::unknown_key);
    h.root().remove("net.ipv4.tcp_max_orphans");
    CHECK(only(h.look()).kind == config_problem_kind::hidden_key);
    CHECK(only(h.look()).severity == severity::note);
}

TEST_CASE("what is no key is told, and only where neither loader finds one in the line") {
    for (const char* line : {"export $F=25\n", "! $F = 25\n", "/proc/sys/$f = 25\n", "NET.IPV4.TCP_FIN_TIMEOUT=1\n",
                             "\xef\xbb\xbf$F = 25\n", "---$F = 25\n"}) {
        CAPTURE(line);
        CHECK(only(lines(line)).kind == config_problem_kind::malformed_key);
    }
    for (const char* line : {"- $F = 25\n", "--$F = 25\n"}) {
        CAPTURE(line);
        CHECK_FALSE(find(booted_host(lines(line)).look(), config_problem_kind::malformed_key));
    }
}

TEST_CASE("a line without an equals sign is told, but not a thousand of them") {
    const auto p = only(lines("$F 25\n"));
    CHECK(p.kind == config_problem_kind::no_setting);
    CHECK(p.line == 1);
    CHECK(holds(p.text, "net.ipv4.tcp_fin_timeout 25"));
    std::string many;
    for (int i = 0; i != 1000; ++i) many += "nothing\n";
    CHECK(booted_host(lines(many)).look().problems.size() == 8);
}

TEST_CASE("a value that the kernel refuses is told once, with what it takes") {
    const auto p = only(lines("$R = 3\n"));
    CHECK(p.kind == config_problem_kind::refused_value);
    CHECK(p.key == reuse);
    CHECK(holds(p.text, "0 to 2"));
    CHECK(only(lines("$P = 1024-65000\n")).kind == config_problem_kind::refused_value);
    CHECK(only(lines("net.ipv4 = 1\n")).kind == config_problem_kind::refused_value);
}

TEST_CASE("a key that nobody can write to is told as a note") {
    booted_host h(lines("net.ipv4.tcp_ehash_entries = 1024\n"));
    h.root().set_mode("net.ipv4.tcp_ehash_entries", 0444);
    const auto p = only(h.look());
    CHECK(p.kind == config_problem_kind::read_only_key);
    CHECK(p.severity == severity::note);
}

TEST_CASE("what only /etc/sysctl.conf sets is lost at the next boot of systemd") {
    booted_host h({file("etc/sysctl.conf", "$F = 25\n")});
    h.root().set(fin, "25");
    const auto p = only(h.look());
    CHECK(p.kind == config_problem_kind::lost_at_boot);
    CHECK(p.severity == severity::warning);
    CHECK(p.file == "/etc/sysctl.conf");
    CHECK(holds(p.text, "lost at the next boot"));

    booted_host linked(
        {file("etc/sysctl.conf", "$F = 25\n"), link_to("etc/sysctl.d/99-sysctl.conf", "../sysctl.conf")});
    linked.root().set(fin, "25");
    CHECK(linked.look().problems.empty());

    std::filesystem::remove_all(h.root().path() + "/run/systemd");
    CHECK(only(h.look()).severity == severity::warning);
    std::filesystem::create_directories(h.root().path() + "/etc/init.d");
    std::ofstream(h.root().path() + "/etc/init.d/procps") << "#!/bin/sh\n";
    CHECK(only(h.look()).severity == severity::note);
}

TEST_CASE("two loaders that set different values are told") {
    booted_host h(lines("$F = 25\n$F = 26 x\n$R = 1\n- $R = 2\n"));
    h.root().set(fin, "26").set(reuse, "2");
    const auto p = only(h.look());
    CHECK(p.kind == config_problem_kind::loaders_disagree);
    CHECK(p.key == reuse);
    CHECK(holds(p.text, "'2'"));
    CHECK(holds(p.text, "'1'"));
}

TEST_CASE("drift is told with both values") {
    const auto p = only(lines("$F = 25\n"));
    CHECK(p.kind == config_problem_kind::drift);
    CHECK(holds(p.text, "'60'"));
    CHECK(holds(p.text, "'25'"));
    CHECK(p.file == "/etc/sysctl.d/10.conf");
}

TEST_CASE("a conntrack key is applied too early unless its module is loaded before, or built in") {
    const std::string key = "net.netfilter.nf_conntrack_tcp_timeout_time_wait";
    booted_host h(lines(key + " = 60\n"));
    CHECK(only(h.look()).kind == config_problem_kind::before_module);
    CHECK(holds(only(h.look()).text, "is not loaded"));

    h.root().set(key, "60").set("net.netfilter.nf_conntrack_count", "0");
    CHECK(h.look().problems.empty()); // built in

    std::ofstream(h.root().path() + "/proc/modules") << "nf_conntrack 172032 4 xt_conntrack,nf_nat, Live 0x0\n";
    CHECK(only(h.look()).kind == config_problem_kind::before_module);
    CHECK(holds(only(h.look()).text, "/etc/modules-load.d/"));

    std::filesystem::create_directories(h.root().path() + "/etc/modules-load.d");
    std::ofstream(h.root().path() + "/etc/modules-load.d/x.conf") << "# nf_conntrack\n";
    CHECK(find(h.look(), config_problem_kind::before_module));
    std::ofstream(h.root().path() + "/etc/modules-load.d/x.conf") << "\n nf-conntrack\n";
    CHECK(h.look().problems.empty());
}

TEST_CASE("files that are none are told, and none of them holds the look up") {
    const auto fifo_found = only({fifo("etc/sysctl.d/x.conf")});
    CHECK(fifo_found.kind == config_problem_kind::dangerous_file);
    CHECK(fifo_found.severity == severity::critical);
    CHECK(fifo_found.file == "/etc/sysctl.d/x.conf");
    CHECK(only({link_to("etc/sysctl.d/x.conf", "x.conf")}).kind == config_problem_kind::unreadable_file);
    CHECK(only({link_to("etc/sysctl.d/x.conf", "/nowhere")}).kind == config_problem_kind::dangling_link);
    CHECK(only({directory("etc/sysctl.d/x.conf")}).kind == config_problem_kind::unreadable_file);
    CHECK(booted_host({link_to("etc/sysctl.d/x.conf", "/dev/null")}).look().problems.empty());
    CHECK(booted_host({file("etc/sysctl.d/x.conf", "")}).look().problems.empty());
    CHECK(booted_host(
              {fifo("etc/sysctl.d/x.conf.save"), fifo("usr/lib/sysctl.d/y.conf"), file("etc/sysctl.d/y.conf", "")})
              .look()
              .problems.empty());
}

TEST_CASE("devices are not opened") {
    booted_host h({file("etc/sysctl.d/y.conf", "")});
    const std::string null = h.root().path() + "/etc/sysctl.d/null.conf",
                      full = h.root().path() + "/etc/sysctl.d/full.conf";
    if (::mknod(full.c_str(), S_IFCHR | 0666, ::makedev(1, 7)) != 0 ||
        ::mknod(null.c_str(), S_IFCHR | 0666, ::makedev(1, 3)) != 0) {
        MESSAGE("skipped: it needs the right to make devices");
        return;
    }
    const auto p = only(h.look());
    CHECK(p.kind == config_problem_kind::dangerous_file);
    CHECK(p.file == "/etc/sysctl.d/full.conf");
}

TEST_CASE("a file that this process may not read is told, for the loaders may") {
    booted_host h({file("etc/sysctl.d/x.conf", "$F = 25\n", 0)});
    const std::string found = tests::in_unprivileged_child([&] {
        const auto view = h.look();
        return view.problems.size() == 1 && view.problems[0].kind == config_problem_kind::unreadable_file &&
                       view.problems[0].file == "/etc/sysctl.d/x.conf" && !view.find(fin)->systemd.winner
                   ? std::string("told")
                   : std::to_string(view.problems.size()) + " problems";
    });
    CHECK(found == "told");
}

TEST_CASE("a file that fails in the middle of reading is told") {
    // Reading the memory of a process from address 0 on fails with EIO.
    host::detail::sysctl_d::located itself;
    itself.directory =
        host::detail::sysctl_d::owned_descriptor(::open("/proc/thread-self", O_PATH | O_DIRECTORY | O_CLOEXEC));
    itself.name = "mem";
    const auto content = host::detail::sysctl_d::read_once(itself);
    CHECK(content.state == host::detail::sysctl_d::file_state::failed);
    CHECK(content.error == EIO);
}

TEST_CASE("a file that is written to while it is read is told") {
    using namespace host::detail::sysctl_d;
    fake_root root = fake_root::empty();
    root.add("x.conf", "# \n");
    const owned_descriptor directory(::open(root.path().c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC));
    int written = 0, most = 0;
    // A writer that gets its turn once each time that the file is read, before the reader has reached the end.
    const auto read = [&](int file, void* into, std::size_t size) {
        const ssize_t n = ::read(file, into, size);
        if (::lseek(file, 0, SEEK_CUR) == n && written != most)
            std::ofstream(root.path() + "/x.conf", std::ios::app) << "net.ipv4.tcp_fin_timeout = " << ++written << "\n";
        return n;
    };
    const auto problems = [&](int times) {
        written = 0;
        most = times;
        host::config_view view;
        judge_content(view, "/x.conf", read_file(directory.get(), "/x.conf", most_bytes_of_a_file, read));
        return view.problems;
    };
    CHECK(problems(0).empty());
    // It is read anew: what it says then counts.
    CHECK(problems(1).empty());
    const auto told = problems(1'000'000);
    REQUIRE(told.size() == 1);
    CHECK(told[0].kind == config_problem_kind::changing_file);
    CHECK(problems(0).empty());
}

TEST_CASE("of a huge file the beginning is looked at") {
    const std::string huge(3 * 1024 * 1024, '#');
    booted_host h(lines("$F = 25\n" + huge + "\n$F = 26\n"));
    h.root().set(fin, "25");
    CHECK(only(h.look()).kind == config_problem_kind::oversized);
    CHECK(h.look().find(fin)->systemd.shown == "25");
}

TEST_CASE("of too many lines the first are looked at") {
    std::string repeated;
    for (int i = 0; i != 30000; ++i) repeated += fin + "=25\n";
    booted_host h(lines(repeated));
    h.root().set(fin, "25");
    const auto view = h.look();
    CHECK(only(view).kind == config_problem_kind::oversized);
    CHECK(view.find(fin)->procps.losers.size() == 64);
}

TEST_CASE("of too many files the first are looked at") {
    booted_host h({});
    for (int i = 0; i != 5000; ++i) std::ofstream(h.root().path() + "/usr/lib/sysctl.d/" + std::to_string(i) + ".conf");
    const auto p = only(h.look());
    CHECK(p.kind == config_problem_kind::oversized);
    CHECK(p.file == "/usr/lib/sysctl.d");
}

TEST_CASE("patterns that would take for ever do not") {
    std::string patterns;
    for (int i = 0; i != 1000; ++i)
        patterns += "net.*.*zz" + std::to_string(i) + "* = 1\n-net.*zz" + std::to_string(i) + "*\n";
    CHECK(only(lines(patterns)).kind == config_problem_kind::oversized);
    std::string braces = "net.ipv4.*";
    for (int i = 0; i != 200; ++i) braces += "{a,b}";
    CHECK(booted_host(lines(braces + " = 1\n")).look().problems.empty());
    std::string stars = "net.ipv4.";
    for (int i = 0; i != 100; ++i) stars += "*t";
    CHECK(booted_host(lines(stars + "x = 1\n")).look().problems.empty());
}

TEST_CASE("problems come the worst first, then by file and line") {
    const auto view = booted_host({fifo("usr/lib/sysctl.d/z.conf"), directory("etc/sysctl.d/a.conf"),
                                   file("etc/sysctl.d/b.conf", "nothing\n$R = 3\n")})
                          .look();
    REQUIRE(view.problems.size() == 4);
    CHECK(view.problems[0].kind == config_problem_kind::dangerous_file);
    CHECK(view.problems[1].kind == config_problem_kind::no_setting);
    CHECK(view.problems[2].kind == config_problem_kind::refused_value);
    CHECK(view.problems[3].severity == severity::note);
}
