// SPDX-License-Identifier: BSL-1.0
#include <closeside/host/remedy.hpp>

#include <doctest/doctest.h>

#include <string>

namespace host = closeside::host;
using host::key;

TEST_CASE("a fix says who can carry it out") {
    host::snapshot s;
    const auto fix = [&] { return host::set_key(s, key::tcp_rfc1337, "0"); };
    const auto says = [&](const char* words) { return fix().find(words) != std::string::npos; };

    for (const auto space : {host::network_namespace::unknown, host::network_namespace::initial}) {
        s.space = space;
        s.read_only = false;
        CHECK(fix().starts_with("run `sysctl -w net.ipv4.tcp_rfc1337=0` as root"));
        CHECK(says("`net.ipv4.tcp_rfc1337 = 0` into a file below /etc/sysctl.d/"));
        CHECK_FALSE(says("container"));

        s.read_only = true;
        CHECK(fix().starts_with("have net.ipv4.tcp_rfc1337=0 set on the host"));
        CHECK(says("/proc/sys is read-only here"));
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
    CHECK(host::stop_setting({}, key::tcp_max_tw_buckets, "131072")
              .starts_with("leave net.ipv4.tcp_max_tw_buckets at the kernel's default: run `sysctl -w "
                           "net.ipv4.tcp_max_tw_buckets=131072`"));
}
