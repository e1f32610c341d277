// SPDX-License-Identifier: BSL-1.0
#include "metric.hpp"
#include "report.hpp"
#include "states.hpp"

#include <closeside/host/counter.hpp>
#include <closeside/host/detail/rule_table.hpp>
#include <closeside/host/key.hpp>

#include <algorithm>
#include <cstdint>
#include <ostream>
#include <set>
#include <string>
#include <string_view>

namespace check {

namespace host = closeside::host;

namespace {

std::string nstat_name(const host::detail::counter_facts& c) { return std::string(c.group) + std::string(c.name); }

double seconds_since_epoch(std::chrono::system_clock::time_point t) {
    return std::chrono::duration<double>(t.time_since_epoch()).count();
}

void print_check(std::ostream& out, const report& r) {
    const host::snapshot& seen = r.seen;
    metric(out, "closeside_check_info", "What was looked at, and by which knowledge; always 1.")
        .sample({{"version", version_name()},
                 {"kernel", seen.kernel},
                 {"netns", seen.netns ? std::to_string(*seen.netns) : ""},
                 {"namespace", to_string(seen.space)},
                 {"exposure", to_string(r.asked.program.peers)}},
                1);
    metric(out, "closeside_check_timestamp_seconds", "When the host was looked at, in seconds since 1970.")
        .sample({}, static_cast<std::int64_t>(seconds_since_epoch(r.taken)));
}

void print_findings(std::ostream& out, const report& r) {
    metric sums(out, "closeside_findings", "Findings of the host check that are not suppressed, by severity.");
    for (const auto level : {host::severity::note, host::severity::warning, host::severity::critical})
        sums.sample({{"severity", to_string(level)}}, std::ranges::count_if(r.findings, [&](const judged& j) {
                        return !j.suppressed && j.finding.severity == level;
                    }));

    metric findings(out, "closeside_finding", "1 for each finding of the host check.");
    for (const judged& j : r.findings)
        findings.sample({{"code", j.finding.code},
                         {"severity", to_string(j.finding.severity)},
                         {"suppressed", j.suppressed ? "true" : "false"},
                         {"when", to_string(j.finding.when)}},
                        1);

    metric happening(out, "closeside_finding_happening",
                     "Whether what a finding warns of happened between the two looks of --watch.");
    for (const judged& j : r.findings)
        if (r.earlier && j.finding.when == host::moment::now && j.finding.occurrence != host::occurrence::uncounted)
            happening.sample({{"code", j.finding.code}}, j.finding.occurrence == host::occurrence::happening ? 1 : 0);

    metric events(out, "closeside_finding_events_total",
                  "What the kernel counts when that happens of which a finding warns.", "counter");
    for (const judged& j : r.findings)
        if (const host::detail::rule* const rule =
                j.finding.when == host::moment::now ? host::detail::find_rule(j.finding.code) : nullptr)
            for (const host::counter c : rule->confirmed_by)
                events.sample({{"code", rule->code}, {"counter", nstat_name(host::detail::facts(c))}}, r.seen.count(c));

    metric expiry(out, "closeside_suppression_expiry_timestamp_seconds",
                  "When a suppression stops to hold, in seconds since 1970.");
    std::set<std::string_view> told; // one code can have a finding of now and one of the next boot
    for (const judged& j : r.findings)
        if (j.suppression && j.suppression->until && told.insert(j.finding.code).second)
            expiry.sample({{"code", j.finding.code}},
                          static_cast<std::int64_t>(seconds_since_epoch(*j.suppression->until + std::chrono::days(1))));
}

void print_sysctls(std::ostream& out, const host::snapshot& seen) {
    metric statuses(out, "closeside_sysctl_status", "How reading a key went; always 1.");
    for (const host::key k : host::all_keys)
        statuses.sample({{"key", to_string(k)}, {"status", to_string(seen[k].status)}}, 1);

    metric values(out, "closeside_sysctl", "The value of a key that is present and a number.");
    for (const host::detail::key_facts& facts : host::detail::key_table)
        if (facts.shape == host::detail::key_shape::number) values.sample({{"key", facts.name}}, seen.number(facts.id));
}

void print_capacity(std::ostream& out, const report& r) {
    const host::capacity& c = r.capacity;
    metric(out, "closeside_capacity_local_ports", "Ports that connect(2) may choose from.").sample({}, c.local_ports);
    metric connects(out, "closeside_capacity_connects_per_second",
                    "Connections per second that the ports allow from one address to one address and port.");
    connects.sample({{"destination", "remote"}}, c.connects_per_second);
    connects.sample({{"destination", "loopback"}}, c.loopback_connects_per_second);
    metric(out, "closeside_capacity_closes_per_second", "Closes per second before tcp_max_tw_buckets drops TIME-WAITs.")
        .sample({}, c.closes_per_second);
    metric(out, "closeside_capacity_flows_per_second", "New flows per second before the conntrack table is full.")
        .sample({}, c.flows_per_second);
    metric(out, "closeside_time_wait_used_ratio", "Part of tcp_max_tw_buckets that is in use.")
        .sample({}, c.time_wait_used);
    metric(out, "closeside_conntrack_used_ratio", "Part of nf_conntrack_max that is in use.")
        .sample({}, c.conntrack_used);
    metric(out, "closeside_orphans_used_ratio", "Part of tcp_max_orphans that is in use.").sample({}, c.orphans_used);

    const host::program& p = r.asked.program;
    metric(out, "closeside_program_accepts_per_second", "Connections per second that the program says it accepts.")
        .sample({}, p.accepts_per_second);
    metric(out, "closeside_program_connects_per_second",
           "Connections per second that the program says it opens to its busiest destination.")
        .sample({}, p.connects_per_second);
}

void print_kernel_counts(std::ostream& out, const report& r) {
    metric events(out, "closeside_tcp_events_total",
                  "Events that the kernel counts, named as nstat(8) does, since the network namespace was made.",
                  "counter");
    for (const host::detail::counter_facts& c : host::detail::counter_table)
        events.sample({{"counter", nstat_name(c)}}, r.seen.count(c.id));

    const closeside::detail::sockstat& sockets = r.seen.sockets;
    metric sockstat(out, "closeside_sockstat",
                    "What /proc/net/sockstat says; tw counts orphans in FIN-WAIT-2 too, orphan the whole host's.");
    sockstat.sample({{"field", "inuse"}}, sockets.in_use);
    sockstat.sample({{"field", "inuse6"}}, sockets.in_use6);
    sockstat.sample({{"field", "tw"}}, sockets.time_wait);
    sockstat.sample({{"field", "orphan"}}, sockets.orphans);

    if (r.states) print_state_metrics(out, *r.states);
}

} // namespace

void print_prometheus(std::ostream& out, const report& r) {
    print_check(out, r);
    print_findings(out, r);
    print_sysctls(out, r.seen);
    print_capacity(out, r);
    print_kernel_counts(out, r);
}

} // namespace check
