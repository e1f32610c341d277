// SPDX-License-Identifier: BSL-1.0
// Which loader applies the files, of which release, and who else writes.
#include <closeside/host/audit.hpp>
#include <closeside/host/config.hpp>
#include <closeside/host/take_snapshot.hpp>

#include "config_trees.hpp"

#include "support/fake_root.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>

namespace host = closeside::host;
using host::config_problem_kind, host::severity;
using tests::fake_root;
using namespace tests::config_tree_words;

namespace {

host::config_view look(const fake_root& root) { return host::read_config({.root = root.path()}); }

std::optional<host::config_problem> find(const host::config_view& view, config_problem_kind kind) {
    const auto at = std::ranges::find(view.problems, kind, &host::config_problem::kind);
    return at == view.problems.end() ? std::nullopt : std::optional(*at);
}

bool holds(std::string_view text, std::string_view part) { return text.find(part) != text.npos; }

/// OpenRC with BusyBox, as Alpine has it.
fake_root& alpine(fake_root& root) {
    root.defaults()
        .add("bin/busybox", "")
        .add("sbin/openrc-run", "")
        .add("etc/init.d/sysctl", "#!/sbin/openrc-run\n")
        .add("etc/runlevels/boot/.keep", "");
    std::filesystem::create_symlink("/bin/busybox", root.path() + "/sbin/sysctl");
    std::filesystem::create_symlink("/etc/init.d/sysctl", root.path() + "/etc/runlevels/boot/sysctl");
    return root;
}

fake_root& booted_by_systemd(fake_root& root) {
    std::filesystem::create_directories(root.path() + "/run/systemd/system");
    return root.defaults();
}

} // namespace

TEST_CASE("Alpine reads what packages bring, then /etc/sysctl.d, /etc/sysctl.conf, and /run last") {
    fake_root root;
    alpine(root)
        .add("lib/sysctl.d/00-alpine.conf", text("$F = 21\n$R = 1\n"))
        .add("usr/lib/sysctl.d/99-late.conf", text("$F = 22\n"))
        .add("etc/sysctl.d/10.conf", text("$F = 23\n"));
    host::config_view view = look(root);
    CHECK(view.loader == host::sysctl_loader::busybox);
    CHECK(view.loader_is_certain);
    CHECK(host::take_snapshot({.root = root.path()}).loader == host::sysctl_loader::busybox);
    CHECK(view.find(fin)->busybox.shown == "23");
    CHECK(view.find(fin)->busybox.winner->file == "/etc/sysctl.d/10.conf");
    CHECK(view.find(reuse)->busybox.shown == "1");
    CHECK(view.find(fin)->drift);

    root.add("etc/sysctl.conf", text("$F = 24\n"));
    CHECK(look(root).find(fin)->busybox.shown == "24");
    root.add("run/sysctl.d/50.conf", text("$F = 25\n"));
    CHECK(look(root).find(fin)->busybox.shown == "25");
    // A file of that name in /etc or /run hides the one of a package.
    root.add("etc/sysctl.d/00-alpine.conf", "");
    view = look(root);
    CHECK_FALSE(view.find(reuse)->busybox.winner);
    CHECK(view.find(reuse)->busybox.losers.at(0).why == host::config_key::loss::masked);
    CHECK(std::ranges::find(view.files, "/run/sysctl.d/50.conf") == view.files.end() - 1);
}

TEST_CASE("what Alpine's files set is put in force by its start script, but not what a rule warns of") {
    fake_root root;
    alpine(root).add("etc/sysctl.d/10.conf", text("$F = 25\n"));
    const auto fix = [&] {
        const host::config_view view = look(root);
        for (const host::finding& f : host::audit(host::take_snapshot({.root = root.path()}), {}, {.config = &view}))
            if (f.code == "CS502") return f.fix;
        return std::string();
    };
    CHECK(holds(fix(), "run `rc-service sysctl restart` as root"));
    root.add("run/sysctl.d/20.conf", "net.ipv4.tcp_rfc1337 = 1\n"); // which procps does not read last
    CHECK(holds(fix(), "Take /run/sysctl.d/20.conf:1 out"));
}

TEST_CASE("/etc/sysctl.conf is lost on no host that OpenRC boots") {
    fake_root root;
    alpine(root).add("etc/sysctl.conf", text("$F = 25\n"));
    root.set(fin, "25");
    CHECK(look(root).problems.empty());
    // Gentoo: the same script with procps.
    std::filesystem::remove(root.path() + "/sbin/sysctl");
    root.add("sbin/sysctl", "");
    CHECK(look(root).loader == host::sysctl_loader::procps);
    CHECK(look(root).loader_is_certain);
    CHECK(look(root).problems.empty());
    // Nothing starts the script.
    std::filesystem::remove(root.path() + "/etc/runlevels/boot/sysctl");
    CHECK_FALSE(look(root).loader_is_certain);
    CHECK(holds(look(root).loader_reason, "no runlevel"));
}

