// SPDX-License-Identifier: BSL-1.0
#ifndef CLOSESIDE_HOST_DETAIL_RULES_CONFIG_HPP
#define CLOSESIDE_HOST_DETAIL_RULES_CONFIG_HPP

#include <closeside/host/config_view.hpp>
#include <closeside/host/detail/compose.hpp>
#include <closeside/host/detail/kernel_defaults.hpp>
#include <closeside/host/detail/kernel_version.hpp>
#include <closeside/host/detail/next_boot.hpp>
#include <closeside/host/detail/rule.hpp>

#include <algorithm>
#include <cstddef>
#include <initializer_list>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace closeside::host::detail::rules {

inline constexpr std::string_view loaders_source =
    "systemd src/sysctl/sysctl.c; procps src/sysctl.c: PreloadSystem; sysctl.d(5), sysctl(8)";

/// The problems of some kinds with keys that the host check reads, or with files and lines.
struct problem_list {
    std::vector<const config_problem*> found;
    severity worst = severity::note;

    problem_list(const rule_input& in, std::initializer_list<config_problem_kind> kinds, bool any_key = false) {
        if (!in.config || !files_are_applied(in.host)) return;
        for (const config_problem& p : in.config->problems) {
            if (std::find(kinds.begin(), kinds.end(), p.kind) == kinds.end()) continue;
            if (!any_key && !p.key.empty() && !find_key(p.key)) continue;
            found.push_back(&p);
            worst = std::max(worst, p.severity);
        }
    }

    bool empty() const noexcept { return found.empty(); }

    std::vector<key> keys() const {
        std::vector<key> all;
        for (const config_problem* p : found)
            if (const auto k = find_key(p->key); k && std::find(all.begin(), all.end(), *k) == all.end())
                all.push_back(*k);
        return all;
    }

    /// `/etc/sysctl.conf:3: net.ipv4.tcp_tw_recycle: …; …; and 4 more`
    std::string text() const {
        constexpr std::size_t shown = 3;
        std::string all;
        for (std::size_t i = 0; i != std::min(found.size(), shown); ++i) {
            const config_problem& p = *found[i];
            all += compose("{}{}{}: {}{}", {i == 0 ? "" : "; ", p.file, p.line == 0 ? "" : compose(":{}", {p.line}),
                                            p.key.empty() ? "" : compose("{}: ", {p.key}), p.text});
        }
        if (found.size() > shown)
            all += compose("; and {} more (closeside-check config lists them)", {found.size() - shown});
        return all;
    }

    bool has(config_problem_kind kind) const noexcept {
        return std::any_of(found.begin(), found.end(), [&](const config_problem* p) { return p->kind == kind; });
    }

    /// Leaves out the problems of which `unwanted` is true.
    template <class Unwanted>
    void leave_out(Unwanted unwanted) {
        std::erase_if(found, [&](const config_problem* p) { return unwanted(*p); });
        worst = severity::note;
        for (const config_problem* p : found) worst = std::max(worst, p->severity);
    }
};

/// The finding of the rule that warns of it says what to do about the line.
[[gnu::cold]] inline bool is_bad_line(const rule_input& in, const config_key::outcome& outcome, std::string_view name) {
    const auto k = find_key(name);
    return k && outcome.winner && in.is_bad(*k, outcome.shown);
}

/// The values that the files set at boot, for a program to set now, and the lines whose value nobody should set.
struct values_of_files {
    std::vector<finding::setting> good;
    std::string bad_lines;

    values_of_files(const rule_input& in, const problem_list& problems) {
        for (const config_problem* p : problems.found) {
            const config_key* const k = in.config->find(p->key);
            if (!k || !in.config->at_boot(*k).winner) continue;
            const config_key::outcome& boot = in.config->at_boot(*k);
            const auto id = find_key(k->name);
            if (!id || !in.is_unwanted(*id, boot.shown))
                good.push_back({k->name, to_be_written(boot.shown)});
            else
                bad_lines += compose("{}{}", {bad_lines.empty() ? "" : ", ", place_of(*boot.winner)});
        }
    }
};

