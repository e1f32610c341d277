// SPDX-License-Identifier: BSL-1.0
#ifndef CLOSESIDE_HOST_DETAIL_SYSCTL_D_KERNEL_VALUE_HPP
#define CLOSESIDE_HOST_DETAIL_SYSCTL_D_KERNEL_VALUE_HPP

#include <closeside/detail/kernel/sysctl_text.hpp>

#include <algorithm>
#include <array>
#include <cstdint>
#include <limits>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace closeside::host::detail::sysctl_d {

/// How the kernel reads what is written to a key.
enum class value_form : std::uint8_t {
    number,     ///< one integer between two bounds; what follows it after a blank is ignored
    ticks,      ///< the same in milliseconds, which the kernel rounds up to its ticks and shows so
    port_range, ///< one or two ports; a lone one replaces the low end only
    port_list,  ///< ports and ranges with commas between
    unknown     ///< not modelled: taken for accepted, unless the key holds one number now and the text is not a number
};

struct value_rule {
    std::string_view path;
    value_form form;
    std::int64_t lowest = 0;
    std::int64_t highest = 0;
};

inline constexpr std::int64_t int_min = std::numeric_limits<std::int32_t>::min();
inline constexpr std::int64_t int_max = std::numeric_limits<std::int32_t>::max();
/// Seconds are kept in ticks, in an int. What every kernel refuses, whose ticks are a hundredth of a second or less.
inline constexpr std::int64_t most_seconds = int_max / 100;

/// The bounds as Linux 6.18 keeps them (net/ipv4/sysctl_net_ipv4.c, net/core/sysctl_net_core.c,
/// net/netfilter/nf_conntrack_standalone.c). A test that writes to a namespace's keys holds them against the kernel.
inline constexpr std::array value_rules{
    value_rule{"net/core/somaxconn", value_form::number, 0, int_max},
    value_rule{"net/ipv4/ip_autobind_reuse", value_form::number, 0, 1},
    value_rule{"net/ipv4/ip_local_port_range", value_form::port_range, 1, 65535},
    value_rule{"net/ipv4/ip_local_reserved_ports", value_form::port_list, 0, 65535},
    value_rule{"net/ipv4/tcp_abort_on_overflow", value_form::number, 0, 255},
    value_rule{"net/ipv4/tcp_challenge_ack_limit", value_form::number, int_min, int_max},
    value_rule{"net/ipv4/tcp_fin_timeout", value_form::number, -most_seconds, most_seconds},
    value_rule{"net/ipv4/tcp_invalid_ratelimit", value_form::ticks, 0, int_max},
    value_rule{"net/ipv4/tcp_keepalive_intvl", value_form::number, -most_seconds, most_seconds},
    value_rule{"net/ipv4/tcp_keepalive_probes", value_form::number, 0, 255},
    value_rule{"net/ipv4/tcp_keepalive_time", value_form::number, -most_seconds, most_seconds},
    value_rule{"net/ipv4/tcp_max_orphans", value_form::number, int_min, int_max},
    value_rule{"net/ipv4/tcp_max_syn_backlog", value_form::number, int_min, int_max},
    value_rule{"net/ipv4/tcp_max_tw_buckets", value_form::number, int_min, int_max},
    value_rule{"net/ipv4/tcp_migrate_req", value_form::number, 0, 1},
    value_rule{"net/ipv4/tcp_orphan_retries", value_form::number, 0, 255},
    value_rule{"net/ipv4/tcp_retries1", value_form::number, 0, 255},
    value_rule{"net/ipv4/tcp_retries2", value_form::number, 0, 255},
    value_rule{"net/ipv4/tcp_rfc1337", value_form::number, 0, 255},
    value_rule{"net/ipv4/tcp_rto_max_ms", value_form::number, 1000, 120000},
    value_rule{"net/ipv4/tcp_syn_retries", value_form::number, 1, 127},
    value_rule{"net/ipv4/tcp_synack_retries", value_form::number, 0, 255},
    value_rule{"net/ipv4/tcp_syncookies", value_form::number, 0, 255},
    value_rule{"net/ipv4/tcp_timestamps", value_form::number, 0, 255},
    value_rule{"net/ipv4/tcp_tw_reuse", value_form::number, 0, 2},
    value_rule{"net/ipv4/tcp_tw_reuse_delay", value_form::number, 1, 60000},
    value_rule{"net/ipv4/tcp_workaround_signed_windows", value_form::number, 0, 255},
    value_rule{"net/netfilter/nf_conntrack_tcp_be_liberal", value_form::number, 0, 1},
    value_rule{"net/netfilter/nf_conntrack_tcp_loose", value_form::number, 0, 1},
    value_rule{"net/netfilter/nf_conntrack_tcp_timeout_close_wait", value_form::number, -most_seconds, most_seconds},
    value_rule{"net/netfilter/nf_conntrack_tcp_timeout_established", value_form::number, -most_seconds, most_seconds},
    value_rule{"net/netfilter/nf_conntrack_tcp_timeout_fin_wait", value_form::number, -most_seconds, most_seconds},
    value_rule{"net/netfilter/nf_conntrack_tcp_timeout_last_ack", value_form::number, -most_seconds, most_seconds},
    value_rule{"net/netfilter/nf_conntrack_tcp_timeout_time_wait", value_form::number, -most_seconds, most_seconds},
};

inline value_rule rule_for(std::string_view path) noexcept {
    for (const value_rule& rule : value_rules)
        if (rule.path == path) return rule;
    return {path, value_form::unknown, 0, 0};
}

/// What the kernel shows after a write, or why it refuses it (EINVAL).
struct write_result {
    bool accepted = false;
    std::string shown;
    std::string reason;
};

