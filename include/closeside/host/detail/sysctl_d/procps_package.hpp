// SPDX-License-Identifier: BSL-1.0
#ifndef CLOSESIDE_HOST_DETAIL_SYSCTL_D_PROCPS_PACKAGE_HPP
#define CLOSESIDE_HOST_DETAIL_SYSCTL_D_PROCPS_PACKAGE_HPP

#include <closeside/detail/kernel/printable_text.hpp>
#include <closeside/host/config_view.hpp>
#include <closeside/host/detail/sysctl_d/file_content.hpp>
#include <closeside/host/detail/sysctl_d/path_in_root.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdio>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace closeside::host::detail::sysctl_d {

/// The procps that is installed below a root, as far as its files tell.
struct installed_procps {
    /// "4.0.2", "4.0.0 to 4.0.4"; empty: not known.
    std::string name;
    /// What its `sysctl --system` may be like: one release, or several between which nothing decides.
    std::vector<procps_release> possible{procps_release{}, procps_release::of(4, 0, 2), procps_release::of(3, 3, 17),
                                         procps_release::of(3, 3, 16)};
};

/// Of `2:4.0.2-3`, `3.3.17-r2`, `4.0.4`.
inline std::optional<installed_procps> procps_of_version(std::string_view version) {
    if (const std::size_t epoch = version.find(':'); epoch != version.npos) version.remove_prefix(epoch + 1);
    const std::string text(version.substr(0, version.find_first_of("-+~ \r")));
    int major = 0, minor = 0, patch = 0;
    if (std::sscanf(text.c_str(), "%d.%d.%d", &major, &minor, &patch) < 2) return std::nullopt;
    return installed_procps{closeside::detail::printable(text), {procps_release::of(major, minor, patch)}};
}

/// The field `wanted` of the paragraph whose field `key` is `name`, in the files of dpkg and apk.
inline std::string_view field_of(std::string_view database, std::string_view key, std::string_view name,
                                 std::string_view wanted) {
    bool here = false;
    while (!database.empty()) {
        const std::string_view line = database.substr(0, database.find('\n'));
        database.remove_prefix(std::min(line.size() + 1, database.size()));
        if (line.empty()) here = false;
        if (line.starts_with(key)) here = line.substr(key.size()) == name;
        if (here && line.starts_with(wanted)) return line.substr(wanted.size());
    }
    return {};
}

/// By the packages' own lists: dpkg, apk, pacman. rpm's is a database.
inline std::optional<installed_procps> procps_of_packages(int root) {
    constexpr std::size_t largest_list = 16 * 1024 * 1024;
    const std::string dpkg = read_file(root, "/var/lib/dpkg/status", largest_list).bytes;
    if (auto found = procps_of_version(field_of(dpkg, "Package: ", "procps", "Version: "))) return found;
    const std::string apk = read_file(root, "/lib/apk/db/installed", largest_list).bytes;
    if (auto found = procps_of_version(field_of(apk, "P:", "procps-ng", "V:"))) return found;
    constexpr std::size_t most_packages = 20000;
    constexpr std::string_view package = "procps-ng-";
    for (const std::string& name : list_directory(locate(root, "/var/lib/pacman/local"), most_packages).names)
        if (name.starts_with(package))
            if (auto found = procps_of_version(std::string_view(name).substr(package.size()))) return found;
    return std::nullopt;
}

/// By the library that sysctl comes with: libproc2 since 4.0.0, whose number rose with 4.0.5; libprocps before.
inline std::optional<installed_procps> procps_of_library(std::string_view file) {
    if (file.starts_with("libproc2.so.0.")) return installed_procps{"4.0.0 to 4.0.4", {procps_release::of(4, 0, 2)}};
    if (file.starts_with("libproc2.so.")) return installed_procps{"4.0.5 or later", {procps_release{}}};
    if (file.starts_with("libprocps.so."))
        return installed_procps{"3.3", {procps_release::of(3, 3, 17), procps_release::of(3, 3, 16)}};
    return std::nullopt;
}

inline installed_procps find_procps(int root) {
    if (auto found = procps_of_packages(root)) return *std::move(found);
    constexpr std::size_t most_libraries = 20000;
    for (const std::string_view directory :
         {"/usr/lib64", "/usr/lib", "/usr/lib/x86_64-linux-gnu", "/usr/lib/aarch64-linux-gnu", "/lib64", "/lib",
          "/lib/x86_64-linux-gnu", "/lib/aarch64-linux-gnu"})
        for (const std::string& name : list_directory(locate(root, directory), most_libraries).names)
            // The link libproc2.so.0 says less than the file libproc2.so.0.0.1.
            if (auto found = procps_of_library(name)) return *std::move(found);
    return {};
}

} // namespace closeside::host::detail::sysctl_d

#endif
