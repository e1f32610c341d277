// SPDX-License-Identifier: BSL-1.0
#ifndef CLOSESIDE_CHECK_SARIF_HPP
#define CLOSESIDE_CHECK_SARIF_HPP

#include <closeside/host/config_view.hpp>
#include <closeside/host/finding.hpp>

#include <iosfwd>
#include <string>
#include <vector>

namespace check {

/// A line of a file, by number from 1; 0: the file.
struct sarif_location {
    std::string file;
    unsigned line = 0;
};

struct sarif_result {
    std::string code;
    closeside::host::severity severity;
    std::string message;
    /// Empty: nowhere in a file.
    std::vector<sarif_location> locations;
    bool suppressed = false;
    /// Why, if it is suppressed and a reason was given.
    std::string justification{};
};

/// The rule of the host check that speaks of such problems, as in "CS501".
std::string code_of(closeside::host::config_problem_kind kind);

/// SARIF 2.1.0, which code hosts show at the lines.
/** @param root the directory below which absolute paths lie; "" for none: they stand as they are. */
void print_sarif(std::ostream& out, const std::vector<sarif_result>& results, const std::string& root);

} // namespace check

#endif
