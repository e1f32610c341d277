// SPDX-License-Identifier: BSL-1.0
#ifndef CLOSESIDE_HOST_DETAIL_SYSCTL_D_MODULES_HPP
#define CLOSESIDE_HOST_DETAIL_SYSCTL_D_MODULES_HPP

#include <closeside/host/detail/sysctl_d/file_content.hpp>
#include <closeside/host/detail/sysctl_d/path_in_root.hpp>

#include <algorithm>
#include <cstddef>
#include <string>
#include <string_view>

namespace closeside::host::detail::sysctl_d {

/// Which kernel modules are loaded, and which are loaded before the sysctl files are applied.
class modules {
public:
    explicit modules(int root) : loaded_(read_file(root, "/proc/modules").bytes) {
        // systemd-modules-load(8), which systemd-sysctl waits for; /etc/modules is older, and Debian links it in there.
        for (const std::string_view directory : {"/etc/modules-load.d", "/run/modules-load.d",
                                                 "/usr/local/lib/modules-load.d", "/usr/lib/modules-load.d"}) {
            constexpr std::size_t most_files = 256;
            for (const std::string& name : list_directory(locate(root, directory), most_files).names)
                if (name.ends_with(".conf"))
                    early_ += read_file(root, std::string(directory) + "/" + name).bytes + "\n";
        }
        early_ += read_file(root, "/etc/modules").bytes;
        std::replace(early_.begin(), early_.end(), '-', '_');
        for (const std::string_view directory :
             {"/etc/udev/rules.d", "/run/udev/rules.d", "/usr/local/lib/udev/rules.d", "/usr/lib/udev/rules.d",
              "/lib/udev/rules.d"})
            add_udev_rules(root, std::string(directory));
    }

    /// A rule of udev has the files applied, at least for this module's keys, when the module is loaded. (sysctl.d(5))
    bool is_followed_by_sysctl(std::string_view name) const {
        const std::string kernel = "\"" + std::string(name) + "\"";
        return has_line(udev_rules_, [&](std::string_view line) { return line.find(kernel) != line.npos; });
    }

    /// A module of that name is loaded; one that is built into the kernel is not.
    bool is_loaded(std::string_view name) const {
        return has_line(loaded_, [&](std::string_view line) { return line.starts_with(std::string(name) + " "); });
    }

    /// It, or one that needs it, is loaded before the sysctl files are applied.
    bool is_early(std::string_view name) const {
        return has_line(early_, [&](std::string_view line) {
            line.remove_prefix(std::min(line.find_first_not_of(" \t"), line.size()));
            line = line.substr(0, line.find_first_of(" \t\r"));
            if (line.empty() || line.front() == '#' || line.front() == ';') return false;
            return line == name || (name == "nf_conntrack" && (line.starts_with("nf_conntrack") ||
                                                               line.starts_with("nf_nat") || line == "xt_conntrack"));
        });
    }

private:
    /// Those that run systemd-sysctl or sysctl.
    void add_udev_rules(int root, const std::string& directory) {
        constexpr std::size_t most_files = 1024;
        for (const std::string& name : list_directory(locate(root, directory), most_files).names) {
            if (!name.ends_with(".rules")) continue;
            const std::string rules = read_file(root, directory + "/" + name).bytes;
            if (rules.find("sysctl") == rules.npos) continue;
            (void)has_line(rules, [&](std::string_view line) {
                const std::string_view rule = line.substr(std::min(line.find_first_not_of(" \t"), line.size()));
                if (!rule.starts_with('#') && rule.find("sysctl") != rule.npos) (udev_rules_ += rule) += "\n";
                return false;
            });
        }
    }

    template <class Predicate>
    static bool has_line(std::string_view text, Predicate fits) {
        while (!text.empty()) {
            const std::size_t end = std::min(text.find('\n'), text.size());
            if (fits(text.substr(0, end))) return true;
            text.remove_prefix(std::min(end + 1, text.size()));
        }
        return false;
    }

    std::string loaded_;
    std::string early_;
    std::string udev_rules_;
};

} // namespace closeside::host::detail::sysctl_d

#endif
