// SPDX-License-Identifier: BSL-1.0
#include <closeside/host/audit.hpp>
#include <closeside/host/detail/rule.hpp>
#include <closeside/host/detail/rule_table.hpp>

#include <closeside/policy.hpp>

#include "host/judge_host.hpp"

#include <doctest/doctest.h>

#include <cerrno>
#include <chrono>
#include <set>
#include <string>
#include <string_view>
#include <vector>

using namespace std::chrono_literals;
using namespace tests;

TEST_CASE("a kernel at its defaults gets nothing worse than a note") {
    for (const exposure peers : every_exposure)
        for (const policy_list& program : {local, peer, peer_or_reset, abortive, mixed, policy_list{policies::system}})
            for (const host::finding& f : host::audit(host_with({}), peers, program)) {
                CAPTURE(f.message);
                CHECK(f.severity == severity::note);
            }
    CHECK(host::audit(host_with({}), exposure::loopback, local).empty());
}

TEST_CASE("tcp_rfc1337 is as bad as the program's TIME-WAITs and the sharing of addresses make it") {
    const settings on{{key::tcp_rfc1337, "1"}};
    CHECK(level("CS101", on, exposure::nat, local) == "critical");
    CHECK(level("CS101", on, exposure::nat, mixed) == "critical");
    CHECK(level("CS101", on, exposure::nat, {policies::system}) == "critical");
    CHECK(level("CS101", on, exposure::direct, local) == "warning");
    CHECK(level("CS101", on, exposure::loopback, local) == "note");
    CHECK(level("CS101", on, exposure::nat, peer) == "note");
    CHECK(level("CS101", on, exposure::direct, peer) == "note");
    CHECK(level("CS101", on, exposure::nat, peer_or_reset) == "note");
    CHECK(level("CS101", on, exposure::nat, abortive) == "note");
}

TEST_CASE("tcp_rfc1337 is told in other words to who closes first, to who may have to, and to who never does") {
    const auto told = [](const policy_list& program) {
        return judge("CS101", {{key::tcp_rfc1337, "1"}}, exposure::nat, program).value();
    };
    const auto says = [](const std::string& text, std::string_view words) { return text.find(words) != text.npos; };
    CHECK(says(told(local).message, "the program closes first"));
    CHECK(says(told(local).fix, "let the peer close first"));
    CHECK(says(told(mixed).message, "the program closes first"));
    CHECK(says(told(peer).message, "the program lets the peer close first, and TIME-WAIT lands here only where"));
    CHECK(told(peer).consequence.starts_with("None while the peers close first"));
    CHECK_FALSE(says(told(peer).fix, "close first"));
    CHECK_FALSE(says(told(peer_or_reset).message, "the program"));
    CHECK(told(peer_or_reset).consequence.starts_with("None from the program"));
}

TEST_CASE("nobody whose policy lets the peer close first is told to do so") {
    const settings bad{{key::tcp_rfc1337, "1"},
                       {key::tcp_fin_timeout, "5"},
                       {key::tcp_tw_reuse, "1"},
                       {key::tcp_max_tw_buckets, "9"},
                       {key::tcp_invalid_ratelimit, "9000"}};
    for (const exposure peers : every_exposure)
        for (const policy_list& program : {peer, peer_or_reset, abortive})
            for (host::snapshot s : {host_with(bad), host_with({})}) {
                const host::program stated{.peers = peers, .policies = program, .accepts_per_second = 5000.0};
                for (const host::finding& f : host::audit(s, stated)) {
                    CAPTURE(f.code);
                    CHECK(f.fix.find("let the peer close first") == f.fix.npos);
                    CHECK(f.message.find("The program closes first") == f.message.npos);
                    CHECK(f.message.find("the program closes first") == f.message.npos);
                }
            }
}

TEST_CASE("tcp_rfc1337 is on with any number but 0") {
    CHECK(level("CS101", {{key::tcp_rfc1337, "2"}}) == "critical");
    CHECK(level("CS101", {{key::tcp_rfc1337, "255"}}) == "critical");
    CHECK(level("CS101", {{key::tcp_rfc1337, "0"}}) == "nothing");
}

