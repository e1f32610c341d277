// SPDX-License-Identifier: BSL-1.0
#ifndef CLOSESIDE_LAB_RESTART_RESULT_HPP
#define CLOSESIDE_LAB_RESTART_RESULT_HPP

#include "patience.hpp"
#include "situation.hpp"

#include "../support/report.hpp"

#include <vector>

namespace lab::restart {

using results = std::vector<result>;

table table_of_attempts(const results& all);
table table_of_states(const results& all);
table table_of_diagnoses(const results& all);
table table_of_waits(const std::vector<waited>& all);

void check_claims(report& r, const results& all, const std::vector<waited>& waits);

/// Who gets the port, and, if that was looked at, how long the others wait for it.
svg::panel picture(const results& all, const std::vector<waited>& waits);

} // namespace lab::restart

#endif
