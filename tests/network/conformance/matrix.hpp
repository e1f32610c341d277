// SPDX-License-Identifier: BSL-1.0
#ifndef CLOSESIDE_TESTS_CONFORMANCE_MATRIX_HPP
#define CLOSESIDE_TESTS_CONFORMANCE_MATRIX_HPP

#include "policy_cell.hpp"

#include <closeside/policy.hpp>

#include <string>
#include <vector>

namespace conformance {

/// Runs the cells of one policy, every way out and every peer over IPv4 and IPv6, as often as is asked for.
/** Mismatches and what is left behind fail the running test case; everything is added to the summary. */
void run_policy(const char* name, const cs::close_policy& policy,
                cell_maker (*open)(asio::io_context&, const asio::ip::address&));

template <cs::close_policy P>
void run_policy(const char* name) {
    run_policy(name, P, &open_group<P>);
}

struct policy_under_test {
    const char* name;
    cs::close_policy policy;
    cell_maker (*open)(asio::io_context&, const asio::ip::address&);
};

template <cs::close_policy P>
policy_under_test under_test(const char* name) {
    return {name, P, &open_group<P>};
}

/// A reply of 500 kB is read at 50 kB a second while the peer sends 90 bytes a second: every policy and way out, all at
/// the same time.
void run_slow_readers(const std::vector<policy_under_test>& policies);

/// How often the matrix is repeated: CLOSESIDE_CONFORMANCE_ROUNDS, or once.
int rounds();

/// The table of everything that has run.
std::string summary();

} // namespace conformance

#endif