TEST_CASE("tcp_tw_recycle locks clients out whoever closes first in this program, unless timestamps are off") {
    CHECK(level("CS102", {{key::tcp_tw_recycle, "1"}}, exposure::nat, local) == "critical");
    CHECK(level("CS102", {{key::tcp_tw_recycle, "1"}}, exposure::nat, peer) == "critical");
    CHECK(level("CS102", {{key::tcp_tw_recycle, "1"}}, exposure::direct, local) == "critical");
    CHECK(level("CS102", {{key::tcp_tw_recycle, "1"}}, exposure::loopback, local) == "warning");
    CHECK(level("CS102", {{key::tcp_tw_recycle, "1"}, {key::tcp_timestamps, "2"}}) == "critical");
    CHECK(level("CS102", {{key::tcp_tw_recycle, "1"}, {key::tcp_timestamps, "0"}}) == "note");
    CHECK(level("CS102", {{key::tcp_tw_recycle, "0"}}) == "nothing");
    CHECK(level("CS102", {}) == "nothing");
}

TEST_CASE("tcp_tw_recycle on, with timestamps that cannot be seen, is taken for harmful: they are on by default") {
    host::snapshot s = host_with({{key::tcp_tw_recycle, "1"}});
    s[key::tcp_timestamps] = {key_status::denied, {}, {}, {}, "Permission denied"};
    const auto f = find(host::audit(s), "CS102");
    REQUIRE(f);
    CHECK(f->severity == severity::critical);
    CHECK(f->observed.back().value == "(denied)");
}

TEST_CASE("tcp_tw_recycle that only the host can see is a note, and more once it has been counted") {
    host::snapshot s = host_with({});
    s.kernel = "4.9.0";
    s[key::tcp_tw_recycle].status = key_status::hidden;
    const auto f = judge("CS103", s, {});
    CHECK(level(f) == "note");
    CHECK(f->message.find("4.9.0") != std::string::npos);
    CHECK(f->observed.front().value == "(hidden)");
    CHECK(f->consequence.starts_with("If on"));
    set_count(s, counter::paws_passive, 0);
    CHECK(level("CS103", s, {}) == "note");
    set_count(s, counter::paws_passive, 12);
    CHECK(level("CS103", s, {}) == "warning");
    CHECK(judge("CS103", s, {})->message.starts_with("tcp_tw_recycle is or was on: PAWSPassive"));
    CHECK(level("CS103", s, {.peers = exposure::loopback}) == "note");

    host::snapshot later = s;
    later.taken = s.taken + 10s;
    set_count(later, counter::paws_passive, 30);
    const auto now = find(host::audit(later, {}, {.earlier = &s}), "CS103");
    REQUIRE(now);
    CHECK(now->severity == severity::critical);
    CHECK(now->occurrence == host::occurrence::happening);
    CHECK(level("CS103", {}) == "nothing");
}

TEST_CASE("tcp_rfc1337 that only the host can see is named, once, and its counters with it") {
    host::snapshot s = host_with({});
    s.kernel = "4.14.0";
    s[key::tcp_rfc1337].status = key_status::hidden;
    CHECK(level("CS114", s, {}) == "note");
    CHECK(level("CS114", s, {.policies = peer_or_reset}) == "nothing");
    CHECK(level("CS114", s, {.peers = exposure::loopback}) == "nothing");
    CHECK(level("CS114", {}) == "nothing");
    // Below 4.11 both are hidden, and CS103 names them while nothing has been counted.
    s[key::tcp_tw_recycle].status = key_status::hidden;
    CHECK(level("CS114", s, {}) == "nothing");
    CHECK(judge("CS103", s, {})->message.find("tcp_tw_recycle and tcp_rfc1337, shows them") != std::string::npos);
    set_count(s, counter::paws_estab, 3);
    const auto f = judge("CS114", s, {});
    CHECK(level(f) == "note");
    CHECK(f->evidence == "PAWSEstab 3, which counts late segments of established connections too");
}

