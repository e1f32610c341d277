// SPDX-License-Identifier: BSL-1.0
#include <closeside/host/audit.hpp>
#include <closeside/host/detail/rule_table.hpp>
#include <closeside/host/suggest.hpp>

#include "host/judge_host.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <cstddef>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

// Every rule over every combination of the values of its keys: what a finding has to be set must not bring up another
// one, and must cure what it is for.

using namespace std::chrono_literals;
using namespace tests;

namespace {

using finding_list = std::vector<host::finding>;
using values = std::vector<const char*>;

/// Of each key: what is harmless, what rules warn of, what lies at their bounds; nullptr: the kernel has no such key.
const std::map<key, values> domains{
    {key::tcp_tw_recycle, {nullptr, "0", "1"}},
    {key::tcp_tw_reuse, {"0", "1", "2"}},
    {key::tcp_tw_reuse_delay, {nullptr, "1", "1000", "60000"}},
    {key::tcp_timestamps, {"0", "1", "2"}},
    {key::tcp_fin_timeout, {"-1", "0", "1", "5", "59", "60", "61", "89", "90", "119", "120", "600"}},
    {key::tcp_max_tw_buckets, {"-1", "0", "1", "5000", "5999", "6000", "131072", "262144", "1000000", "2147483647"}},
    {key::tcp_rfc1337, {"0", "1", "2"}},
    {key::tcp_syncookies, {"0", "1", "2", "3"}},
    {key::tcp_max_orphans, {nullptr, "0", "1", "1000", "16384", "131072"}},
    {key::tcp_orphan_retries, {"0", "1", "2", "3", "8"}},
    {key::tcp_abort_on_overflow, {"0", "1"}},
    {key::tcp_max_syn_backlog, {"128", "2048", "65536"}},
    {key::tcp_migrate_req, {nullptr, "0", "1"}},
    {key::somaxconn, {"0", "64", "128", "129", "4096", "65535"}},
    {key::tcp_syn_retries, {"1", "2", "6", "8", "127"}},
    {key::tcp_synack_retries, {"0", "1", "5"}},
    {key::tcp_retries2, {"0", "3", "7", "8", "15", "255"}},
    {key::tcp_rto_max_ms, {nullptr, "1000", "5000", "60000", "120000"}},
    {key::tcp_invalid_ratelimit, {"0", "500", "1000", "1001", "60000"}},
    {key::tcp_keepalive_time, {nullptr, "-1", "60", "349", "350", "7200", "7440", "90000"}},
    {key::tcp_keepalive_intvl, {nullptr, "0", "1", "75"}},
    {key::tcp_keepalive_probes, {"-1", "0", "1", "9"}},
    {key::ip_local_port_range, {"32768\t60999", "1\t65535", "40000\t40000", "40000\t40900"}},
    {key::ip_local_reserved_ports, {nullptr, "", "8080", "40000-40895"}},
    {key::ip_autobind_reuse, {"0", "1"}},
    {key::tcp_ehash_entries, {nullptr, "0", "-262144", "512", "16384", "262144"}},
    {key::conntrack_max, {"0", "1000", "65536", "262144"}},
    {key::conntrack_count, {"0", "100", "999", "60000", "300000"}},
    {key::conntrack_buckets, {"0", "1024", "65536", "262144"}},
    {key::conntrack_established, {nullptr, "60", "1000", "432000"}},
    {key::conntrack_fin_wait, {"1", "119", "120"}},
    {key::conntrack_close_wait, {nullptr, "1", "20", "60"}},
    {key::conntrack_last_ack, {"1", "29", "30"}},
    {key::conntrack_time_wait, {nullptr, "0", "1", "59", "60", "120"}},
    {key::conntrack_close, {"0", "1", "10"}},
    {key::conntrack_syn_recv, {nullptr, "0", "3", "4", "15", "16", "60"}},
    {key::conntrack_unacknowledged, {"1", "29", "30", "119", "120", "300"}},
    {key::conntrack_max_retrans, {nullptr, "1", "60", "300"}},
    {key::tcp_mem, {nullptr, "0\t0\t0", "4096\t87380\t6291456", "287901\t383869\t575802"}},
    {key::conntrack_be_liberal, {"0", "1"}},
    {key::conntrack_loose, {"0", "1"}},
};

/// What each rule goes by.
const std::map<std::string_view, std::vector<key>> keys_of{
    {"CS101", {key::tcp_rfc1337}},
    {"CS102", {key::tcp_tw_recycle, key::tcp_timestamps}},
    {"CS104", {key::tcp_tw_reuse, key::tcp_timestamps, key::tcp_tw_recycle, key::ip_local_port_range}},
    {"CS105", {key::tcp_tw_reuse, key::tcp_timestamps, key::ip_local_port_range}},
    {"CS106", {key::tcp_tw_reuse, key::tcp_timestamps}},
    {"CS107", {key::tcp_tw_reuse_delay, key::tcp_tw_reuse, key::tcp_timestamps}},
    {"CS108", {key::tcp_tw_reuse, key::tcp_timestamps}},
    {"CS109", {key::tcp_rfc1337, key::tcp_max_tw_buckets}},
    {"CS110", {key::tcp_fin_timeout}},
    {"CS111", {key::tcp_fin_timeout}},
    {"CS112", {key::tcp_fin_timeout}},
    {"CS113", {key::tcp_fin_timeout}},
    {"CS115", {key::tcp_invalid_ratelimit}},
    {"CS116", {key::tcp_orphan_retries}},
    {"CS117", {key::tcp_max_orphans, key::tcp_ehash_entries}},
    {"CS118", {key::tcp_max_orphans, key::tcp_ehash_entries}},
    {"CS119", {key::tcp_rto_max_ms, key::tcp_retries2}},
    {"CS120", {key::tcp_max_tw_buckets, key::tcp_ehash_entries}},
    {"CS121", {key::tcp_max_tw_buckets, key::tcp_ehash_entries}},
    {"CS122", {key::tcp_max_tw_buckets, key::tcp_ehash_entries}},
    {"CS123", {key::tcp_max_tw_buckets, key::tcp_ehash_entries}},
    {"CS125", {key::tcp_mem, key::tcp_ehash_entries}},
    {"CS130", {key::tcp_timestamps, key::tcp_tw_recycle, key::tcp_tw_reuse, key::tcp_syncookies}},
    {"CS131", {key::tcp_timestamps}},
    {"CS140", {key::tcp_retries2, key::tcp_rto_max_ms}},
    {"CS201", {key::tcp_syncookies, key::tcp_timestamps, key::tcp_tw_recycle}},
    {"CS202", {key::tcp_syncookies, key::tcp_timestamps, key::tcp_tw_recycle}},
    {"CS203", {key::tcp_syncookies, key::tcp_timestamps}},
    {"CS204", {key::tcp_max_syn_backlog, key::tcp_syncookies, key::tcp_ehash_entries}},
    {"CS205", {key::somaxconn}},
    {"CS206", {key::somaxconn}},
    {"CS207", {key::tcp_abort_on_overflow}},
    {"CS208", {key::somaxconn}},
    {"CS209", {key::tcp_syncookies, key::somaxconn}},
    {"CS210", {key::tcp_synack_retries}},
    {"CS211", {key::tcp_migrate_req}},
    {"CS301", {key::ip_local_port_range, key::ip_local_reserved_ports}},
    {"CS302",
     {key::ip_local_port_range, key::ip_local_reserved_ports, key::tcp_tw_reuse, key::tcp_timestamps,
      key::tcp_tw_reuse_delay}},
    {"CS303", {key::ip_autobind_reuse}},
    {"CS304", {key::ip_local_port_range, key::ip_local_reserved_ports}},
    {"CS305", {key::ip_local_port_range, key::ip_local_reserved_ports}},
    {"CS306", {key::ip_local_port_range, key::ip_local_reserved_ports}},
    {"CS307", {key::tcp_syn_retries, key::tcp_rto_max_ms}},
    {"CS401", {key::conntrack_time_wait, key::conntrack_count, key::conntrack_max}},
    {"CS402", {key::conntrack_count, key::conntrack_max, key::conntrack_buckets}},
    {"CS403",
     {key::conntrack_max, key::conntrack_time_wait, key::conntrack_close, key::conntrack_count,
      key::conntrack_buckets}},
    {"CS404", {key::conntrack_close_wait, key::conntrack_established, key::conntrack_count, key::tcp_keepalive_time}},
    {"CS405", {key::conntrack_loose, key::conntrack_count}},
    {"CS406", {key::conntrack_be_liberal, key::conntrack_count}},
    {"CS407", {key::conntrack_established, key::tcp_keepalive_time, key::conntrack_count}},
    {"CS408", {key::conntrack_max, key::conntrack_buckets}},
    {"CS409", {key::conntrack_fin_wait, key::conntrack_last_ack, key::conntrack_count}},
    {"CS410", {key::conntrack_max_retrans, key::conntrack_unacknowledged, key::conntrack_count}},
    {"CS411", {key::conntrack_syn_recv, key::conntrack_count}},
    {"CS420", {key::tcp_keepalive_time, key::conntrack_established}},
    {"CS421", {key::tcp_keepalive_probes, key::tcp_keepalive_intvl, key::tcp_keepalive_time}},
};

/// Those that go by counts and sockets of now, which no setting takes back.
bool outlives_its_cure(std::string_view code) { return code == "CS117" || code == "CS123"; }

void put(host::snapshot& s, key k, const char* text) {
    s[k] = text ? host::detail::interpret(host::detail::facts(k).shape, text) : host::key_value{};
}

/// Calls `use` with every combination of the values of the keys.
template <class Use>
void for_each_combination(host::snapshot& s, const std::vector<key>& keys, const Use& use, std::size_t from = 0) {
    if (from == keys.size()) return use(s);
    const host::key_value before = s[keys[from]];
    for (const char* text : domains.at(keys[from])) {
        put(s, keys[from], text);
        for_each_combination(s, keys, use, from + 1);
    }
    s[keys[from]] = before;
}

std::vector<host::program> every_program(bool few) {
    std::vector<host::program> all;
    const std::vector<policy_list> ways{
        local,
        peer,
        policy_list{policies::system},
        policy_list{close_policy{.closes_first = closeside::side::peer, .patience = 90s, .drain_idle = 70s}},
        policy_list{close_policy{.linger = closeside::lingering::until_acked(200s), .linger2 = 50s}},
        abortive,
        peer_or_reset};
    for (const exposure peers : every_exposure)
        for (std::size_t i = 0; i != ways.size(); ++i) {
            if (few && (i > 3 || peers == exposure::balancer || peers == exposure::direct)) continue;
            all.push_back({.peers = peers, .policies = ways[i]});
            for (const double rate : few ? std::vector{3000.0} : std::vector{20.0, 3000.0})
                all.push_back({.peers = peers,
                               .policies = ways[i],
                               .accepts_per_second = rate,
                               .connects_per_second = rate,
                               .backlog = 1024,
                               .listening_ports = {8080, 40000},
                               .idle_time = 1000s});
        }
    return all;
}

host::snapshot conntracking_host() {
    return host_with({{key::conntrack_max, "262144"},
                      {key::conntrack_count, "100"},
                      {key::conntrack_buckets, "262144"},
                      {key::conntrack_established, "432000"},
                      {key::conntrack_fin_wait, "120"},
                      {key::conntrack_close_wait, "60"},
                      {key::conntrack_last_ack, "30"},
                      {key::conntrack_time_wait, "120"},
                      {key::conntrack_close, "10"},
                      {key::conntrack_be_liberal, "0"},
                      {key::conntrack_loose, "1"}});
}

/// What each rule says, the texts apart, by the order of the rules.
using level_list = std::vector<std::optional<severity>>;

level_list levels(const host::snapshot& s, const host::program& program) {
    level_list all;
    for (const host::detail::rule& r : host::detail::rule_table) {
        const auto found = r.judge({s, program});
        all.push_back(found ? std::optional(found->severity) : std::nullopt);
    }
    return all;
}

std::optional<severity> level_of(const level_list& levels, std::string_view code) {
    return levels[static_cast<std::size_t>(host::detail::find_rule(code) - host::detail::rule_table.data())];
}

/// With tcp_rfc1337 the same meeting is CS101's to tell; without it no setting cures it.
/// So with buckets, without which there is no TIME-WAIT to meet.
bool was_told_in_worse_words(const level_list& before, std::string_view code) {
    return code == "CS109" && (level_of(before, "CS101") || level_of(before, "CS120") || level_of(before, "CS121"));
}

/// The rule that warns after, and did not, or less, before; empty if there is none.
std::string worsened(const level_list& before, const level_list& after) {
    for (std::size_t i = 0; i != after.size(); ++i) {
        const std::string_view code = host::detail::rule_table[i].code;
        if (after[i] >= std::optional(severity::warning) && after[i] > before[i] &&
            !was_told_in_worse_words(before, code))
            return std::string(code) + " " + to_string(*after[i]);
    }
    return {};
}

std::string in_words(const std::vector<host::finding::setting>& settings) {
    std::string text;
    for (const auto& s : settings) text += s.key + "=" + s.value + " ";
    return text;
}

host::snapshot with(host::snapshot s, const std::vector<host::finding::setting>& settings) {
    for (const auto& one : settings)
        if (const auto k = host::find_key(one.key)) put(s, *k, one.value.c_str());
    return s;
}

/// What has gone wrong, each kind once.
class complaints {
public:
    void say(const host::finding& f, const std::string& what, const host::snapshot& s) {
        if (!told_.insert(std::string(f.code) + what.substr(0, 5)).second) return;
        std::string seen;
        for (const key k : keys_of.at(f.code)) seen += std::string(to_string(k)) + "=" + s[k].text + " ";
        text_ += std::string(f.code) + " on " + seen + "sets " + in_words(f.settings) + ": " + what + "\n";
    }
    const std::string& text() const { return text_; }

private:
    std::set<std::string> told_;
    std::string text_;
};

void check_settings(const host::finding& f, const level_list& before, const host::snapshot& s,
                    const host::program& program, complaints& wrong) {
    const level_list after = levels(with(s, f.settings), program);
    if (const std::string worse = worsened(before, after); !worse.empty()) wrong.say(f, "brings " + worse, s);
    const auto still = level_of(after, f.code);
    if (still > std::optional(f.severity)) wrong.say(f, "makes it worse", s);
    if (still == f.severity && !outlives_its_cure(f.code)) wrong.say(f, "does not help", s);
}

/// Line by line, as somebody would type them.
void check_suggestion(const host::finding& of, const finding_list& findings, const level_list& before,
                      const host::snapshot& s, const host::program& program, complaints& wrong) {
    host::snapshot then = s;
    for (const host::suggestion::change& line : host::suggest(findings, s).settings) {
        then = with(std::move(then), {line.setting});
        const std::string worse = worsened(before, levels(then, program));
        if (!worse.empty())
            wrong.say(of, "line " + line.setting.key + "=" + line.setting.value + " brings " + worse, s);
    }
}

std::string complaints_about(std::string_view code, host::snapshot s) {
    complaints wrong;
    const auto& keys = keys_of.at(code);
    const std::vector<host::program> programs = every_program(keys.size() > 2);
    for_each_combination(s, keys, [&](const host::snapshot& one) {
        for (const host::program& program : programs) {
            if (!host::detail::find_rule(code)->judge({one, program})) continue;
            const finding_list findings = host::audit(one, program);
            const auto f = find(findings, code);
            if (!f || f->settings.empty()) continue;
            const level_list before = levels(one, program);
            check_settings(*f, before, one, program, wrong);
            check_suggestion(*f, findings, before, one, program, wrong);
        }
    });
    return wrong.text();
}

void check_rules(std::string_view first, std::string_view last) {
    for (const auto& [code, keys] : keys_of) {
        if (code < first || code > last) continue;
        CAPTURE(code);
        CHECK(complaints_about(code, conntracking_host()) == "");
    }
}

} // namespace

