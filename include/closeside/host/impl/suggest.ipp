// SPDX-License-Identifier: BSL-1.0
#ifndef CLOSESIDE_HOST_IMPL_SUGGEST_IPP
#define CLOSESIDE_HOST_IMPL_SUGGEST_IPP

#include <closeside/detail/separate_compilation.hpp>
#include <closeside/host/detail/compose.hpp>
#include <closeside/host/finding.hpp>
#include <closeside/host/key.hpp>
#include <closeside/host/key_value.hpp>
#include <closeside/host/snapshot.hpp>
#include <closeside/host/suggest.hpp>

#include <algorithm>
#include <optional>
#include <span>
#include <string>
#include <utility>

namespace closeside::host {

CLOSESIDE_DECL snapshot suggestion::applied_to(snapshot seen) const {
    for (const change& one : settings)
        if (const std::optional<key> k = find_key(one.setting.key); k && one.where == settable::here)
            seen[*k] = detail::interpret(detail::facts(*k).shape, one.setting.value);
    return seen;
}

namespace detail {

[[gnu::cold]] inline suggestion::settable settable_where(std::optional<key> k, const snapshot& seen) noexcept {
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

CLOSESIDE_DECL suggestion suggest(std::span<const finding> findings, const snapshot& seen) {
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
                                  : k       ? detail::compose("({})", {to_string(seen[*k].status)})
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