TEST_CASE("what tcp_tw_recycle does to SYNs without timestamps goes by the release") {
    const auto told = [](const char* release, const char* timestamps) {
        host::snapshot s = host_with({{key::tcp_tw_recycle, "1"}, {key::tcp_timestamps, timestamps}});
        s.kernel = release;
        return judge("CS102", s, {}).value();
    };
    const auto says = [](const host::finding& f, std::string_view words) {
        return (f.message + "|" + f.consequence).find(words) != std::string::npos;
    };
    CHECK(says(told("3.17.0", "1"), "an older one or none"));
    CHECK_FALSE(says(told("3.16.7", "1"), "or none"));
    CHECK(says(told("3.10.0", "1"), "since Linux 3.17 also one without"));
    CHECK(says(told("4.9.0", "0"), "for 60 s after timestamps were turned off"));
    CHECK(says(told("4.9.0", "0"), "also those that were fine before"));
    CHECK_FALSE(says(told("3.10.0", "0"), "60 s"));
    for (const char* release : {"3.10.0", "4.9.0"}) CHECK(told(release, "0").severity == severity::note);
}

TEST_CASE("tcp_mem in bytes, or far too small, is a warning; the kernel's own choice is none") {
    const auto mem = [](const char* text, std::int64_t memory_kib) {
        host::snapshot s = host_with({{key::tcp_mem, text}});
        if (memory_kib != 0) s.memory_kib = memory_kib;
        return judge("CS125", s, {});
    };
    constexpr std::int64_t gib = 1024 * 1024;
    CHECK_FALSE(mem("287901\t383869\t575802", 24 * gib));
    CHECK_FALSE(mem("287901\t383869\t575802", 0));
    CHECK_FALSE(mem("5613\t7486\t11226", gib / 2));
    CHECK_FALSE(mem("96\t128\t192", 32 * 1024));
    // With pages of 64 KiB the kernel's own choice is a sixteenth as many.
    CHECK_FALSE(mem("17994\t23992\t35988", 24 * gib));
    const auto bytes = mem("8388608\t12582912\t16777216", 24 * gib);
    CHECK(level(bytes) == "warning");
    CHECK(bytes->message.find("tcp_mem is 8388608 12582912 16777216") != std::string::npos);
    CHECK(bytes->message.find("more than there is memory") != std::string::npos);
    CHECK(bytes->settings.empty());
    CHECK(bytes->fix.find("`294912 393216 589824`") != std::string::npos);
    CHECK(mem("4096\t87380\t4194304", 24 * gib)->message.find("as far apart as those of tcp_rmem") !=
          std::string::npos);
    CHECK(level(mem("4096\t87380\t6291456", 0)) == "warning");
    CHECK(mem("1000\t2000\t3000", 24 * gib)->consequence.starts_with("Windows stop growing"));
    CHECK(level(mem("0\t0\t0", 0)) == "warning");
    host::snapshot child = host_with({});
    child[key::tcp_mem] = {key_status::hidden, {}, {}, {}, {}};
    CHECK(level("CS125", child, {}) == "nothing");
}

TEST_CASE("no text of a finding speaks to a programmer of this library alone") {
    const settings bad{{key::tcp_rfc1337, "1"},        {key::tcp_fin_timeout, "5"},
                       {key::tcp_max_tw_buckets, "9"}, {key::tcp_tw_reuse, "1"},
                       {key::tcp_orphan_retries, "1"}, {key::tcp_retries2, "5"},
                       {key::somaxconn, "16"},         {key::tcp_invalid_ratelimit, "9000"},
                       {key::tcp_max_orphans, "10"},   {key::ip_local_port_range, "32768\t40000"}};
    const close_policy waiting{.linger = closeside::lingering::until_acked(300s), .linger2 = 50s};
    for (const exposure peers : every_exposure)
        for (const policy_list& program : {local, peer, abortive, policy_list{policies::system}, policy_list{waiting}})
            for (const host::finding& f : host::audit(host_with(bad), peers, program))
                for (const std::string& text : {f.message, f.consequence, f.fix})
                    for (const char* word :
                         {"::", "this program", "This program", "drain_", "until_acked", "linger2", "\t"}) {
                        CAPTURE(text);
                        CHECK(text.find(word) == text.npos);
                    }
}

TEST_CASE("tcp_tw_reuse = 1 without timestamps is inert") {
    CHECK(level("CS104", {{key::tcp_tw_reuse, "1"}, {key::tcp_timestamps, "0"}}) == "warning");
    CHECK(level("CS104", {{key::tcp_tw_reuse, "1"}}) == "nothing");
    // 2 is the default of the kernel; nobody chose it.
    CHECK(level("CS104", {{key::tcp_tw_reuse, "2"}, {key::tcp_timestamps, "0"}}) == "nothing");
    CHECK(level("CS104", {{key::tcp_tw_reuse, "0"}, {key::tcp_timestamps, "0"}}) == "nothing");
}

