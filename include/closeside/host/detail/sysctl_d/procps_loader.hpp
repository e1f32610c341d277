// SPDX-License-Identifier: BSL-1.0
#ifndef CLOSESIDE_HOST_DETAIL_SYSCTL_D_PROCPS_LOADER_HPP
#define CLOSESIDE_HOST_DETAIL_SYSCTL_D_PROCPS_LOADER_HPP

#include <closeside/host/detail/sysctl_d/file_list.hpp>
#include <closeside/host/detail/sysctl_d/glob.hpp>
#include <closeside/host/detail/sysctl_d/key_path.hpp>
#include <closeside/host/detail/sysctl_d/ledger.hpp>
#include <closeside/host/detail/sysctl_d/lines.hpp>

#include <cstddef>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <fnmatch.h>

namespace closeside::host::detail::sysctl_d {

/// procps' `sysctl --system`: writes every setting in the order of the files and lines, so that the last one that the
/// kernel takes stays. (src/sysctl.c: PreloadSystem, write_setting_list)
class procps_loader {
public:
    using lines = procps_lines;
    static constexpr sysctl_loader which = sysctl_loader::procps;

    explicit procps_loader(const procps_release& release) : release_(release) {}

    static std::string path_of(std::string_view key) { return with_slashes(key); }

    /// False: there are too many, and it was left out.
    bool add(assignment e) {
        if (assignments_.size() == most_assignments) return false;
        if ((is_glob(e.path) || e.is_exclusion) && ++patterns_ > most_patterns) return false;
        assignments_.push_back(std::move(e));
        return true;
    }

    void apply(key_tree& tree, const std::vector<std::string>& candidates, ledger& book) const {
        // The lines that keep patterns away from a path, by the very text of the path: `net//ipv4` is another one.
        std::map<std::string, const assignment*> named;
        for (const assignment& e : assignments_) named.try_emplace(e.path, &e);

        for (const assignment& e : assignments_) {
            if (e.is_exclusion || e.path.size() > longest_key || !is_walkable(tree, e.path)) continue;
            if (!release_.globs || !is_glob(e.path)) {
                if (const auto key = canonical(e.path)) book.write(*key, e);
                continue;
            }
            for (const match& found : expand_glob(tree, e.path, candidates)) {
                if (const assignment* const other = keeps_away(named, found.path))
                    book.pass_by(found.key, e,
                                 other->is_exclusion ? config_key::loss::excluded : config_key::loss::literal,
                                 other->where());
                else
                    book.write(found.key, e);
            }
        }
    }

    const std::vector<assignment>& assignments() const noexcept { return assignments_; }

private:
    /// It hands paths to the kernel as they are: `key/` is no key, and `..` must come after a directory.
    static bool is_walkable(const key_tree& tree, const std::string& path) {
        if (path.ends_with('/')) return false;
        if (!tree.is_known()) return true;
        for (std::size_t at = path.find("/../"); at != path.npos; at = path.find("/../", at + 1)) {
            const auto before = canonical(std::string_view(path).substr(0, at));
            if (before && tree.look(*before) != key_tree::kind::directory) return false;
        }
        return true;
    }

    const assignment* keeps_away(const std::map<std::string, const assignment*>& named, const std::string& path) const {
        if (const auto at = named.find(path); at != named.end()) return at->second;
        if (!release_.exclusion_globs) return nullptr;
        for (const assignment& e : assignments_)
            // Here, unlike in a setting, `*` crosses slashes.
            if (e.is_exclusion && matches(e.path, path, 0)) return &e;
        return nullptr;
    }

    procps_release release_;
    std::vector<assignment> assignments_;
    std::size_t patterns_ = 0;
};

} // namespace closeside::host::detail::sysctl_d

#endif
