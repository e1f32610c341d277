// SPDX-License-Identifier: BSL-1.0
#include <closeside/host/take_snapshot.hpp>

#include "support/fake_root.hpp"
#include "support/in_child.hpp"

#include <doctest/doctest.h>

#include <chrono>
#include <filesystem>
#include <string>

#include <unistd.h>

namespace host = closeside::host;
using host::key;
using host::key_status;
using host::network_namespace;
using tests::fake_root;

namespace {

host::snapshot look(const fake_root& root) { return host::take_snapshot({.root = root.path()}); }

} // namespace

TEST_CASE("a snapshot holds what the files below the root say") {
    fake_root root;
    root.defaults().set("net.ipv4.tcp_rfc1337", "1").set("net.ipv4.ip_local_reserved_ports", "8080,9000-9010");
    const auto seen = look(root);
    CHECK(seen.error == 0);
    CHECK(seen.root == root.path());
    CHECK(seen.kernel == "6.18.0");
    CHECK(seen.number(key::tcp_rfc1337) == 1);
    CHECK(seen[key::tcp_rfc1337].text == "1");
    CHECK(seen.number(key::somaxconn) == 4096);
    CHECK(seen[key::ip_local_port_range].text == "32768\t60999");
    CHECK(seen[key::ip_local_port_range].high == 60999);
    CHECK(seen[key::ip_local_reserved_ports].text == "8080,9000-9010");
    CHECK(seen.path(key::tcp_rfc1337) == root.path() + "/proc/sys/net/ipv4/tcp_rfc1337");
}

TEST_CASE("nothing of the live host gets into a snapshot of another root") {
    fake_root root;
    root.set("net.ipv4.tcp_rfc1337", "1");
    const auto seen = look(root);
    for (const host::detail::key_facts& facts : host::detail::key_table) {
        CAPTURE(std::string(facts.name));
        CHECK((seen[facts.id].status == key_status::present) == (facts.id == key::tcp_rfc1337));
    }
    CHECK(seen.kernel.empty());
    CHECK_FALSE(seen.netns);
    CHECK(seen.space == network_namespace::unknown);
}

TEST_CASE("two snapshots of an unchanged root are equal but for the time they were taken") {
    fake_root root;
    root.defaults().namespaces("net:[4026532177]", "net:[4026532177]");
    const auto first = look(root);
    auto second = look(root);
    CHECK(second.taken > first.taken);
    second.taken = first.taken;
    CHECK(first == second);
}

