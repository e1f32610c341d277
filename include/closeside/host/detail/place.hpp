// SPDX-License-Identifier: BSL-1.0
#ifndef CLOSESIDE_HOST_DETAIL_PLACE_HPP
#define CLOSESIDE_HOST_DETAIL_PLACE_HPP

#include <cstdint>

namespace closeside::host {

/// What applies the sysctl configuration files when the host starts.
enum class sysctl_loader : std::uint8_t {
    unknown,
    systemd, ///< systemd-sysctl: never reads /etc/sysctl.conf itself
    procps   ///< a start script that calls `sysctl --system`: reads /etc/sysctl.conf last
};

constexpr const char* to_string(sysctl_loader l) noexcept {
    switch (l) {
    case sysctl_loader::unknown: return "unknown";
    case sysctl_loader::systemd: return "systemd";
    case sysctl_loader::procps: return "procps";
    }
    return "?";
}

/// What runs the container that the snapshot was taken in, as far as it left its mark in the file system.
enum class container : std::uint8_t {
    none, ///< no container, or one without a mark
    docker,
    podman,
    kubernetes,
    other ///< systemd-nspawn, LXC and others that follow systemd's container interface
};

constexpr const char* to_string(container c) noexcept {
    switch (c) {
    case container::none: return "none";
    case container::docker: return "docker";
    case container::podman: return "podman";
    case container::kubernetes: return "kubernetes";
    case container::other: return "other";
    }
    return "?";
}

} // namespace closeside::host

#endif
