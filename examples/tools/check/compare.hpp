// SPDX-License-Identifier: BSL-1.0
#ifndef CLOSESIDE_CHECK_COMPARE_HPP
#define CLOSESIDE_CHECK_COMPARE_HPP

#include "output.hpp"
#include "saved.hpp"

#include <iosfwd>
#include <string>
#include <utility>
#include <vector>

namespace check {

/// What differs between an earlier look, or one at another host, and the present one.
struct comparison {
    /// What they were judged by, or are of, as in {"kernel", "6.1.0", "6.12.1"}.
    struct difference {
        std::string what, before, after;
    };

    std::vector<saved_finding> came, went;
    /// The same finding, with another severity, message or value.
    std::vector<std::pair<saved_finding, saved_finding>> changed;
    /// By key; what is a count and no setting is left out.
    std::vector<difference> values;
    /// Host, kernel and assumptions: findings can differ for these alone.
    std::vector<difference> circumstances;
};

comparison compare(const saved_look& before, const saved_look& after);

/// For people.
void print_comparison_text(std::ostream& out, const saved_look& before, const comparison& c, const terminal& on);

/// For programs.
void print_comparison_json(std::ostream& out, const saved_look& before, const saved_look& after, const comparison& c);

} // namespace check

#endif