TEST_CASE("tcp_tw_reuse = 2 is explained to a program that leaves loopback") {
    CHECK(level("CS105", {}, exposure::nat) == "note");
    CHECK(level("CS105", {}, exposure::direct) == "note");
    CHECK(level("CS105", {}, exposure::loopback) == "nothing");
    CHECK(level("CS105", {{key::tcp_tw_reuse, "0"}}) == "nothing");
}

TEST_CASE("the rate at which connects run out of ports is that of the host's own port range") {
    CHECK(judge("CS105", {}).value().consequence.find("470 a second (28232 local ports") != std::string::npos);
    CHECK(
        judge("CS105", {{key::ip_local_port_range, "1024\t65535"}}).value().consequence.find("1075 a second (64512") !=
        std::string::npos);
}

TEST_CASE("tcp_tw_reuse = 1 is explained: it does nothing for accepted connections") {
    CHECK(level("CS106", {{key::tcp_tw_reuse, "1"}}) == "note");
    CHECK(level("CS106", {{key::tcp_tw_reuse, "2"}}) == "nothing");
}

TEST_CASE("a lowered tcp_fin_timeout does not shorten TIME-WAIT") {
    for (const char* seconds : {"59", "30", "10", "1", "0", "-1"}) {
        CAPTURE(seconds);
        CHECK(level("CS110", {{key::tcp_fin_timeout, seconds}}) == "note");
    }
    CHECK(level("CS110", {{key::tcp_fin_timeout, "60"}}) == "nothing");
    CHECK(level("CS110", {{key::tcp_fin_timeout, "120"}}) == "nothing");
}

TEST_CASE("a tcp_fin_timeout between 60 and 120 gives 2*(n-60), which is worse for who depends on it") {
    CHECK(level("CS111", {{key::tcp_fin_timeout, "60"}}) == "nothing");
    CHECK(level("CS111", {{key::tcp_fin_timeout, "61"}}) == "warning");
    CHECK(level("CS111", {{key::tcp_fin_timeout, "89"}}) == "warning");
    CHECK(level("CS111", {{key::tcp_fin_timeout, "90"}}) == "note");
    CHECK(level("CS111", {{key::tcp_fin_timeout, "119"}}) == "note");
    CHECK(level("CS111", {{key::tcp_fin_timeout, "120"}}) == "nothing");
    CHECK(judge("CS111", {{key::tcp_fin_timeout, "70"}}).value().message.find("= 20 s") != std::string::npos);
    // Only a peer that closes late can meet it; then, no orphan of the others is ever left to tcp_fin_timeout.
    CHECK(level("CS111", {{key::tcp_fin_timeout, "61"}}, exposure::nat, peer) == "note");
    CHECK(judge("CS111", {{key::tcp_fin_timeout, "61"}}, exposure::nat, peer)->consequence.starts_with("A peer"));
    CHECK(judge("CS111", {{key::tcp_fin_timeout, "61"}}, exposure::nat, peer_or_reset)
              ->consequence.starts_with("None from the program"));
    CHECK(level("CS111", {{key::tcp_fin_timeout, "61"}}, exposure::nat, peer_or_reset) == "note");
    CHECK(level("CS111", {{key::tcp_fin_timeout, "61"}}, exposure::nat, abortive) == "note");
    CHECK(level("CS111", {{key::tcp_fin_timeout, "61"}}, exposure::nat, {close_policy{.linger2 = 10s}}) == "note");
}