/// The state of the namespace that a write meets.
struct write_context {
    /// What the key shows before; empty: not known.
    std::string before;
    /// net.ipv4.ip_unprivileged_port_start, which no low end of the port range may be below.
    std::int64_t first_unprivileged_port = 1024;
};

inline write_result refused(std::string reason) { return {false, {}, std::move(reason)}; }

inline write_result write_number(const value_rule& rule, std::string_view text) {
    const auto number = closeside::detail::parse_number(text);
    if (!number) return refused("it is not a number to the kernel");
    if (*number < rule.lowest || *number > rule.highest)
        return refused("the kernel takes " + std::to_string(rule.lowest) + " to " + std::to_string(rule.highest));
    return {true, std::to_string(*number), {}};
}

inline write_result write_port_range(const value_rule& rule, std::string_view text, const write_context& context) {
    // Of what a namespace begins with (inet_init_net), if the range before is not known.
    const auto before = closeside::detail::parse_number_pair(context.before);
    std::array<std::int64_t, 2> ends{before ? before->first : 32768, before ? before->second : 60999};
    for (std::size_t i = 0; i != ends.size(); ++i) {
        if (i != 0 && text.find_first_not_of(" \t\n\v\f\r") == text.npos) break;
        const auto end = closeside::detail::take_number(text);
        if (!end) return refused("it is not two numbers with a blank between");
        if (*end < rule.lowest || *end > rule.highest) return refused("ports go from 1 to 65535");
        ends[i] = *end;
    }
    if (ends[1] < ends[0]) return refused("its low end is above its high end");
    if (ends[0] < context.first_unprivileged_port)
        return refused("its low end is below net.ipv4.ip_unprivileged_port_start");
    return {true, std::to_string(ends[0]) + "\t" + std::to_string(ends[1]), {}};
}

/// A port as proc_get_long takes it in a list; what may stand before a blank elsewhere must stand before these here.
inline std::optional<std::int64_t> take_port(std::string_view& text, std::string_view ends) {
    const std::size_t end = std::min(text.find_first_of(ends), text.size());
    const std::string_view digits = text.substr(0, end);
    if (digits.empty() || digits.front() < '0' || digits.front() > '9') return std::nullopt;
    if (digits.find_first_of(" \t\n\v\f\r") != digits.npos) return std::nullopt;
    const auto port = closeside::detail::parse_number(digits);
    if (!port || *port > 65535) return std::nullopt;
    text.remove_prefix(end);
    return port;
}

/// The list as the kernel prints it: in order, what overlaps or touches joined.
inline write_result write_port_list(std::string_view text) {
    std::vector<std::pair<std::int64_t, std::int64_t>> ranges;
    while (!text.empty()) {
        const auto low = take_port(text, "-,");
        auto high = low;
        if (low && !text.empty() && text.front() == '-') {
            text.remove_prefix(1);
            high = take_port(text, ",");
        }
        if (!low || !high || *high < *low) return refused("it is not a list of ports and ranges with commas between");
        if (!text.empty()) text.remove_prefix(1);
        ranges.emplace_back(*low, *high);
    }
    std::sort(ranges.begin(), ranges.end());
    std::string shown;
    for (std::size_t i = 0; i != ranges.size();) {
        auto [low, high] = ranges[i];
        for (++i; i != ranges.size() && ranges[i].first <= high + 1; ++i) high = std::max(high, ranges[i].second);
        if (!shown.empty()) shown += ',';
        shown += std::to_string(low);
        if (high != low) shown += "-" + std::to_string(high);
    }
    return {true, shown, {}};
}

/// Numbers as the kernel prints them, with one tab between; other text without blanks around it.
inline std::string plain(std::string_view text) {
    std::string numbers;
    std::string_view rest = text;
    while (const auto number = closeside::detail::take_number(rest))
        numbers += (numbers.empty() ? "" : "\t") + std::to_string(*number);
    if (!numbers.empty() && rest.find_first_not_of(" \t\n\v\f\r") == rest.npos) return numbers;
    const std::size_t first = text.find_first_not_of(" \t\n\v\f\r");
    if (first == text.npos) return {};
    return std::string(text.substr(first, text.find_last_not_of(" \t\n\v\f\r") - first + 1));
}

inline bool is_one_number(std::string_view text) noexcept {
    return closeside::detail::take_number(text) && text.find_first_not_of(" \t\n") == text.npos;
}

/// What becomes of writing `text` and a line feed to the key `path`, as of canonical().
inline write_result write_value(std::string_view path, std::string_view text, const write_context& context) {
    const value_rule rule = rule_for(path);
    switch (rule.form) {
    case value_form::number:
    case value_form::ticks: return write_number(rule, text);
    case value_form::port_range: return write_port_range(rule, text, context);
    case value_form::port_list: return write_port_list(text);
    case value_form::unknown: break;
    }
    if (is_one_number(context.before) && !closeside::detail::parse_number(text))
        return refused("the key holds a number, and it is not a number to the kernel");
    return {
        true, is_one_number(context.before) ? std::to_string(*closeside::detail::parse_number(text)) : plain(text), {}};
}

/// The key shows `live` now: does it come from a write after which it was to show `shown`?
inline bool is_same_value(std::string_view path, std::string_view shown, std::string_view live) {
    const value_rule rule = rule_for(path);
    if (rule.form == value_form::port_list)
        if (const write_result list = write_port_list(live); list.accepted) return list.shown == shown;
    if (rule.form == value_form::ticks) {
        const auto wanted = closeside::detail::parse_number(shown), found = closeside::detail::parse_number(live);
        constexpr std::int64_t longest_tick = 10;
        return wanted && found && *found >= *wanted && *found < *wanted + longest_tick;
    }
    return plain(live) == shown;
}

} // namespace closeside::host::detail::sysctl_d

#endif
