// SPDX-License-Identifier: BSL-1.0
#include <closeside/host/audit.hpp>
#include <closeside/host/detail/rule.hpp>

#include "host/judge_host.hpp"
#include "support/fake_root.hpp"

#include <doctest/doctest.h>

#include <chrono>
#include <cstddef>
#include <limits>
#include <optional>
#include <string>
#include <utility>
#include <vector>

using namespace tests;
using namespace std::chrono_literals;
using closeside::lingering;
using closeside::side;

namespace {

host::snapshot look(const fake_root& root) { return host::take_snapshot({.root = root.path()}); }

/// host_with, and nf_conntrack loaded and tracking at its defaults.
host::snapshot tracking_host(const settings& values) {
    settings all{
        {key::conntrack_max, "262144"},         {key::conntrack_count, "100"},     {key::conntrack_buckets, "262144"},
        {key::conntrack_established, "432000"}, {key::conntrack_fin_wait, "120"},  {key::conntrack_close_wait, "60"},
        {key::conntrack_last_ack, "30"},        {key::conntrack_time_wait, "120"}, {key::conntrack_close, "10"},
        {key::conntrack_be_liberal, "0"},       {key::conntrack_loose, "1"}};
    all.insert(all.end(), values.begin(), values.end());
    return host_with(all);
}

std::string tracked(std::string_view code, const settings& values, exposure peers = exposure::nat,
                    const policy_list& program = local) {
    return level(code, tracking_host(values), {.peers = peers, .policies = program});
}

settings and_idle_table(settings values) {
    values.emplace_back(key::conntrack_count, "0");
    return values;
}

const char* unless_loopback(exposure peers, const char* otherwise) {
    return peers == exposure::loopback ? "note" : otherwise;
}

} // namespace

TEST_CASE("nf_conntrack at its defaults gets nothing worse than a note") {
    fake_root root;
    root.defaults().conntrack_defaults();
    const auto seen = look(root);
    REQUIRE(seen.number(key::conntrack_last_ack) == 30);
    for (const exposure peers : every_exposure)
        for (const policy_list& program : {local, peer, abortive, mixed, policy_list{policies::system}})
            for (const host::snapshot& s : {seen, tracking_host({})})
                for (const host::finding& f : host::audit(s, peers, program)) {
                    CAPTURE(f.message);
                    CHECK(f.severity == severity::note);
                    CHECK(is_complete(f));
                    CHECK((f.code < "CS400" || f.code == "CS406"));
                }
}

TEST_CASE("without nf_conntrack no rule about it says a word") {
    fake_root root;
    root.defaults();
    for (const exposure peers : every_exposure)
        for (const host::finding& f : host::audit(look(root), peers, mixed)) CHECK(f.code < "CS400");
}

TEST_CASE("a NAT that forgets before TIME-WAIT is over concerns who leaves TIME-WAIT to clients that share addresses") {
    const settings short_time{{key::conntrack_time_wait, "59"}};
    CHECK(tracked("CS401", {{key::conntrack_time_wait, "60"}}) == "nothing");
    CHECK(tracked("CS401", short_time, exposure::nat) == "warning");
    CHECK(tracked("CS401", short_time, exposure::balancer, mixed) == "warning");
    CHECK(tracked("CS401", short_time, exposure::direct) == "note");
    CHECK(tracked("CS401", short_time, exposure::loopback) == "note");
    CHECK(tracked("CS401", short_time, exposure::nat, peer) == "note");
    CHECK(tracked("CS401", short_time, exposure::nat, abortive) == "note");
    CHECK(tracked("CS401", and_idle_table(short_time)) == "note");

    fake_root root;
    root.defaults().conntrack_defaults().set("net.netfilter.nf_conntrack_tcp_timeout_time_wait", "30");
    root.add("proc/net/netstat", "TcpExt: PAWSTimewait TCPACKSkippedTimeWait\nTcpExt: 8 0\n");
    const auto f = judge("CS401", look(root), {});
    REQUIRE(f);
    CHECK(f->evidence == "PAWSTimewait 8, TCPACKSkippedTimeWait 0");
    CHECK(f->settings ==
          std::vector<host::finding::setting>{{"net.netfilter.nf_conntrack_tcp_timeout_time_wait", "120"}});
}

