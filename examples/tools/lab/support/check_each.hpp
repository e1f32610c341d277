// SPDX-License-Identifier: BSL-1.0
#ifndef CLOSESIDE_LAB_SUPPORT_CHECK_EACH_HPP
#define CLOSESIDE_LAB_SUPPORT_CHECK_EACH_HPP

#include "report.hpp"

#include <string>

namespace lab {

/// A claim that holds for each variant that `wanted` picks, of which there is one at least. Gathers what was seen of them.
/** Variants are named by a function name_of of their namespace. */
template <class Results, class Wanted, class Holds, class Text>
void check_each(report& r, const Results& all, const char* sentence, Wanted wanted, Holds holds, Text text) {
    std::string numbers;
    bool good = true;
    for (const auto& one : all) {
        if (!wanted(one.what)) continue;
        good = good && holds(one);
        numbers += (numbers.empty() ? "" : "; ") + name_of(one.what) + ": " + text(one);
    }
    r.check(good && !numbers.empty(), sentence, numbers);
}

} // namespace lab

#endif
