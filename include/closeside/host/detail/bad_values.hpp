// SPDX-License-Identifier: BSL-1.0
#ifndef CLOSESIDE_HOST_DETAIL_BAD_VALUES_HPP
#define CLOSESIDE_HOST_DETAIL_BAD_VALUES_HPP

#include <closeside/host/config_view.hpp>
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
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace closeside::host::detail {

/// It judges configuration files, not values.
constexpr bool is_about_files(const rule& r) noexcept { return r.code.starts_with("CS5"); }

/// Some rule has a finding, at least as bad as that, about the host with this value of the key, and would have another one
/// set, or is a warning and was none before.
[[gnu::cold]] inline bool is_found_bad(severity least, const snapshot& host, const host::program& program, key k,
                                       key_value value) {
    snapshot with = host;
    with[k] = std::move(value);
    const rule_input before{host, program}, after{with, program};
    for (const rule& r : rule_table) {
        if (is_about_files(r)) continue;
        const std::optional<judgement> found = r.judge(after);
        if (!found || found->severity < least) continue;
        if (std::find(found->keys.begin(), found->keys.end(), k) == found->keys.end()) continue;
        const auto& wanted = found->fix.settings;
        if (std::any_of(wanted.begin(), wanted.end(), [&](const finding::setting& s) {
                return s.key == to_string(k) && s.value != to_be_written(with[k].text);
            }))
            return true;
        if (found->severity < severity::warning) continue;
        const std::optional<judgement> earlier = r.judge(before);
        if (!earlier || earlier->severity < found->severity) return true;
    }
    return false;
}

/// The values of the files, by any loader, of which a rule warns: on the host as it is, or as the next boot makes it.
[[gnu::cold]] inline std::vector<bad_value> find_bad_values(const snapshot& now, const boot_view& boot,
                                                            const host::program& program, const config_view& config) {
    std::vector<bad_value> bad;
    for (const key_facts& facts : key_table) {
        const config_key* const k = config.find(facts.name);
        if (!k) continue;
        std::vector<std::string_view> judged;
        for (const config_key::outcome* outcome : {&k->systemd, &k->procps, &k->busybox}) {
            if (!outcome->winner || std::find(judged.begin(), judged.end(), outcome->shown) != judged.end()) continue;
            judged.push_back(outcome->shown);
            const key_value value = interpret(facts.shape, outcome->shown);
            if (value.status != key_status::present) continue;
            const auto is_found = [&](severity least) {
                return is_found_bad(least, now, program, facts.id, value) ||
                       is_found_bad(least, boot.host, program, facts.id, value);
            };
            if (is_found(severity::warning))
                bad.push_back({facts.id, outcome->shown, false});
            else if (is_found(severity::note))
                bad.push_back({facts.id, outcome->shown, true});
        }
    }
    return bad;
}

} // namespace closeside::host::detail

#endif
