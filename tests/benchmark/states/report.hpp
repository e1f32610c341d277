// SPDX-License-Identifier: BSL-1.0
#ifndef CLOSESIDE_BENCHMARK_STATES_REPORT_HPP
#define CLOSESIDE_BENCHMARK_STATES_REPORT_HPP

#include "campaign.hpp"

#include <iosfwd>
#include <vector>

namespace benchmark_states {

/// Medians, and as ratios the medians of the rounds' own, to ours of the same kind, process or call.
void print_table(std::ostream& out, const std::vector<result>& results);
void print_json(std::ostream& out, const std::vector<result>& results);

} // namespace benchmark_states

#endif
