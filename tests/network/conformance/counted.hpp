// SPDX-License-Identifier: BSL-1.0
#ifndef CLOSESIDE_TESTS_CONFORMANCE_COUNTED_HPP
#define CLOSESIDE_TESTS_CONFORMANCE_COUNTED_HPP

#include "matrix.hpp"

#include <vector>

namespace conformance {

/// Mixed endings, each in a counted context of its own, against the segments: 500, or 10,000 in a campaign.
/** Each must be counted and observed once, as its report says where there is one, and nothing may be counted that the
 *  segments contradict. Prints how much is unknown. */
void run_counted(const std::vector<policy_under_test>& policies);

} // namespace conformance

#endif
