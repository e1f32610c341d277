// SPDX-License-Identifier: BSL-1.0
#ifndef CLOSESIDE_HOST_CAPACITY_HPP
#define CLOSESIDE_HOST_CAPACITY_HPP

#include <closeside/detail/separate_compilation.hpp>
#include <closeside/host/snapshot.hpp>

#include <cstdint>
#include <optional>
#include <string_view>

namespace closeside::host {

/// TCP_TIMEWAIT_LEN in seconds, a constant of every kernel (include/net/tcp.h).
inline constexpr std::int64_t time_wait_seconds = 60;

/// What a host's settings allow if this side closes first, and so keeps TIME-WAIT.
/** A number is missing if a value that it is computed from could not be read. */
struct capacity {
    /// Ports that connect(2) may choose: ip_local_port_range without ip_local_reserved_ports.
    std::optional<std::int64_t> local_ports;
    /// Connections a second, in the long run, from one local address to one remote address and port: each keeps its port
    /// for 60 s, or with tcp_tw_reuse and timestamps for tcp_tw_reuse_delay (until 6.13: one second).
    std::optional<double> connects_per_second;
    /// The same to an address in 127.0.0.0/8 or ::1, for which tcp_tw_reuse = 2 is enough.
    std::optional<double> loopback_connects_per_second;
    /// Closes a second before tcp_max_tw_buckets lets TIME-WAITs be dropped; missing also if it sets no limit.
    std::optional<double> closes_per_second;
    /// Part of tcp_max_tw_buckets that is in use, by sockstat.
    std::optional<double> time_wait_used;
    /// New flows a second before the conntrack table is full, each kept for its TIME-WAIT time-out.
    std::optional<double> flows_per_second;
    /// Part of nf_conntrack_max that is in use.
    std::optional<double> conntrack_used;
    /// Part of tcp_max_orphans that is in use.
    std::optional<double> orphans_used;
};

namespace detail {

/// How many ports of low…high the list of ip_local_reserved_ports leaves; it has been checked for its characters.
[[gnu::cold]] CLOSESIDE_DECL std::int64_t unreserved_ports(std::int64_t low, std::int64_t high,
                                                           std::string_view reserved);

/// How long a port is bound to the TIME-WAIT it has left, in seconds.
[[gnu::cold]] CLOSESIDE_DECL double port_hold_seconds(const snapshot& s, bool to_loopback) noexcept;

} // namespace detail

/// Computes what the settings of a snapshot allow. A pure function.
[[gnu::cold]] CLOSESIDE_DECL capacity capacity_of(const snapshot& s);

} // namespace closeside::host

#ifndef CLOSESIDE_SEPARATE_COMPILATION
#include <closeside/host/impl/capacity.ipp>
#endif

#endif