inline constexpr rule retired_key_set{
    "CS501", "a configuration file sets a key that the kernel has given up",
    [](const rule_input& in) -> std::optional<judgement> {
        const problem_list gone(in, {config_problem_kind::removed_key, config_problem_kind::renamed_key}, true);
        if (gone.empty()) return std::nullopt;
        const bool renamed = gone.has(config_problem_kind::renamed_key);
        return found(renamed ? severity::warning : severity::note, gone.keys(), gone.text(),
                     renamed ? "The limit or time-out that the line was meant to set is the kernel's default instead; "
                               "`sysctl -p` ends with an error"
                             : "None for connections; `sysctl -p` ends with an error, at which scripts may stop",
                     renamed ? "Write the key's name of today into the line, or delete it" : "Delete the line",
                     "Linux commits 4396e46187ca (tcp_tw_recycle, 4.12), adf0516845bc (ip_conntrack_*, 4.9)");
    }};

/// Not of a key whose module may come after the files: CS506 speaks of it, and setting it now would not last.
inline constexpr rule live_value_drifts{
    "CS502", "the kernel has another value than the configuration files set",
    [](const rule_input& in) -> std::optional<judgement> {
        problem_list drift(in, {config_problem_kind::drift});
        drift.leave_out([&](const config_problem& p) {
            const config_key* const k = in.config->find(p.key);
            return k && !takes_settings(*in.config, *k);
        });
        if (drift.empty()) return std::nullopt;
        const values_of_files values(in, drift);
        const std::string_view apply = in.config->loader == sysctl_loader::systemd ? "systemctl restart systemd-sysctl"
                                       : in.config->loader == sysctl_loader::busybox ? "rc-service sysctl restart"
                                                                                     : "sysctl --system";
        return found(
            drift.worst, drift.keys(), drift.text(),
            "After the next boot connections behave differently from today, with nobody having changed anything",
            remedy{values.bad_lines.empty()
                       ? compose("decide which value is right: run `{}` as root for that of the files, or write "
                                 "today's into the file that decides",
                                 {apply})
                       : compose("take {} out, or write a value there that no other finding warns of{}",
                                 {values.bad_lines, values.good.empty()
                                                        ? ""
                                                        : "; then decide for the others: set the value of the "
                                                          "files now, or write today's into the file"}),
                   values.good},
            loaders_source);
    }};

/// Nothing is lost that the boot brings anyway, that is not in force, or that a rule warns of.
inline constexpr rule setting_lost_at_boot{
    "CS503", "a setting of /etc/sysctl.conf is lost at the next boot",
    [](const rule_input& in) -> std::optional<judgement> {
        problem_list lost(in, {config_problem_kind::lost_at_boot});
        const auto version = parse_kernel_version(in.host.kernel);
        problem_list idle = lost;
        const auto is_in_force = [&](const config_problem& p) {
            const config_key* const k = in.config->find(p.key);
            const auto id = find_key(p.key);
            if (!k || !id || !k->procps.winner || k->status != key_status::present) return true;
            const key_value set = interpret(facts(*id).shape, k->procps.shown), live = in.host[*id];
            return set.number == live.number && set.high == live.high && (set.number || set.text == live.text);
        };
        const auto is_no_loss = [&](const config_problem& p) {
            const config_key* const k = in.config->find(p.key);
            const auto id = find_key(p.key);
            if (!k || !id || k->systemd.winner) return false;
            const key_history* const history = history_of(*id);
            return history && !history->by_machine && version && k->procps.shown == default_of(*history, *version);
        };
        const auto is_bad = [&](const config_problem& p) {
            const config_key* const k = in.config->find(p.key);
            return k && is_bad_line(in, k->procps, p.key);
        };
        idle.leave_out([&](const config_problem& p) { return is_in_force(p) || is_no_loss(p) || is_bad(p); });
        lost.leave_out([&](const config_problem& p) { return !is_in_force(p) || is_no_loss(p) || is_bad(p); });
        if (!lost.empty())
            return found(lost.worst, lost.keys(), lost.text(),
                         "What was set with `sysctl -p` holds until the host is restarted, and then is gone without a "
                         "word",
                         "Move the lines into a file below /etc/sysctl.d/, which every loader reads", loaders_source);
        if (idle.empty() || in.config->loader != sysctl_loader::systemd) return std::nullopt;
        return found(severity::note, idle.keys(), idle.text(),
                     "None now: these lines are not in force, and the boot does not bring them",
                     "Delete the lines, or move those that are wanted into a file below /etc/sysctl.d/",
                     loaders_source);
    }};