TEST_CASE("every rule that goes by values stands in the table of these tests, with all its keys") {
    const std::set<std::string_view> without_values{"CS001", "CS002", "CS003", "CS004", "CS103", "CS114"};
    for (const host::detail::rule& r : host::detail::rule_table)
        if (!r.code.starts_with("CS5") && !without_values.contains(r.code)) {
            CAPTURE(r.code);
            CHECK(keys_of.contains(r.code));
        }
}

TEST_CASE("what findings about TIME-WAIT have set cures them and brings up no other") { check_rules("CS101", "CS109"); }
TEST_CASE("what findings about FIN-WAIT-2 and orphans have set cures them and brings up no other") {
    check_rules("CS110", "CS119");
}
TEST_CASE("what findings about buckets and timestamps have set cures them and brings up no other") {
    check_rules("CS120", "CS140");
}
TEST_CASE("what findings about accepting have set cures them and brings up no other") { check_rules("CS201", "CS211"); }
TEST_CASE("what findings about too few local ports have set cures them and brings up no other") {
    check_rules("CS301", "CS302");
}
TEST_CASE("what findings about the range of local ports have set cures them and brings up no other") {
    check_rules("CS303", "CS307");
}
TEST_CASE("what findings about conntrack have set cures them and brings up no other") { check_rules("CS401", "CS405"); }
TEST_CASE("what findings about idle connections have set cures them and brings up no other") {
    check_rules("CS406", "CS421");
}

TEST_CASE("what findings about full tables have set cures them and brings up no other") {
    for (const std::int64_t sockets : {5000, 130000}) {
        host::snapshot s = conntracking_host();
        s.sockets.time_wait = sockets;
        s.sockets.orphans = sockets;
        set_count(s, counter::tw_overflow, 4);
        set_count(s, counter::abort_on_memory, 4);
        for (const char* code : {"CS118", "CS120", "CS121", "CS122", "CS123"}) CHECK(complaints_about(code, s) == "");
    }
}
