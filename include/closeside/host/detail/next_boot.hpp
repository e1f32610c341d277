// SPDX-License-Identifier: BSL-1.0
#ifndef CLOSESIDE_HOST_DETAIL_NEXT_BOOT_HPP
#define CLOSESIDE_HOST_DETAIL_NEXT_BOOT_HPP

#include <closeside/host/config_view.hpp>
#include <closeside/host/detail/compose.hpp>
#include <closeside/host/detail/remedy.hpp>
#include <closeside/host/finding.hpp>
#include <closeside/host/key.hpp>
#include <closeside/host/key_value.hpp>
#include <closeside/host/snapshot.hpp>

#include <algorithm>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace closeside::host::detail {

/// `/etc/sysctl.d/9.conf:3`
[[gnu::cold]] inline std::string place_of(const config_key::setting& line) {
    return compose("{}:{}", {line.file, line.line});
}

/// The files of a container are applied by nobody, unless it runs systemd as a host does and may write to the keys.
[[gnu::cold]] inline bool files_are_applied(const snapshot& s) noexcept {
    return s.space != network_namespace::child || boots_by_itself(s);
}

/// Whether the key is there when the files are applied, and can be written to.
[[gnu::cold]] inline bool takes_settings(const config_view& config, const config_key& k) noexcept {
    switch (k.status) {
    case key_status::absent:
    case key_status::hidden:
    case key_status::emulated: return false;
    default: break;
    }
    // What comes with its module later keeps the kernel's default, which nothing here tells.
    return std::none_of(config.problems.begin(), config.problems.end(), [&](const config_problem& p) {
        return p.kind == config_problem_kind::before_module && p.key == k.name;
    });
}

/// A value that the next boot brings, and that the kernel does not have now.
struct boot_change {
    key id;
    std::string value;
    /// The line that sets it.
    std::string where;
    /// What there is now, or in brackets why there is no value.
    std::string now;
};

/// A host as its configuration files make it. What no file sets is taken to stay as it is: whether that is the kernel's
/// default or was set by hand, nothing tells.
struct boot_view {
    snapshot host;
    std::vector<boot_change> changes;

    const boot_change* find(key k) const noexcept {
        for (const boot_change& c : changes)
            if (c.id == k) return &c;
        return nullptr;
    }
};

[[gnu::cold]] inline std::string shown_value(const key_value& v) {
    return v.status == key_status::present ? to_be_written(v.text) : compose("({})", {to_string(v.status)});
}

[[gnu::cold]] inline boot_view at_next_boot(const snapshot& seen, const config_view& config) {
    boot_view boot{seen, {}};
    // They count from the boot on.
    boot.host.counters.fill(std::nullopt);
    boot.host.sockets = {};
    if (!files_are_applied(seen)) return boot;
    for (const key_facts& facts : key_table) {
        const config_key* const k = config.find(facts.name);
        if (!k || !config.at_boot(*k).winner || !takes_settings(config, *k)) continue;
        key_status& status = boot.host[facts.id].status;
        if (status == key_status::absent || status == key_status::hidden || status == key_status::emulated) continue;
        if (k->status == key_status::present && !k->drift) continue;
        const config_key::outcome& outcome = config.at_boot(*k);
        key_value value = interpret(facts.shape, outcome.shown);
        if (value.status != key_status::present) continue;
        boot.changes.push_back(
            {facts.id, to_be_written(outcome.shown), place_of(*outcome.winner), shown_value(seen[facts.id])});
        boot.host[facts.id] = std::move(value);
    }
    return boot;
}

/// `/etc/sysctl.d/9.conf:3 sets net.ipv4.tcp_rfc1337 to 1 (now 0)`, for each of them.
[[gnu::cold]] inline std::string in_words(const std::vector<const boot_change*>& changes) {
    std::string text;
    for (const boot_change* c : changes)
        text += compose("{}{} sets {} to {} (now {})",
                        {text.empty() ? "" : ", and ", c->where, to_string(c->id), c->value, c->now});
    return text;
}

/// What to do before the next boot, so that it does not bring what a rule warns of.
/** @param by       the lines that bring it.
 *  @param settings what the rule would have set.
 *  @param words    the rule's own fix, for one that sets nothing. */
[[gnu::cold]] inline std::string fix_before_boot(const boot_view& boot, const snapshot& now,
                                                 const std::vector<const boot_change*>& by,
                                                 const std::vector<finding::setting>& settings,
                                                 std::string_view words) {
    std::string text;
    for (const finding::setting& wanted : settings) {
        const std::optional<key> k = find_key(wanted.key);
        if (!k) continue;
        const boot_change* const line = boot.find(*k);
        const bool right_now = shown_value(now[*k]) == wanted.value;
        if (!line && right_now) continue;
        text += text.empty() ? "Before the next boot " : ", and ";
        if (!line)
            text += compose("set {} to {} in a file below /etc/sysctl.d/", {wanted.key, wanted.value});
        else if (right_now)
            text +=
                compose("take {} out, or let it set {} to {}, as it is now", {line->where, wanted.key, wanted.value});
        else
            text += compose("let {} set {} to {}", {line->where, wanted.key, wanted.value});
    }
    if (!text.empty()) return text;
    std::string places;
    for (const boot_change* c : by) places += compose("{}{}", {places.empty() ? "" : ", ", c->where});
    return compose("{}; what brings it is {}", {words, places});
}

} // namespace closeside::host::detail

#endif
