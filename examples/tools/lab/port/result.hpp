// SPDX-License-Identifier: BSL-1.0
#ifndef CLOSESIDE_LAB_PORT_RESULT_HPP
#define CLOSESIDE_LAB_PORT_RESULT_HPP

#include "variant.hpp"

#include "../support/report.hpp"

#include <vector>

namespace lab::port {

struct result {
    variant what;
    outcome found;
};

using results = std::vector<result>;

table table_of(const results& all);

void check_claims(report& r, const results& all, const dimensions& size);

/// Connects over time, one chart a path, beside what the host check foretells.
void draw_picture(report& r, const results& all, const dimensions& size);

} // namespace lab::port

#endif
