// SPDX-License-Identifier: BSL-1.0
#ifndef CLOSESIDE_TESTS_CONFORMANCE_ENDING_HPP
#define CLOSESIDE_TESTS_CONFORMANCE_ENDING_HPP

#include "cell.hpp"
#include "wire_record.hpp"

#include <vector>

namespace conformance {

/// The connection's segments, out of all that were seen.
wire_record wire_of(const evidence& e, const std::vector<observation::segment>& seen) noexcept;

/// Do the kernel's tables show what such an ending leaves behind, and no state that is only passing?
bool at_rest(const evidence& e, unsigned ending) noexcept;

/// What the policy promises for this way out and this peer: the set of endings that keep it.
/** More than one only if the test cannot know which comes first: that is stated beside each. */
unsigned promised(const cell_id& id) noexcept;

/// Does a way out under this policy wait for a peer that goes on reading, however slowly?
bool waits_for_reader(const cell_id& id) noexcept;

} // namespace conformance

#endif
