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

TEST_CASE("tcp_tw_recycle that only the host can see is a warning, one that does not exist is nothing") {
    host::snapshot s = host_with({});
    s.kernel = "4.9.0";
    s[key::tcp_tw_recycle].status = key_status::hidden;
    const auto f = find(host::audit(s), "CS103");
    REQUIRE(f);
    CHECK(f->severity == severity::warning);
    CHECK(f->message.find("4.9.0") != std::string::npos);
    CHECK(f->observed.front().value == "(hidden)");
    CHECK(find(host::audit(s, exposure::loopback), "CS103").value().severity == severity::note);
    CHECK(level("CS103", {}) == "nothing");
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
    CHECK(f->message.find("TCP_LINGER2 = 30 s") != std::string::npos);
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
