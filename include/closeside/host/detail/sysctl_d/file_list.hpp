// SPDX-License-Identifier: BSL-1.0
#ifndef CLOSESIDE_HOST_DETAIL_SYSCTL_D_FILE_LIST_HPP
#define CLOSESIDE_HOST_DETAIL_SYSCTL_D_FILE_LIST_HPP

#include <closeside/host/config_view.hpp>
#include <closeside/host/detail/sysctl_d/file_content.hpp>
#include <closeside/host/detail/sysctl_d/glob.hpp>
#include <closeside/host/detail/sysctl_d/path_in_root.hpp>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstddef>
#include <map>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <fnmatch.h>
#include <sys/stat.h>

namespace closeside::host::detail::sysctl_d {

/// A file that a loader reads, or would read if another did not mask it.
struct listed_file {
    std::string path;
    /// The file of the same name that hides it; empty: it is read.
    std::string masked_by{};
};

inline constexpr std::string_view sysctl_conf = "/etc/sysctl.conf";

/// The directories of configuration files below a root, each listed once.
class file_finder {
public:
    explicit file_finder(int root) : root_(root) {}

    /// Every file in the order in which it is read: by name, byte for byte, whatever the directory.
    std::vector<listed_file> for_procps(const procps_release& release) {
        std::array<std::string_view, 5> order{"/etc/sysctl.d", "/run/sysctl.d", "/usr/local/lib/sysctl.d",
                                              "/usr/lib/sysctl.d", "/lib/sysctl.d"};
        if (release.run_before_etc) std::swap(order[0], order[1]);
        std::vector<listed_file> files;
        for (listed_file& file : in_order(order, true)) {
            if (!file.masked_by.empty() || file.path.find_first_of("*?[{", file.path.rfind('/')) == std::string::npos) {
                files.push_back(std::move(file));
                continue;
            }
            for (std::string& path : opened_for(file.path)) files.push_back({std::move(path)});
        }
        if (is_regular(sysctl_conf)) files.push_back({std::string(sysctl_conf)});
        return files;
    }

    /// systemd-sysctl, as of a usr-merged system: it does not look into /lib by itself.
    std::vector<listed_file> for_systemd() {
        constexpr std::array<std::string_view, 4> order{"/etc/sysctl.d", "/run/sysctl.d", "/usr/local/lib/sysctl.d",
                                                        "/usr/lib/sysctl.d"};
        return in_order(order, false);
    }

    /// Alpine's start script: what packages bring, then /etc, /etc/sysctl.conf, and /run last; a file of /etc or /run hides
    /// those of its name before it. (aports main/openrc/sysctl.initd)
    std::vector<listed_file> for_busybox() {
        constexpr std::array<std::string_view, 3> before{"/lib/sysctl.d", "/usr/lib/sysctl.d", "/etc/sysctl.d"};
        std::vector<listed_file> files;
        for (const std::string_view from : before)
            for (const std::string& name : look_into(from).names)
                if (name.ends_with(".conf") && name.front() != '.')
                    files.push_back({std::string(from) + "/" + name, hider_of(from, name)});
        if (is_regular(sysctl_conf)) files.push_back({std::string(sysctl_conf)});
        for (const std::string& name : look_into("/run/sysctl.d").names)
            if (name.ends_with(".conf") && name.front() != '.') files.push_back({"/run/sysctl.d/" + name});
        return files;
    }

    /// The directories of which not every name was looked at, and those that cannot be read.
    const std::vector<std::string>& cut() const noexcept { return cut_; }
    const std::vector<std::pair<std::string, int>>& unreadable() const noexcept { return unreadable_; }

    static constexpr std::size_t most_names = 4096;

private:
    struct directory {
        /// Without links; empty if it is another one by another name, or not there.
        std::string path;
        std::vector<std::string> names;
    };

    bool is_regular(std::string_view path) const {
        const located found = locate(root_, path);
        return found.error == 0 && S_ISREG(found.status.st_mode);
    }

    std::string hider_of(std::string_view from, const std::string& name) const {
        for (const std::string_view other : {"/etc/sysctl.d", "/run/sysctl.d"})
            if (const std::string path = std::string(other) + "/" + name; other != from && is_regular(path))
                return path;
        return {};
    }

    const directory& look_into(std::string_view path) {
        const auto [at, is_new] = seen_.try_emplace(std::string(path));
        if (!is_new) return at->second;
        const located where = locate(root_, path);
        // /lib is the same directory as /usr/lib if it is a link to it.
        for (const auto& [other, listed] : seen_)
            if (where.error == 0 && listed.path == where.path) return at->second;
        at->second.path = where.path;
        if (where.error != 0 || !S_ISDIR(where.status.st_mode)) {
            if (where.error != 0 && where.error != ENOENT && where.error != ENOTDIR)
                unreadable_.emplace_back(path, where.error);
            return at->second;
        }
        directory_names listed = list_directory(where, most_names);
        if (listed.cut) cut_.emplace_back(path);
        if (listed.error != 0) unreadable_.emplace_back(path, listed.error);
        std::sort(listed.names.begin(), listed.names.end());
        at->second.names = std::move(listed.names);
        return at->second;
    }

    std::vector<listed_file> in_order(std::span<const std::string_view> directories, bool hidden_too) {
        // By name: the file that is read, then those that it masks.
        std::map<std::string, std::vector<std::string>> by_name;
        for (const std::string_view path : directories)
            for (const std::string& name : look_into(path).names)
                if (name.ends_with(".conf") && (hidden_too || name.front() != '.'))
                    by_name[name].push_back(std::string(path) + "/" + name);
        std::vector<listed_file> files;
        for (auto& [name, paths] : by_name) {
            for (std::size_t i = 1; i != paths.size(); ++i) files.push_back({paths[i], paths[0]});
            files.push_back({paths[0]});
        }
        return files;
    }

    /// procps hands each name to glob(3): what it opens for a name with a pattern's characters in it.
    std::vector<std::string> opened_for(const std::string& path) {
        const std::size_t slash = path.rfind('/') + 1;
        const std::string above = path.substr(0, slash);
        std::vector<std::string> paths;
        for (const std::string& alternative : expand_braces(path.substr(slash)))
            for (const std::string& name : look_into(path.substr(0, slash - 1)).names)
                if (matches(alternative, name, FNM_PERIOD)) paths.push_back(above + name);
        if (paths.empty()) paths.push_back(path);
        return paths;
    }

    int root_;
    std::map<std::string, directory> seen_;
    std::vector<std::string> cut_;
    std::vector<std::pair<std::string, int>> unreadable_;
};

} // namespace closeside::host::detail::sysctl_d

#endif
