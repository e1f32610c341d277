// SPDX-License-Identifier: BSL-1.0
#ifndef CLOSESIDE_HOST_DETAIL_RULE_TABLE_HPP
#define CLOSESIDE_HOST_DETAIL_RULE_TABLE_HPP

#include <closeside/host/detail/rule.hpp>
#include <closeside/host/detail/rules/backlog.hpp>
#include <closeside/host/detail/rules/config.hpp>
#include <closeside/host/detail/rules/conntrack.hpp>
#include <closeside/host/detail/rules/conntrack_retries.hpp>
#include <closeside/host/detail/rules/conntrack_timeouts.hpp>
#include <closeside/host/detail/rules/fin_timeout.hpp>
#include <closeside/host/detail/rules/idle.hpp>
#include <closeside/host/detail/rules/local_ports.hpp>
#include <closeside/host/detail/rules/orphans.hpp>
#include <closeside/host/detail/rules/retries.hpp>
#include <closeside/host/detail/rules/rfc1337.hpp>
#include <closeside/host/detail/rules/syncookies.hpp>
#include <closeside/host/detail/rules/takeover.hpp>
#include <closeside/host/detail/rules/tcp_mem.hpp>
#include <closeside/host/detail/rules/timestamps.hpp>
#include <closeside/host/detail/rules/tw_buckets.hpp>
#include <closeside/host/detail/rules/tw_capacity.hpp>
#include <closeside/host/detail/rules/tw_recycle.hpp>
#include <closeside/host/detail/rules/tw_reuse.hpp>
#include <closeside/host/detail/rules/unseen.hpp>

#include <array>
#include <cstddef>
#include <string_view>

namespace closeside::host::detail {

/// Every rule, by code. CS0xx: the check itself, CS1xx: TIME-WAIT, FIN-WAIT-2 and orphans, CS2xx: accepting connections,
/// CS3xx: local ports and connecting, CS4xx: conntrack and idle connections, CS5xx: configuration files.
/** A code keeps its meaning for good; one that is given up is not used again. */
inline constexpr std::array rule_table{
    rules::nothing_seen,
    rules::denied_keys,
    rules::malformed_keys,
    rules::emulated_proc,
    rules::rfc1337_on,
    rules::tw_recycle_on,
    rules::tw_recycle_hidden,
    rules::tw_reuse_without_timestamps,
    rules::tw_reuse_loopback_only,
    rules::tw_reuse_not_for_servers,
    rules::tw_reuse_delay_short,
    rules::tw_reuse_through_firewalls,
    rules::time_wait_meets_shared_addresses,
    rules::fin_timeout_lowered,
    rules::fin_timeout_folded,
    rules::fin_timeout_tiny,
    rules::linger2_above_fin_timeout,
    rules::rfc1337_hidden,
    rules::invalid_ratelimit_long,
    rules::orphan_retries_few,
    rules::orphans_near_limit,
    rules::max_orphans_lowered,
    rules::rto_max_lowered,
    rules::tw_buckets_few,
    rules::tw_buckets_negative,
    rules::tw_buckets_below_rate,
    rules::tw_buckets_nearly_full,
    rules::tcp_mem_unfit,
    rules::timestamps_off,
    rules::timestamps_without_offset,
    rules::retries2_few,
    rules::syncookies_off,
    rules::syncookies_without_timestamps,
    rules::syncookies_always,
    rules::syn_backlog_inert,
    rules::backlog_capped,
    rules::somaxconn_small,
    rules::abort_on_overflow,
    rules::accept_queue_overflows,
    rules::syn_queue_full,
    rules::synack_not_retried,
    rules::closed_listener_resets_its_queue,
    rules::listening_port_not_reserved,
    rules::ports_below_rate,
    rules::autobind_reuses_ports,
    rules::local_ports_few,
    rules::local_ports_reserved,
    rules::local_ports_among_services,
    rules::syn_retries_extreme,
    rules::conntrack_time_wait_short,
    rules::conntrack_nearly_full,
    rules::conntrack_below_rate,
    rules::half_close_forgotten,
    rules::conntrack_not_loose,
    rules::conntrack_not_liberal,
    rules::conntrack_idle_short,
    rules::conntrack_long_chains,
    rules::conntrack_close_short,
    rules::conntrack_retransmission_short,
    rules::conntrack_handshake_short,
    rules::keepalive_after_nat,
    rules::keepalive_gives_up_early,
    rules::retired_key_set,
    rules::live_value_drifts,
    rules::setting_lost_at_boot,
    rules::loaders_disagree,
    rules::value_refused,
    rules::key_before_module,
    rules::config_file_harmful,
    rules::line_sets_nothing,
};

/// The rule of that code; nullptr if there is none.
constexpr const rule* find_rule(std::string_view code) noexcept {
    for (const rule& r : rule_table)
        if (r.code == code) return &r;
    return nullptr;
}

constexpr bool codes_rise() noexcept {
    for (std::size_t i = 1; i < rule_table.size(); ++i)
        if (rule_table[i].code <= rule_table[i - 1].code) return false;
    return true;
}
static_assert(codes_rise(), "rule_table must be sorted by code, each code once");

} // namespace closeside::host::detail

#endif
