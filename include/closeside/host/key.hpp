// SPDX-License-Identifier: BSL-1.0
#ifndef CLOSESIDE_HOST_KEY_HPP
#define CLOSESIDE_HOST_KEY_HPP

#include <closeside/host/detail/kernel_version.hpp>

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
    tcp_mem,
    tcp_abort_on_overflow,
    tcp_max_syn_backlog,
    tcp_migrate_req,
    somaxconn,
    tcp_syn_retries,
    tcp_synack_retries,
    tcp_retries2,
    tcp_rto_max_ms,
    tcp_invalid_ratelimit,
    tcp_keepalive_time,
    tcp_keepalive_intvl,
    tcp_keepalive_probes,
    ip_local_port_range,
    ip_local_reserved_ports,
    ip_autobind_reuse,
    tcp_ehash_entries,
    tcp_child_ehash_entries,
    conntrack_max,
    conntrack_count,
    conntrack_buckets,
    conntrack_established,
    conntrack_fin_wait,
    conntrack_close_wait,
    conntrack_last_ack,
    conntrack_time_wait,
    conntrack_close,
    conntrack_syn_recv,
    conntrack_unacknowledged,
    conntrack_max_retrans,
    conntrack_be_liberal,
    conntrack_loose
};

namespace detail {

/// What the text of a key means.
enum class key_shape : std::uint8_t {
    number, ///< one integer
    range,  ///< two integers, low and high
    triple, ///< three integers
    ports   ///< a list of ports and port ranges with commas between, or nothing
};

/// Where a key can be set, as far as containers go.
enum class key_reach : std::uint8_t {
    space,    ///< by root of the network namespace
    pod_safe, ///< likewise, and Kubernetes lets every pod set it (its list of safe sysctls)
    host      ///< on the host alone: absent or read-only in every other network namespace
};

struct key_facts {
    key id;
    /// As sysctl(8) writes it.
    std::string_view name;
    key_shape shape = key_shape::number;
    /// The release since which every network namespace has a file of its own. Before it, a child namespace has no file,
    /// although the host's value applies there too. No value: a file in every namespace for as long as the key exists.
    std::optional<kernel_version> per_namespace_since{};
    key_reach reach = key_reach::space;
};

/// Later than any kernel: the key is the host's alone to this day.
inline constexpr kernel_version never_per_namespace{9999, 0};

namespace key_words {

inline constexpr auto number = key_shape::number;
inline constexpr auto pod_safe = key_reach::pod_safe;
inline constexpr auto hosts_alone = key_reach::host;

} // namespace key_words

/// Every key, in the order of the enumeration.
/** Beside each release stands the commit that gave every namespace the file. Where enterprise kernels took one over
 *  earlier, the file is there, and the release is not asked. */
inline constexpr std::array key_table{
    // 1946e672c173, with tcp_max_tw_buckets
    key_facts{key::tcp_tw_recycle, "net.ipv4.tcp_tw_recycle", key_words::number, kernel_version{4, 11}},
    key_facts{key::tcp_tw_reuse, "net.ipv4.tcp_tw_reuse", key_words::number, kernel_version{4, 10}}, // 56ab6b93007e
    key_facts{key::tcp_tw_reuse_delay, "net.ipv4.tcp_tw_reuse_delay"},
    key_facts{key::tcp_timestamps, "net.ipv4.tcp_timestamps", key_words::number, kernel_version{4, 13}}, // 5d2ed0521ac9
    // 1e579caa18b9, the last but one of the series that has tcp_syncookies, the retries and tcp_orphan_retries as well
    key_facts{key::tcp_fin_timeout, "net.ipv4.tcp_fin_timeout", key_words::number, kernel_version{4, 6},
              key_words::pod_safe},
    key_facts{key::tcp_max_tw_buckets, "net.ipv4.tcp_max_tw_buckets", key_words::number, kernel_version{4, 11}},
    key_facts{key::tcp_rfc1337, "net.ipv4.tcp_rfc1337", key_words::number, kernel_version{4, 15}}, // 625357aa175c
    key_facts{key::tcp_syncookies, "net.ipv4.tcp_syncookies", key_words::number, kernel_version{4, 6},
              key_words::pod_safe},
    key_facts{key::tcp_max_orphans, "net.ipv4.tcp_max_orphans", key_words::number, never_per_namespace,
              key_words::hosts_alone},
    key_facts{key::tcp_orphan_retries, "net.ipv4.tcp_orphan_retries", key_words::number, kernel_version{4, 6}},
    key_facts{key::tcp_mem, "net.ipv4.tcp_mem", key_shape::triple, never_per_namespace, key_words::hosts_alone},
    // 65c9410cf55e
    key_facts{key::tcp_abort_on_overflow, "net.ipv4.tcp_abort_on_overflow", key_words::number, kernel_version{4, 15}},
    // fee83d097b16
    key_facts{key::tcp_max_syn_backlog, "net.ipv4.tcp_max_syn_backlog", key_words::number, kernel_version{4, 11}},
    key_facts{key::tcp_migrate_req, "net.ipv4.tcp_migrate_req"},
    // Until 6.2 hidden only if the namespace belongs to an unprivileged user namespace (sysctl_core_net_init).
    key_facts{key::somaxconn, "net.core.somaxconn", key_words::number, kernel_version{6, 3}},
    key_facts{key::tcp_syn_retries, "net.ipv4.tcp_syn_retries", key_words::number, kernel_version{4, 6}},
    key_facts{key::tcp_synack_retries, "net.ipv4.tcp_synack_retries", key_words::number, kernel_version{4, 6}},
    key_facts{key::tcp_retries2, "net.ipv4.tcp_retries2", key_words::number, kernel_version{4, 6}},
    key_facts{key::tcp_rto_max_ms, "net.ipv4.tcp_rto_max_ms"},
    // "tcp: Namespace-ify sysctl_tcp_invalid_ratelimit", of October 2017
    key_facts{key::tcp_invalid_ratelimit, "net.ipv4.tcp_invalid_ratelimit", key_words::number, kernel_version{4, 15}},
    // 13b287e8d1ca, then 9bd6861bd432 for the probes and b840d15d3912 for the interval
    key_facts{key::tcp_keepalive_time, "net.ipv4.tcp_keepalive_time", key_words::number, kernel_version{4, 5},
              key_words::pod_safe},
    key_facts{key::tcp_keepalive_intvl, "net.ipv4.tcp_keepalive_intvl", key_words::number, kernel_version{4, 5},
              key_words::pod_safe},
    key_facts{key::tcp_keepalive_probes, "net.ipv4.tcp_keepalive_probes", key_words::number, kernel_version{4, 5},
              key_words::pod_safe},
    key_facts{key::ip_local_port_range, "net.ipv4.ip_local_port_range", key_shape::range, std::nullopt,
              key_words::pod_safe},
    // 122ff243f5f1
    key_facts{key::ip_local_reserved_ports, "net.ipv4.ip_local_reserved_ports", key_shape::ports, kernel_version{3, 16},
              key_words::pod_safe},
    key_facts{key::ip_autobind_reuse, "net.ipv4.ip_autobind_reuse"},
    key_facts{key::tcp_ehash_entries, "net.ipv4.tcp_ehash_entries"},
    key_facts{key::tcp_child_ehash_entries, "net.ipv4.tcp_child_ehash_entries"},
    // Shown in a child namespace, but read-only.
    key_facts{key::conntrack_max, "net.netfilter.nf_conntrack_max", key_words::number, std::nullopt,
              key_words::hosts_alone},
    key_facts{key::conntrack_count, "net.netfilter.nf_conntrack_count"},
    key_facts{key::conntrack_buckets, "net.netfilter.nf_conntrack_buckets", key_words::number, std::nullopt,
              key_words::hosts_alone},
    key_facts{key::conntrack_established, "net.netfilter.nf_conntrack_tcp_timeout_established"},
    key_facts{key::conntrack_fin_wait, "net.netfilter.nf_conntrack_tcp_timeout_fin_wait"},
    key_facts{key::conntrack_close_wait, "net.netfilter.nf_conntrack_tcp_timeout_close_wait"},
    key_facts{key::conntrack_last_ack, "net.netfilter.nf_conntrack_tcp_timeout_last_ack"},
    key_facts{key::conntrack_time_wait, "net.netfilter.nf_conntrack_tcp_timeout_time_wait"},
    key_facts{key::conntrack_close, "net.netfilter.nf_conntrack_tcp_timeout_close"},
    key_facts{key::conntrack_syn_recv, "net.netfilter.nf_conntrack_tcp_timeout_syn_recv"},
    key_facts{key::conntrack_unacknowledged, "net.netfilter.nf_conntrack_tcp_timeout_unacknowledged"},
    key_facts{key::conntrack_max_retrans, "net.netfilter.nf_conntrack_tcp_timeout_max_retrans"},
    key_facts{key::conntrack_be_liberal, "net.netfilter.nf_conntrack_tcp_be_liberal"},
    key_facts{key::conntrack_loose, "net.netfilter.nf_conntrack_tcp_loose"},
};

constexpr const key_facts& facts(key k) noexcept { return key_table[static_cast<std::size_t>(k)]; }

} // namespace detail

/// Every key that the host check reads.
inline constexpr auto all_keys = [] {
    std::array<key, detail::key_table.size()> keys{};
    for (std::size_t i = 0; i != keys.size(); ++i) keys[i] = detail::key_table[i].id;
    return keys;
}();

/// The name that sysctl(8) uses, as in net.ipv4.tcp_fin_timeout.
constexpr std::string_view to_string(key k) noexcept { return detail::facts(k).name; }

/// The key that sysctl(8) calls `name`; nothing if the host check does not read it.
constexpr std::optional<key> find_key(std::string_view name) noexcept {
    for (const detail::key_facts& f : detail::key_table)
        if (f.name == name) return f.id;
    return std::nullopt;
}

namespace detail {

/// The key comes with the module nf_conntrack.
constexpr bool is_conntrack(key k) noexcept { return facts(k).name.starts_with("net.netfilter."); }

constexpr bool keys_stand_in_order() noexcept {
    for (std::size_t i = 0; i != key_table.size(); ++i)
        if (static_cast<std::size_t>(key_table[i].id) != i) return false;
    return true;
}
static_assert(keys_stand_in_order(), "key_table must list every key in the order of the enumeration");

} // namespace detail

} // namespace closeside::host

#endif
