// SPDX-License-Identifier: BSL-1.0
#ifndef CLOSESIDE_HOST_KEY_HPP
#define CLOSESIDE_HOST_KEY_HPP

#include <closeside/host/kernel_version.hpp>

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

namespace closeside::host {

/// The sysctls that the host check reads.
enum class key : std::uint8_t {
    tcp_tw_recycle,
    tcp_tw_reuse,
    tcp_tw_reuse_delay,
    tcp_timestamps,
    tcp_fin_timeout,
    tcp_max_tw_buckets,
    tcp_rfc1337,
    tcp_syncookies,
    tcp_max_orphans,
    tcp_orphan_retries,
    tcp_abort_on_overflow,
    tcp_max_syn_backlog,
    somaxconn,
    ip_local_port_range,
    ip_local_reserved_ports,
    tcp_ehash_entries,
    conntrack_time_wait,
    conntrack_close_wait
};

/// What the text of a key means.
enum class key_shape : std::uint8_t {
    number, ///< one integer
    range,  ///< two integers, low and high
    ports   ///< a list of ports and port ranges with commas between, or nothing
};

struct key_facts {
    key id;
    /// As sysctl(8) writes it.
    std::string_view name;
    key_shape shape = key_shape::number;
    /// The release since which every network namespace has a file of its own. Before it, a child namespace has none,
    /// although the host's value applies there too. No value: a file in every namespace for as long as the key exists.
    std::optional<kernel_version> per_namespace_since{};
};

/// Later than any kernel: the key is the host's alone to this day.
inline constexpr kernel_version never_per_namespace{9999, 0};

/// Every key, in the order of the enumeration. Releases: net/ipv4/sysctl_net_ipv4.c, net/core/sysctl_net_core.c.
inline constexpr std::array all_keys{
    key_facts{key::tcp_tw_recycle, "net.ipv4.tcp_tw_recycle", key_shape::number, kernel_version{4, 11}},
    key_facts{key::tcp_tw_reuse, "net.ipv4.tcp_tw_reuse", key_shape::number, kernel_version{4, 10}},
    key_facts{key::tcp_tw_reuse_delay, "net.ipv4.tcp_tw_reuse_delay"},
    key_facts{key::tcp_timestamps, "net.ipv4.tcp_timestamps", key_shape::number, kernel_version{4, 13}},
    key_facts{key::tcp_fin_timeout, "net.ipv4.tcp_fin_timeout", key_shape::number, kernel_version{4, 9}},
    key_facts{key::tcp_max_tw_buckets, "net.ipv4.tcp_max_tw_buckets", key_shape::number, kernel_version{4, 11}},
    key_facts{key::tcp_rfc1337, "net.ipv4.tcp_rfc1337", key_shape::number, kernel_version{4, 15}},
    key_facts{key::tcp_syncookies, "net.ipv4.tcp_syncookies", key_shape::number, kernel_version{4, 9}},
    key_facts{key::tcp_max_orphans, "net.ipv4.tcp_max_orphans", key_shape::number, never_per_namespace},
    key_facts{key::tcp_orphan_retries, "net.ipv4.tcp_orphan_retries", key_shape::number, kernel_version{4, 9}},
    key_facts{key::tcp_abort_on_overflow, "net.ipv4.tcp_abort_on_overflow", key_shape::number, kernel_version{4, 15}},
    key_facts{key::tcp_max_syn_backlog, "net.ipv4.tcp_max_syn_backlog", key_shape::number, kernel_version{4, 11}},
    // Until 6.2 hidden only where the namespace belongs to an unprivileged user namespace.
    key_facts{key::somaxconn, "net.core.somaxconn", key_shape::number, kernel_version{6, 3}},
    key_facts{key::ip_local_port_range, "net.ipv4.ip_local_port_range", key_shape::range},
    key_facts{key::ip_local_reserved_ports, "net.ipv4.ip_local_reserved_ports", key_shape::ports, kernel_version{4, 4}},
    key_facts{key::tcp_ehash_entries, "net.ipv4.tcp_ehash_entries"},
    key_facts{key::conntrack_time_wait, "net.netfilter.nf_conntrack_tcp_timeout_time_wait"},
    key_facts{key::conntrack_close_wait, "net.netfilter.nf_conntrack_tcp_timeout_close_wait"},
};

constexpr const key_facts& facts(key k) noexcept { return all_keys[static_cast<std::size_t>(k)]; }

constexpr std::string_view to_string(key k) noexcept { return facts(k).name; }

namespace detail {

constexpr bool keys_stand_in_order() noexcept {
    for (std::size_t i = 0; i != all_keys.size(); ++i)
        if (static_cast<std::size_t>(all_keys[i].id) != i) return false;
    return true;
}
static_assert(keys_stand_in_order(), "all_keys must list every key in the order of the enumeration");

} // namespace detail

} // namespace closeside::host

#endif
