// SPDX-License-Identifier: BSL-1.0
#ifndef CLOSESIDE_HOST_DETAIL_SYSCTL_D_LEDGER_HPP
#define CLOSESIDE_HOST_DETAIL_SYSCTL_D_LEDGER_HPP

#include <closeside/detail/kernel/sysctl_text.hpp>
#include <closeside/host/config_view.hpp>
#include <closeside/host/detail/kernel_version.hpp>
#include <closeside/host/detail/sysctl_d/kernel_value.hpp>
#include <closeside/host/detail/sysctl_d/key_tree.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

namespace closeside::host::detail::sysctl_d {

/// A line of a file that was read, as a loader works with it.
struct assignment {
    std::string file;
    unsigned line = 0;
    /// Below /proc/sys, as the loader compares it.
    std::string path;
    std::string value;
    bool is_exclusion = false;

    std::string where() const { return file + ":" + std::to_string(line); }

    config_key::setting as_setting() const {
        return {value, file, line, path.find_first_of("*?[") == path.npos ? std::string() : path};
    }
};

/// So many lines of all files together; what is above would take seconds.
inline constexpr std::size_t most_assignments = 20000;
/// Each pattern is held against every key, and every exclusion against what it finds.
inline constexpr std::size_t most_patterns = 128;

/// What one loader has done to every key below net so far.
class ledger {
public:
    ledger(const key_tree& tree, std::int64_t first_unprivileged_port, std::optional<kernel_version> kernel)
        : tree_(&tree), first_unprivileged_port_(first_unprivileged_port), kernel_(kernel) {}

    /// The loader writes the value of the assignment to `key`, as of canonical(), and the kernel takes it or not.
    void write(const std::string& key, const assignment& from) {
        if (!is_of_interest(key)) return;
        config_key::outcome& outcome = outcomes_[key];
        const auto kind = tree_->look(key);
        if (kind == key_tree::kind::directory)
            return lose(outcome, from, config_key::loss::refused, "it is a directory");
        if (kind == key_tree::kind::read_only_key)
            return lose(outcome, from, config_key::loss::read_only, "nobody can write to it here");
        write_result result = write_value(key, from.value, {before(key, outcome), first_unprivileged_port_, kernel_});
        if (!result.accepted) {
            lose(outcome, from, config_key::loss::refused, result.reason);
            if (result.shown.empty()) return;
        }
        if (outcome.winner) add(outcome, {*std::move(outcome.winner), config_key::loss::overridden, from.where()});
        outcome.winner = from.as_setting();
        outcome.shown = std::move(result.shown);
    }

    /// The loader passes by an assignment for `key`.
    void pass_by(const std::string& key, const assignment& from, config_key::loss why, std::string by) {
        if (is_of_interest(key)) lose(outcomes_[key], from, why, std::move(by));
    }

    static bool is_of_interest(std::string_view key) noexcept { return key.starts_with("net/"); }

    std::map<std::string, config_key::outcome>& outcomes() noexcept { return outcomes_; }

private:
    /// More would not help anybody, and a file can repeat a key for ever.
    static constexpr std::size_t most_losers = 64;

    static void add(config_key::outcome& outcome, config_key::loser loser) {
        if (outcome.losers.size() < most_losers) outcome.losers.push_back(std::move(loser));
    }

    static void lose(config_key::outcome& outcome, const assignment& from, config_key::loss why, std::string by) {
        add(outcome, {from.as_setting(), why, std::move(by)});
    }

    /// What the key shows before the write. A boot begins with the kernel's own values, which write_value() knows where
    /// they matter; of a vector and of a key that it does not know, what is there now is the best guess.
    std::string before(const std::string& key, const config_key::outcome& outcome) {
        if (outcome.winner) return outcome.shown;
        const auto form = rule_for(key).form;
        return form == value_form::unknown || form == value_form::triple ? tree_->read(key).text : std::string();
    }

    const key_tree* tree_;
    std::int64_t first_unprivileged_port_;
    std::optional<kernel_version> kernel_;
    std::map<std::string, config_key::outcome> outcomes_;
};

} // namespace closeside::host::detail::sysctl_d

#endif
