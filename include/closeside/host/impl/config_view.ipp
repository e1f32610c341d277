// SPDX-License-Identifier: BSL-1.0
#ifndef CLOSESIDE_HOST_IMPL_CONFIG_VIEW_IPP
#define CLOSESIDE_HOST_IMPL_CONFIG_VIEW_IPP

#include <closeside/detail/separate_compilation.hpp>
#include <closeside/host/config_view.hpp>
#include <closeside/host/snapshot.hpp>

#include <algorithm>
#include <string_view>

namespace closeside::host {

CLOSESIDE_DECL const config_key* config_view::find(std::string_view name) const noexcept {
    const auto at = std::lower_bound(keys.begin(), keys.end(), name,
                                     [](const config_key& k, std::string_view n) { return k.name < n; });
    return at != keys.end() && at->name == name ? &*at : nullptr;
}

CLOSESIDE_DECL const config_key::setting* config_view::undoing(std::string_view key,
                                                               std::string_view file) const noexcept {
    const config_key* const k = find(key);
    if (!k || !at_boot(*k).winner) return nullptr;
    const config_key::setting& winner = *at_boot(*k).winner;
    const std::string_view path = winner.file;
    const std::string_view name = path.substr(path.rfind('/') + 1);
    const bool after_all = (loader != sysctl_loader::systemd && path == "/etc/sysctl.conf") ||
                           (loader == sysctl_loader::busybox && path.starts_with("/run/"));
    if (loader == sysctl_loader::busybox && !after_all && !path.starts_with("/etc/")) return nullptr;
    // Of the same name it is this very file, or one that it masks; a pattern never beats a line that names the key.
    return after_all || (winner.pattern.empty() && name > file) ? &winner : nullptr;
}

} // namespace closeside::host

#endif
