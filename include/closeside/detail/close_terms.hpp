// SPDX-License-Identifier: BSL-1.0
#ifndef CLOSESIDE_DETAIL_CLOSE_TERMS_HPP
#define CLOSESIDE_DETAIL_CLOSE_TERMS_HPP

#include <closeside/close_policy.hpp>

#include <cstdint>

namespace closeside::detail {

/// What of a policy still matters once the close has begun. Every close that waits holds one, so it is a third as large.
struct close_terms {
    constexpr close_terms(const close_policy& p) noexcept
        : drain_time(p.drain_time), drain_bytes(p.drain_bytes), peer_first(p.closes_first == side::peer),
          aborts(p.linger == lingering::abort), lingers(p.linger.how == lingering::mode::until_acked),
          aborts_at_limit(resolved_on_limit(p) == limit_action::abort), skips_fin_wait2(p.linger2 == fin_wait2::skip) {}

    constexpr bool drains() const noexcept { return drain_time.count != 0 || drain_bytes != 0; }

    /// Nothing to look at, to send or to wait for before close(2)?
    constexpr bool releases_at_once() const noexcept { return aborts || (!peer_first && !drains() && !lingers); }

    milliseconds drain_time;
    std::uint64_t drain_bytes;
    bool peer_first;
    bool aborts;
    bool lingers;
    bool aborts_at_limit;
    bool skips_fin_wait2;
};

} // namespace closeside::detail

#endif
