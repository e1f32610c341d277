// SPDX-License-Identifier: BSL-1.0
#ifndef CLOSESIDE_DETAIL_KERNEL_SOCKSTAT_HPP
#define CLOSESIDE_DETAIL_KERNEL_SOCKSTAT_HPP

#include <closeside/detail/kernel/proc_net_counters.hpp>

#include <cstdint>
#include <optional>
#include <string_view>

namespace closeside::detail {

/// What the kernel keeps count of, so that no socket has to be visited: /proc/net/sockstat and sockstat6.
/** The scope differs from field to field (sockstat_seq_show): a container sees the host's orphans, not its own. A field
 *  that was not printed is nothing. */
struct sockstat {
    /// TCP sockets of this network namespace, IPv4: all but TIME-WAIT and orphaned FIN-WAIT-2.
    std::optional<std::int64_t> in_use;
    /// The same over IPv6.
    std::optional<std::int64_t> in_use6;
    /// TIME-WAIT *and* orphaned FIN-WAIT-2 of this network namespace (until 4.10: of the host), IPv4 and IPv6.
    std::optional<std::int64_t> time_wait;
    /// Closed by their program, not yet by TCP; of the whole host.
    std::optional<std::int64_t> orphans;
    /// Sockets with memory; of the whole host.
    std::optional<std::int64_t> allocated;
    /// Pages of buffers, to be compared with tcp_mem; of the whole host.
    std::optional<std::int64_t> memory_pages;

    friend bool operator==(const sockstat&, const sockstat&) = default;
};

/// Interprets the two files; an empty text is a file that is not there.
inline sockstat interpret_sockstat(std::string_view v4, std::string_view v6) noexcept {
    const auto tcp = [&](std::string_view field) { return sockstat_field(v4, "TCP", field); };
    return {tcp("inuse"), sockstat_field(v6, "TCP6", "inuse"), tcp("tw"), tcp("orphan"), tcp("alloc"), tcp("mem")};
}

} // namespace closeside::detail

#endif
