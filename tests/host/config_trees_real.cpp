// SPDX-License-Identifier: BSL-1.0
// Trees in the style of files that stand on servers and in tutorials.
#include "config_trees.hpp"

namespace tests {

namespace {

using namespace std::string_literals;
using namespace config_tree_words;

const std::string syncookies = "net.ipv4.tcp_syncookies";
const std::string buckets = "net.ipv4.tcp_max_tw_buckets";
const std::string maxconn = "net.core.somaxconn";
const std::string stamps = "net.ipv4.tcp_timestamps";

std::vector<expected_value> same(const std::string& key, const std::string& value) { return {{key, value, value}}; }

std::vector<config_tree> trees_of_encodings() {
    return {
        {"the tutorial's block with CRLF line ends",
         lines("# tuning\r\n$F = 30\r\n$R = 1\r\nnet.ipv4.tcp_tw_recycle = 1\r\n"),
         {{fin, "30", "30"}, {reuse, "1", "1"}}},
        {"CRLF with blanks before the carriage return", lines("$F = 30   \r\n"), both("30")},
        {"CRLF behind a comment only", lines("# one\r\n; two\r\n\r\n$F = 30\n"), both("30")},
        {"a range with CRLF", lines("$P = 1024 65000\r\n"), same(range, "1024\t65000")},
        {"a last line with CR alone", lines("$F = 30\r"), both("30")},
        {"a byte order mark before a comment", lines("\xef\xbb\xbf# UTF-8\n$F = 30\n"), both("30")},
        {"a byte order mark before the first key",
         lines("\xef\xbb\xbf$F = 30\n$R = 1\n"),
         {{fin, "", ""}, {reuse, "1", "1"}}},
        {"comments in GBK", lines("# \xcf\xb5\xcd\xb3\xc5\xe4\xd6\xc3 \xa1\xaa\xa1\xaa\n$F = 30\n"), both("30")},
        {"comments in KOI8-R", lines("# \xee\xc1\xd3\xd4\xd2\xcf\xca\xcb\xc1 \xd1\xc4\xd2\xc1\n$F = 30\n"), both("30")},
        {"comments in Latin-1 and UTF-8",
         lines("# Zur\xfc\x63kgesetzt\n# \xc3\xbc\x62\x65rlauf \xe2\x80\x93 Grenze\n$F = 30\n"), both("30")},
        {"a comment in GBK behind a value", lines("$F = 30 # \xb3\xac\xca\xb1\n"), both("30")},
        {"a no-break space behind the value", lines("$F = 30\xc2\xa0\n"), none()},
        {"a no-break space before the equals sign", lines("$F\xc2\xa0= 30\n"), none()},
        {"typographic quotes",
         lines("$P = \xe2\x80\x9c"
               "1024 65000\xe2\x80\x9d\n"),
         same(range, "")},
        {"a full-width equals sign", lines("$F \xef\xbc\x9d 30\n$R = 1\n"), {{fin, "", ""}, {reuse, "1", "1"}}},
    };
}

std::vector<config_tree> trees_of_habits() {
    return {
        {"a script in the place of a file",
         lines("#!/bin/sh\nsysctl -w $F=30\nsysctl -w $R=1\n"),
         {{fin, "", ""}, {reuse, "", ""}}},
        {"sysctl -w pasted between settings",
         lines("$R = 1\nsysctl -w $F=30\n$F = 31\n"),
         {{fin, "31", "31"}, {reuse, "1", "1"}}},
        {"echo into /proc pasted into the file",
         lines("echo 30 > /proc/sys/$f\n$R=1\n"),
         {{fin, "", ""}, {reuse, "1", "1"}}},
        {"a path below /proc/sys as the key", lines("/proc/sys/$f = 30\n"), none()},
        {"export before the key", lines("export $F=30\n"), none()},
        {"a quoted number", lines("$F = \"30\"\n"), none()},
        {"a quoted number in single quotes", lines("$F = '30'\n"), none()},
        {"a quoted range", lines("$P = \"1024 65000\"\n"), same(range, "")},
        {"a quoted triple", lines("net.ipv4.tcp_rmem = \"4096 87380 6291456\"\n$F=30\n"), both("30")},
        {"triples with tabs",
         lines("net.ipv4.tcp_wmem = 4096\t65536\t4194304\nnet.ipv4.tcp_rmem\t=\t4096\t87380\t6291456\n$F=30\n"),
         both("30")},
        {"a lone first value of a triple", lines("net.ipv4.tcp_wmem = 8192\n$F=30\n"), both("30")},
        {"a triple with commas", lines("net.ipv4.tcp_rmem = 4096,87380,6291456\n$F=30\n"), both("30")},
        {"a triple with a comment behind", lines("net.ipv4.tcp_rmem = 4096 87380 4194304 # max 4M\n$F=30\n"),
         both("30")},
        {"a unit behind a number", lines("$F = 30s\nnet.core.somaxconn = 64k\n"), {{fin, "", ""}, {maxconn, "", ""}}},
        {"a thousands separator", lines("net.ipv4.tcp_max_tw_buckets = 1,440,000\n"), same(buckets, "")},
        {"a number in hexadecimal", lines("net.core.somaxconn = 0xffff\n"), same(maxconn, "65535")},
        {"a tutorial's range with a dash", lines("$P = 1024-65000\n"), same(range, "")},
        {"semicolons behind the values", lines("$F = 30;\n$R = 1 ; on\n"), {{fin, "", ""}, {reuse, "1", "1"}}},
        {"two slashes before a comment", lines("// tuning\n$F = 30 // half\n"), both("30")},
        {"dashes for a rule", lines("--------\n$F = 30\n========\n"), both("30")},
        {"a section of an ini file", lines("[sysctl]\n$F = 30\n"), both("30")},
        {"a dotted interface by slashes", lines("net/ipv4/conf/eth0.100/rp_filter = 1\n$F = 30\n"), both("30")},
        {"a dotted interface by a slash in the name", lines("net.ipv4.conf.eth0/100.rp_filter = 1\n$F = 30\n"),
         both("30")},
        {"a dotted interface by dots alone", lines("net.ipv4.conf.eth0.100.rp_filter = 1\n$F = 30\n"), both("30")},
        {"the defaults of systemd for interfaces",
         lines("net.ipv4.conf.default.rp_filter = 2\nnet.ipv4.conf.*.rp_filter = 2\n-net.ipv4.conf.all.rp_filter\n"),
         {{lo_filter, "2", "2"}}},
    };
}

std::vector<config_tree> trees_of_distributions() {
    return {
        {"Debian 12: sysctl.conf by its link, with every line a comment",
         {file("etc/sysctl.conf",
               "#\n# /etc/sysctl.conf\n#kernel.domainname = example.com\n#net.ipv4.tcp_syncookies=1\n"),
          link_to("etc/sysctl.d/99-sysctl.conf", "../sysctl.conf"),
          file("usr/lib/sysctl.d/50-pid-max.conf", "kernel.pid_max = 4194304\n")},
         same(syncookies, "")},
        {"Debian 13: what somebody has written into sysctl.conf",
         {file("etc/sysctl.conf", "$F = 30\n")},
         each("", "30")},
        {"Ubuntu 18.04",
         {file("etc/sysctl.d/10-network-security.conf",
               "net.ipv4.conf.default.rp_filter=1\nnet.ipv4.tcp_syncookies=1\n"),
          file("etc/sysctl.d/99-cloudimg-ipv6.conf", "net.ipv6.conf.all.use_tempaddr = 0\n"),
          link_to("etc/sysctl.d/99-sysctl.conf", "../sysctl.conf"), file("etc/sysctl.conf", "$F = 30\n")},
         {{fin, "30", "30"}, {syncookies, "1", "1"}}},
        {"a hardening role behind a package's file",
         {file("usr/lib/sysctl.d/50-default.conf", "net.ipv4.tcp_rfc1337 = 0\n"),
          file("etc/sysctl.d/99-hardening.conf", "net.ipv4.tcp_rfc1337=1\nnet.ipv4.tcp_timestamps=0\n")},
         {{"net.ipv4.tcp_rfc1337", "1", "1"}, {stamps, "0", "0"}}},
        {"a database's file before an operator's",
         {file("etc/sysctl.d/60-elasticsearch.conf", "vm.max_map_count=262144\nnet.ipv4.tcp_retries2=5\n"),
          file("etc/sysctl.d/99-local.conf", "net.ipv4.tcp_retries2 = 8\n")},
         same("net.ipv4.tcp_retries2", "8")},
        {"a Kubernetes node",
         {file("etc/sysctl.d/k8s.conf", "net.bridge.bridge-nf-call-iptables  = 1\nnet.ipv4.ip_forward = 1\n"),
          file("etc/sysctl.d/90-kubelet.conf", "vm.overcommit_memory=1\nkernel.panic=10\n")},
         none()},
        {"ansible's sysctl module",
         {file("etc/sysctl.conf", "# Ansible managed\n\nnet.core.somaxconn=65535\n$F=15\n")},
         {{fin, "", "15"}, {maxconn, "", "65535"}}},
    };
}

} // namespace

std::vector<config_tree> trees_of_real_files() {
    std::vector<config_tree> trees;
    for (auto part : {trees_of_encodings(), trees_of_habits(), trees_of_distributions()})
        trees.insert(trees.end(), part.begin(), part.end());
    return trees;
}

} // namespace tests