TEST_CASE("where nothing is tracked, a finding about conntrack says so") {
    const auto f = judge("CS401", tracking_host(and_idle_table({{key::conntrack_time_wait, "10"}})), {});
    REQUIRE(f);
    CHECK(f->consequence.starts_with("None now, nothing is tracked here"));
    host::snapshot unknown = tracking_host({{key::conntrack_time_wait, "10"}});
    unknown[key::conntrack_count] = {};
    CHECK(level("CS401", unknown, {}) == "warning");
}

TEST_CASE("a conntrack table is judged by the part in use") {
    const auto used = [](const char* count, const char* limit, exposure peers = exposure::nat) {
        return tracked("CS402", {{key::conntrack_count, count}, {key::conntrack_max, limit}}, peers);
    };
    CHECK(used("800", "1000") == "nothing");
    for (const exposure peers : every_exposure) {
        CHECK(used("801", "1000", peers) == "warning");
        CHECK(used("999", "1000", peers) == "warning");
        CHECK(used("1000", "1000", peers) == "critical");
    }
    // No limit at all.
    CHECK(used("1000", "0") == "nothing");

    fake_root root;
    root.defaults().conntrack_defaults().set("net.netfilter.nf_conntrack_count", "250000");
    const auto f = judge("CS402", look(root), {});
    REQUIRE(f);
    CHECK(f->message.find("250000 of 262144 flows (95 %)") != std::string::npos);
    CHECK(f->settings == std::vector<host::finding::setting>{{"net.netfilter.nf_conntrack_max", "524288"}});
}

TEST_CASE("in a child namespace only the host can enlarge the conntrack table, and the fix says so") {
    fake_root root;
    root.defaults().conntrack_defaults().remove("net.ipv4.tcp_max_orphans");
    root.set("net.netfilter.nf_conntrack_count", "262144");
    const auto f = judge("CS402", look(root), {});
    REQUIRE(f);
    CHECK(f->fix.starts_with("Have net.netfilter.nf_conntrack_max=524288 set on the host or node"));
}

TEST_CASE("a conntrack table is judged by the stated rate, and by how long a connection stays in it") {
    const auto at = [](std::optional<double> accepts, std::optional<double> connects,
                       const policy_list& program = local, const settings& values = {}) {
        return level("CS403", tracking_host(values),
                     {.policies = program, .accepts_per_second = accepts, .connects_per_second = connects});
    };
    // 262144 / 120 s = 2184.5 a second.
    CHECK(at({}, {}) == "nothing");
    CHECK(at(1747, {}) == "nothing");
    CHECK(at(1748, {}) == "note");
    CHECK(at(2184, {}) == "note");
    CHECK(at(2185, {}) == "warning");
    CHECK(at({}, 2185) == "warning");
    CHECK(at(1100, 1100) == "warning");
    CHECK(at(2185, {}, peer) == "warning");
    // An abort leaves the flow for 10 s only.
    CHECK(at(2185, {}, abortive) == "nothing");
    CHECK(at(26215, {}, abortive) == "warning");
    CHECK(at(2185, {}, {policies::abortive, policies::graceful}) == "warning");
    CHECK(at(2185, {}, local, and_idle_table({})) == "note");
    CHECK(at(2185, {}, local, {{key::conntrack_max, "0"}}) == "nothing");
    CHECK(at(std::numeric_limits<double>::quiet_NaN(), {}) == "nothing");

    fake_root root;
    root.defaults().conntrack_defaults().set("net.netfilter.nf_conntrack_max", "65536");
    CHECK_FALSE(judge("CS403", look(root), {}));
    const auto f = judge("CS403", look(root), {.accepts_per_second = 1000.0});
    REQUIRE(f);
    CHECK(f->message.find("120000 flows are in a table for 65536") != std::string::npos);
    CHECK(f->settings == std::vector<host::finding::setting>{{"net.netfilter.nf_conntrack_max", "262144"}});
}

