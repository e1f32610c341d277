// SPDX-License-Identifier: BSL-1.0
#ifndef CLOSESIDE_HOST_RULE_TABLE_HPP
#define CLOSESIDE_HOST_RULE_TABLE_HPP

#include <closeside/host/rule.hpp>
#include <closeside/host/rules/fin_timeout.hpp>
#include <closeside/host/rules/rfc1337.hpp>
#include <closeside/host/rules/syncookies.hpp>
#include <closeside/host/rules/timestamps.hpp>
#include <closeside/host/rules/tw_buckets.hpp>
#include <closeside/host/rules/tw_recycle.hpp>
#include <closeside/host/rules/tw_reuse.hpp>
#include <closeside/host/rules/unseen.hpp>

#include <array>
#include <cstddef>
#include <string_view>

namespace closeside::host {

/// Every rule, by code. CS0xx: the check itself, CS1xx: TIME-WAIT and FIN-WAIT-2, CS2xx: accepting connections.
/** A code keeps its meaning for good; one that is given up is not used again. */
inline constexpr std::array rule_table{
    rules::nothing_seen,
    rules::denied_keys,
    rules::malformed_keys,
    rules::rfc1337_on,
    rules::tw_recycle_on,
    rules::tw_recycle_hidden,
    rules::tw_reuse_without_timestamps,
    rules::tw_reuse_loopback_only,
    rules::tw_reuse_not_for_servers,
    rules::fin_timeout_lowered,
    rules::fin_timeout_folded,
    rules::fin_timeout_tiny,
    rules::linger2_above_fin_timeout,
    rules::tw_buckets_few,
    rules::tw_buckets_negative,
    rules::timestamps_off,
    rules::syncookies_off,
    rules::syncookies_without_timestamps,
};

/// The rule of that code; nullptr if there is none.
constexpr const rule* find_rule(std::string_view code) noexcept {
    for (const rule& r : rule_table)
        if (r.code == code) return &r;
    return nullptr;
}

namespace detail {

constexpr bool codes_rise() noexcept {
    for (std::size_t i = 1; i < rule_table.size(); ++i)
        if (rule_table[i].code <= rule_table[i - 1].code) return false;
    return true;
}
static_assert(codes_rise(), "rule_table must be sorted by code, each code once");

} // namespace detail

} // namespace closeside::host

#endif
