// SPDX-License-Identifier: BSL-1.0
#ifndef CLOSESIDE_BENCHMARK_CLOSE_COST_HPP
#define CLOSESIDE_BENCHMARK_CLOSE_COST_HPP

#include <map>
#include <string>
#include <vector>

namespace benchmark_close {

/// A way of closing, in a program of its own.
struct contender {
    enum class kind {
        ours,           ///< next to each peer
        ours_by_itself, ///< another way to the same close, shown alone
        peer
    };

    std::string name;
    std::vector<std::string> command; ///< what follows is the scenario
    kind is;
    double most_allocations = 1; ///< of ours, as is aimed at
    bool is_yardstick = false;   ///< the peer to whose instructions those of ours are held
};

struct scenario {
    std::string name;
    std::vector<std::string> arguments; ///< of a subject program
    bool has_aims = true;
    /// By our contender's name: at most so many instructions for one of the yardstick's, where fewer are not aimed at.
    std::map<std::string, double> most_instructions{};
};

/// Of one close.
struct close_cost {
    double system_calls = 0;
    double instructions = 0; ///< outside the kernel
    double allocations = 0;
    /// It did not end gracefully: the peer was reset.
    bool resets = false;
};

struct instruments {
    bool system_calls;
    bool instructions;
};

/// Runs the program once for each quantity.
close_cost measure(const contender& c, const scenario& s, const instruments& available);

} // namespace benchmark_close

#endif
