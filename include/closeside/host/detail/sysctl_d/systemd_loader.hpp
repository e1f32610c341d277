// SPDX-License-Identifier: BSL-1.0
#ifndef CLOSESIDE_HOST_DETAIL_SYSCTL_D_SYSTEMD_LOADER_HPP
#define CLOSESIDE_HOST_DETAIL_SYSCTL_D_SYSTEMD_LOADER_HPP

#include <closeside/host/detail/sysctl_d/glob.hpp>
#include <closeside/host/detail/sysctl_d/key_path.hpp>
#include <closeside/host/detail/sysctl_d/ledger.hpp>
#include <closeside/host/detail/sysctl_d/lines.hpp>

#include <cstddef>
#include <map>
#include <string>
#include <utility>
#include <vector>

namespace closeside::host::detail::sysctl_d {

/// systemd-sysctl: keeps one setting for each key, the last one read, and writes each once, so that a value that the
/// kernel refuses leaves the key as it was. (src/sysctl/sysctl.c: parse_file, apply_all)
class systemd_loader {
public:
    using lines = systemd_lines;
    static constexpr sysctl_loader which = sysctl_loader::systemd;

    static std::string path_of(std::string_view key) { return systemd_path(key); }

    /// False: there are too many, and it was left out.
    bool add(assignment e) {
        if (++added_ > most_assignments) return false;
        const auto [at, is_new] = by_path_.try_emplace(e.path, kept_.size());
        if (is_new && is_glob(e.path) && ++patterns_ > most_patterns) {
            by_path_.erase(at);
            return false;
        }
        if (!is_new) {
            assignment& before = kept_[at->second];
            if (before.value == e.value && before.is_exclusion == e.is_exclusion) {
                // It keeps its place in the order; for people the last line that says so is the one.
                replaced_.emplace_back(std::exchange(before, e), std::move(e));
                return true;
            }
            replaced_.emplace_back(std::move(before), e);
            before.path.clear();
            at->second = kept_.size();
        }
        kept_.push_back(std::move(e));
        return true;
    }

    void apply(key_tree& tree, const std::vector<std::string>& candidates, ledger& book) const {
        for (const auto& [earlier, later] : replaced_)
            if (const auto key = key_of(earlier); key && !earlier.is_exclusion)
                book.pass_by(*key, earlier,
                             later.is_exclusion ? config_key::loss::excluded : config_key::loss::overridden,
                             later.where());

        for (const assignment& e : kept_) {
            if (e.path.empty() || e.is_exclusion) continue;
            if (const auto key = key_of(e))
                book.write(*key, e);
            else if (is_glob(e.path) && !climbs(e.path))
                apply_glob(tree, candidates, e, book);
        }
    }

private:
    /// The key that a line names; nothing for a pattern, and for what is refused before the kernel sees it.
    static std::optional<std::string> key_of(const assignment& e) {
        if (is_glob(e.path) || climbs(e.path) || e.path.size() > longest_key) return std::nullopt;
        return canonical(e.path);
    }

    void apply_glob(key_tree& tree, const std::vector<std::string>& candidates, const assignment& e,
                    ledger& book) const {
        // glob_extend() asks glob(3) for braces as well, though braces alone make no pattern.
        for (const std::string& pattern : expand_braces(e.path))
            for (const match& found : expand_glob(tree, pattern, candidates)) {
                const auto other = by_path_.find(found.key);
                if (other == by_path_.end()) {
                    book.write(found.key, e);
                    continue;
                }
                const assignment& named = kept_[other->second];
                book.pass_by(found.key, e, named.is_exclusion ? config_key::loss::excluded : config_key::loss::literal,
                             named.where());
            }
    }

    /// In the order of application; those that were replaced have an empty path.
    std::vector<assignment> kept_;
    std::map<std::string, std::size_t> by_path_;
    std::vector<std::pair<assignment, assignment>> replaced_;
    std::size_t added_ = 0;
    std::size_t patterns_ = 0;
};

} // namespace closeside::host::detail::sysctl_d

#endif
