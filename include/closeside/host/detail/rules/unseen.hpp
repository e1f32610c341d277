// SPDX-License-Identifier: BSL-1.0
#ifndef CLOSESIDE_HOST_DETAIL_RULES_UNSEEN_HPP
#define CLOSESIDE_HOST_DETAIL_RULES_UNSEEN_HPP

#include <closeside/host/detail/compose.hpp>
#include <closeside/host/detail/rule.hpp>

#include <optional>
#include <string>
#include <system_error>
#include <utility>
#include <vector>

namespace closeside::host::detail::rules {

[[gnu::cold]] inline std::vector<key> keys_with(const snapshot& s, key_status status) {
    std::vector<key> keys;
    for (const key_facts& facts : key_table)
        if (s[facts.id].status == status) keys.push_back(facts.id);
    return keys;
}

/// `net.ipv4.tcp_rfc1337 (empty), net.ipv4.tcp_timestamps (not a number)`
[[gnu::cold]] inline std::string list_problems(const snapshot& s, const std::vector<key>& keys) {
    std::string text;
    for (const key k : keys) {
        if (!text.empty()) text += ", ";
        text += to_string(k);
        text += compose(" ({})", {s[k].problem});
    }
    return text;
}

inline constexpr rule nothing_seen{
    "CS001", "the host cannot be looked at", [](const rule_input& in) -> std::optional<judgement> {
        if (in.host.error == 0) return std::nullopt;
        return found(severity::warning, {},
                     compose("No TCP setting can be read below {}: {}",
                             {in.host.root, std::generic_category().message(in.host.error)}),
                     "None by itself; hazards for the program's connections go unnoticed",
                     "Let the program see /proc/sys/net (systemd: ProcSubset=all), or run closeside-check on the host",
                     "proc(5)");
    }};

inline constexpr rule denied_keys{
    "CS002", "a key may not be read", [](const rule_input& in) -> std::optional<judgement> {
        auto keys = keys_with(in.host, key_status::denied);
        if (keys.empty() || in.host.error != 0) return std::nullopt;
        std::string message = compose("Not judged, because reading was refused: {}", {list_problems(in.host, keys)});
        return found(severity::warning, keys, message,
                     "None by itself; hazards that these keys would show go unnoticed",
                     "Let the program read these files, or run closeside-check as a user who may", "proc(5)");
    }};

inline constexpr rule malformed_keys{
    "CS003", "a key holds no value that it can have", [](const rule_input& in) -> std::optional<judgement> {
        auto keys = keys_with(in.host, key_status::malformed);
        if (keys.empty()) return std::nullopt;
        std::string message = compose("Not judged, because no such value can be: {}", {list_problems(in.host, keys)});
        return found(severity::warning, keys, message,
                     "None by itself; hazards that these keys would show go unnoticed",
                     "Look at these files: Linux prints no such thing, so this is an emulated /proc or a damaged copy",
                     "proc(5)");
    }};

/// A note: in such a sandbox nothing can be set, and what it says about Linux does not concern its TCP.
inline constexpr rule emulated_proc{
    "CS004", "the /proc here is emulated", [](const rule_input& in) -> std::optional<judgement> {
        if (!in.host.emulated) return std::nullopt;
        return found(severity::note, keys_with(in.host, key_status::emulated),
                     "The /proc here is that of a sandbox such as gVisor: its values are constants, the sandbox has a "
                     "TCP of its own, and nothing was judged by them",
                     "None by itself; hazards of the host or node that carries the sandbox go unnoticed",
                     "Run closeside-check on the host or node; in the sandbox there is nothing to set",
                     "gVisor pkg/sentry/fsimpl/proc/tasks_sys.go");
    }};

} // namespace closeside::host::detail::rules

#endif