TEST_CASE("a tiny tcp_fin_timeout is worse for a policy that does not drain") {
    CHECK(level("CS112", {{key::tcp_fin_timeout, "10"}}) == "nothing");
    CHECK(level("CS112", {{key::tcp_fin_timeout, "9"}}) == "note");
    CHECK(level("CS112", {{key::tcp_fin_timeout, "9"}}, exposure::nat, {policies::system}) == "warning");
    CHECK(level("CS112", {{key::tcp_fin_timeout, "0"}}, exposure::nat, {policies::system}) == "warning");
    CHECK(judge("CS112", {{key::tcp_fin_timeout, "9"}}, exposure::nat, peer)
              ->consequence.starts_with("None while the close waits"));
    CHECK(judge("CS112", {{key::tcp_fin_timeout, "9"}}, exposure::nat, peer_or_reset)
              ->consequence.starts_with("None from the program"));
    CHECK(judge("CS112", {{key::tcp_fin_timeout, "-1"}}).value().message.find("3.5 retransmission") !=
          std::string::npos);
}

TEST_CASE("linger2 above tcp_fin_timeout is explained, equal or below it is nothing") {
    const policy_list with_linger2{policies::graceful, close_policy{.linger2 = 30s}, close_policy{.linger2 = 20s}};
    CHECK(level("CS113", {{key::tcp_fin_timeout, "29"}}, exposure::nat, with_linger2) == "note");
    CHECK(level("CS113", {{key::tcp_fin_timeout, "30"}}, exposure::nat, with_linger2) == "nothing");
    CHECK(level("CS113", {{key::tcp_fin_timeout, "5"}}, exposure::nat, local) == "nothing");
    CHECK(level("CS113", {{key::tcp_fin_timeout, "5"}}, exposure::nat,
                {close_policy{.linger2 = closeside::fin_wait2::skip}}) == "nothing");
    const auto f = judge("CS113", {{key::tcp_fin_timeout, "29"}}, exposure::nat, with_linger2);
    REQUIRE(f);
    CHECK(f->message.find("TCP_LINGER2 to 30 s") != std::string::npos);
    CHECK(f->message.find("tcp_fin_timeout is 29") != std::string::npos);
}

TEST_CASE("few TIME-WAIT buckets concern a program that can hold TIME-WAIT") {
    CHECK(level("CS120", {{key::tcp_max_tw_buckets, "5000"}}, exposure::nat, local) == "warning");
    CHECK(level("CS120", {{key::tcp_max_tw_buckets, "5000"}}, exposure::nat, peer) == "note");
    CHECK(level("CS120", {{key::tcp_max_tw_buckets, "0"}}, exposure::nat, local) == "warning");
    CHECK(level("CS120", {{key::tcp_max_tw_buckets, "0"}}, exposure::nat, abortive) == "note");
    CHECK(level("CS120", {{key::tcp_max_tw_buckets, "6000"}}) == "nothing");
    CHECK(level("CS120", {{key::tcp_max_tw_buckets, "-1"}}) == "nothing");
    CHECK(judge("CS120", {{key::tcp_max_tw_buckets, "5000"}}).value().message.find("83 closes a second") !=
          std::string::npos);
}

TEST_CASE("few TIME-WAIT buckets are nothing where the kernel itself chose them on a small machine") {
    CHECK(level("CS120", {{key::tcp_max_tw_buckets, "2048"}, {key::tcp_ehash_entries, "4096"}}) == "nothing");
    CHECK(level("CS120", {{key::tcp_max_tw_buckets, "2048"}, {key::tcp_ehash_entries, "-4096"}}) == "nothing");
    CHECK(level("CS120", {{key::tcp_max_tw_buckets, "2047"}, {key::tcp_ehash_entries, "4096"}}) == "warning");
    CHECK(level("CS120", {{key::tcp_max_tw_buckets, "2047"}, {key::tcp_ehash_entries, "-4096"}}) == "warning");
    CHECK(level("CS120", {{key::tcp_max_tw_buckets, "0"}, {key::tcp_ehash_entries, "0"}}) == "warning");
    host::snapshot old = host_with({{key::tcp_max_tw_buckets, "4096"}});
    old[key::tcp_ehash_entries] = {};
    CHECK_FALSE(find(host::audit(old), "CS120"));
}

TEST_CASE("a negative tcp_max_tw_buckets is named with both meanings") {
    CHECK(level("CS121", {{key::tcp_max_tw_buckets, "-1"}}, exposure::nat, local) == "warning");
    CHECK(level("CS121", {{key::tcp_max_tw_buckets, "-1"}}, exposure::nat, peer) == "note");
    CHECK(level("CS121", {{key::tcp_max_tw_buckets, "0"}}) == "nothing");
    const auto f = judge("CS121", {{key::tcp_max_tw_buckets, "-1"}});
    REQUIRE(f);
    CHECK(f->message.find("5.17") != std::string::npos);
    CHECK(f->message.find("5.19") != std::string::npos);
    CHECK(f->fix.find("net.ipv4.tcp_max_tw_buckets=131072") != std::string::npos);
}

