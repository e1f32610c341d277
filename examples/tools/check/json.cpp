// SPDX-License-Identifier: BSL-1.0
#include "document.hpp"
#include "report.hpp"

#include <closeside/host/counter.hpp>
#include <closeside/host/detail/evidence.hpp>
#include <closeside/host/key.hpp>

#include <array>
#include <cstddef>
#include <ctime>
#include <ostream>
#include <string>

namespace check {

namespace host = closeside::host;

namespace {

using json = nlohmann::ordered_json;

template <class T>
json or_null(const std::optional<T>& value) {
    return value ? json(*value) : json(nullptr);
}

/// null if no suppression names the finding; an expired one stays visible, but does not suppress.
json to_json(const std::optional<host::suppression>& s, bool suppressed) {
    if (!s) return nullptr;
    return {{"until", s->until ? json(host::detail::format_date(*s->until)) : json(nullptr)},
            {"reason", s->reason},
            {"expired", !suppressed}};
}

json to_json(const host::key_value& v) {
    json value{{"status", to_string(v.status)}};
    const bool has_text = v.status == host::key_status::present || v.status == host::key_status::malformed;
    value["value"] = has_text ? json(v.text) : json(nullptr);
    if (!v.problem.empty()) value["problem"] = v.problem;
    return value;
}

json counters_of(const report& r) {
    json all = json::object();
    for (const host::detail::counter_facts& c : host::detail::counter_table) {
        const auto total = r.seen.count(c.id);
        if (!total) continue;
        json& one = all[std::string(c.group) + std::string(c.name)];
        one["total"] = *total;
        if (r.earlier) one["per_second"] = or_null(host::detail::rate(*r.earlier, r.seen, c.id));
    }
    return all;
}

json to_json(const host::capacity& c) {
    return {{"local_ports", or_null(c.local_ports)},
            {"connects_per_second", or_null(c.connects_per_second)},
            {"loopback_connects_per_second", or_null(c.loopback_connects_per_second)},
            {"closes_per_second", or_null(c.closes_per_second)},
            {"flows_per_second", or_null(c.flows_per_second)},
            {"time_wait_used", or_null(c.time_wait_used)},
            {"conntrack_used", or_null(c.conntrack_used)},
            {"orphans_used", or_null(c.orphans_used)}};
}

/// As far as it was stated.
json to_json(const host::program& p) {
    return {{"accepts_per_second", or_null(p.accepts_per_second)},
            {"connects_per_second", or_null(p.connects_per_second)},
            {"backlog", or_null(p.backlog)},
            {"listening_ports", p.listening_ports},
            {"idle_time_seconds", p.idle_time ? json(p.idle_time->count / 1000) : json(nullptr)}};
}

} // namespace

json document_of(const judged& j) {
    const host::finding& f = j.finding;
    json observed = json::object();
    json where = json::object();
    for (const host::finding::observation& o : f.observed) {
        observed[o.key] = o.value;
        where[o.key] = o.where;
    }
    json settings = json::object();
    for (const host::finding::setting& s : f.settings) settings[s.key] = s.value;
    return {{"code", f.code},
            {"severity", to_string(f.severity)},
            {"keys", f.keys},
            {"observed", std::move(observed)},
            {"where", std::move(where)},
            {"message", f.message},
            {"consequence", f.consequence},
            {"fix", f.fix},
            {"source", f.source},
            {"occurrence", to_string(f.occurrence)},
            {"evidence", f.evidence},
            {"settings", std::move(settings)},
            {"standing", is_standing(f)},
            {"when", to_string(f.when)},
            {"suppressed", j.suppressed},
            {"suppression", to_json(j.suppression, j.suppressed)}};
}

json document_of(const report& r) {
    json findings = json::array();
    for (const judged& j : r.findings) findings.push_back(document_of(j));
    json values = json::object();
    for (const host::key k : host::all_keys) values[std::string(to_string(k))] = to_json(r.seen[k]);

    return {{"findings", std::move(findings)},
            {"values", std::move(values)},
            {"kernel", r.seen.kernel.empty() ? json(nullptr) : json(r.seen.kernel)},
            {"netns", or_null(r.seen.netns)},
            {"namespace", to_string(r.seen.space)},
            {"root", r.seen.root},
            {"container", to_string(r.seen.container)},
            {"loader", to_string(r.seen.loader)},
            {"emulated", r.seen.emulated},
            {"exposure", to_string(r.asked.program.peers)},
            {"assumed", r.asked.assumed},
            {"program", to_json(r.asked.program)},
            {"counters", counters_of(r)},
            {"capacity", to_json(r.capacity)},
            {"watched_seconds", watched(r).count()},
            {"version", version_name()}};
}

std::string text_of(const json& document) {
    return document.dump(2, ' ', false, json::error_handler_t::replace) + "\n";
}

std::string utc(std::chrono::system_clock::time_point t) {
    const std::time_t seconds = std::chrono::system_clock::to_time_t(t);
    std::tm parts{};
    ::gmtime_r(&seconds, &parts);
    std::array<char, 32> text{};
    const std::size_t size = std::strftime(text.data(), text.size(), "%Y-%m-%dT%H:%M:%SZ", &parts);
    return {text.data(), size};
}

void print_json(std::ostream& out, const report& r) { out << text_of(document_of(r)); }

} // namespace check