TEST_CASE("BusyBox cuts a line at #, splits at blanks, and takes no carriage return off") {
    fake_root root;
    alpine(root).add("etc/sysctl.d/10.conf", text("$F = 25 # half\n$R 1\n-net.ipv4.tcp_syncookies = 0\n"
                                                  "net.ipv4.tcp_rfc1337 == 1\nnet.ipv4.tcp_timestamps = 0\r\n"
                                                  "net.ipv4.tcp_abort*=1\n; net.ipv4.tcp_orphan_retries=1\n"));
    const host::config_view view = look(root);
    CHECK(view.find(fin)->busybox.shown == "25");
    CHECK(view.find(reuse)->busybox.shown == "1");
    CHECK(view.find("net.ipv4.tcp_rfc1337")->busybox.shown == "1");
    CHECK_FALSE(view.find("net.ipv4.tcp_syncookies")->busybox.winner);
    CHECK_FALSE(view.find("net.ipv4.tcp_abort_on_overflow")->busybox.winner);
    CHECK_FALSE(view.find("net.ipv4.tcp_orphan_retries")->busybox.winner);
    CHECK(find(view, config_problem_kind::refused_value)->key == "net.ipv4.tcp_timestamps");
    CHECK_FALSE(find(view, config_problem_kind::no_setting));
}

TEST_CASE("the release of procps is that of its package, or of its library") {
    const struct {
        const char* file;
        std::string content;
        const char* name;
        bool takes_away;
    } cases[] = {
        {"var/lib/dpkg/status", "Package: a\nVersion: 1\n\nPackage: procps\nStatus: ok\nVersion: 2:4.0.2-3\n", "4.0.2",
         false},
        {"var/lib/dpkg/status", "Package: procps\nVersion: 2:4.0.5-1\n\nPackage: z\nVersion: 9\n", "4.0.5", true},
        {"lib/apk/db/installed", "C:x\nP:procps-ng\nV:4.0.4-r2\n\n", "4.0.4", false},
        {"var/lib/pacman/local/procps-ng-4.0.5-3/desc", "", "4.0.5", true},
        {"usr/lib/x86_64-linux-gnu/libproc2.so.0.0.2", "", "4.0.0 to 4.0.4", false},
        {"usr/lib64/libproc2.so.1.0.0", "", "4.0.5 or later", true},
    };
    for (const auto& c : cases) {
        CAPTURE(c.name);
        fake_root root;
        booted_by_systemd(root)
            .add(c.file, c.content)
            .add("etc/sysctl.d/10.conf", "net.ipv4.tcp_fin* = 25\n-net.ipv4.tcp_f*\n");
        const host::config_view view = look(root);
        CHECK(view.procps == c.name);
        CHECK(view.find(fin)->procps.winner.has_value() != c.takes_away);
        CHECK_FALSE(find(view, config_problem_kind::uncertain_loader));
    }
}

TEST_CASE("where the release of procps is not known and matters, both answers are given") {
    fake_root root;
    booted_by_systemd(root).add("etc/sysctl.d/10.conf", "net.ipv4.tcp_fin* = 25\n-net.ipv4.tcp_f*\n");
    const auto p = find(look(root), config_problem_kind::uncertain_loader);
    REQUIRE(p);
    CHECK(p->severity == severity::note);
    CHECK(p->key == fin);
    CHECK(holds(p->text, "nothing by 4.0.5 and later"));
    CHECK(holds(p->text, "'25' by 4.0.0 to 4.0.4"));
    fake_root plain;
    booted_by_systemd(plain).add("etc/sysctl.d/10.conf", text("$F = 25\n"));
    CHECK_FALSE(find(look(plain), config_problem_kind::uncertain_loader));
}

