// SPDX-License-Identifier: BSL-1.0
// The rules against the running kernel: each that rests on settings is made to speak by setting them, and to fall silent
// by undoing it, in a network namespace of its own.
#include <closeside/host/audit.hpp>
#include <closeside/host/detail/rule.hpp>
#include <closeside/host/detail/rule_table.hpp>
#include <closeside/host/take_snapshot.hpp>
#include <closeside/policy.hpp>

#include "support/in_child.hpp"
#include "support/loopback_tcp.hpp"
#include "support/own_network.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <cstdlib>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>
#include <vector>

namespace cs = closeside;
namespace host = closeside::host;
using namespace std::chrono_literals;
using namespace tests;
using cs::close_policy;
using host::exposure;
using host::key;
using host::severity;

namespace {

constexpr close_policy without_draining{.drain_time = cs::close_duration(0)};
constexpr close_policy patient_orphan{.linger2 = 50s};

constexpr std::array closes_first{cs::policies::graceful};
constexpr std::array peer_first{cs::policies::peer_first};
constexpr std::array peer_first_or_reset{cs::policies::peer_first_or_reset};
constexpr std::array aborts{cs::policies::abortive};
constexpr std::array leaves_orphans{without_draining};
constexpr std::array own_linger2{patient_orphan};

using settings = std::vector<std::pair<key, std::string>>;

/// Settings by which a rule comes to speak, and those by which it falls silent.
struct proof {
    std::string_view code;
    severity expected;
    settings harmful;
    host::program program{.policies = closes_first};
    /// Empty: what the new namespace had.
    settings harmless{};
};

const std::vector<proof> proofs{
    {"CS101", severity::critical, {{key::tcp_rfc1337, "1"}}},
    {"CS101", severity::critical, {{key::tcp_rfc1337, "1"}}, {.peers = exposure::balancer}},
    {"CS101", severity::warning, {{key::tcp_rfc1337, "1"}}, {.peers = exposure::direct}},
    {"CS101", severity::note, {{key::tcp_rfc1337, "1"}}, {.policies = peer_first}},
    {"CS101", severity::note, {{key::tcp_rfc1337, "1"}}, {.policies = peer_first_or_reset}},
    {"CS101", severity::note, {{key::tcp_rfc1337, "1"}}, {.policies = aborts}},
    {"CS104", severity::warning, {{key::tcp_tw_reuse, "1"}, {key::tcp_timestamps, "0"}}},
    {"CS105", severity::note, {{key::tcp_tw_reuse, "2"}}, {}, {{key::tcp_tw_reuse, "0"}}},
    {"CS106", severity::note, {{key::tcp_tw_reuse, "1"}}},
    {"CS107", severity::warning, {{key::tcp_tw_reuse, "1"}, {key::tcp_tw_reuse_delay, "200"}}},
    {"CS108", severity::note, {{key::tcp_tw_reuse, "1"}}, {.connects_per_second = 10}},
    {"CS109", severity::note, {{key::tcp_rfc1337, "0"}}, {}, {{key::tcp_rfc1337, "1"}}},
    {"CS109",
     severity::warning,
     {{key::tcp_rfc1337, "0"}},
     {.peers = exposure::balancer, .accepts_per_second = 5000},
     {{key::tcp_rfc1337, "1"}}},
    {"CS109", severity::note, {{key::tcp_rfc1337, "0"}}, {.policies = peer_first}, {{key::tcp_rfc1337, "1"}}},
    {"CS110", severity::note, {{key::tcp_fin_timeout, "30"}}},
    {"CS111", severity::warning, {{key::tcp_fin_timeout, "70"}}},
    {"CS111", severity::note, {{key::tcp_fin_timeout, "110"}}},
    {"CS112", severity::note, {{key::tcp_fin_timeout, "3"}}},
    {"CS112", severity::warning, {{key::tcp_fin_timeout, "3"}}, {.policies = leaves_orphans}},
    {"CS112", severity::warning, {{key::tcp_fin_timeout, "-1"}}, {.policies = leaves_orphans}},
    {"CS113", severity::note, {{key::tcp_fin_timeout, "20"}}, {.policies = own_linger2}},
    {"CS115", severity::warning, {{key::tcp_invalid_ratelimit, "5000"}}},
    {"CS116", severity::warning, {{key::tcp_orphan_retries, "1"}}, {.policies = leaves_orphans}},
    {"CS116", severity::note, {{key::tcp_orphan_retries, "2"}}},
    {"CS119", severity::warning, {{key::tcp_rto_max_ms, "1000"}}},
    {"CS120", severity::warning, {{key::tcp_max_tw_buckets, "0"}}},
    {"CS120", severity::warning, {{key::tcp_max_tw_buckets, "5000"}}},
    {"CS120", severity::note, {{key::tcp_max_tw_buckets, "0"}}, {.policies = peer_first}},
    {"CS121", severity::warning, {{key::tcp_max_tw_buckets, "-1"}}},
    {"CS122", severity::warning, {{key::tcp_max_tw_buckets, "9000"}}, {.accepts_per_second = 500}},
    {"CS130", severity::warning, {{key::tcp_timestamps, "0"}}},
    {"CS131", severity::note, {{key::tcp_timestamps, "2"}}},
    {"CS140", severity::warning, {{key::tcp_retries2, "3"}}},
    {"CS201", severity::warning, {{key::tcp_syncookies, "0"}}},
    {"CS202", severity::warning, {{key::tcp_timestamps, "0"}}},
    {"CS202", severity::warning, {{key::tcp_syncookies, "2"}, {key::tcp_timestamps, "0"}}},
    {"CS203", severity::warning, {{key::tcp_syncookies, "2"}}},
    {"CS204", severity::note, {{key::tcp_max_syn_backlog, "9999"}}},
    {"CS205", severity::warning, {{key::somaxconn, "128"}}, {.backlog = 1024}},
    {"CS206", severity::warning, {{key::somaxconn, "64"}}},
    {"CS206", severity::note, {{key::somaxconn, "128"}}, {.accepts_per_second = 1000.0}},
    {"CS207", severity::warning, {{key::tcp_abort_on_overflow, "1"}}},
    {"CS210", severity::warning, {{key::tcp_synack_retries, "0"}}},
    {"CS301",
     severity::warning,
     {{key::ip_local_reserved_ports, ""}},
     {.listening_ports = {80, 40000}},
     {{key::ip_local_reserved_ports, "40000"}}},
    {"CS301", severity::warning, {{key::ip_local_port_range, "1024 65535"}}, {.listening_ports = {8080}}},
    {"CS302", severity::warning, {{key::tcp_tw_reuse, "2"}}, {.connects_per_second = 1000}, {{key::tcp_tw_reuse, "1"}}},
    {"CS302", severity::warning, {{key::ip_local_port_range, "32768 33767"}}, {.connects_per_second = 100}},
    {"CS303", severity::note, {{key::ip_autobind_reuse, "1"}}},
    {"CS304", severity::note, {{key::ip_local_port_range, "40000 40099"}}},
    {"CS304", severity::warning, {{key::ip_local_port_range, "40000 40000"}}},
    {"CS305", severity::warning, {{key::ip_local_reserved_ports, "32768-60999"}}},
    {"CS306", severity::note, {{key::ip_local_port_range, "1024 65535"}}},
    {"CS307", severity::warning, {{key::tcp_syn_retries, "1"}}, {.connects_per_second = 1}},
    {"CS403",
     severity::note,
     {{key::conntrack_time_wait, "120"}},
     {.accepts_per_second = 100'000},
     {{key::conntrack_time_wait, "1"}}},
    {"CS404", severity::note, {{key::conntrack_close_wait, "2"}}},
    {"CS405", severity::note, {{key::conntrack_loose, "0"}}},
    {"CS407", severity::note, {{key::conntrack_established, "60"}}, {.idle_time = cs::close_duration(10min)}},
    {"CS409", severity::note, {{key::conntrack_fin_wait, "1"}}},
    {"CS410", severity::note, {{key::conntrack_unacknowledged, "10"}}},
    {"CS411", severity::note, {{key::conntrack_syn_recv, "2"}}},
    {"CS420",
     severity::warning,
     {{key::tcp_keepalive_time, "7200"}},
     {.peers = exposure::balancer, .idle_time = cs::close_duration(1h)},
     {{key::tcp_keepalive_time, "300"}}},
    {"CS421", severity::warning, {{key::tcp_keepalive_probes, "0"}}},
};

/// The same where connections are tracked, which a rule of the firewall makes the kernel do.
const std::vector<proof> proofs_with_tracking{
    {"CS401", severity::warning, {{key::conntrack_time_wait, "30"}}},
    {"CS403",
     severity::warning,
     {{key::conntrack_time_wait, "120"}},
     {.accepts_per_second = 100'000},
     {{key::conntrack_time_wait, "1"}}},
    {"CS404", severity::warning, {{key::conntrack_close_wait, "2"}}},
    {"CS406", severity::note, {{key::conntrack_be_liberal, "0"}}, {}, {{key::conntrack_be_liberal, "1"}}},
    {"CS407", severity::warning, {{key::conntrack_established, "60"}}, {.idle_time = cs::close_duration(10min)}},
    {"CS409", severity::warning, {{key::conntrack_fin_wait, "1"}}},
    {"CS410", severity::warning, {{key::conntrack_max_retrans, "10"}}},
    {"CS411", severity::warning, {{key::conntrack_syn_recv, "2"}}},
};

std::string title_of(const proof& p) {
    std::string text(p.code);
    for (const auto& [k, value] : p.harmful) text += " " + std::string(to_string(k)) + "=" + value;
    return text + ", " + to_string(p.program.peers);
}

/// What the rule says now: "critical", … or "nothing".
std::string verdict_of(const proof& p) {
    const auto findings = host::audit(host::take_snapshot(), p.program);
    const auto found = std::ranges::find(findings, p.code, &host::finding::code);
    return found == findings.end() ? "nothing" : to_string(found->severity);
}

const std::string as_expected = "as expected", missing = "SKIPPED: this kernel has no ";

/// In a namespace of its own: harmless, harmful, harmless.
std::string prove(const proof& p) {
    settings harmless = p.harmless;
    for (const host::snapshot fresh = host::take_snapshot(); const auto& [k, value] : p.harmful) {
        if (fresh[k].status != host::key_status::present) return missing + std::string(to_string(k));
        if (p.harmless.empty()) harmless.emplace_back(k, fresh[k].text);
    }
    const auto apply = [](const settings& values) {
        for (const auto& [k, value] : values)
            if (const int error = write_sysctl(std::string(to_string(k)), value))
                throw std::system_error(error, std::generic_category(), std::string(to_string(k)) + "=" + value);
    };
    apply(harmless);
    const std::string before = verdict_of(p);
    apply(p.harmful);
    const std::string during = verdict_of(p);
    apply(harmless);
    const std::string after = verdict_of(p);
    if (before == "nothing" && during == to_string(p.expected) && after == "nothing") return as_expected;
    return before + ", " + during + ", " + after;
}

template <class Prepare>
void check_proofs(std::span<const proof> all, Prepare prepare) {
    std::string skipped;
    for (const proof& p : all) {
        const auto text = in_own_network([&]() -> std::string {
            const std::string ready = prepare();
            return ready.empty() ? prove(p) : ready;
        });
        if (!text) {
            MESSAGE("SKIPPED: no right to make a network namespace");
            return;
        }
        if (text->starts_with("SKIPPED")) {
            skipped += title_of(p) + ": " + *text + "\n";
            continue;
        }
        CAPTURE(title_of(p));
        CHECK(*text == as_expected);
    }
    if (!skipped.empty()) MESSAGE(skipped);
}

/// Why no setting of a namespace makes the rule speak; nullptr if one does.
const char* beyond_settings(std::string_view code) {
    struct reason {
        std::string_view codes;
        const char* why;
    };
    constexpr reason reasons[] = {
        {"CS0", "speaks of what cannot be seen: tests/network/host_check_places.test.cpp"},
        {"CS5", "speaks of configuration files"},
        {"CS102 CS103", "tcp_tw_recycle went with Linux 4.12"},
        {"CS114", "tcp_rfc1337 is each namespace's own since Linux 4.15"},
        {"CS117 CS118", "tcp_max_orphans is the host's alone"},
        {"CS125", "tcp_mem is the host's alone"},
        {"CS123 CS208 CS209", "goes by what happens: tests/network/host_check_happening.test.cpp"},
        {"CS211", "goes by who listens: tests/host/take_snapshot_live.test.cpp"},
        {"CS402 CS408", "nf_conntrack_max is the host's alone"},
    };
    for (const reason& r : reasons)
        if (r.codes.find(r.codes.size() == 3 ? code.substr(0, 3) : code) != r.codes.npos) return r.why;
    return nullptr;
}

} // namespace

TEST_CASE(
    "network: every rule that rests on settings speaks when they are set, and falls silent when they are undone") {
    check_proofs(proofs, [] { return std::string(); });
}

TEST_CASE("network: conntrack's settings are a warning where connections are tracked") {
    if (std::system("nft --version >/dev/null 2>&1") != 0) {
        MESSAGE("SKIPPED: no nftables here");
        return;
    }
    check_proofs(proofs_with_tracking, [] {
        bring_up_loopback();
        if (std::system("nft 'add table inet t; add chain inet t c { type filter hook input priority 0; }; "
                        "add rule inet t c ct state new accept' 2>/dev/null") != 0)
            return std::string("SKIPPED: no nftables in this namespace");
        loopback_tcp::serve_and_close_first(3);
        return std::string();
    });
}

TEST_CASE("every rule that rests on settings is proved against the running kernel") {
    for (const host::detail::rule& r : host::detail::rule_table) {
        const auto has_code = [&](const proof& p) { return p.code == r.code; };
        const bool proved =
            std::ranges::any_of(proofs, has_code) || std::ranges::any_of(proofs_with_tracking, has_code);
        CAPTURE(r.code);
        CHECK(proved == (beyond_settings(r.code) == nullptr));
    }
}
