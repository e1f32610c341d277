// SPDX-License-Identifier: BSL-1.0
#ifndef CLOSESIDE_LAB_NAT_RESULT_HPP
#define CLOSESIDE_LAB_NAT_RESULT_HPP

#include "variant.hpp"

#include "../support/report.hpp"

#include <cstddef>
#include <vector>

namespace lab::nat {

/// One variant and what came of it; the numbers are of the second round.
struct result {
    variant what;
    outcome found;
    std::vector<double> connect_ms; ///< of those that were connected, rising
    std::size_t failed = 0;
    std::size_t stalled = 0;    ///< connected, but not within 200 ms
    std::size_t challenged = 0; ///< the SYN was answered by an ACK
};

using results = std::vector<result>;

result evaluate(const variant& what, outcome found);

/// The variant with timestamps, and without a firewall in the way.
const result& pick(const results& all, ending how, bool rfc1337);

table table_of(const results& all);

/// `connections`: of the first round.
void check_claims(report& r, const results& all, std::size_t connections);

} // namespace lab::nat

#endif
