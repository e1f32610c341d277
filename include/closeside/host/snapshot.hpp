// SPDX-License-Identifier: BSL-1.0
#ifndef CLOSESIDE_HOST_SNAPSHOT_HPP
#define CLOSESIDE_HOST_SNAPSHOT_HPP

#include <closeside/detail/kernel/sockstat.hpp>
#include <closeside/detail/separate_compilation.hpp>
#include <closeside/host/counter.hpp>
#include <closeside/host/key.hpp>
#include <closeside/host/key_value.hpp>

#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace closeside::host {

/// Which network namespace was looked at. A child starts from the kernel's built-in defaults, not from the host's
/// values (tcp_sk_init), and does not show the keys that are the host's alone.
enum class network_namespace : std::uint8_t { unknown, initial, child };

/// The name of a value, as it is printed.
constexpr const char* to_string(network_namespace n) noexcept {
    switch (n) {
    case network_namespace::unknown: return "unknown";
    case network_namespace::initial: return "initial";
    case network_namespace::child: return "child";
    }
    return "?";
}

/// What applies the sysctl configuration files when the host starts.
enum class sysctl_loader : std::uint8_t {
    unknown,
    systemd, ///< systemd-sysctl: never reads /etc/sysctl.conf itself
    procps,  ///< a start script that calls `sysctl --system`: reads /etc/sysctl.conf last
    busybox  ///< Alpine's start script, which hands each file to BusyBox' `sysctl -p`
};

/// The name of a value, as it is printed.
constexpr const char* to_string(sysctl_loader l) noexcept {
    switch (l) {
    case sysctl_loader::unknown: return "unknown";
    case sysctl_loader::systemd: return "systemd";
    case sysctl_loader::procps: return "procps";
    case sysctl_loader::busybox: return "busybox";
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

/// The name of a value, as it is printed.
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

/// What was seen at one moment: a plain value, which a test may also fill by hand.
struct snapshot {
    /// Below which directory was read.
    std::string root = "/";
    /// 0, or the errno for which nothing at all could be read; every value is then absent or denied.
    int error = 0;
    /// /proc/sys/kernel/osrelease; empty if that could not be read.
    std::string kernel;
    /// The inode of the network namespace that was looked at, as `ip netns identify` and `lsns` know it.
    std::optional<std::uint64_t> netns;
    /// Whether that is the host's own.
    network_namespace space = network_namespace::unknown;
    /// /proc/sys/net is mounted read-only, as container runtimes do: only who starts the container can set a value.
    bool read_only = false;
    /// Not Linux's TCP, but a sandbox that serves constants under these names (gVisor); the keys are `emulated`.
    bool emulated = false;
    /// What applies the configuration files at boot, by the marks that it leaves.
    sysctl_loader loader = sysctl_loader::unknown;
    host::container container = container::none;   ///< that it was taken in
    std::array<key_value, all_keys.size()> values; ///< in the order of all_keys
    /// Since this network namespace was made; nothing for what this kernel does not count, which is not the same as 0.
    std::array<std::optional<std::uint64_t>, all_counters.size()> counters{};
    /// What the kernel counts of sockets, in /proc/net/sockstat.
    closeside::detail::sockstat sockets;
    /// What the kernel has of memory, in KiB (MemTotal of /proc/meminfo).
    std::optional<std::int64_t> memory_kib{};
    /// Where several sockets listen at one address and port (SO_REUSEPORT), in rising order. Of this host alone: empty
    /// where another root was read, or sock_diag cannot be used.
    std::vector<std::uint16_t> shared_ports{};
    /// When it was taken; between two of them lie the rates.
    std::chrono::steady_clock::time_point taken{};

    /// The value of a key, or why it has none.
    const key_value& operator[](key k) const noexcept { return values[static_cast<std::size_t>(k)]; }
    key_value& operator[](key k) noexcept { return values[static_cast<std::size_t>(k)]; }

    /// The number under a key; nothing unless it is present.
    std::optional<std::int64_t> number(key k) const noexcept {
        const key_value& v = (*this)[k];
        return v.status == key_status::present ? v.number : std::nullopt;
    }

    /// The count of an event; nothing if this kernel does not count it.
    std::optional<std::uint64_t> count(counter c) const noexcept { return counters[static_cast<std::size_t>(c)]; }

    /// The file that a key was read from.
    [[gnu::cold]] CLOSESIDE_DECL std::string path(key k) const;

    friend bool operator==(const snapshot&, const snapshot&) = default;
};

} // namespace closeside::host

#ifndef CLOSESIDE_SEPARATE_COMPILATION
#include <closeside/host/impl/snapshot.ipp>
#endif

#endif
