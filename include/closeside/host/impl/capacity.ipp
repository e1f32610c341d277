// SPDX-License-Identifier: BSL-1.0
#ifndef CLOSESIDE_HOST_IMPL_CAPACITY_IPP
#define CLOSESIDE_HOST_IMPL_CAPACITY_IPP

#include <closeside/detail/kernel/proc_net_counters.hpp>
#include <closeside/detail/separate_compilation.hpp>
#include <closeside/host/capacity.hpp>
#include <closeside/host/detail/meaning_by_release.hpp>
#include <closeside/host/key.hpp>
#include <closeside/host/key_value.hpp>
#include <closeside/host/snapshot.hpp>

#include <algorithm>
#include <bitset>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

namespace closeside::host {

namespace detail {

CLOSESIDE_DECL std::int64_t unreserved_ports(std::int64_t low, std::int64_t high, std::string_view reserved) {
    constexpr std::int64_t last_port = 65535;
    low = std::clamp<std::int64_t>(low, 0, last_port);
    high = std::clamp<std::int64_t>(high, 0, last_port);
    if (low > high) return 0;
    if (reserved.empty()) return high - low + 1;
    std::bitset<last_port + 1> taken;
    while (!reserved.empty()) {
        const std::string_view item = reserved.substr(0, reserved.find(','));
        reserved.remove_prefix(std::min(item.size() + 1, reserved.size()));
        const std::size_t dash = item.find('-');
        const auto first = closeside::detail::whole_number<std::int64_t>(item.substr(0, dash));
        const auto last =
            dash == item.npos ? first : closeside::detail::whole_number<std::int64_t>(item.substr(dash + 1));
        if (!first || !last) continue;
        for (std::int64_t port = std::max(*first, low); port <= std::min(*last, high); ++port)
            taken.set(static_cast<std::size_t>(port));
    }
    return high - low + 1 - static_cast<std::int64_t>(taken.count());
}

CLOSESIDE_DECL double port_hold_seconds(const snapshot& s, bool to_loopback) noexcept {
    const std::int64_t reuse = tw_reuse_of(s).value_or(0);
    const bool reused = (reuse == 1 || (reuse == 2 && to_loopback)) && s.number(key::tcp_timestamps).value_or(0) != 0;
    constexpr std::int64_t delay_before_6_14 = 1000;
    // A copied file may hold what no kernel takes.
    const std::int64_t delay = std::max<std::int64_t>(s.number(key::tcp_tw_reuse_delay).value_or(delay_before_6_14), 1);
    return static_cast<double>(reused ? delay : time_wait_seconds * 1000) / 1000;
}

inline std::optional<double> part(std::optional<std::int64_t> used, std::optional<std::int64_t> limit) noexcept {
    if (!used || !limit || *limit <= 0) return std::nullopt;
    return static_cast<double>(*used) / static_cast<double>(*limit);
}

} // namespace detail

CLOSESIDE_DECL capacity capacity_of(const snapshot& s) {
    capacity c;
    const key_value& range = s[key::ip_local_port_range];
    if (s.number(key::ip_local_port_range) && range.high) {
        c.local_ports = detail::unreserved_ports(*range.number, *range.high, s[key::ip_local_reserved_ports].text);
        const auto ports = static_cast<double>(*c.local_ports);
        // Without the two keys nobody can tell whether ports are re-used.
        if (s.number(key::tcp_tw_reuse) && s.number(key::tcp_timestamps)) {
            c.connects_per_second = ports / detail::port_hold_seconds(s, false);
            c.loopback_connects_per_second = ports / detail::port_hold_seconds(s, true);
        }
    }
    if (const auto buckets = s.number(key::tcp_max_tw_buckets); buckets && *buckets >= 0)
        c.closes_per_second = static_cast<double>(*buckets) / static_cast<double>(time_wait_seconds);
    c.time_wait_used = detail::part(s.sockets.time_wait, s.number(key::tcp_max_tw_buckets));
    if (const auto flows = s.number(key::conntrack_max), kept = s.number(key::conntrack_time_wait);
        flows && kept && *flows > 0 && *kept > 0)
        c.flows_per_second = static_cast<double>(*flows) / static_cast<double>(*kept);
    c.conntrack_used = detail::part(s.number(key::conntrack_count), s.number(key::conntrack_max));
    c.orphans_used = detail::part(s.sockets.orphans, s.number(key::tcp_max_orphans));
    return c;
}

} // namespace closeside::host

#endif
