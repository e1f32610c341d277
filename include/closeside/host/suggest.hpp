// SPDX-License-Identifier: BSL-1.0
#ifndef CLOSESIDE_HOST_SUGGEST_HPP
#define CLOSESIDE_HOST_SUGGEST_HPP

#include <closeside/host/detail/sysctl_d/view.hpp>
#include <closeside/host/finding.hpp>
#include <closeside/host/key.hpp>
#include <closeside/host/key_value.hpp>
#include <closeside/host/snapshot.hpp>

#include <algorithm>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace closeside::host {

/// Where a suggested setting can be made.
enum class setting_place : std::uint8_t {
    here, ///< where the snapshot was taken
    host, ///< on the host alone: this network namespace does not have the key, or only to read
    none  ///< the kernel has no such key now: it lacks it, or the module that brings it
};

/// A value that findings ask for. Refers to the findings it was made from.
struct suggested_setting {
    host::setting setting;
    /// What was seen: the value, or in brackets why there is none, as in "(hidden)".
    std::string was;
    setting_place place = setting_place::here;
    /// Those that ask for this value, the worst first.
    std::vector<const finding*> reasons;
    /// Those that ask for another one, and for which; no worse than the first of the reasons.
    std::vector<std::pair<const finding*, std::string>> overruled;
};

/// What can be set to resolve findings, and what cannot be resolved so. Refers to the findings it was made from.
struct suggestion {
    std::vector<suggested_setting> settings;
    std::vector<const finding*> unresolved;
};

namespace detail {

inline setting_place place_of(std::optional<key> k, const snapshot& seen) noexcept {
    if (!k) return setting_place::here;
    if (seen.space == network_namespace::child && facts(*k).reach == key_reach::host) return setting_place::host;
    switch (seen[*k].status) {
    case key_status::hidden: return setting_place::host;
    case key_status::absent:
    case key_status::unloaded: return setting_place::none;
    default: return setting_place::here;
    }
}

} // namespace detail

/// Gathers what the findings ask to be set: each key once, with the value that the worst of them asks for. Sets nothing.
/** @param findings as audit gives them, the worst first; they must outlive the result.
 *  @param seen     what they were found in. */
inline suggestion suggest(std::span<const finding> findings, const snapshot& seen) {
    suggestion all;
    for (const finding& f : findings) {
        if (f.settings.empty()) all.unresolved.push_back(&f);
        for (const setting& wanted : f.settings) {
            const auto known = std::find_if(all.settings.begin(), all.settings.end(),
                                            [&](const auto& s) { return s.setting.key == wanted.key; });
            if (known == all.settings.end()) {
                const std::optional<key> k = find_key(wanted.key);
                const bool has_value = k && seen[*k].status == key_status::present;
                std::string was = has_value ? seen[*k].text
                                  : k       ? "(" + std::string(to_string(seen[*k].status)) + ")"
                                            : "";
                all.settings.push_back({wanted, std::move(was), detail::place_of(k, seen), {&f}, {}});
            } else if (known->setting.value != wanted.value) {
                known->overruled.emplace_back(&f, wanted.value);
            } else if (known->reasons.back() != &f) {
                known->reasons.push_back(&f);
            }
        }
    }
    return all;
}

/// What would be seen with these settings made: to judge a suggestion before anybody follows it.
inline snapshot with_settings(snapshot seen, const suggestion& s) {
    for (const suggested_setting& one : s.settings)
        if (const std::optional<key> k = find_key(one.setting.key); k && one.place == setting_place::here)
            seen[*k] = interpret(facts(*k).shape, one.setting.value);
    return seen;
}

/// The line of another configuration file that would undo a setting made in `file`, a name such as 60-closeside.conf
/// below /etc/sysctl.d; nullptr if the loader in use reads none after it.
inline const config_setting* undoes(const config_view& config, std::string_view key, std::string_view file) {
    const config_key* const k = config.find(key);
    if (!k || !config.at_boot(*k).winner) return nullptr;
    const config_setting& winner = *config.at_boot(*k).winner;
    const std::string_view path = winner.file;
    const std::string_view name = path.substr(path.rfind('/') + 1);
    const bool after_all = config.loader == sysctl_loader::procps && path == "/etc/sysctl.conf";
    // Of the same name it is this very file, or one that it masks; a pattern never beats a line that names the key.
    return after_all || (winner.pattern.empty() && name > file) ? &winner : nullptr;
}

} // namespace closeside::host

#endif
