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
};

} // namespace closeside::host::detail::sysctl_d

#endif
