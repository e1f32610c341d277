// SPDX-License-Identifier: BSL-1.0
#include "report.hpp"

#include <closeside/host/render.hpp>

#include <array>
#include <ostream>

namespace check {

namespace host = closeside::host;

namespace {

std::string joined(const std::vector<std::string>& words) {
    std::string text;
    for (const std::string& word : words) text += (text.empty() ? "" : ", ") + word;
    return text;
}

std::string counted(std::size_t n, const std::string& one, const std::string& many) {
    return std::to_string(n) + " " + (n == 1 ? one : many);
}

} // namespace

void print_text(std::ostream& out, const report& r, const terminal& on) {
    const host::snapshot& seen = r.seen;
    out << "Linux " << (seen.kernel.empty() ? "of unknown release" : seen.kernel) << ", network namespace "
        << (seen.netns ? std::to_string(*seen.netns) : "unknown") << " ("
        << (seen.space == host::network_namespace::unknown ? "whether initial or child is not known"
                                                           : to_string(seen.space))
        << "); judged for closing by " << joined(r.assumed) << ", exposure " << to_string(r.exposure) << "\n\n";

    std::array<std::size_t, 3> count{};
    std::size_t suppressed = 0;
    for (const judged& j : r.findings) {
        if (j.suppressed) {
            ++suppressed;
            continue;
        }
        ++count[static_cast<std::size_t>(j.finding.severity)];
        out << to_text(j.finding, {.colour = on.colour, .width = on.width}) << "\n";
    }
    out << count[2] << " critical, " << counted(count[1], "warning", "warnings") << ", "
        << counted(count[0], "note", "notes");
    if (suppressed != 0) out << ", " << suppressed << " ignored";
    out << "\n";
}

} // namespace check
