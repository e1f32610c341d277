// SPDX-License-Identifier: BSL-1.0
#ifndef CLOSESIDE_CHECK_REPORT_HPP
#define CLOSESIDE_CHECK_REPORT_HPP

#include "output.hpp"

#include <closeside/host/finding.hpp>
#include <closeside/host/snapshot.hpp>

#include <iosfwd>
#include <string>
#include <vector>

namespace check {

struct judged {
    closeside::host::finding finding;
    /// Named by --ignore: listed for machines, but without weight.
    bool suppressed = false;
};

/// What the check has found, before it is printed.
struct report {
    closeside::host::snapshot seen;
    closeside::host::exposure exposure;
    std::vector<std::string> assumed;
    std::vector<judged> findings;
};

/// For people.
void print_text(std::ostream& out, const report& r, const terminal& on);

/// For programs: findings, values, kernel, netns, and what was assumed.
void print_json(std::ostream& out, const report& r);

/// For node_exporter's textfile collector.
void print_prometheus(std::ostream& out, const report& r);

} // namespace check

#endif
