// SPDX-License-Identifier: BSL-1.0
#ifndef CLOSESIDE_LAB_LOSS_RESULT_HPP
#define CLOSESIDE_LAB_LOSS_RESULT_HPP

#include "variant.hpp"

#include "../support/report.hpp"

#include <cstddef>
#include <vector>

namespace lab::loss {

/// One variant and what came of it.
struct result {
    variant what;
    outcome found;
    std::size_t unserved = 0;           ///< clients that gave up connecting, or before the server had their request
    std::size_t complete = 0;           ///< replies whose hash is right
    std::size_t truncated = 0;          ///< not complete, and the client did not give up
    std::size_t lost = 0;               ///< bytes of those
    std::size_t gave_up = 0;            ///< the client's own limit was over first
    std::size_t reset = 0;              ///< connections
    std::size_t cut_short = 0;          ///< closes that a limit ended
    std::size_t lost_within_limits = 0; ///< `lost`, without the connections whose close was cut short
    std::size_t corrupted = 0;          ///< whole by length, wrong by hash
    std::vector<double> close_ms;       ///< rising
};

using results = std::vector<result>;

result evaluate(const variant& what, outcome found);

table table_of(const results& all);

void check_claims(report& r, const results& all);

} // namespace lab::loss

#endif
