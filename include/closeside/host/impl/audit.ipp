// SPDX-License-Identifier: BSL-1.0
#ifndef CLOSESIDE_HOST_IMPL_AUDIT_IPP
#define CLOSESIDE_HOST_IMPL_AUDIT_IPP

#include <closeside/close_policy.hpp>
#include <closeside/detail/separate_compilation.hpp>
#include <closeside/host/audit.hpp>
#include <closeside/host/config_view.hpp>
#include <closeside/host/detail/bad_values.hpp>
#include <closeside/host/detail/companions.hpp>
#include <closeside/host/detail/compose.hpp>
#include <closeside/host/detail/evidence.hpp>
#include <closeside/host/detail/next_boot.hpp>
#include <closeside/host/detail/rule.hpp>
#include <closeside/host/detail/rule_table.hpp>
#include <closeside/host/finding.hpp>
#include <closeside/host/key.hpp>
#include <closeside/host/key_value.hpp>
#include <closeside/host/program.hpp>
#include <closeside/host/snapshot.hpp>

#include <algorithm>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

namespace closeside::host {

namespace detail {

[[gnu::cold]] inline std::string sentence(std::string text) {
    if (!text.empty() && text.front() >= 'a' && text.front() <= 'z')
        text.front() = static_cast<char>(text.front() - 'a' + 'A');
    return text;
}

/// What the files say of the keys that a finding asks to be set.
[[gnu::cold]] inline std::string word_on_files(const std::vector<finding::setting>& settings, const snapshot& s,
                                               const config_view& config) {
    std::string text;
    for (const finding::setting& wanted : settings) {
        const config_key* const k = config.find(wanted.key);
        if (!k || !files_are_applied(s) || !config.at_boot(*k).winner) continue;
        const std::string value = to_be_written(config.at_boot(*k).shown), place = place_of(*config.at_boot(*k).winner);
        if (value == wanted.value)
            text += compose("; at boot {} sets {} so already", {place, wanted.key});
        else
            text += compose("; and change {}, which sets {} to {} at boot", {place, wanted.key, value});
    }
    return text;
}

[[gnu::cold]] inline finding begin_finding(const rule& r, judgement&& j, const snapshot& s) {
    finding f;
    f.code = r.code;
    f.severity = j.severity;
    for (const key k : j.keys) {
        f.keys.emplace_back(to_string(k));
        f.observed.push_back({std::string(to_string(k)), shown_value(s[k]), s.path(k)});
    }
    f.message = std::move(j.message);
    f.consequence = std::move(j.consequence);
    f.fix = sentence(std::move(j.fix.text));
    f.source = j.source;
    f.settings = std::move(j.fix.settings);
    return f;
}

[[gnu::cold]] inline finding complete(const rule& r, judgement&& j, const rule_input& in, const snapshot* earlier) {
    finding f = begin_finding(r, std::move(j), in.host);
    if (in.config && !is_about_files(r)) f.fix += word_on_files(f.settings, in.host, *in.config);
    evidence counted = gather_evidence(r.confirmed_by, in.host, earlier);
    f.occurrence = counted.occurrence;
    f.evidence = std::move(counted.text);
    // Somebody on this host suffers from it right now, even if it is not this program.
    if (f.occurrence == occurrence::happening && !counted.shared) f.severity = std::max(f.severity, r.if_happening);
    return f;
}

/// The same of a host as the next boot makes it.
[[gnu::cold]] inline finding complete_for_boot(const rule& r, judgement&& j, const boot_view& boot,
                                               const snapshot& now) {
    std::vector<const boot_change*> by;
    for (const boot_change& c : boot.changes)
        if (std::find(j.keys.begin(), j.keys.end(), c.id) != j.keys.end()) by.push_back(&c);
    if (by.empty())
        for (const boot_change& c : boot.changes) by.push_back(&c);

    finding f = begin_finding(r, std::move(j), boot.host);
    f.when = moment::next_boot;
    for (finding::observation& o : f.observed)
        for (const boot_change* c : by)
            if (o.key == to_string(c->id)) o.where = c->where;
    f.message = compose("At the next boot, as {}: {}", {in_words(by), f.message});
    f.fix = fix_before_boot(boot, now, by, f.settings, f.fix);
    return f;
}

/// The worst first, among equals what is happening now, then by code: the order in which the rules stand.
[[gnu::cold]] inline void insert(std::vector<finding>& findings, finding&& f) {
    const auto rank = [](const finding& one) {
        return 2 * static_cast<int>(one.severity) + (one.occurrence == occurrence::happening);
    };
    auto at = findings.end();
    while (at != findings.begin() && rank(*(at - 1)) < rank(f)) --at;
    findings.insert(at, std::move(f));
}

CLOSESIDE_DECL std::optional<severity> worst(std::span<const finding> findings) noexcept {
    if (findings.empty()) return std::nullopt;
    const auto milder = [](const finding& a, const finding& b) { return a.severity < b.severity; };
    return std::max_element(findings.begin(), findings.end(), milder)->severity;
}

} // namespace detail

CLOSESIDE_DECL std::vector<finding> audit(const snapshot& seen, program program, const audit_options& more) {
    if (program.policies.empty()) program.policies = {close_policy{}};

    detail::boot_view boot{{}, {}};
    std::vector<detail::bad_value> bad_values;
    if (more.config) {
        boot = detail::at_next_boot(seen, *more.config);
        bad_values = detail::find_bad_values(seen, boot, program, *more.config);
    }
    const detail::rule_input input{seen, program, more.config, bad_values};
    const detail::rule_input later{boot.host, program};
    std::vector<finding> findings, at_boot;
    for (const detail::rule& r : detail::rule_table) {
        std::optional<detail::judgement> found = r.judge(input), soon;
        if (!boot.changes.empty() && !detail::is_about_files(r)) soon = r.judge(later);
        if (soon && (!found || soon->severity > found->severity)) {
            detail::add_companions(soon->fix, later);
            at_boot.push_back(detail::complete_for_boot(r, *std::move(soon), boot, seen));
        }
        if (!found) continue;
        detail::add_companions(found->fix, input);
        detail::insert(findings, detail::complete(r, *std::move(found), input, more.earlier));
    }
    for (finding& f : at_boot) detail::insert(findings, std::move(f));
    return findings;
}

CLOSESIDE_DECL std::vector<finding> audit(const snapshot& seen, exposure peers, policy_list policies) {
    return audit(seen, program{.peers = peers, .policies = std::move(policies)});
}

} // namespace closeside::host

#endif
