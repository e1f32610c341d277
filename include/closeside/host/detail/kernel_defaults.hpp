// SPDX-License-Identifier: BSL-1.0
#ifndef CLOSESIDE_HOST_DETAIL_KERNEL_DEFAULTS_HPP
#define CLOSESIDE_HOST_DETAIL_KERNEL_DEFAULTS_HPP

#include <closeside/host/detail/kernel_version.hpp>
#include <closeside/host/key.hpp>

#include <array>
#include <optional>
#include <string_view>

namespace closeside::host::detail {

/// Which releases have a key, and what it is then if nobody sets it.
struct key_history {
    key id;
    std::string_view now;
    /// What it was before another release, if it was ever another value.
    std::string_view then{};
    kernel_version changed{};
    kernel_version since{};
    std::optional<kernel_version> removed{};
    /// The kernel computes it from the memory or the table sizes of the machine; `now` is what 24 GiB come to.
    bool by_machine = false;
    /// Red Hat has taken it over into the 3.10 of RHEL 7: the key, or its later default.
    bool in_rhel_7 = false;
};

/// The oldest release for which these are facts.
inline constexpr kernel_version oldest_known{3, 10};

/// In initial namespaces, read from release trees of 3.10 to 6.18: net/ipv4/tcp_ipv4.c: tcp_sk_init and what was there
/// before it, tcp.c: tcp_init, net/netfilter/nf_conntrack_proto_tcp.c.
inline constexpr std::array key_histories{
    key_history{.id = key::tcp_tw_recycle, .now = "0", .removed = kernel_version{4, 12}}, // 4396e46187ca
    key_history{.id = key::tcp_tw_reuse, .now = "2", .then = "0", .changed = {4, 18}},    // 79e9fed46038
    key_history{.id = key::tcp_tw_reuse_delay, .now = "1000", .since = {6, 14}},
    key_history{.id = key::tcp_timestamps, .now = "1"},
    key_history{.id = key::tcp_fin_timeout, .now = "60"},
    key_history{.id = key::tcp_max_tw_buckets, .now = "131072", .by_machine = true},
    key_history{.id = key::tcp_rfc1337, .now = "0"},
    key_history{.id = key::tcp_syncookies, .now = "1"},
    key_history{.id = key::tcp_max_orphans, .now = "131072", .by_machine = true},
    key_history{.id = key::tcp_orphan_retries, .now = "0"},
    key_history{.id = key::tcp_mem, .now = "287901\t383869\t575802", .by_machine = true},
    key_history{.id = key::tcp_abort_on_overflow, .now = "0"},
    key_history{.id = key::tcp_max_syn_backlog, .now = "2048", .by_machine = true},
    key_history{.id = key::tcp_migrate_req, .now = "0", .since = {5, 14}},
    key_history{.id = key::somaxconn, .now = "4096", .then = "128", .changed = {5, 4}},
    key_history{.id = key::tcp_syn_retries, .now = "6"},
    key_history{.id = key::tcp_synack_retries, .now = "5"},
    key_history{.id = key::tcp_retries2, .now = "15"},
    key_history{.id = key::tcp_rto_max_ms, .now = "120000", .since = {6, 15}},
    key_history{.id = key::tcp_invalid_ratelimit, .now = "500", .since = {4, 0}, .in_rhel_7 = true}, // 032ee4236954
    key_history{.id = key::tcp_keepalive_time, .now = "7200"},
    key_history{.id = key::tcp_keepalive_intvl, .now = "75"},
    key_history{.id = key::tcp_keepalive_probes, .now = "9"},
    key_history{.id = key::ip_local_port_range,
                .now = "32768\t60999",
                .then = "32768\t61000",
                .changed = {4, 2},
                .in_rhel_7 = true}, // 07f4c90062f8
    key_history{.id = key::ip_local_reserved_ports, .now = ""},
    key_history{.id = key::ip_autobind_reuse, .now = "0", .since = {5, 7}},
    key_history{.id = key::tcp_ehash_entries, .now = "262144", .since = {6, 1}, .by_machine = true},
    key_history{.id = key::tcp_child_ehash_entries, .now = "0", .since = {6, 1}},
    key_history{.id = key::conntrack_max, .now = "262144", .by_machine = true},
    key_history{.id = key::conntrack_count, .now = "0"},
    key_history{.id = key::conntrack_buckets, .now = "262144", .by_machine = true},
    key_history{.id = key::conntrack_established, .now = "432000"},
    key_history{.id = key::conntrack_fin_wait, .now = "120"},
    key_history{.id = key::conntrack_close_wait, .now = "60"},
    key_history{.id = key::conntrack_last_ack, .now = "30"},
    key_history{.id = key::conntrack_time_wait, .now = "120"},
    key_history{.id = key::conntrack_close, .now = "10"},
    key_history{.id = key::conntrack_syn_recv, .now = "60"},
    key_history{.id = key::conntrack_unacknowledged, .now = "300"},
    key_history{.id = key::conntrack_max_retrans, .now = "300"},
    key_history{.id = key::conntrack_be_liberal, .now = "0"},
    key_history{.id = key::conntrack_loose, .now = "1"},
};

constexpr const key_history* history_of(key k) noexcept {
    for (const key_history& h : key_histories)
        if (h.id == k) return &h;
    return nullptr;
}

/// Whoever meets a 3.10 meets that of RHEL 7 or CentOS 7.
constexpr bool is_in_rhel_7(const key_history& h, kernel_version release) noexcept {
    return h.in_rhel_7 && release == oldest_known;
}

constexpr bool has_key(const key_history& h, kernel_version release) noexcept {
    return (release >= h.since || is_in_rhel_7(h, release)) && (!h.removed || release < *h.removed);
}

constexpr std::string_view default_of(const key_history& h, kernel_version release) noexcept {
    return release < h.changed && !is_in_rhel_7(h, release) ? h.then : h.now;
}

} // namespace closeside::host::detail

#endif
