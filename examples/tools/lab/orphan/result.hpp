// SPDX-License-Identifier: BSL-1.0
#ifndef CLOSESIDE_LAB_ORPHAN_RESULT_HPP
#define CLOSESIDE_LAB_ORPHAN_RESULT_HPP

#include "variant.hpp"

#include "../support/report.hpp"

#include <cstddef>
#include <cstdint>
#include <vector>

namespace lab::orphan {

/// One variant, what came of it, and the sum of what async_close told.
struct result {
    variant what;
    outcome found;
    std::size_t over_drain_time = 0;  ///< error::drain_time_over
    std::size_t left_to_kernel = 0;   ///< time_wait_holder::left_to_kernel
    std::size_t reset_by_us = 0;      ///< ending::reset_by_us
    std::uint64_t unacknowledged = 0; ///< bytes
    double shortest_close = 0;        ///< seconds
};

using results = std::vector<result>;

result evaluate(const variant& what, outcome found);

table table_of(const results& all);

void check_claims(report& r, const results& all, std::size_t connections);

/// Orphans over time: in FIN-WAIT-2 by TCP_LINGER2, in FIN-WAIT-1 by tcp_orphan_retries.
void draw_picture(report& r, const results& all);

} // namespace lab::orphan

#endif