TEST_CASE("what tuned sets is named as the one who changed it, and comes again") {
    fake_root root;
    booted_by_systemd(root)
        .add("etc/tuned/active_profile", "throughput\n")
        .add("usr/lib/tuned/throughput/tuned.conf", "[main]\nsummary=x\ninclude=base\n[sysctl]\n" + text("$F = 40\n"))
        .add("usr/lib/tuned/base/tuned.conf",
             "[sysctl]\n" + text("$F = 41\n$R=1\n") + "net.ipv4.tcp_mem=${f:x}\n[vm]\n")
        .add("etc/sysctl.d/10.conf", text("$F = 25\n"))
        .set(fin, "40");
    const host::config_view view = look(root);
    REQUIRE(view.find(fin)->tuned);
    CHECK(view.find(fin)->tuned->value == "40");
    CHECK(view.find(reuse)->tuned->file == "/usr/lib/tuned/base/tuned.conf");
    const auto p = find(view, config_problem_kind::drift);
    REQUIRE(p);
    CHECK(p->severity == severity::note);
    CHECK(holds(p->text, "tuned sets it after the boot, by /usr/lib/tuned/throughput/tuned.conf:5"));
    root.set(fin, "39");
    CHECK(find(look(root), config_problem_kind::drift)->severity == severity::warning);
}

TEST_CASE("a module that comes late is one problem, not two that contradict one another") {
    fake_root root;
    booted_by_systemd(root)
        .conntrack_defaults()
        .add("proc/modules", "nf_conntrack 1 0 - Live 0x0\n")
        .add("etc/sysctl.d/10.conf", "net.netfilter.nf_conntrack_tcp_timeout_time_wait = 60\n");
    const host::config_view view = look(root);
    REQUIRE(view.problems.size() == 1);
    CHECK(view.problems[0].kind == config_problem_kind::before_module);
    CHECK(holds(view.problems[0].text, "now the kernel has '120'"));

    // As sysctl.d(5) recommends: the files are applied when the module comes.
    root.add("etc/udev/rules.d/99-bridge.rules", "ACTION==\"add\", SUBSYSTEM==\"module\", KERNEL==\"nf_conntrack\", "
                                                 "RUN+=\"/usr/lib/systemd/systemd-sysctl --prefix=/net/netfilter\"\n");
    CHECK(look(root).problems.size() == 1);
    CHECK(look(root).problems[0].kind == config_problem_kind::drift);
    root.set("net.netfilter.nf_conntrack_tcp_timeout_time_wait", "60");
    CHECK(look(root).problems.empty());
    root.add("etc/udev/rules.d/99-bridge.rules", "# KERNEL==\"nf_conntrack\", RUN+=\"/sbin/sysctl --system\"\n");
    CHECK(look(root).problems.size() == 1);
}

TEST_CASE("a line of /etc/sysctl.conf that sets the kernel's own default is not lost with it") {
    fake_root root;
    booted_by_systemd(root).add("etc/sysctl.conf", "net.ipv4.tcp_syncookies = 1\nnet.ipv4.tcp_fin_timeout = 30\n");
    const host::config_view view = look(root);
    REQUIRE(view.problems.size() == 1);
    CHECK(view.problems[0].kind == config_problem_kind::lost_at_boot);
    CHECK(view.problems[0].key == fin);
    CHECK_FALSE(holds(view.problems[0].text, "which the kernel has now"));
    root.set(fin, "30");
    CHECK(holds(look(root).problems.at(0).text, "which the kernel has now"));
}

TEST_CASE("no control character of a file is in any value or message") {
    fake_root root;
    booted_by_systemd(root)
        .add("etc/sysctl.d/10\x1b[31m.conf",
             "net.ipv4.tcp_fin_timeout = 1\x1b[2J\nnet.ipv4.tcp_\x07rfc = 1\x7f\n"
             "net.ipv4.\x1b]0;x\x07 no equals\n-net.ipv4.tcp\x08*\nexport net.ipv4.x\x0b=1\n")
        .add("etc/sysctl.d/20.conf", "net.ipv4.tcp_fin* = 3\x01\nnet.ipv4.conf.\x1b.rp_filter = \x02\n");
    const host::config_view view = look(root);
    std::string all;
    const auto take = [&](const host::config_key::outcome& o) {
        all += o.shown;
        if (o.winner) all += o.winner->value + o.winner->file + o.winner->pattern;
        for (const auto& l : o.losers) all += l.by + l.setting.value + l.setting.file + l.setting.pattern;
    };
    for (const host::config_key& k : view.keys) {
        all += k.name + k.live;
        take(k.systemd);
        take(k.procps);
    }
    for (const host::config_problem& p : view.problems) all += p.key + p.file + p.text;
    for (const std::string& file : view.files) all += file;
    CHECK(holds(all, "\\x1b"));
    CHECK(std::ranges::none_of(all, [](char c) { return (c >= '\0' && c < ' ' && c != '\t') || c == '\x7f'; }));
}
