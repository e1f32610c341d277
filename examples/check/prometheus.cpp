// SPDX-License-Identifier: BSL-1.0
#include "report.hpp"

#include <algorithm>
#include <ostream>
#include <string_view>

namespace check {

namespace host = closeside::host;

namespace {

void describe(std::ostream& out, std::string_view metric, std::string_view help) {
    out << "# HELP " << metric << " " << help << "\n# TYPE " << metric << " gauge\n";
}

} // namespace

void print_prometheus(std::ostream& out, const report& r) {
    const host::snapshot& seen = r.seen;
    describe(out, "closeside_check_info", "What was looked at; always 1.");
    out << "closeside_check_info{kernel=" << quoted_label(seen.kernel)
        << ",netns=" << quoted_label(seen.netns ? std::to_string(*seen.netns) : "")
        << ",namespace=" << quoted_label(to_string(seen.space)) << ",exposure=" << quoted_label(to_string(r.exposure))
        << "} 1\n";

    describe(out, "closeside_findings", "Findings of the host check that are not suppressed, by severity.");
    for (const auto level : {host::severity::note, host::severity::warning, host::severity::critical}) {
        const auto n = std::ranges::count_if(
            r.findings, [&](const judged& j) { return !j.suppressed && j.finding.severity == level; });
        out << "closeside_findings{severity=" << quoted_label(to_string(level)) << "} " << n << "\n";
    }

    describe(out, "closeside_finding", "1 for each finding of the host check.");
    for (const judged& j : r.findings)
        out << "closeside_finding{code=" << quoted_label(j.finding.code)
            << ",severity=" << quoted_label(to_string(j.finding.severity))
            << ",suppressed=" << quoted_label(j.suppressed ? "true" : "false") << "} 1\n";

    describe(out, "closeside_sysctl_status", "How reading a key went; always 1.");
    for (const host::key_facts& facts : host::all_keys)
        out << "closeside_sysctl_status{key=" << quoted_label(facts.name)
            << ",status=" << quoted_label(to_string(seen[facts.id].status)) << "} 1\n";

    describe(out, "closeside_sysctl", "The value of a key that is present and a number.");
    for (const host::key_facts& facts : host::all_keys) {
        const auto number = seen.number(facts.id);
        if (facts.shape == host::key_shape::number && number)
            out << "closeside_sysctl{key=" << quoted_label(facts.name) << "} " << *number << "\n";
    }
}

} // namespace check