TEST_CASE("missing timestamps are a warning off loopback") {
    CHECK(level("CS130", {{key::tcp_timestamps, "0"}}, exposure::nat) == "warning");
    CHECK(level("CS130", {{key::tcp_timestamps, "0"}}, exposure::direct) == "warning");
    CHECK(level("CS130", {{key::tcp_timestamps, "0"}}, exposure::loopback) == "note");
    CHECK(level("CS130", {{key::tcp_timestamps, "2"}}) == "nothing");
}

TEST_CASE("nobody is told to turn timestamps on before tcp_tw_recycle is off") {
    const settings both{{key::tcp_timestamps, "0"}, {key::tcp_tw_recycle, "1"}, {key::tcp_tw_reuse, "1"}};
    for (const char* code : {"CS104", "CS130", "CS202"}) {
        CAPTURE(code);
        const auto f = judge(code, both);
        REQUIRE(f);
        const auto recycle_off = f->fix.find("tcp_tw_recycle=0");
        const auto timestamps_on = f->fix.find("tcp_timestamps=1");
        REQUIRE(recycle_off != std::string::npos);
        REQUIRE(timestamps_on != std::string::npos);
        CHECK(recycle_off < timestamps_on);
    }
}

TEST_CASE("SYN cookies that are off, or without timestamps, are warnings off loopback") {
    CHECK(level("CS201", {{key::tcp_syncookies, "0"}}) == "warning");
    CHECK(level("CS201", {{key::tcp_syncookies, "0"}}, exposure::loopback) == "note");
    CHECK(level("CS201", {}) == "nothing");
    CHECK(level("CS202", {{key::tcp_timestamps, "0"}}) == "warning");
    CHECK(level("CS202", {{key::tcp_timestamps, "0"}, {key::tcp_syncookies, "2"}}) == "warning");
    CHECK(level("CS202", {{key::tcp_timestamps, "0"}}, exposure::loopback) == "note");
    CHECK(level("CS202", {{key::tcp_timestamps, "0"}, {key::tcp_syncookies, "0"}}) == "nothing");
    CHECK(level("CS202", {}) == "nothing");
}

TEST_CASE("a host of which nothing is known gives one finding") {
    host::snapshot blind;
    blind.error = ENOENT;
    const auto findings = host::audit(blind);
    REQUIRE(findings.size() == 1);
    CHECK(findings.front().code == "CS001");
    CHECK(findings.front().severity == severity::warning);
    CHECK(findings.front().message.find("No such file or directory") != std::string::npos);
}

TEST_CASE("keys that cannot be judged are named with the reason, and give no other finding") {
    host::snapshot s = host_with({});
    s[key::tcp_rfc1337] = {key_status::denied, {}, {}, {}, "Permission denied"};
    s[key::tcp_timestamps] = host::detail::interpret(host::detail::key_shape::number, "yes");
    const auto findings = host::audit(s);
    const auto denied = find(findings, "CS002");
    REQUIRE(denied);
    CHECK(denied->message.find("net.ipv4.tcp_rfc1337 (Permission denied)") != std::string::npos);
    CHECK(denied->keys == std::vector<std::string>{"net.ipv4.tcp_rfc1337"});
    const auto malformed = find(findings, "CS003");
    REQUIRE(malformed);
    CHECK(malformed->message.find("net.ipv4.tcp_timestamps (not a number)") != std::string::npos);
    CHECK_FALSE(find(findings, "CS101"));
    CHECK_FALSE(find(findings, "CS130"));
}

TEST_CASE("an absent or hidden key gives no finding of its own") {
    host::snapshot empty;
    empty.kernel = "6.18.0";
    CHECK(host::audit(empty).empty());
    host::snapshot child = host_with({});
    child.space = host::network_namespace::child;
    child[key::tcp_max_orphans] = {key_status::hidden, {}, {}, {}, {}};
    CHECK(host::detail::worst(host::audit(child)) == severity::note);
}

