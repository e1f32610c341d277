// SPDX-License-Identifier: BSL-1.0
#ifndef CLOSESIDE_BENCHMARK_WAITING_LIMITS_HPP
#define CLOSESIDE_BENCHMARK_WAITING_LIMITS_HPP

#include <array>
#include <chrono>

namespace benchmark_waiting {

/// How long a close may wait; ours stand in types.
inline constexpr std::array<std::chrono::milliseconds, 5> limits{
    {std::chrono::milliseconds(250), std::chrono::milliseconds(750), std::chrono::seconds(2), std::chrono::seconds(5),
     std::chrono::seconds(60)}};

/// None comes to it whose peer answers.
inline constexpr std::chrono::milliseconds longest_limit = limits.back();

/// The shortest in which so many closes can begin, on a machine that is not quite idle.
constexpr std::chrono::milliseconds short_limit(unsigned closes) {
    const auto enough = std::chrono::microseconds(40) * closes + std::chrono::milliseconds(200);
    for (const auto limit : limits)
        if (limit >= enough) return limit;
    return longest_limit;
}

} // namespace benchmark_waiting

#endif