TEST_CASE("a drain_time longer than conntrack's CLOSE_WAIT concerns who closes first") {
    const policy_list minute{close_policy{.drain_time = 60s, .drain_idle = 60s}},
        longer{close_policy{.drain_time = 60'001ms, .drain_idle = 61s}};
    CHECK(tracked("CS404", {}, exposure::nat, minute) == "nothing");
    for (const exposure peers : every_exposure)
        CHECK(tracked("CS404", {}, peers, longer) == unless_loopback(peers, "warning"));
    CHECK(tracked("CS404", {{key::conntrack_close_wait, "4"}}, exposure::direct) == "warning");
    CHECK(tracked("CS404", {{key::conntrack_close_wait, "5"}}, exposure::direct) == "nothing");
    // Whichever is over first ends a silent drain.
    CHECK(tracked("CS404", {{key::conntrack_close_wait, "2"}}, exposure::direct, {close_policy{.drain_time = 2s}}) ==
          "nothing");
    CHECK(tracked("CS404", and_idle_table({{key::conntrack_close_wait, "4"}})) == "note");
    // It is the exception where the peer should close first, and elsewhere nobody waits half-closed.
    CHECK(tracked("CS404", {{key::conntrack_close_wait, "4"}}, exposure::nat, peer) == "note");
    CHECK(tracked("CS404", {{key::conntrack_close_wait, "4"}}, exposure::nat, mixed) == "warning");
    CHECK(tracked("CS404", {{key::conntrack_close_wait, "4"}}, exposure::nat, peer_or_reset) == "nothing");
    CHECK(tracked("CS404", {{key::conntrack_close_wait, "4"}}, exposure::nat, abortive) == "nothing");

    fake_root root;
    root.defaults().conntrack_defaults();
    const policy_list slow{policies::graceful, close_policy{.drain_time = 90s, .drain_idle = 90s}};
    CHECK_FALSE(judge("CS404", look(root), {.policies = local}));
    const auto f = judge("CS404", look(root), {.policies = slow});
    REQUIRE(f);
    CHECK(f->message.find("up to 90 s without a byte") != std::string::npos);
    CHECK(f->message.find("CLOSE_WAIT, for 60 s") != std::string::npos);
    CHECK(f->settings ==
          std::vector<host::finding::setting>{{"net.netfilter.nf_conntrack_tcp_timeout_close_wait", "90"}});
}

TEST_CASE("a patience longer than conntrack keeps a silent connection concerns who waits for the peer") {
    const policy_list patient{close_policy{.closes_first = side::peer, .patience = 30s}, policies::graceful};
    const settings quarter_minute{{key::conntrack_established, "15"}};
    CHECK(tracked("CS404", {{key::conntrack_established, "30"}}, exposure::nat, patient) == "nothing");
    for (const exposure peers : every_exposure)
        CHECK(tracked("CS404", {{key::conntrack_established, "29"}}, peers, patient) ==
              unless_loopback(peers, "warning"));
    CHECK(tracked("CS404", {{key::conntrack_established, "1"}}, exposure::nat, peer) == "warning");
    CHECK(tracked("CS404", {{key::conntrack_established, "2"}}, exposure::nat, peer) == "nothing");
    CHECK(tracked("CS404", quarter_minute, exposure::nat, local) == "nothing");

    fake_root root;
    root.defaults().conntrack_defaults().set("net.netfilter.nf_conntrack_tcp_timeout_established", "15");
    root.set("net.netfilter.nf_conntrack_tcp_timeout_close_wait", "3");
    const auto f = judge("CS404", look(root), {.policies = patient});
    REQUIRE(f);
    CHECK(f->keys.size() == 2);
    CHECK(f->message.find("up to 5 s without a byte") != std::string::npos);
    CHECK(f->message.find("up to 30 s") != std::string::npos);
    CHECK(f->settings ==
          std::vector<host::finding::setting>{{"net.netfilter.nf_conntrack_tcp_timeout_close_wait", "5"},
                                              {"net.netfilter.nf_conntrack_tcp_timeout_established", "30"}});
}

TEST_CASE("a long drain_time is named for the NATs on the way where this host has no conntrack") {
    const policy_list minute{close_policy{.drain_time = 60s, .drain_idle = 61s}},
        longer{close_policy{.drain_time = 61s, .drain_idle = 61s}};
    fake_root root;
    root.defaults();
    for (const exposure peers : every_exposure) {
        CHECK(level("CS404", look(root), {.peers = peers, .policies = minute}) == "nothing");
        CHECK(level("CS404", look(root), {.peers = peers, .policies = longer}) ==
              (host::detail::shares_addresses(peers) ? "note" : "nothing"));
    }
    CHECK(judge("CS404", look(root), {.policies = longer})->observed.front().value == "(unloaded)");
}

TEST_CASE("a policy that waits for ever is told so, and no setting is proposed that the kernel does not have") {
    const policy_list patient{
        close_policy{.closes_first = side::peer, .patience = closeside::close_duration(std::chrono::hours::max())}};
    const auto f = judge("CS404", tracking_host({}), {.policies = patient});
    REQUIRE(f);
    CHECK(f->message.starts_with("The program waits for ever"));
    CHECK(f->settings.empty());
    CHECK(f->fix.starts_with("Have the program wait for less"));
}

TEST_CASE("nf_conntrack_tcp_loose = 0 is explained") {
    for (const exposure peers : every_exposure) CHECK(tracked("CS405", {{key::conntrack_loose, "0"}}, peers) == "note");
    CHECK(tracked("CS405", {}) == "nothing");
    fake_root root;
    root.defaults().conntrack_defaults().set("net.netfilter.nf_conntrack_tcp_loose", "0");
    // SYNPROXY needs it: not to be changed without thinking.
    CHECK(judge("CS405", look(root), {})->settings.empty());
}

TEST_CASE("nf_conntrack_tcp_be_liberal = 0 is explained where addresses are shared and flows are tracked") {
    for (const exposure peers : every_exposure)
        CHECK(tracked("CS406", {}, peers) == (host::detail::shares_addresses(peers) ? "note" : "nothing"));
    CHECK(tracked("CS406", {{key::conntrack_be_liberal, "1"}}) == "nothing");
    CHECK(tracked("CS406", and_idle_table({})) == "nothing");
    fake_root root;
    root.defaults().conntrack_defaults();
    CHECK(judge("CS406", look(root), {})->settings.empty());
}

TEST_CASE("conntrack that forgets idle connections concerns who wants them, unless keep-alive comes first") {
    const auto at = [](const char* established, const char* keepalive, std::optional<closeside::close_duration> idle,
                       exposure peers = exposure::direct) {
        return level("CS407",
                     tracking_host({{key::conntrack_established, established}, {key::tcp_keepalive_time, keepalive}}),
                     {.peers = peers, .idle_time = idle});
    };
    CHECK(at("7201", "7200", {}) == "nothing");
    CHECK(at("7200", "7200", {}) == "note");
    CHECK(at("3600", "7200", 3600s) == "nothing");
    for (const exposure peers : every_exposure)
        CHECK(at("3600", "7200", 3601s, peers) == unless_loopback(peers, "warning"));
    CHECK(at("3600", "3600", 3601s) == "warning");
    CHECK(at("3600", "3599", 3601s) == "note");
    CHECK(level("CS407", tracking_host(and_idle_table({{key::conntrack_established, "60"}})), {.idle_time = 61s}) ==
          "note");
    host::snapshot no_keepalive = tracking_host({{key::conntrack_established, "60"}});
    no_keepalive[key::tcp_keepalive_time] = {};
    CHECK(level("CS407", no_keepalive, {.idle_time = 61s}) == "warning");
    CHECK(level("CS407", no_keepalive, {}) == "nothing");

    fake_root root;
    root.defaults().conntrack_defaults().set("net.ipv4.tcp_keepalive_time", "7200");
    CHECK_FALSE(judge("CS407", look(root), {.idle_time = 24h}));
    root.set("net.netfilter.nf_conntrack_tcp_timeout_established", "1200");
    const auto f = judge("CS407", look(root), {.idle_time = 24h});
    REQUIRE(f);
    CHECK(f->severity == severity::warning);
    CHECK(f->message.find("established is 1200 s: connections of the program may be silent for 86400 s") !=
          std::string::npos);
}

TEST_CASE("a conntrack table with far more room than buckets is explained") {
    const auto at = [](const char* limit, const char* buckets) {
        return tracked("CS408", {{key::conntrack_max, limit}, {key::conntrack_buckets, buckets}});
    };
    CHECK(at("4096", "1024") == "nothing");
    CHECK(at("4097", "1024") == "note");
    CHECK(at("4097", "0") == "nothing");
    CHECK(at("0", "1024") == "nothing");
    fake_root root;
    root.defaults().conntrack_defaults().set("net.netfilter.nf_conntrack_max", "4000000");
    const auto f = judge("CS408", look(root), {});
    REQUIRE(f);
    CHECK(f->message.find("31 entries share a bucket") != std::string::npos);
    CHECK(f->settings == std::vector<host::finding::setting>{{"net.netfilter.nf_conntrack_buckets", "1000001"}});
    root.set("net.netfilter.nf_conntrack_buckets", "1000001");
    CHECK_FALSE(judge("CS408", look(root), {}));
}

TEST_CASE("conntrack that may forget a FIN under way concerns who waits for its acknowledgement") {
    const policy_list patient{close_policy{.linger = lingering::until_acked(45s)}};
    const policy_list patient_second{close_policy{.closes_first = side::peer, .linger = lingering::until_acked(45s)}};
    // This side's FIN is the first: FIN_WAIT.
    CHECK(tracked("CS409", {{key::conntrack_fin_wait, "30"}}) == "nothing");
    for (const exposure peers : every_exposure)
        CHECK(tracked("CS409", {{key::conntrack_fin_wait, "29"}}, peers) == unless_loopback(peers, "warning"));
    CHECK(tracked("CS409", {{key::conntrack_fin_wait, "45"}}, exposure::nat, patient) == "nothing");
    CHECK(tracked("CS409", {{key::conntrack_fin_wait, "44"}}, exposure::nat, patient) == "warning");
    CHECK(tracked("CS409", {{key::conntrack_fin_wait, "4"}}, exposure::nat, peer) == "note");
    CHECK(tracked("CS409", {{key::conntrack_fin_wait, "4"}}, exposure::nat, peer_or_reset) == "nothing");
    CHECK(tracked("CS409", {{key::conntrack_fin_wait, "4"}}, exposure::nat, abortive) == "nothing");
    CHECK(tracked("CS409", and_idle_table({{key::conntrack_fin_wait, "4"}})) == "note");
    // It is the second: LAST_ACK, whose default is shorter than this.
    CHECK(tracked("CS409", {}, exposure::nat, patient_second) == "note");
    CHECK(tracked("CS409", {{key::conntrack_last_ack, "29"}}, exposure::nat, patient_second) == "warning");
    CHECK(tracked("CS409", {{key::conntrack_last_ack, "45"}}, exposure::nat, patient_second) == "nothing");
    CHECK(tracked("CS409", {{key::conntrack_last_ack, "1"}}, exposure::nat, patient) == "nothing");

    fake_root root;
    root.defaults().conntrack_defaults().set("net.netfilter.nf_conntrack_tcp_timeout_fin_wait", "3");
    CHECK_FALSE(judge("CS409", look(root), {.policies = peer_or_reset}));
    const policy_list both{policies::graceful, patient_second.front()};
    const auto f = judge("CS409", look(root), {.policies = both});
    REQUIRE(f);
    CHECK(f->settings ==
          std::vector<host::finding::setting>{{"net.netfilter.nf_conntrack_tcp_timeout_fin_wait", "45"},
                                              {"net.netfilter.nf_conntrack_tcp_timeout_last_ack", "45"}});
}

TEST_CASE("keep-alive that starts late concerns who is reached through NAT or a balancer and wants long silences") {
    const auto at = [](const char* keepalive, std::optional<closeside::close_duration> idle, exposure peers) {
        return level("CS420", host_with({{key::tcp_keepalive_time, keepalive}}), {.peers = peers, .idle_time = idle});
    };
    CHECK(at("7200", {}, exposure::balancer) == "nothing");
    CHECK(at("7200", 350s, exposure::balancer) == "nothing");
    CHECK(at("7200", 350'001ms, exposure::balancer) == "warning");
    CHECK(at("350", 1h, exposure::balancer) == "warning");
    CHECK(at("349", 1h, exposure::balancer) == "nothing");
    // A NAT that keeps RFC 5382 outlasts the kernel's default of 7200 s.
    CHECK(at("7200", 24h, exposure::nat) == "note");
    CHECK(at("7439", 24h, exposure::nat) == "note");
    CHECK(at("7440", 24h, exposure::nat) == "warning");
    CHECK(at("7440", 7440s, exposure::nat) == "note");
    CHECK(at("7440", 7441s, exposure::nat) == "warning");
    CHECK(at("349", 24h, exposure::nat) == "nothing");
    CHECK(at("7200", 24h, exposure::direct) == "nothing");
    CHECK(at("7200", 24h, exposure::loopback) == "nothing");

    fake_root root;
    root.defaults().set("net.ipv4.tcp_keepalive_time", "7200");
    const auto f = judge("CS420", look(root), {.peers = exposure::balancer, .idle_time = 1h});
    REQUIRE(f);
    CHECK(f->message.find("silent for 3600 s, and tcp_keepalive_time lets the first keep-alive wait for 7200 s") !=
          std::string::npos);
    // Only one of several cures, and the program's is better.
    CHECK(f->settings.empty());
}

TEST_CASE("keep-alive without probes is a warning off loopback, a hasty one a note") {
    for (const exposure peers : every_exposure)
        for (const char* probes : {"0", "-1"})
            CHECK(level("CS421", {{key::tcp_keepalive_probes, probes}}, peers) == unless_loopback(peers, "warning"));
    const auto at = [](const char* interval, const char* probes) {
        return level("CS421", {{key::tcp_keepalive_intvl, interval}, {key::tcp_keepalive_probes, probes}});
    };
    CHECK(at("75", "9") == "nothing");
    CHECK(at("2", "5") == "nothing");
    CHECK(at("3", "3") == "note");
    CHECK(at("0", "9") == "note");
    CHECK(at("9223372036854775807", "9223372036854775807") == "nothing");

    fake_root root;
    root.defaults();
    CHECK_FALSE(judge("CS421", look(root), {}));
    root.set("net.ipv4.tcp_keepalive_time", "600").set("net.ipv4.tcp_keepalive_probes", "0");
    const auto f = judge("CS421", look(root), {});
    REQUIRE(f);
    CHECK(f->message.find("after 600 s of silence") != std::string::npos);
    CHECK(f->settings == std::vector<host::finding::setting>{{"net.ipv4.tcp_keepalive_probes", "9"}});
}

TEST_CASE("no number that a file can hold upsets a rule") {
    const char* const extremes[] = {"-9223372036854775808", "-1", "0", "1", "9223372036854775807"};
    for (const char* text : extremes)
        for (const char* other : extremes) {
            host::snapshot s = host_with({});
            for (const host::detail::key_facts& facts : host::detail::key_table)
                if (facts.shape == host::detail::key_shape::number)
                    s[facts.id] =
                        host::detail::interpret(facts.shape, static_cast<std::size_t>(facts.id) % 2 ? text : other);
            const policy_list program{policies::graceful, policies::peer_first};
            for (const host::finding& f :
                 host::audit(s, host::program{.policies = program,
                                .accepts_per_second = 1e300,
                                .connects_per_second = 1e300,
                                .backlog = std::numeric_limits<int>::max(),
                                .idle_time = closeside::close_duration(std::numeric_limits<std::int64_t>::max())})) {
                CAPTURE(f.message);
                CHECK(is_complete(f));
            }
        }
}

TEST_CASE("conntrack time-outs shorter than the waits of TCP are told, very short ones as a warning") {
    const auto of = [](const settings& values, exposure peers = exposure::nat) {
        return judge("CS410", tracking_host(values), {.peers = peers});
    };
    CHECK_FALSE(of({}));
    CHECK_FALSE(of({{key::conntrack_unacknowledged, "300"}, {key::conntrack_max_retrans, "120"}}));
    CHECK(level(of({{key::conntrack_unacknowledged, "119"}})) == "note");
    CHECK(level(of({{key::conntrack_unacknowledged, "29"}})) == "warning");
    CHECK(level(of({{key::conntrack_max_retrans, "10"}})) == "warning");
    CHECK(level(of({{key::conntrack_max_retrans, "10"}}, exposure::loopback)) == "note");
    CHECK(level(of({{key::conntrack_max_retrans, "10"}, {key::conntrack_count, "0"}})) == "note");
    const auto both = of({{key::conntrack_unacknowledged, "20"}, {key::conntrack_max_retrans, "10"}});
    REQUIRE(both);
    CHECK(both->settings ==
          std::vector<host::finding::setting>{{"net.netfilter.nf_conntrack_tcp_timeout_max_retrans", "300"},
                                              {"net.netfilter.nf_conntrack_tcp_timeout_unacknowledged", "300"}});
    CHECK(both->message.starts_with("nf_conntrack_tcp_timeout_max_retrans is 10 s, for a connection one of whose"));
}

TEST_CASE("a conntrack time-out for handshakes that does not last for the retransmissions is told") {
    const auto of = [](const char* seconds, exposure peers = exposure::nat) {
        return judge("CS411", tracking_host({{key::conntrack_syn_recv, seconds}}), {.peers = peers});
    };
    CHECK_FALSE(of("60"));
    CHECK_FALSE(of("16"));
    CHECK(level(of("15")) == "note");
    CHECK(level(of("4")) == "note");
    CHECK(level(of("3")) == "warning");
    CHECK(level(of("3", exposure::loopback)) == "note");
    CHECK(of("3")->settings ==
          std::vector<host::finding::setting>{{"net.netfilter.nf_conntrack_tcp_timeout_syn_recv", "60"}});
}
