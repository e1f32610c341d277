// SPDX-License-Identifier: BSL-1.0
#ifndef CLOSESIDE_HOST_DETAIL_SYSCTL_D_KEY_PATH_HPP
#define CLOSESIDE_HOST_DETAIL_SYSCTL_D_KEY_PATH_HPP

#include <algorithm>
#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace closeside::host::detail::sysctl_d {

/// A key of a configuration file as a path below /proc/sys: if the first separator is a dot, dots and slashes change
/// places, so that `net.ipv4.conf.eth0/100.forwarding` and `net/ipv4/conf/eth0.100/forwarding` are one key.
inline std::string with_slashes(std::string_view key) {
    std::string path(key);
    const std::size_t first = path.find_first_of("./");
    if (first == path.npos || path[first] == '/') return path;
    for (char& c : path) c = c == '.' ? '/' : c == '/' ? '.' : c;
    return path;
}

/// A path below /proc/sys as sysctl(8) prints it.
inline std::string with_dots(std::string_view path) {
    std::string name(path);
    for (char& c : name) c = c == '.' ? '/' : c == '/' ? '.' : c;
    return name;
}

inline std::vector<std::string_view> split(std::string_view path) {
    std::vector<std::string_view> parts;
    for (;;) {
        const std::size_t end = path.find('/');
        parts.push_back(path.substr(0, end));
        if (end == path.npos) return parts;
        path.remove_prefix(end + 1);
    }
}

/// The key as systemd-sysctl compares it: without doubled, leading and trailing slashes and `.` components.
inline std::string systemd_path(std::string_view key) {
    const std::string whole = with_slashes(key);
    std::string path;
    for (const std::string_view part : split(whole)) {
        if (part.empty() || part == ".") continue;
        if (!path.empty()) path += '/';
        path += part;
    }
    return path;
}

/// systemd-sysctl refuses to write below a path with `..` in it.
inline bool climbs(std::string_view path) {
    const auto parts = split(path);
    return std::find(parts.begin(), parts.end(), "..") != parts.end();
}

/// The one name of the file that `path`, below /proc/sys, leads to; nothing if it leads out of /proc/sys.
inline std::optional<std::string> canonical(std::string_view path) {
    std::vector<std::string_view> way{"proc", "sys"};
    for (const std::string_view part : split(path)) {
        if (part.empty() || part == ".") continue;
        if (part != "..")
            way.push_back(part);
        else if (!way.empty())
            way.pop_back();
    }
    if (way.size() < 3 || way[0] != "proc" || way[1] != "sys") return std::nullopt;
    std::string name;
    for (std::size_t i = 2; i != way.size(); ++i) {
        if (i != 2) name += '/';
        name += way[i];
    }
    return name;
}

/// No path is longer (PATH_MAX), so that a longer key is one that does not exist.
inline constexpr std::size_t longest_key = 4000;

} // namespace closeside::host::detail::sysctl_d

#endif
