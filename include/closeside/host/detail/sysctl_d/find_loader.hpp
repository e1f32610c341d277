// SPDX-License-Identifier: BSL-1.0
#ifndef CLOSESIDE_HOST_DETAIL_SYSCTL_D_FIND_LOADER_HPP
#define CLOSESIDE_HOST_DETAIL_SYSCTL_D_FIND_LOADER_HPP

#include <closeside/host/config_view.hpp>
#include <closeside/host/detail/sysctl_d/path_in_root.hpp>
#include <closeside/host/snapshot.hpp>

#include <string>
#include <string_view>
#include <utility>

#include <sys/stat.h>

namespace closeside::host::detail::sysctl_d {

struct found_loader {
    sysctl_loader loader = sysctl_loader::unknown;
    /// What tells that, in a few words.
    std::string reason;
    bool is_certain = true;
};

/// The start script runs `sysctl --system` if sysctl is procps'; else, on Alpine, BusyBox' `sysctl -p` on each file. (OpenRC
/// init.d/sysctl.in; aports main/openrc/sysctl.initd)
inline found_loader find_loader_of_openrc(int root) {
    const bool at_boot = locate(root, "/etc/runlevels/boot/sysctl").error == 0 ||
                         locate(root, "/etc/runlevels/sysinit/sysctl").error == 0 ||
                         locate(root, "/etc/runlevels/default/sysctl").error == 0;
    bool busybox = false;
    for (const std::string_view program : {"/sbin/sysctl", "/usr/sbin/sysctl", "/bin/sysctl"})
        if (const located found = locate(root, program); found.error == 0) {
            busybox = found.path.ends_with("/busybox");
            break;
        }
    std::string reason = busybox ? "OpenRC, and sysctl is BusyBox" : "OpenRC, whose script runs sysctl --system";
    if (!at_boot) reason += "; but no runlevel below /etc/runlevels starts it";
    return {busybox ? sysctl_loader::busybox : sysctl_loader::procps, std::move(reason), at_boot};
}

/// sd_booted(3); OpenRC; the start script of Debian's procps.
inline found_loader find_loader(int root) {
    if (const located booted = locate(root, "/run/systemd/system"); booted.error == 0 && S_ISDIR(booted.status.st_mode))
        return {sysctl_loader::systemd, "/run/systemd/system is there"};
    const auto exists = [&](std::string_view path) { return locate(root, path).error == 0; };
    if ((exists("/run/openrc") || exists("/sbin/openrc-run") || exists("/usr/sbin/openrc-run")) &&
        exists("/etc/init.d/sysctl"))
        return find_loader_of_openrc(root);
    if (exists("/etc/init.d/procps")) return {sysctl_loader::procps, "no /run/systemd/system, but /etc/init.d/procps"};
    return {sysctl_loader::procps, "uncertain: assumed, since there is no /run/systemd/system", false};
}

inline void find_loader(config_view& view, int root, sysctl_loader wanted) {
    found_loader found = wanted != sysctl_loader::unknown ? found_loader{wanted, "asked for"} : find_loader(root);
    view.loader = found.loader;
    view.loader_reason = std::move(found.reason);
    view.loader_is_certain = found.is_certain;
}

} // namespace closeside::host::detail::sysctl_d

#endif