TEST_CASE("without policies the default one is assumed, which closes first") {
    const auto s = host_with({{key::tcp_rfc1337, "1"}, {key::tcp_max_tw_buckets, "0"}});
    CHECK(host::audit(s) == host::audit(s, exposure::nat, local));
    CHECK(find(host::audit(s), "CS101").value().severity == severity::critical);
}

TEST_CASE("a program whose peers close first hears nothing worse than notes about TIME-WAIT") {
    const settings bad{{key::tcp_rfc1337, "1"}, {key::tcp_max_tw_buckets, "-1"}, {key::tcp_fin_timeout, "61"}};
    CHECK(host::detail::worst(host::audit(host_with(bad), exposure::nat, local)) == severity::critical);
    CHECK(host::detail::worst(host::audit(host_with(bad), exposure::nat, peer)) == severity::note);
}

TEST_CASE("the worst finding comes first") {
    const auto findings = host::audit(host_with({{key::tcp_rfc1337, "1"}, {key::tcp_syncookies, "0"}}));
    REQUIRE(findings.size() == 3);
    CHECK(findings[0].code == "CS101");
    CHECK(findings[1].code == "CS201");
    CHECK(findings[2].code == "CS105");
    CHECK(host::detail::worst(findings) == severity::critical);
    CHECK_FALSE(host::detail::worst({}));
}

TEST_CASE("an audit is a pure function") {
    const auto s = host_with({{key::tcp_rfc1337, "1"}, {key::tcp_timestamps, "0"}, {key::tcp_fin_timeout, "5"}});
    const auto before = s;
    const auto first = host::audit(s, exposure::nat, mixed);
    CHECK(host::audit(s, exposure::nat, mixed) == first);
    CHECK(s == before);
}

TEST_CASE("a fix is a sentence for the place where the snapshot was taken") {
    host::snapshot s = host_with({{key::tcp_rfc1337, "1"}});
    CHECK(find(host::audit(s), "CS101").value().fix.starts_with("Run `sysctl -w net.ipv4.tcp_rfc1337=0` as root, and"));
    s.space = host::network_namespace::child;
    s.read_only = true;
    CHECK(find(host::audit(s), "CS101").value().fix.starts_with("Set net.ipv4.tcp_rfc1337=0 in what starts the"));
}

