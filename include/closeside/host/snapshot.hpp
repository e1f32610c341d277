// SPDX-License-Identifier: BSL-1.0
#ifndef CLOSESIDE_HOST_SNAPSHOT_HPP
#define CLOSESIDE_HOST_SNAPSHOT_HPP

#include <closeside/detail/kernel/sockstat.hpp>
#include <closeside/host/counter.hpp>
#include <closeside/host/detail/kernel_version.hpp>
#include <closeside/host/detail/place.hpp>
#include <closeside/host/key.hpp>
#include <closeside/host/key_value.hpp>

#include <algorithm>
#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>

namespace closeside::host {

/// Which network namespace was looked at. A child starts from the kernel's built-in defaults, not from the host's
/// values (tcp_sk_init), and does not show the keys that are the host's alone.
enum class network_namespace : std::uint8_t { unknown, initial, child };

constexpr const char* to_string(network_namespace n) noexcept {
    switch (n) {
    case network_namespace::unknown: return "unknown";
    case network_namespace::initial: return "initial";
    case network_namespace::child: return "child";
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
    network_namespace space = network_namespace::unknown;
    /// /proc/sys is mounted read-only, as container runtimes do: only who starts the container can set a value.
    bool read_only = false;
    /// Not Linux's TCP, but a sandbox that serves constants under these names (gVisor); the keys are `emulated`.
    bool emulated = false;
    sysctl_loader loader = sysctl_loader::unknown;
    host::container container = container::none;
    std::array<key_value, all_keys.size()> values;
    /// Since this network namespace was made.
    counter_values counters{};
    closeside::detail::sockstat sockets;
    /// When it was taken; between two of them lie the rates.
    std::chrono::steady_clock::time_point taken{};

    const key_value& operator[](key k) const noexcept { return values[static_cast<std::size_t>(k)]; }
    key_value& operator[](key k) noexcept { return values[static_cast<std::size_t>(k)]; }

    /// The number under a key; none unless it is present.
    std::optional<std::int64_t> number(key k) const noexcept {
        const key_value& v = (*this)[k];
        return v.status == key_status::present ? v.number : std::nullopt;
    }

    /// The count of an event; none where this kernel does not count it.
    std::optional<std::uint64_t> count(counter c) const noexcept { return counters[static_cast<std::size_t>(c)]; }

    /// The file that a key was read from.
    std::string path(key k) const {
        std::string path = root;
        if (path.empty() || path.back() != '/') path += '/';
        path += "proc/sys/";
        std::string name(to_string(k));
        std::replace(name.begin(), name.end(), '.', '/');
        return path + name;
    }

    friend bool operator==(const snapshot&, const snapshot&) = default;
};

} // namespace closeside::host

#endif
