// SPDX-License-Identifier: BSL-1.0
#ifndef CLOSESIDE_HOST_SUGGEST_HPP
#define CLOSESIDE_HOST_SUGGEST_HPP

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

/// What can be set to resolve findings, and what cannot be resolved so. Refers to the findings it was made from.
struct suggestion {
    /// Where a key can be set.
    enum class settable : std::uint8_t {
        here, ///< where the snapshot was taken
        host, ///< on the host alone: this network namespace does not have the key, or only to read
        none  ///< the kernel has no such key now: it lacks it, or the module that brings it
    };

    /// A value that findings ask for.
    struct change {
        finding::setting setting;
        /// What was seen: the value, or in brackets why there is no value, as in "(hidden)".
        std::string was;
        settable where = settable::here;
        /// Those that ask for this value, the worst first.
        std::vector<const finding*> reasons;
        /// Those that ask for another one, and for which; no worse than the first of the reasons.
        std::vector<std::pair<const finding*, std::string>> overruled;
    };

    std::vector<change> settings;
    std::vector<const finding*> unresolved;

    /// What would be seen with these settings made: to judge a suggestion before anybody follows it.
    snapshot applied_to(snapshot seen) const {
        for (const change& one : settings)
            if (const std::optional<key> k = find_key(one.setting.key); k && one.where == settable::here)
                seen[*k] = detail::interpret(detail::facts(*k).shape, one.setting.value);
        return seen;
    }
};

namespace detail {

inline suggestion::settable settable_where(std::optional<key> k, const snapshot& seen) noexcept {
    if (!k) return suggestion::settable::here;
    if (seen.space == network_namespace::child && facts(*k).reach == key_reach::host) return suggestion::settable::host;
    switch (seen[*k].status) {
    case key_status::hidden: return suggestion::settable::host;
    case key_status::absent:
    case key_status::unloaded: return suggestion::settable::none;
    default: return suggestion::settable::here;
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
        for (const finding::setting& wanted : f.settings) {
            const auto known = std::find_if(all.settings.begin(), all.settings.end(),
                                            [&](const auto& s) { return s.setting.key == wanted.key; });
            if (known == all.settings.end()) {
                const std::optional<key> k = find_key(wanted.key);
                const bool has_value = k && seen[*k].status == key_status::present;
                std::string was = has_value ? seen[*k].text
                                  : k       ? "(" + std::string(to_string(seen[*k].status)) + ")"
                                            : "";
                all.settings.push_back({wanted, std::move(was), detail::settable_where(k, seen), {&f}, {}});
            } else if (known->setting.value != wanted.value) {
                known->overruled.emplace_back(&f, wanted.value);
            } else if (known->reasons.back() != &f) {
                known->reasons.push_back(&f);
            }
        }
    }
    return all;
}

} // namespace closeside::host

#endif
