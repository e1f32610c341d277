// SPDX-License-Identifier: BSL-1.0
#ifndef CLOSESIDE_HOST_REMEDY_HPP
#define CLOSESIDE_HOST_REMEDY_HPP

#include <closeside/host/key.hpp>
#include <closeside/host/snapshot.hpp>

#include <string>
#include <string_view>

namespace closeside::host {

/// How `k` gets the value `value` there where the snapshot was taken, and who can do it.
/** `sysctl -w` for now and a file below /etc/sysctl.d for the next boot: both loaders read that, while systemd-sysctl
 *  does not read /etc/sysctl.conf. Neither reaches a container. Begins in lower case, to stand inside a sentence. */
inline std::string set_key(const snapshot& s, key k, std::string_view value) {
    const std::string name(to_string(k));
    const std::string setting = name + "=" + std::string(value);
    const std::string at_start =
        "in what starts the container (docker run --sysctl " + setting + ", or securityContext.sysctls of the pod)";

    if (s.space == network_namespace::child) {
        const std::string reach = "; a value set on the host does not reach this network namespace";
        if (s.read_only)
            return "set " + setting + " " + at_start +
                   ": /proc/sys is read-only here, so it cannot be set from inside" + reach;
        return "run `sysctl -w " + setting + "` as root inside this network namespace, and set it for good " +
               at_start + reach;
    }
    if (s.read_only)
        return "have " + setting + " set on the host (`sysctl -w " + setting +
               "`, and a line in /etc/sysctl.d/): /proc/sys is read-only here";
    return "run `sysctl -w " + setting + "` as root, and put `" + name + " = " + std::string(value) +
           "` into a file below /etc/sysctl.d/ to make it last";
}

/// The same where the kernel's own default is best.
inline std::string stop_setting(const snapshot& s, key k, std::string_view kernel_default) {
    return "leave " + std::string(to_string(k)) + " at the kernel's default: " + set_key(s, k, kernel_default);
}

} // namespace closeside::host

#endif
