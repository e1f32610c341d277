// SPDX-License-Identifier: BSL-1.0
#ifndef CLOSESIDE_DETAIL_KERNEL_LOCAL_PORTS_HPP
#define CLOSESIDE_DETAIL_KERNEL_LOCAL_PORTS_HPP

#include <cstdint>
#include <cstdio>
#include <memory>
#include <optional>

namespace closeside::detail {

/// Both ends belong to it.
struct port_range {
    unsigned low;
    unsigned high;

    unsigned size() const noexcept { return high - low + 1; }
    bool contains(std::uint16_t port) const noexcept { return low <= port && port <= high; }
};

/// net.ipv4.ip_local_port_range of this network namespace; nothing if it cannot be read.
inline std::optional<port_range> local_port_range() {
    const std::unique_ptr<std::FILE, int (*)(std::FILE*)> file(
        std::fopen("/proc/sys/net/ipv4/ip_local_port_range", "re"), &std::fclose);
    unsigned low = 0, high = 0;
    if (!file || std::fscanf(file.get(), "%u %u", &low, &high) != 2 || high < low) return std::nullopt;
    return port_range{low, high};
}

} // namespace closeside::detail

#endif