TEST_CASE("a root in which nothing can be seen is an error, not a host without settings") {
    SUBCASE("no such directory") {
        const std::string gone = fake_root().path();
        CHECK(host::take_snapshot({.root = gone}).error == ENOENT);
    }
    SUBCASE("no name") { CHECK(host::take_snapshot({.root = ""}).error == ENOENT); }
    SUBCASE("nothing in it") {
        const fake_root root = fake_root::empty();
        CHECK(look(root).error == ENOENT);
    }
    SUBCASE("no key in it") {
        fake_root root;
        CHECK(look(root.kernel("6.18.0")).error == ENOENT);
    }
    SUBCASE("a file") {
        fake_root root;
        root.set("net.ipv4.tcp_rfc1337", "1");
        CHECK(host::take_snapshot({.root = root.file("net.ipv4.tcp_rfc1337").string()}).error == ENOTDIR);
    }
    SUBCASE("a path that is too long") {
        CHECK(host::take_snapshot({.root = std::string(100'000, 'x')}).error == ENAMETOOLONG);
    }
}

TEST_CASE("a file that is not a sysctl is malformed and neither blocks nor spins") {
    fake_root root;
    root.defaults()
        .set_fifo("net.ipv4.tcp_rfc1337")
        .set_directory("net.ipv4.tcp_timestamps")
        .set_link("net.ipv4.tcp_fin_timeout", "/dev/zero")
        .set_link("net.ipv4.tcp_tw_reuse", "tcp_tw_reuse")
        .set_raw("net.ipv4.tcp_syncookies", "")
        .set_raw("net.ipv4.tcp_max_tw_buckets", std::string(10'000'000, '1'))
        .set_raw("net.ipv4.tcp_orphan_retries", std::string(4096, '\0'))
        .set_raw("net.ipv4.ip_local_reserved_ports", std::string(1'000'000, ','));
    const auto start = std::chrono::steady_clock::now();
    const auto seen = look(root);
    CHECK(std::chrono::steady_clock::now() - start < std::chrono::seconds(2));

    CHECK(seen.error == 0);
    for (const key k :
         {key::tcp_rfc1337, key::tcp_timestamps, key::tcp_fin_timeout, key::tcp_tw_reuse, key::tcp_syncookies,
          key::tcp_max_tw_buckets, key::tcp_orphan_retries, key::ip_local_reserved_ports}) {
        CAPTURE(std::string(to_string(k)));
        CHECK(seen[k].status == key_status::malformed);
        CHECK_FALSE(seen.number(k));
        CHECK_FALSE(seen[k].problem.empty());
        CHECK(seen[k].text.size() < 200);
    }
    CHECK(seen[key::tcp_rfc1337].problem == "not a regular file");
    CHECK(seen[key::tcp_syncookies].problem == "empty");
    CHECK(seen.number(key::tcp_max_orphans) == 131072);
}

TEST_CASE("a symbolic link is not followed, not even to a sound value: the kernel makes no such links") {
    fake_root root;
    root.defaults().set_link("net.ipv4.tcp_rfc1337", "tcp_timestamps");
    CHECK(look(root)[key::tcp_rfc1337].status == key_status::malformed);
    CHECK(look(root)[key::tcp_rfc1337].problem == "not a regular file");
}

TEST_CASE("a list of ports may be as long as the kernel can make it") {
    std::string every_other_port = "1";
    for (int port = 3; port < 65536; port += 2) every_other_port += "," + std::to_string(port);
    fake_root root;
    root.set("net.ipv4.ip_local_reserved_ports", every_other_port);
    CHECK(look(root)[key::ip_local_reserved_ports].text == every_other_port);
}

TEST_CASE("a strange kernel release is shown in printable ASCII and taken for none") {
    fake_root root;
    root.defaults().set_raw("kernel.osrelease", "6\x1b[2J\n");
    CHECK(look(root).kernel == "6\\x1b[2J");
}

TEST_CASE("a file that may not be read is denied, the others are read") {
    fake_root root;
    root.defaults().set_mode("net.ipv4.tcp_rfc1337", 0);
    const auto text = tests::in_unprivileged_child([&] {
        const auto seen = look(root);
        return std::string(to_string(seen[key::tcp_rfc1337].status)) + ", " + seen[key::tcp_rfc1337].problem + ", " +
               to_string(seen[key::tcp_timestamps].status) + ", " + std::to_string(seen.error);
    });
    CHECK(text == "denied, Permission denied, present, 0");
}

TEST_CASE("a root in which nothing may be read is an error") {
    fake_root root;
    root.defaults();
    std::filesystem::permissions(root.path() + "/proc/sys/net", std::filesystem::perms::none);
    const auto text = tests::in_unprivileged_child([&] { return std::to_string(look(root).error); });
    std::filesystem::permissions(root.path() + "/proc/sys/net", std::filesystem::perms::owner_all);
    CHECK(text == std::to_string(EACCES));
}

TEST_CASE("the namespace is the initial one where the key that is the host's alone is there") {
    fake_root root;
    root.defaults().namespaces("net:[4026531840]", "net:[4026532000]");
    const auto seen = look(root);
    CHECK(seen.netns == 4026531840);
    CHECK(seen.space == network_namespace::initial);
}

TEST_CASE("the namespace is a child where every key of its own is there, and the host's is not") {
    fake_root root;
    root.defaults().remove("net.ipv4.tcp_max_orphans");
    SUBCASE("and nothing is known of process 1") {}
    // Process 1 of a container lives in the container's own namespace.
    SUBCASE("and process 1 shares it") { root.namespaces("net:[4026532177]", "net:[4026532177]"); }
    const auto seen = look(root);
    CHECK(seen.space == network_namespace::child);
    CHECK(seen[key::tcp_max_orphans].status == key_status::hidden);
    CHECK(seen[key::tcp_tw_recycle].status == key_status::absent);
}

TEST_CASE("the namespace is a child where it is not that of process 1") {
    fake_root root;
    root.set("net.ipv4.tcp_rfc1337", "0").namespaces("net:[4026532177]", "net:[4026531840]");
    const auto seen = look(root);
    CHECK(seen.space == network_namespace::child);
    CHECK(seen[key::tcp_max_orphans].status == key_status::hidden);
}

TEST_CASE("a link that names no network namespace is no namespace") {
    for (const char* link : {"net:[]", "net:[x]", "net:[12", "net:[12]x", "mnt:[12]", "net:[99999999999999999999]"}) {
        CAPTURE(link);
        fake_root root;
        root.defaults().namespaces(link, "net:[1]");
        CHECK_FALSE(look(root).netns);
    }
}

TEST_CASE("in a child namespace a missing key is hidden only where the kernel has it for the host alone") {
    const struct {
        const char* release;
        key which;
        key_status expected;
    } cases[] = {
        {"3.10.0-1160.el7", key::tcp_tw_recycle, key_status::hidden},
        {"4.10.17", key::tcp_tw_recycle, key_status::hidden},
        {"4.11.0", key::tcp_tw_recycle, key_status::absent},
        {"6.18.0", key::tcp_tw_recycle, key_status::absent},
        {"", key::tcp_tw_recycle, key_status::absent},
        {"4.14.0", key::tcp_rfc1337, key_status::hidden},
        {"4.15.0", key::tcp_rfc1337, key_status::absent},
        {"4.12.0", key::tcp_timestamps, key_status::hidden},
        {"4.13.0", key::tcp_timestamps, key_status::absent},
        {"6.13.0", key::tcp_tw_reuse_delay, key_status::absent},
        {"6.18.0", key::tcp_max_orphans, key_status::hidden},
        {"", key::tcp_max_orphans, key_status::hidden},
    };
    for (const auto& c : cases) {
        CAPTURE(c.release);
        CAPTURE(std::string(to_string(c.which)));
        fake_root root;
        root.set("net.ipv4.ip_local_port_range", "1 2").namespaces("net:[2]", "net:[1]");
        if (*c.release) root.kernel(c.release);
        CHECK(look(root)[c.which].status == c.expected);
    }
}

TEST_CASE("a child namespace of a kernel that shows it next to nothing is known by that") {
    fake_root root;
    root.kernel("4.4.0").set("net.ipv4.ip_local_port_range", "32768\t60999");
    SUBCASE("Linux") {
        CHECK(look(root).space == network_namespace::child);
        CHECK(look(root)[key::tcp_tw_recycle].status == key_status::hidden);
    }
    SUBCASE("an emulation that calls itself 4.4.0") {
        root.set("net.ipv4.tcp_rfc1337", "1");
        CHECK(look(root).space == network_namespace::unknown);
        CHECK(look(root)[key::tcp_tw_recycle].status == key_status::absent);
    }
}

TEST_CASE("the constants of gVisor are shown and taken for no settings of Linux") {
    fake_root root;
    root.set("net.ipv4.tcp_rfc1337", "1")
        .set("net.ipv4.tcp_timestamps", "1")
        .set("net.ipv4.tcp_retries2", "15")
        .set("net.ipv4.ip_local_port_range", "16000\t65535");
    SUBCASE("by the keys alone") {}
    SUBCASE("by its build") { root.set("kernel.version", "#1 SMP Sun Jan 10 15:06:54 PST 2016").kernel("4.4.0"); }
    SUBCASE("by its name") { root.kernel("4.19.0-gvisor").set("net.ipv4.tcp_fin_timeout", "60"); }
    const auto seen = look(root);
    CHECK(seen.emulated);
    CHECK(seen.error == 0);
    CHECK(seen[key::tcp_rfc1337].status == key_status::emulated);
    CHECK(seen[key::tcp_rfc1337].text == "1");
    CHECK_FALSE(seen.number(key::tcp_rfc1337));
    CHECK(seen[key::tcp_tw_reuse].status == key_status::absent);
}

TEST_CASE("Linux is not taken for gVisor, however few of its keys are shown") {
    fake_root root;
    root.set("net.ipv4.tcp_rfc1337", "1").set("net.ipv4.tcp_timestamps", "1");
    CHECK_FALSE(look(root).emulated);
    root.defaults().set("net.ipv4.tcp_rfc1337", "1").set("net.ipv4.tcp_retries2", "15");
    CHECK_FALSE(look(root).emulated);
}

TEST_CASE("without nf_conntrack its keys are unloaded, with it they are read") {
    fake_root root;
    root.defaults();
    CHECK(look(root)[key::conntrack_time_wait].status == key_status::unloaded);
    CHECK(look(root)[key::conntrack_max].status == key_status::unloaded);
    root.set("net.netfilter.nf_conntrack_max", "262144").set("net.netfilter.nf_conntrack_tcp_timeout_time_wait", "30");
    CHECK(look(root).number(key::conntrack_time_wait) == 30);
    CHECK(look(root)[key::conntrack_loose].status == key_status::absent);
}

TEST_CASE("counters are read by name, from two files, and none stands for what is not counted") {
    fake_root root;
    root.defaults();
    CHECK_FALSE(look(root).count(host::counter::paws_estab));
    root.add("proc/net/netstat", "TcpExt: PAWSEstab New TCPTimeWaitOverflow\nTcpExt: 3 7 9\nIpExt: X\nIpExt: 1\n");
    root.add("proc/net/snmp", "Tcp: RtoMax PassiveOpens\nTcp: -1 5\n");
    root.add("proc/net/sockstat", "sockets: used 9\nTCP: inuse 3 orphan 1 tw 27 alloc 4 mem 2\n");
    root.add("proc/net/sockstat6", "TCP6: inuse 6\n");
    const auto seen = look(root);
    CHECK(seen.count(host::counter::paws_estab) == 3);
    CHECK(seen.count(host::counter::tw_overflow) == 9);
    CHECK(seen.count(host::counter::passive_opens) == 5);
    CHECK_FALSE(seen.count(host::counter::paws_timewait));
    CHECK(seen.sockets == closeside::detail::sockstat{3, 6, 27, 1, 4, 2});
}

TEST_CASE("the files of the reader's own thread go before those of the process") {
    fake_root root;
    root.defaults().add("proc/net/sockstat", "TCP: tw 1\n").add("proc/thread-self/net/sockstat", "TCP: tw 2\n");
    CHECK(look(root).sockets.time_wait == 2);
}

TEST_CASE("before Linux 3.17, which has no thread-self, self tells the namespace, the sockets and the counters") {
    fake_root root;
    root.defaults()
        .add("proc/self/net/sockstat", "TCP: tw 2\n")
        .add("proc/self/net/netstat", "TcpExt: TWKilled\nTcpExt: 3\n");
    std::filesystem::create_directories(root.path() + "/proc/self/ns");
    std::filesystem::create_symlink("net:[4026531840]", root.path() + "/proc/self/ns/net");
    const auto seen = look(root);
    CHECK(seen.netns == 4026531840);
    CHECK(seen.sockets.time_wait == 2);
    CHECK(seen.count(host::counter::tw_killed) == 3);
}

TEST_CASE("a file of counters with names and no values counts nothing") {
    fake_root root;
    root.defaults()
        .add("proc/net/netstat", "TcpExt: PAWSEstab TW\n")
        .add("proc/net/snmp", "Tcp: PassiveOpens\nTcp: x\n");
    const auto seen = look(root);
    for (const host::detail::counter_facts& facts : host::detail::counter_table) CHECK_FALSE(seen.count(facts.id));
}

TEST_CASE("the place is told by the marks in the file system") {
    fake_root root;
    root.defaults();
    CHECK(look(root).loader == host::sysctl_loader::unknown);
    CHECK(look(root).container == host::container::none);
    root.add("etc/init.d/procps", "");
    CHECK(look(root).loader == host::sysctl_loader::procps);
    root.add("run/systemd/system/units", "");
    CHECK(look(root).loader == host::sysctl_loader::systemd);
    root.add("run/systemd/container", "lxc");
    CHECK(look(root).container == host::container::other);
    root.add(".dockerenv", "");
    CHECK(look(root).container == host::container::docker);
    root.add("run/secrets/kubernetes.io/serviceaccount/token", "");
    CHECK(look(root).container == host::container::kubernetes);
}
