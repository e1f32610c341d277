// SPDX-License-Identifier: BSL-1.0
#include "result.hpp"

namespace lab::policy {

namespace {

template <class Predicate>
std::size_t count_cells(const lab_result& lab, Predicate predicate) {
    std::size_t n = 0;
    for (const auto& row : lab.rows)
        for (const judged_cell& c : row) n += predicate(c) ? 1 : 0;
    return n;
}

} // namespace

std::size_t lab_result::reports() const {
    return count_cells(*this, [](const judged_cell& c) { return c.facts.said.report.has_value(); });
}

std::size_t lab_result::disagreeing() const {
    return count_cells(*this, [](const judged_cell& c) { return !c.disagreements.empty(); });
}

std::size_t lab_result::broken() const {
    return count_cells(*this, [](const judged_cell& c) { return !c.broken.empty(); });
}

std::size_t lab_result::failed() const {
    return count_cells(*this, [](const judged_cell& c) { return !c.facts.failure.empty(); });
}

} // namespace lab::policy
