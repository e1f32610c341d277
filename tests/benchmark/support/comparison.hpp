// SPDX-License-Identifier: BSL-1.0
#ifndef CLOSESIDE_BENCHMARK_SUPPORT_COMPARISON_HPP
#define CLOSESIDE_BENCHMARK_SUPPORT_COMPARISON_HPP

#include <string>
#include <vector>

namespace benchmark_support {

/// What one contender took, round by round.
struct series {
    std::string name;
    std::vector<double> rounds;
};

/// What a number must be to be good enough.
struct aim {
    enum class kind {
        none, ///< shown for its own sake
        below,
        at_most,
        at_least
    };

    kind is = kind::none;
    double bound = 0;
    /// Of the ratio to the peer; otherwise of the value itself.
    bool of_ratio = true;

    bool met_by(double value) const noexcept;
    /// `≤ 0.25 ×`; empty if there is none.
    std::string text(const std::string& unit) const;
};

inline aim ratio_below(double bound) { return {aim::kind::below, bound}; }
inline aim ratio_at_most(double bound) { return {aim::kind::at_most, bound}; }
inline aim ratio_at_least(double bound) { return {aim::kind::at_least, bound}; }
inline aim value_at_most(double bound) { return {aim::kind::at_most, bound, false}; }

/// One row of the table: ours next to a peer's, measured in the same run.
struct comparison {
    std::string what; ///< the work, e.g. "one close, the peer answers at once"
    std::string unit; ///< of the values, e.g. "system calls"
    std::string ours;
    double our_value = 0; ///< median
    /// Empty if ours stands alone.
    std::string theirs;
    double their_value = 0; ///< median
    /// Ours to theirs: the median of the rounds' own ratios, the lowest and the highest.
    double ratio = 0;
    double lowest_ratio = 0;
    double highest_ratio = 0;
    aim wanted{};

    bool met() const noexcept { return wanted.met_by(wanted.of_ratio ? ratio : our_value); }
};

double median(std::vector<double> values);

/// @throws std::invalid_argument unless both went through the same number of rounds, at least one.
comparison compare(const std::string& what, const std::string& unit, const series& ours, const series& theirs,
                   const aim& wanted = {});

/// A value without a peer.
comparison alone(const std::string& what, const std::string& unit, const series& ours, const aim& wanted = {});

} // namespace benchmark_support

#endif
