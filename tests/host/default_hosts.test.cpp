// SPDX-License-Identifier: BSL-1.0
// Hosts as they are installed: nobody is warned of what he has not done.
#include <closeside/host/audit.hpp>
#include <closeside/host/config.hpp>
#include <closeside/host/detail/kernel_defaults.hpp>
#include <closeside/host/take_snapshot.hpp>

#include "config_trees.hpp"

#include "support/fake_root.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <cstddef>
#include <functional>
#include <string>
#include <vector>

namespace host = closeside::host;
using tests::fake_root;
using namespace tests::config_tree_words;

namespace {

/// The keys of that release at their defaults, and others that the files of distributions set.
void boot(fake_root& root, const std::string& release, bool conntrack = false) {
    const auto kernel = host::detail::parse_kernel_version(release).value();
    root.kernel(release);
    for (const host::detail::key_history& h : host::detail::key_histories)
        if (has_key(h, kernel) && (conntrack || !host::detail::is_conntrack(h.id)))
            root.set(to_string(h.id), default_of(h, kernel));
    for (const char* const interface : {"all", "default", "lo", "eth0"})
        for (const char* const key : {"rp_filter", "accept_source_route", "promote_secondaries", "accept_redirects",
                                      "send_redirects", "forwarding"})
            root.set("net.ipv4.conf." + std::string(interface) + "." + key, "0");
    root.set("net.core.default_qdisc", "pfifo_fast")
        .set("net.ipv4.ping_group_range", "1\t0")
        .set("net.ipv4.ip_forward", "0");
}

void add(fake_root& root, std::vector<tests::tree_entry> entries) {
    tests::make_tree(root.path(), {"", std::move(entries), {}});
}

void systemd(fake_root& root) { root.add("run/systemd/system/.keep", ""); }

/// As a child namespace of that release shows it.
void contain(fake_root& root, const std::string& release) {
    const auto kernel = host::detail::parse_kernel_version(release).value();
    for (const host::detail::key_facts& facts : host::detail::key_table)
        if (facts.per_namespace_since && kernel < *facts.per_namespace_since) root.remove(facts.name);
    root.namespaces("net:[4026532001]", "net:[4026531840]");
}

struct installed_host {
    std::string name;
    std::function<void(fake_root&)> install;
    bool read_only = false;
};

const std::string systemd_defaults =
    "net.ipv4.conf.default.rp_filter = 2\nnet.ipv4.conf.*.rp_filter = 2\n"
    "-net.ipv4.conf.all.rp_filter\n-net.ipv4.conf.*.accept_source_route\n"
    "net.ipv4.conf.default.promote_secondaries = 1\nnet.ipv4.conf.*.promote_secondaries = 1\n"
    "-net.ipv4.ping_group_range = 0 2147483647\n-net.core.default_qdisc = fq_codel\n";

void red_hat(fake_root& root, const std::string& release) {
    boot(root, release);
    systemd(root);
    // Of initscripts: the rule applies the keys of the bridge when its module comes.
    add(root, {file("usr/lib/sysctl.d/00-system.conf", "net.bridge.bridge-nf-call-ip6tables = 0\n"
                                                       "net.bridge.bridge-nf-call-iptables = 0\n"),
               file("usr/lib/udev/rules.d/99-bridge.rules",
                    "ACTION==\"add\", SUBSYSTEM==\"module\", KERNEL==\"br_netfilter\", "
                    "RUN+=\"/usr/lib/systemd/systemd-sysctl --prefix=/net/bridge\"\n"),
               file("usr/lib/sysctl.d/50-default.conf", "kernel.sysrq = 16\nnet.ipv4.conf.default.rp_filter = 1\n"
                                                        "net.ipv4.conf.default.accept_source_route = 0\n"),
               file("etc/sysctl.conf", "# sysctl settings are defined through files in\n"),
               link_to("etc/sysctl.d/99-sysctl.conf", "../sysctl.conf")});
}

void debian(fake_root& root, const std::string& release, bool links_sysctl_conf) {
    boot(root, release);
    systemd(root);
    add(root, {file("usr/lib/sysctl.d/50-pid-max.conf", "kernel.pid_max = 4194304\n"),
               file("usr/lib/sysctl.d/99-protect-links.conf", "fs.protected_hardlinks = 1\n")});
    if (links_sysctl_conf)
        add(root, {file("etc/sysctl.conf", "#net.ipv4.tcp_syncookies=1\n#net.ipv4.ip_forward=1\n"),
                   link_to("etc/sysctl.d/99-sysctl.conf", "../sysctl.conf")});
}

void ubuntu(fake_root& root, const std::string& release) {
    debian(root, release, true);
    add(root, {file("etc/sysctl.d/10-network-security.conf",
                    "net.ipv4.conf.default.rp_filter=1\nnet.ipv4.conf.all.rp_filter=1\nnet.ipv4.tcp_syncookies=1\n"),
               file("etc/sysctl.d/10-console-messages.conf", "kernel.printk = 4 4 1 7\n")});
    for (const char* const interface : {"all", "default"})
        root.set("net.ipv4.conf." + std::string(interface) + ".rp_filter", "1");
}

void alpine(fake_root& root) {
    boot(root, "6.6.31-0-lts");
    root.set("net.ipv4.conf.default.rp_filter", "1").set("net.ipv4.ping_group_range", "999\t59999");
    add(root, {file("lib/sysctl.d/00-alpine.conf", "net.ipv4.tcp_syncookies = 1\nnet.ipv4.conf.default.rp_filter = 1\n"
                                                   "net.ipv4.ping_group_range=999 59999\nkernel.panic = 120\n"),
               file("etc/sysctl.conf", "# content of this file will override /etc/sysctl.d/*\n"),
               file("bin/busybox", ""), file("etc/init.d/sysctl", "#!/sbin/openrc-run\n"), file("sbin/openrc-run", ""),
               link_to("sbin/sysctl", "/bin/busybox"), link_to("etc/runlevels/boot/sysctl", "/etc/init.d/sysctl")});
}

const std::vector<installed_host> hosts{
    {"CentOS 7",
     [](fake_root& r) {
         red_hat(r, "3.10.0-1160.119.1.el7.x86_64");
         r.set("net.ipv4.conf.default.rp_filter", "1");
     }},
    {"RHEL 8",
     [](fake_root& r) {
         red_hat(r, "4.18.0-553.el8_10.x86_64");
         r.set("net.core.somaxconn", "128").set("net.ipv4.conf.default.rp_filter", "1");
     }},
    {"Ubuntu 16.04", [](fake_root& r) { ubuntu(r, "4.4.0-210-generic"); }},
    {"Ubuntu 18.04", [](fake_root& r) { ubuntu(r, "4.15.0-213-generic"); }},
    {"Ubuntu 20.04", [](fake_root& r) { ubuntu(r, "5.4.0-190-generic"); }},
    {"Ubuntu 22.04", [](fake_root& r) { ubuntu(r, "5.15.0-122-generic"); }},
    {"Ubuntu 24.04", [](fake_root& r) { ubuntu(r, "6.8.0-45-generic"); }},
    {"Debian 11", [](fake_root& r) { debian(r, "5.10.0-32-amd64", true); }},
    {"Debian 12", [](fake_root& r) { debian(r, "6.1.0-28-amd64", true); }},
    {"Debian 13", [](fake_root& r) { debian(r, "6.12.57+deb13-amd64", false); }},
    {"Amazon Linux 2",
     [](fake_root& r) {
         boot(r, "4.14.355-276.amzn2.x86_64");
         systemd(r);
         add(r, {file("etc/sysctl.d/99-amazon.conf", "kernel.sched_autogroup_enabled=0\n"),
                 file("usr/lib/sysctl.d/50-default.conf", "net.ipv4.conf.default.accept_source_route = 0\n")});
     }},
    {"Alpine", alpine},
    {"Arch",
     [](fake_root& r) {
         boot(r, "6.18.1-arch1-1");
         systemd(r);
         add(r, {file("usr/lib/sysctl.d/50-default.conf", systemd_defaults)});
         for (const char* const i : {"default", "lo", "eth0"})
             r.set("net.ipv4.conf." + std::string(i) + ".rp_filter", "2")
                 .set("net.ipv4.conf." + std::string(i) + ".promote_secondaries", "1");
         r.set("net.core.default_qdisc", "fq_codel").set("net.ipv4.ping_group_range", "0\t2147483647");
     }},
    {"a Kubernetes node",
     [](fake_root& r) {
         boot(r, "6.1.0-28-cloud-amd64", true);
         systemd(r);
         r.set("net.ipv4.ip_forward", "1").set("net.bridge.bridge-nf-call-iptables", "1");
         add(r, {file("etc/sysctl.d/k8s.conf", "net.bridge.bridge-nf-call-iptables  = 1\nnet.ipv4.ip_forward = 1\n"),
                 file("etc/modules-load.d/k8s.conf", "overlay\nbr_netfilter\n")});
     }},
    {"a Kubernetes pod",
     [](fake_root& r) {
         boot(r, "6.1.0-28-cloud-amd64", true);
         contain(r, "6.1.0-28-cloud-amd64");
         r.add("run/secrets/kubernetes.io/serviceaccount/token", "");
     },
     true},
    {"docker",
     [](fake_root& r) {
         boot(r, "5.15.0-122-generic");
         contain(r, "5.15.0-122-generic");
         r.add(".dockerenv", "");
     },
     true},
    {"docker on an old kernel",
     [](fake_root& r) {
         boot(r, "4.15.0-213-generic");
         contain(r, "4.15.0-213-generic");
         r.add(".dockerenv", "");
     },
     true},
    {"LXC",
     [](fake_root& r) {
         debian(r, "6.8.12-4-pve", true);
         contain(r, "6.8.12-4-pve");
         r.add("run/systemd/container", "lxc\n");
     }},
    {"systemd-nspawn",
     [](fake_root& r) {
         debian(r, "6.12.57+deb13-amd64", false);
         contain(r, "6.12.57+deb13-amd64");
         r.add("run/systemd/container", "systemd-nspawn\n");
     }},
};

} // namespace

TEST_CASE("a host as it is installed is not warned of, and has two notes at most") {
    for (const installed_host& h : hosts) {
        CAPTURE(h.name);
        fake_root root;
        h.install(root);
        host::snapshot seen = host::take_snapshot({.root = root.path()});
        seen.read_only = h.read_only;
        const host::config_view config = host::read_config({.root = root.path()});
        std::string said;
        std::size_t notes = 0;
        const auto findings = host::audit(seen, host::program{}, {.config = &config});
        for (const host::finding& f : findings) {
            if (f.severity == host::severity::note) ++notes;
            said += std::string(f.code) + " " + to_string(f.severity) + ": " + f.message + "\n";
        }
        CAPTURE(said);
        CHECK(std::ranges::all_of(findings, [](const auto& f) { return f.severity == host::severity::note; }));
        CHECK(notes <= 2);
    }
}
