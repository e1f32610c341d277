// SPDX-License-Identifier: BSL-1.0
#ifndef CLOSESIDE_HOST_DETAIL_MEANING_BY_RELEASE_HPP
#define CLOSESIDE_HOST_DETAIL_MEANING_BY_RELEASE_HPP

#include <closeside/host/detail/kernel_version.hpp>
#include <closeside/host/key.hpp>
#include <closeside/host/snapshot.hpp>

#include <bit>
#include <cstdint>
#include <limits>
#include <optional>

namespace closeside::host::detail {

/// The kernel is known to be older than that release.
[[gnu::cold]] inline bool is_before(const snapshot& s, kernel_version release) noexcept {
    const auto version = parse_kernel_version(s.kernel);
    return version && *version < release;
}

/// What loopback alone means in tcp_tw_reuse since Linux 4.18 (79e9fed46038): before it, every number but 0 means 1.
inline constexpr kernel_version tw_reuse_knows_loopback{4, 18};

/// What the kernel makes of tcp_tw_reuse: 0, 1 or 2; nothing unless the key is present.
[[gnu::cold]] inline std::optional<std::int64_t> tw_reuse_of(const snapshot& s) noexcept {
    const auto number = s.number(key::tcp_tw_reuse);
    return number && *number != 0 && is_before(s, tw_reuse_knows_loopback) ? std::optional<std::int64_t>(1) : number;
}

/// The longest queue that listen(2) can be given: before Linux 4.1 its length had 16 bits (becb74f0acca).
[[gnu::cold]] inline std::int64_t longest_backlog(const snapshot& s) noexcept {
    return is_before(s, {4, 1}) ? std::numeric_limits<std::uint16_t>::max() : std::numeric_limits<std::int32_t>::max();
}

/// nf_conntrack_buckets can be written to, which was read-only before Linux 4.7 (3183ab8997a4).
[[gnu::cold]] inline bool takes_conntrack_buckets(const snapshot& s) noexcept { return !is_before(s, {4, 7}); }

/// Where the size of TCP's hash table is not shown: whether the kernel can have chosen a limit as half of it.
/** It is a power of two, with an entry for each 128 KiB of memory, or for each 512 KiB of less than 512 MiB (tcp_init). */
[[gnu::cold]] inline bool may_be_half_of_table(const snapshot& s, std::int64_t limit) noexcept {
    constexpr std::int64_t least_part = 1024; // KiB for each of the limit
    return limit > 0 && std::has_single_bit(static_cast<std::uint64_t>(limit)) &&
           (!s.memory_kib || limit >= *s.memory_kib / least_part);
}

} // namespace closeside::host::detail

#endif
