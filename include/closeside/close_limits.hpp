// SPDX-License-Identifier: BSL-1.0
#ifndef CLOSESIDE_CLOSE_LIMITS_HPP
#define CLOSESIDE_CLOSE_LIMITS_HPP

#include <closeside/close_policy.hpp>

#include <cstdint>
#include <optional>

namespace closeside {

/// Limits for one close, in place of the policy's own; what is not stated stays as the policy has it.
/** Zero, or a negative duration such as the rest of a deadline that has passed, means that the limit is reached at
 *  once: what has arrived is still looked at, nothing is waited for. */
struct close_limits {
    std::optional<milliseconds> patience = std::nullopt;
    std::optional<milliseconds> drain_time = std::nullopt;
    std::optional<std::uint64_t> drain_bytes = std::nullopt;

    constexpr close_policy applied_to(close_policy p) const noexcept {
        constexpr milliseconds zero{};
        if (patience) p.patience = *patience < zero ? zero : *patience;
        if (drain_time) p.drain_time = *drain_time < zero ? zero : *drain_time;
        if (drain_bytes) p.drain_bytes = *drain_bytes;
        return p;
    }
};

} // namespace closeside

#endif
