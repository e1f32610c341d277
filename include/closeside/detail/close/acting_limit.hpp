// SPDX-License-Identifier: BSL-1.0
#ifndef CLOSESIDE_DETAIL_CLOSE_ACTING_LIMIT_HPP
#define CLOSESIDE_DETAIL_CLOSE_ACTING_LIMIT_HPP

#include <closeside/report.hpp>

#include <cstdint>

namespace closeside::detail {

/// The limit that is acted upon, between its running out and the release.
/** The report names the first that ran out. Before a limit is acted upon the receive queue is looked at once more, and
 *  twice again for what has come meanwhile. */
class acting_limit {
public:
    constexpr void ran_out(close_limit limit, close_limit& named) noexcept {
        limit_ = limit;
        is_named_ = named == close_limit::none;
        if (is_named_) named = limit;
        looks_ = 0;
    }

    /// Everything is acknowledged: what has come is looked at as at the end of until_acked, but no limit has run out.
    constexpr void acknowledged() noexcept {
        limit_ = close_limit::linger;
        is_named_ = false;
        looks_ = 0;
    }

    /// The end had come before the limit was acted upon.
    constexpr void forget(close_limit& named) const noexcept {
        if (is_named_) named = close_limit::none;
    }

    constexpr bool looks_again() noexcept { return ++looks_ < most_looks; }

    constexpr close_limit limit() const noexcept { return limit_; }
    constexpr bool ends_patience() const noexcept {
        return limit_ == close_limit::patience || limit_ == close_limit::input;
    }
    constexpr bool ends_waiting() const noexcept { return limit_ == close_limit::linger || stops(limit_); }
    constexpr bool stops() const noexcept { return stops(limit_); }

    /// Nobody is to wait any more, whatever for.
    static constexpr bool stops(close_limit l) noexcept {
        return l == close_limit::cancelled || l == close_limit::shed;
    }

private:
    static constexpr std::uint8_t most_looks = 3;

    close_limit limit_ = close_limit::none;
    bool is_named_ = false;
    std::uint8_t looks_ = 0;
};

} // namespace closeside::detail

#endif
