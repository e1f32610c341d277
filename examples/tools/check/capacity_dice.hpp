// SPDX-License-Identifier: BSL-1.0
#ifndef CLOSESIDE_CHECK_CAPACITY_DICE_HPP
#define CLOSESIDE_CHECK_CAPACITY_DICE_HPP

#include <cstdint>
#include <random>

namespace check {

/// Random numbers in whole-number arithmetic: a seed gives the same ones with every compiler and on every machine, which
/// the distributions of <random> do not promise.
class dice {
public:
    explicit dice(std::uint64_t seed) : engine_(seed) {}

    /// 0 to 2^32 - 1.
    std::uint32_t word() {
        if (half_used_) {
            half_used_ = false;
            return static_cast<std::uint32_t>(drawn_ >> 32);
        }
        drawn_ = engine_();
        half_used_ = true;
        return static_cast<std::uint32_t>(drawn_);
    }

    /// 0 to count - 1; of numbers far below 2^32 each is as likely.
    std::uint32_t below(std::uint32_t count) {
        return static_cast<std::uint32_t>(static_cast<std::uint64_t>(word()) * count >> 32);
    }

    /// True with probability `odds` / 2^32.
    bool chance(std::uint64_t odds) { return word() < odds; }

    /// `share`, 0 to 1, for chance().
    static std::uint64_t odds(double share) { return static_cast<std::uint64_t>(share * 4294967296.0); }

    /// Exponentially distributed with this mean, which is below 2^42: von Neumann's way, which compares and counts.
    /** A run of falling numbers that ends after an odd count is taken, and its first number is the fraction; each that is
     *  not adds one to the whole part. */
    std::uint64_t exponential(std::uint64_t mean) {
        for (std::uint64_t whole = 0;; ++whole) {
            const std::uint32_t first = word();
            bool odd = true;
            for (std::uint32_t last = first, next = word(); next < last; last = next, next = word()) odd = !odd;
            if (odd) return whole * mean + (mean * (first >> 12) >> 20);
        }
    }

private:
    std::mt19937_64 engine_;
    std::uint64_t drawn_ = 0;
    bool half_used_ = false;
};

} // namespace check

#endif
