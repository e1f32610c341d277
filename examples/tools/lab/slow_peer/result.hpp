// SPDX-License-Identifier: BSL-1.0
#ifndef CLOSESIDE_LAB_SLOW_PEER_RESULT_HPP
#define CLOSESIDE_LAB_SLOW_PEER_RESULT_HPP

#include "experiment.hpp"

#include "../support/report.hpp"

#include <cstddef>
#include <vector>

namespace lab::slow_peer {

/// Closes of one kind.
struct kind_result {
    const kind* what;
    std::size_t closes = 0;
    std::size_t by_limit = 0;    ///< ended by the limit that is theirs
    std::vector<double> late_ms; ///< elapsed minus the limit, rising
};

std::vector<kind_result> by_kind(const std::vector<close_record>& closes);

void add_tables(report& r, const outcome& found, const blocked& contender);
void check_claims(report& r, const outcome& found, const blocked& contender, std::size_t peers);
void draw_picture(report& r, const outcome& found, const blocked& contender);

} // namespace lab::slow_peer

#endif
