// SPDX-License-Identifier: BSL-1.0
#ifndef CLOSESIDE_HOST_DETAIL_COMPANIONS_HPP
#define CLOSESIDE_HOST_DETAIL_COMPANIONS_HPP

#include <closeside/host/detail/bad_values.hpp>
#include <closeside/host/detail/remedy.hpp>
#include <closeside/host/detail/rule.hpp>
#include <closeside/host/detail/rule_table.hpp>
#include <closeside/host/finding.hpp>
#include <closeside/host/key.hpp>
#include <closeside/host/key_value.hpp>
#include <closeside/host/snapshot.hpp>

#include <algorithm>
#include <optional>
#include <utility>

namespace closeside::host::detail {

[[gnu::cold]] inline bool sets_any_of(const remedy& one, const remedy& other) noexcept {
    return std::any_of(one.settings.begin(), one.settings.end(), [&](const finding::setting& s) {
        return std::any_of(other.settings.begin(), other.settings.end(),
                           [&](const finding::setting& o) { return o.key == s.key; });
    });
}

/// The remedy of a rule that warns of the host only once the settings of `fix` are made; nothing if none does.
[[gnu::cold]] inline std::optional<remedy> missing_companion(const remedy& fix, const rule_input& in) {
    snapshot then = in.host;
    for (const finding::setting& s : fix.settings)
        if (const auto k = find_key(s.key)) then[*k] = interpret(facts(*k).shape, s.value);
    const rule_input after{then, in.program};
    for (const rule& r : rule_table) {
        if (is_about_files(r)) continue;
        std::optional<judgement> found = r.judge(after);
        if (!found || found->severity < severity::warning) continue;
        if (found->fix.settings.empty() || sets_any_of(found->fix, fix)) continue;
        const std::optional<judgement> before = r.judge(in);
        if (!before || before->severity < found->severity) return std::move(found->fix);
    }
    return std::nullopt;
}

/// Adds to a remedy, and before it, what has to be set so that no other rule warns of what it sets: tcp_tw_reuse = 1
/// needs a tcp_tw_reuse_delay that suits it.
[[gnu::cold]] inline void add_companions(remedy& fix, const rule_input& in) {
    constexpr int most = 4;
    for (int added = 0; added != most && !fix.settings.empty(); ++added) {
        const std::optional<remedy> companion = missing_companion(fix, in);
        if (!companion) return;
        fix.text += compose("; before that, {}", {companion->text});
        fix.settings.insert(fix.settings.begin(), companion->settings.begin(), companion->settings.end());
    }
}

} // namespace closeside::host::detail

#endif
