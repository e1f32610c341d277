// SPDX-License-Identifier: BSL-1.0
#ifndef CLOSESIDE_DURATION_HPP
#define CLOSESIDE_DURATION_HPP

#include <chrono>
#include <compare>
#include <cstdint>
#include <limits>

namespace closeside {

/// A number of milliseconds that may stand inside a template argument, which std::chrono::duration may not.
/** Converts from every std::chrono::duration. A fraction of a millisecond is rounded away from zero, so a limit above
 *  zero never becomes "no limit" and 1 s + 1 µs is not a whole second; values beyond the range saturate. */
struct close_duration {
    std::int64_t count = 0; ///< of milliseconds

    constexpr close_duration() noexcept = default;
    /// So many milliseconds.
    constexpr explicit close_duration(std::int64_t ms) noexcept : count(ms) {}

    /// Rounded away from zero to milliseconds.
    template <class Rep, class Period>
    constexpr close_duration(std::chrono::duration<Rep, Period> d) noexcept : count(rounded(d)) {}

    /// For the functions of <chrono> and Asio.
    constexpr operator std::chrono::milliseconds() const noexcept { return std::chrono::milliseconds(count); }

    friend constexpr bool operator==(close_duration, close_duration) noexcept = default;
    friend constexpr std::strong_ordering operator<=>(close_duration, close_duration) noexcept = default;

private:
    using limits = std::numeric_limits<std::int64_t>;

    template <class Rep, class Period>
    static constexpr std::int64_t rounded(std::chrono::duration<Rep, Period> d) noexcept {
        using exact = std::chrono::duration<long double, std::milli>;
        const long double ms = exact(d).count();
        if (!(ms > static_cast<long double>(limits::min()))) return limits::min();
        if (ms >= static_cast<long double>(limits::max())) return limits::max();
        const auto whole = static_cast<std::int64_t>(ms);
        const long double rest = ms - static_cast<long double>(whole);
        return whole + (rest > 0 ? 1 : rest < 0 ? -1 : 0);
    }
};

} // namespace closeside

#endif
