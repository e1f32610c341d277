// SPDX-License-Identifier: BSL-1.0
#ifndef CLOSESIDE_HOST_IMPL_AUDIT_IPP
#define CLOSESIDE_HOST_IMPL_AUDIT_IPP

#include <closeside/close_policy.hpp>
#include <closeside/detail/separate_compilation.hpp>
#include <closeside/host/audit.hpp>
#include <closeside/host/config_view.hpp>
#include <closeside/host/detail/compose.hpp>
#include <closeside/host/detail/evidence.hpp>
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

[[gnu::cold]] inline finding::observation observe(const snapshot& s, key k) {
    const key_value& value = s[k];
    return {std::string(to_string(k)),
            value.status == key_status::present ? value.text : compose("({})", {to_string(value.status)}), s.path(k)};
}

[[gnu::cold]] inline std::string sentence(std::string text) {
    if (!text.empty() && text.front() >= 'a' && text.front() <= 'z')
        text.front() = static_cast<char>(text.front() - 'a' + 'A');
    return text;
}

[[gnu::cold]] inline finding complete(const rule& r, judgement&& j, const snapshot& s, const snapshot* earlier) {
    finding f;
    f.code = r.code;
    f.severity = j.severity;
    for (const key k : j.keys) {
        f.keys.emplace_back(to_string(k));
        f.observed.push_back(observe(s, k));
    }
    f.message = std::move(j.message);
    f.consequence = std::move(j.consequence);
    f.fix = sentence(std::move(j.fix.text));
    f.source = j.source;
    f.settings = std::move(j.fix.settings);

    evidence counted = gather_evidence(r.confirmed_by, s, earlier);
    f.occurrence = counted.occurrence;
    f.evidence = std::move(counted.text);
    // Somebody on this host suffers from it right now, even if it is not this program.
    if (f.occurrence == occurrence::happening) f.severity = std::max(f.severity, severity::warning);
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

    const detail::rule_input input{seen, program, more.config};
    std::vector<finding> findings;
    for (const detail::rule& r : detail::rule_table)
        if (std::optional<detail::judgement> found = r.judge(input))
            detail::insert(findings, detail::complete(r, *std::move(found), seen, more.earlier));
    return findings;
}

CLOSESIDE_DECL std::vector<finding> audit(const snapshot& seen, exposure peers, policy_list policies) {
    return audit(seen, program{.peers = peers, .policies = std::move(policies)});
}

} // namespace closeside::host

#endif
