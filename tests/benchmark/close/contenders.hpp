// SPDX-License-Identifier: BSL-1.0
#ifndef CLOSESIDE_BENCHMARK_CLOSE_CONTENDERS_HPP
#define CLOSESIDE_BENCHMARK_CLOSE_CONTENDERS_HPP

#include "cost.hpp"

#include <vector>

namespace benchmark_close {

/// Those whose libraries were there when this was built.
std::vector<contender> all_contenders();

std::vector<scenario> all_scenarios();

} // namespace benchmark_close

#endif
