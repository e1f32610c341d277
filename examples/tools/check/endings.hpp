// SPDX-License-Identifier: BSL-1.0
#ifndef CLOSESIDE_CHECK_ENDINGS_HPP
#define CLOSESIDE_CHECK_ENDINGS_HPP

#include <cstddef>
#include <string>
#include <vector>

namespace check {

/// What a report shows of a connection that ended.
struct shown_ending {
    std::string time, local, peer, ended_by, reason;
};

/// Endings that `follow` has written as JSON, one a line.
struct ending_list {
    /// The last ones, in the order of the file.
    std::vector<shown_ending> last;
    std::size_t total = 0;
    /// Lines that are no ending, as the last one is while somebody writes it.
    std::size_t others = 0;
};

/// Reads the endings in a file.
/** @param problem why it could not be read; empty if it could. */
ending_list read_endings(const std::string& file, std::string& problem);

} // namespace check

#endif
