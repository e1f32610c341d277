// SPDX-License-Identifier: BSL-1.0
#ifndef CLOSESIDE_HOST_DETAIL_SYSCTL_D_VALUE_RULES_HPP
#define CLOSESIDE_HOST_DETAIL_SYSCTL_D_VALUE_RULES_HPP

#include <closeside/host/detail/kernel_version.hpp>

#include <array>
#include <cstdint>
#include <limits>
#include <string_view>

namespace closeside::host::detail::sysctl_d {

/// How the kernel reads what is written to a key.
enum class value_form : std::uint8_t {
    number,     ///< one integer between two bounds; what follows it after a blank is ignored
    ticks,      ///< the same in milliseconds, which the kernel rounds up to its ticks and shows so
    triple,     ///< up to three integers; those that are not given stay as they are
    port_range, ///< one or two ports; a lone one replaces the low end only
    port_list,  ///< ports and ranges with commas between
    unknown     ///< not modelled: taken for accepted, unless the key holds one number now and the text is not a number
};

struct value_rule {
    std::string_view path;
    value_form form;
    std::int64_t lowest = 0;
    std::int64_t highest = 0;
    /// Kernels before took any int.
    kernel_version bounded_since{};
};

inline constexpr std::int64_t int_min = std::numeric_limits<std::int32_t>::min();
inline constexpr std::int64_t int_max = std::numeric_limits<std::int32_t>::max();
/// Seconds are kept in ticks, in an int. What every kernel refuses, whose ticks are a hundredth of a second or less.
inline constexpr std::int64_t most_seconds = int_max / 100;

/// proc_dou8vec_minmax, which many keys are read by since; what is certain of 5.14 is not of the two releases before.
inline constexpr kernel_version one_byte{5, 14};

/// The bounds as Linux 6.18 keeps them (net/ipv4/sysctl_net_ipv4.c, net/core/sysctl_net_core.c,
/// net/netfilter/nf_conntrack_standalone.c). A test that writes to a namespace's keys holds them against the kernel.
inline constexpr std::array value_rules{
    value_rule{"net/core/somaxconn", value_form::number, 0, int_max},
    value_rule{"net/ipv4/ip_autobind_reuse", value_form::number, 0, 1},
    value_rule{"net/ipv4/ip_local_port_range", value_form::port_range, 1, 65535},
    value_rule{"net/ipv4/ip_local_reserved_ports", value_form::port_list, 0, 65535},
    value_rule{"net/ipv4/tcp_abort_on_overflow", value_form::number, 0, 255, one_byte},
    value_rule{"net/ipv4/tcp_challenge_ack_limit", value_form::number, int_min, int_max},
    value_rule{"net/ipv4/tcp_fin_timeout", value_form::number, -most_seconds, most_seconds},
    value_rule{"net/ipv4/tcp_invalid_ratelimit", value_form::ticks, 0, int_max},
    value_rule{"net/ipv4/tcp_keepalive_intvl", value_form::number, -most_seconds, most_seconds},
    value_rule{"net/ipv4/tcp_keepalive_probes", value_form::number, 0, 255, one_byte},
    value_rule{"net/ipv4/tcp_keepalive_time", value_form::number, -most_seconds, most_seconds},
    value_rule{"net/ipv4/tcp_child_ehash_entries", value_form::number, 0, 16777216},
    value_rule{"net/ipv4/tcp_max_orphans", value_form::number, int_min, int_max},
    value_rule{"net/ipv4/tcp_max_syn_backlog", value_form::number, int_min, int_max},
    value_rule{"net/ipv4/tcp_max_tw_buckets", value_form::number, int_min, int_max},
    value_rule{"net/ipv4/tcp_mem", value_form::triple, 0, std::numeric_limits<std::int64_t>::max()},
    value_rule{"net/ipv4/tcp_migrate_req", value_form::number, 0, 1},
    value_rule{"net/ipv4/tcp_orphan_retries", value_form::number, 0, 255, one_byte},
    value_rule{"net/ipv4/tcp_retries1", value_form::number, 0, 255, one_byte},
    value_rule{"net/ipv4/tcp_retries2", value_form::number, 0, 255, one_byte},
    value_rule{"net/ipv4/tcp_rfc1337", value_form::number, 0, 255, one_byte},
    value_rule{"net/ipv4/tcp_rmem", value_form::triple, 1, int_max},
    value_rule{"net/ipv4/tcp_rto_max_ms", value_form::number, 1000, 120000},
    value_rule{"net/ipv4/tcp_syn_retries", value_form::number, 1, 127, {4, 6}},
    value_rule{"net/ipv4/tcp_synack_retries", value_form::number, 0, 255, one_byte},
    value_rule{"net/ipv4/tcp_syncookies", value_form::number, 0, 255, one_byte},
    value_rule{"net/ipv4/tcp_timestamps", value_form::number, 0, 255, one_byte},
    // 79e9fed46038
    value_rule{"net/ipv4/tcp_tw_reuse", value_form::number, 0, 2, {4, 18}},
    value_rule{"net/ipv4/tcp_tw_reuse_delay", value_form::number, 1, 60000},
    value_rule{"net/ipv4/tcp_wmem", value_form::triple, 1, int_max},
    value_rule{"net/ipv4/tcp_workaround_signed_windows", value_form::number, 0, 255, one_byte},
    value_rule{"net/netfilter/nf_conntrack_buckets", value_form::number, int_min, int_max},
    value_rule{"net/netfilter/nf_conntrack_max", value_form::number, int_min, int_max},
    value_rule{"net/netfilter/nf_conntrack_tcp_be_liberal", value_form::number, 0, 1},
    value_rule{"net/netfilter/nf_conntrack_tcp_loose", value_form::number, 0, 1},
    value_rule{"net/netfilter/nf_conntrack_tcp_timeout_close", value_form::number, -most_seconds, most_seconds},
    value_rule{"net/netfilter/nf_conntrack_tcp_timeout_close_wait", value_form::number, -most_seconds, most_seconds},
    value_rule{"net/netfilter/nf_conntrack_tcp_timeout_established", value_form::number, -most_seconds, most_seconds},
    value_rule{"net/netfilter/nf_conntrack_tcp_timeout_fin_wait", value_form::number, -most_seconds, most_seconds},
    value_rule{"net/netfilter/nf_conntrack_tcp_timeout_last_ack", value_form::number, -most_seconds, most_seconds},
    value_rule{"net/netfilter/nf_conntrack_tcp_timeout_max_retrans", value_form::number, -most_seconds, most_seconds},
    value_rule{"net/netfilter/nf_conntrack_tcp_timeout_syn_recv", value_form::number, -most_seconds, most_seconds},
    value_rule{"net/netfilter/nf_conntrack_tcp_timeout_time_wait", value_form::number, -most_seconds, most_seconds},
    value_rule{"net/netfilter/nf_conntrack_tcp_timeout_unacknowledged", value_form::number, -most_seconds,
               most_seconds},
};

inline value_rule rule_for(std::string_view path) noexcept {
    for (const value_rule& rule : value_rules)
        if (rule.path == path) return rule;
    return {path, value_form::unknown, 0, 0};
}

} // namespace closeside::host::detail::sysctl_d

#endif
