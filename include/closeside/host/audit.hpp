// SPDX-License-Identifier: BSL-1.0
#ifndef CLOSESIDE_HOST_AUDIT_HPP
#define CLOSESIDE_HOST_AUDIT_HPP

#include <closeside/close_policy.hpp>
#include <closeside/host/finding.hpp>
#include <closeside/host/rule.hpp>
#include <closeside/host/rule_table.hpp>
#include <closeside/host/snapshot.hpp>

#include <algorithm>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

namespace closeside::host {

namespace detail {

inline observation observe(const snapshot& s, key k) {
    const key_value& value = s[k];
    return {std::string(to_string(k)),
            value.status == key_status::present ? value.text : "(" + std::string(to_string(value.status)) + ")",
            s.path(k)};
}

inline std::string sentence(std::string text) {
    if (!text.empty() && text.front() >= 'a' && text.front() <= 'z')
        text.front() = static_cast<char>(text.front() - 'a' + 'A');
    return text;
}

inline finding complete(const rule& r, verdict&& v, const snapshot& s) {
    finding f;
    f.code = r.code;
    f.severity = v.severity;
    for (const key k : v.keys) {
        f.keys.emplace_back(to_string(k));
        f.observed.push_back(observe(s, k));
    }
    f.message = std::move(v.message);
    f.consequence = std::move(v.consequence);
    f.fix = sentence(std::move(v.fix));
    f.source = v.source;
    return f;
}

} // namespace detail

/// Judges what was seen on a host by the policies of a program on it. A pure function: equal arguments, equal findings.
/** @param seen      from take_snapshot, or filled by hand.
 *  @param peers     how the program's peers reach it.
 *  @param policies  every policy that the program closes connections by; none: the default policy, which closes first.
 *  @return the findings, the worst first, and by code among equals.
 *  @throws std::bad_alloc only. */
inline std::vector<finding> audit(const snapshot& seen, exposure peers = exposure::nat,
                                  std::span<const close_policy> policies = {}) {
    static constexpr close_policy default_policy{};
    if (policies.empty()) policies = {&default_policy, 1};

    const circumstances c{seen, peers, policies};
    std::vector<finding> findings;
    for (const rule& r : rule_table)
        if (std::optional<verdict> v = r.judge(c)) findings.push_back(detail::complete(r, *std::move(v), seen));
    std::ranges::sort(findings, [](const finding& a, const finding& b) {
        return a.severity != b.severity ? a.severity > b.severity : a.code < b.code;
    });
    return findings;
}

/// The worst severity among the findings; none without findings.
inline std::optional<severity> worst(std::span<const finding> findings) noexcept {
    if (findings.empty()) return std::nullopt;
    return std::ranges::max_element(findings, {}, &finding::severity)->severity;
}

} // namespace closeside::host

#endif