inline constexpr rule loaders_disagree{
    "CS504", "the boot and `sysctl --system` set different values",
    [](const rule_input& in) -> std::optional<judgement> {
        const problem_list differences(in, {config_problem_kind::loaders_disagree});
        if (differences.empty()) return std::nullopt;
        return found(differences.worst, differences.keys(), differences.text(),
                     "Connections behave differently after somebody has run `sysctl --system` than after a boot",
                     "Leave one line for the key, in a file below /etc/sysctl.d/ whose name sorts last, with its full "
                     "name and a value that the kernel takes",
                     loaders_source);
    }};

inline constexpr rule value_refused{
    "CS505", "a configuration file sets a value that the kernel refuses",
    [](const rule_input& in) -> std::optional<judgement> {
        const problem_list refused(in, {config_problem_kind::refused_value});
        if (refused.empty()) return std::nullopt;
        return found(refused.worst, refused.keys(), refused.text(),
                     "The key keeps the value that it had before, mostly the kernel's default",
                     "Correct the value: numbers without quotes or signs behind them, a port range with a blank "
                     "between its ends, reserved ports with commas and without blanks",
                     "Linux kernel/sysctl.c: proc_get_long, net/ipv4/sysctl_net_ipv4.c");
    }};

inline constexpr rule key_before_module{
    "CS506", "a key is set before the module that brings it is loaded",
    [](const rule_input& in) -> std::optional<judgement> {
        const problem_list early(in, {config_problem_kind::before_module}, true);
        if (early.empty()) return std::nullopt;
        return found(
            early.worst, early.keys(), early.text(),
            "After a boot conntrack has the kernel's defaults: a table that is too small drops new "
            "connections, and time-outs are others than those planned with",
            in.host.space == network_namespace::child
                ? "Have the host load `nf_conntrack` (for net.bridge keys `br_netfilter`) before this container "
                  "starts, by a file below its /etc/modules-load.d/: a container loads no modules"
                : "Put `nf_conntrack` (for net.bridge keys `br_netfilter`) into a file below "
                  "/etc/modules-load.d/: systemd-sysctl waits for these",
            "systemd units/systemd-sysctl.service: After=systemd-modules-load.service");
    }};

inline constexpr rule config_file_harmful{
    "CS507", "a configuration file cannot be read, or holds the loaders up",
    [](const rule_input& in) -> std::optional<judgement> {
        const problem_list files(in, {config_problem_kind::unreadable_file, config_problem_kind::dangling_link,
                                      config_problem_kind::dangerous_file, config_problem_kind::oversized,
                                      config_problem_kind::changing_file});
        if (files.empty()) return std::nullopt;
        const bool dangerous = files.has(config_problem_kind::dangerous_file);
        return found(files.worst, {}, files.text(),
                     dangerous ? "At the next boot the loader hangs and no setting of any file is applied; the boot "
                                 "waits for it up to its time limit"
                               : "Settings that the file was meant to make may be missing, and are not judged here",
                     dangerous ? "Remove it" : "Look at the file; remove it if nobody needs it", loaders_source);
    }};

inline constexpr rule line_sets_nothing{
    "CS508", "a line of a configuration file sets nothing", [](const rule_input& in) -> std::optional<judgement> {
        const problem_list lines(in,
                                 {config_problem_kind::unknown_key, config_problem_kind::future_key,
                                  config_problem_kind::malformed_key, config_problem_kind::no_setting},
                                 true);
        if (lines.empty()) return std::nullopt;
        return found(severity::note, {}, lines.text(),
                     "None by itself; whoever wrote the line believes that it is in force",
                     "Correct the name of the key, and write `key = value`; or delete the line", loaders_source);
    }};

} // namespace closeside::host::detail::rules

#endif
