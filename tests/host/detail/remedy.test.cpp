// SPDX-License-Identifier: BSL-1.0
#include <closeside/host/detail/remedy.hpp>

#include <doctest/doctest.h>

#include <string>

namespace host = closeside::host;
using host::key;

TEST_CASE("a fix says who can carry it out") {
    host::snapshot s;
    const auto fix = [&] { return host::detail::set_key(s, key::tcp_rfc1337, "0").text; };
    const auto says = [&](const char* words) { return fix().find(words) != std::string::npos; };

    for (const auto space : {host::network_namespace::unknown, host::network_namespace::initial}) {
        s.space = space;
        s.read_only = false;
        CHECK(fix().starts_with("run `sysctl -w net.ipv4.tcp_rfc1337=0` as root"));
        CHECK(says("`net.ipv4.tcp_rfc1337 = 0` into a file below /etc/sysctl.d/"));
        CHECK_FALSE(says("container"));

        s.read_only = true;
        CHECK(fix().starts_with("have net.ipv4.tcp_rfc1337=0 set on the host"));
        CHECK(says("/proc/sys/net is read-only here"));
    }

    s.space = host::network_namespace::child;
    CHECK(fix().starts_with("set net.ipv4.tcp_rfc1337=0 in what starts the container"));
    CHECK(says("cannot be set from inside"));
    CHECK(says("a value set on the host does not reach"));

    s.read_only = false;
    CHECK(fix().starts_with("run `sysctl -w net.ipv4.tcp_rfc1337=0` as root inside this network namespace"));
    CHECK(says("docker run --sysctl net.ipv4.tcp_rfc1337=0"));
    CHECK(says("a value set on the host does not reach"));
}

TEST_CASE("a fix that restores a default says so") {
    CHECK(host::detail::stop_setting({}, key::tcp_max_tw_buckets, "131072")
              .text.starts_with("leave net.ipv4.tcp_max_tw_buckets at the kernel's default: run `sysctl -w "
                                "net.ipv4.tcp_max_tw_buckets=131072`"));
}

TEST_CASE("a fix carries the setting beside the words") {
    const auto fix = host::detail::set_key({}, key::tcp_rfc1337, "0") + ", then " +
                     host::detail::set_key({}, key::tcp_timestamps, "1");
    REQUIRE(fix.settings.size() == 2);
    CHECK(fix.settings[0] == host::finding::setting{"net.ipv4.tcp_rfc1337", "0"});
    CHECK(fix.settings[1] == host::finding::setting{"net.ipv4.tcp_timestamps", "1"});
    CHECK(fix.text.find(", then run `sysctl -w net.ipv4.tcp_timestamps=1`") != std::string::npos);
}

TEST_CASE("a fix on a host names the file that its loader reads") {
    host::snapshot s;
    s.space = host::network_namespace::initial;
    const auto says = [&](const char* words) {
        return host::detail::set_key(s, key::tcp_rfc1337, "0").text.find(words) != std::string::npos;
    };
    CHECK_FALSE(says("/etc/sysctl.conf"));
    s.loader = host::sysctl_loader::systemd;
    CHECK(says("systemd-sysctl does not read /etc/sysctl.conf"));
    s.loader = host::sysctl_loader::procps;
    CHECK(says("unless /etc/sysctl.conf, which is read after it, sets it too"));
    CHECK(host::detail::set_key(s, key::conntrack_time_wait, "120").text.find("/etc/modules-load.d/") !=
          std::string::npos);
}

TEST_CASE("a fix in a container that systemd has booted names the container's own files") {
    host::snapshot s;
    s.space = host::network_namespace::child;
    s.loader = host::sysctl_loader::systemd;
    s.container = host::container::other;
    const auto fix = [&](key k) { return host::detail::set_key(s, k, "0").text; };
    CHECK(fix(key::tcp_rfc1337).starts_with("run `sysctl -w net.ipv4.tcp_rfc1337=0` as root inside this container"));
    CHECK(fix(key::tcp_rfc1337).find("`net.ipv4.tcp_rfc1337 = 0` into a file below /etc/sysctl.d/") !=
          std::string::npos);
    CHECK(fix(key::tcp_rfc1337).find("docker") == std::string::npos);
    CHECK(fix(key::tcp_max_orphans).find("set on the host or node") != std::string::npos);
    // systemd-sysctl does not run in it then.
    s.read_only = true;
    CHECK(fix(key::tcp_rfc1337).starts_with("set net.ipv4.tcp_rfc1337=0 in what starts the container"));
}

TEST_CASE("a fix writes a range as a file takes it, whatever the kernel prints between its ends") {
    const auto fix = host::detail::set_key({}, key::ip_local_port_range, "1024\t65535");
    CHECK(fix.text.starts_with("run `sysctl -w net.ipv4.ip_local_port_range=\"1024 65535\"` as root"));
    CHECK(fix.text.find("`net.ipv4.ip_local_port_range = 1024 65535`") != std::string::npos);
    CHECK(fix.settings.at(0).value == "1024 65535");
}

TEST_CASE("a fix in a container names what its runtime takes, and no other") {
    host::snapshot s;
    s.space = host::network_namespace::child;
    s.read_only = true;
    const auto says = [&](key k, const char* words) {
        return host::detail::set_key(s, k, "1").text.find(words) != std::string::npos;
    };
    s.container = host::container::docker;
    CHECK(says(key::tcp_rfc1337, "(docker run --sysctl net.ipv4.tcp_rfc1337=1)"));
    s.container = host::container::podman;
    CHECK(says(key::tcp_rfc1337, "(podman run --sysctl net.ipv4.tcp_rfc1337=1)"));
    s.container = host::container::kubernetes;
    CHECK(says(key::tcp_rfc1337, "securityContext.sysctls of the pod (the kubelet needs --allowed-unsafe-sysctls"));
    CHECK(says(key::tcp_fin_timeout, "securityContext.sysctls of the pod (Kubernetes counts it among the safe ones)"));
    CHECK_FALSE(says(key::tcp_rfc1337, "docker"));
    for (const key hosts_alone : {key::tcp_max_orphans, key::conntrack_max}) {
        CHECK(says(hosts_alone, "set on the host or node"));
        CHECK_FALSE(says(hosts_alone, "securityContext"));
    }
}