TEST_CASE("every finding of every rule is complete, in printable sentences without a line end") {
    std::vector<host::snapshot> hosts;
    for (const char* recycle : {"0", "1"})
        for (const char* timestamps : {"0", "1"})
            for (const char* reuse : {"1", "2"})
                for (const char* fin : {"-1", "5", "70", "100"})
                    for (const char* buckets : {"-1", "0", "100"})
                        for (const char* cookies : {"0", "1", "2"})
                            hosts.push_back(host_with({{key::tcp_rfc1337, "1"},
                                                       {key::tcp_tw_recycle, recycle},
                                                       {key::tcp_timestamps, timestamps},
                                                       {key::tcp_tw_reuse, reuse},
                                                       {key::tcp_fin_timeout, fin},
                                                       {key::tcp_max_tw_buckets, buckets},
                                                       {key::tcp_syncookies, cookies}}));
    hosts.push_back(host_with({}));
    hosts.back()[key::tcp_tw_recycle].status = key_status::hidden;
    hosts.back()[key::tcp_orphan_retries] = {key_status::denied, {}, {}, {}, "Permission denied"};
    hosts.back()[key::somaxconn] = host::detail::interpret(host::detail::key_shape::number, "");
    hosts.push_back(host_with({{key::tcp_mem, "4096\t87380\t6291456"}}));
    hosts.back()[key::tcp_rfc1337].status = key_status::hidden;
    hosts.emplace_back().error = ENOENT;
    hosts.push_back(host_with({{key::tcp_tw_reuse, "1"},
                               {key::tcp_tw_reuse_delay, "10"},
                               {key::tcp_timestamps, "2"},
                               {key::tcp_invalid_ratelimit, "5000"},
                               {key::tcp_orphan_retries, "1"},
                               {key::tcp_max_orphans, "100"},
                               {key::tcp_max_tw_buckets, "7000"},
                               {key::tcp_rto_max_ms, "5000"},
                               {key::tcp_syn_retries, "1"},
                               {key::ip_local_port_range, "5000\t5010"},
                               {key::ip_autobind_reuse, "1"}}));
    hosts.back().sockets.orphans = 90;
    hosts.back().sockets.time_wait = 6999;
    hosts.push_back(host_with({{key::tcp_retries2, "3"},
                               {key::ip_local_port_range, "40000\t40010"},
                               {key::ip_local_reserved_ports, "40001-40010"}}));
    hosts.push_back(host_with({{key::tcp_max_syn_backlog, "8192"},
                               {key::somaxconn, "100"},
                               {key::tcp_abort_on_overflow, "1"},
                               {key::tcp_synack_retries, "0"},
                               {key::tcp_keepalive_probes, "2"},
                               {key::tcp_keepalive_intvl, "2"},
                               {key::conntrack_max, "100"},
                               {key::conntrack_count, "90"},
                               {key::conntrack_buckets, "10"},
                               {key::conntrack_established, "20"},
                               {key::conntrack_fin_wait, "2"},
                               {key::conntrack_close_wait, "2"},
                               {key::conntrack_last_ack, "2"},
                               {key::conntrack_time_wait, "2"},
                               {key::conntrack_close, "2"},
                               {key::conntrack_syn_recv, "2"},
                               {key::conntrack_max_retrans, "2"},
                               {key::conntrack_be_liberal, "0"},
                               {key::conntrack_loose, "0"}}));
    set_count(hosts.back(), counter::listen_overflows, 1);
    set_count(hosts.back(), counter::req_q_full_do_cookies, 1);
    hosts.back().shared_ports = {443, 5000};
    hosts.push_back(hosts.back()); // where nothing is tracked
    hosts.back()[key::conntrack_count] = host::detail::interpret(host::detail::key_shape::number, "0");
    hosts.push_back(host_with({}));
    hosts.back().emulated = true;

    std::set<std::string_view> seen;
    for (const host::snapshot& s : hosts)
        for (const exposure peers : every_exposure)
            for (const policy_list& program : {local, peer, policy_list{close_policy{.linger2 = 60s}}})
                for (const host::finding& f : host::audit(s, {.peers = peers,
                                                             .policies = program,
                                                             .accepts_per_second = 5000,
                                                             .connects_per_second = 5000,
                                                             .backlog = 10'000,
                                                             .listening_ports = {40000, 5000},
                                                             .idle_time = 10h})) {
                    seen.insert(f.code);
                    CAPTURE(f.message);
                    CAPTURE(f.fix);
                    CHECK(is_complete(f));
                }
    for (const host::snapshot& s : hosts) // the same without any load
        for (const host::finding& f : host::audit(s)) {
            seen.insert(f.code);
            CAPTURE(f.message);
            CHECK(is_complete(f));
        }
    for (const host::detail::rule& r : host::detail::rule_table) {
        if (r.code.starts_with("CS5")) continue; // rest on files: rules_config.test.cpp
        CAPTURE(std::string(r.code));
        CHECK(seen.contains(r.code));
    }
}

TEST_CASE("whatever numbers a copied file holds, every finding is complete") {
    for (const char* extreme : {"-9223372036854775808", "9223372036854775807", "-1", "0", "2147483647", "2147483648"}) {
        host::snapshot s = host_with({});
        for (const host::detail::key_facts& facts : host::detail::key_table) {
            const std::string pair = std::string(extreme) + " " + extreme;
            const bool several =
                facts.shape == host::detail::key_shape::range || facts.shape == host::detail::key_shape::triple;
            if (facts.shape != host::detail::key_shape::ports)
                s[facts.id] = host::detail::interpret(facts.shape, several ? pair + " " + extreme : extreme);
        }
        s.sockets.time_wait = s.sockets.orphans = s[key::tcp_max_orphans].number;
        for (const exposure peers : every_exposure)
            for (const host::finding& f : host::audit(s, {.peers = peers,
                                                         .policies = local,
                                                         .accepts_per_second = 1e9,
                                                         .connects_per_second = 1e9,
                                                         .listening_ports = {0, 65535}})) {
                CAPTURE(f.message);
                CHECK(is_complete(f));
            }
    }
}
