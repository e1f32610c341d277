// SPDX-License-Identifier: BSL-1.0
#ifndef CLOSESIDE_CHECK_LINT_HPP
#define CLOSESIDE_CHECK_LINT_HPP

#include "audit_options.hpp"
#include "output.hpp"
#include "report.hpp"

#include <closeside/host/config_view.hpp>
#include <closeside/host/detail/sysctl_d/read_texts.hpp>
#include <closeside/host/finding.hpp>
#include <closeside/host/snapshot.hpp>

#include <iosfwd>
#include <optional>
#include <string>
#include <vector>

namespace check {

struct lint_options {
    audit_options judged;
    std::vector<std::string> files;
    /// Of the host that the files are for; empty: as a dump of `sysctl -a` among the files says.
    std::string kernel;
    bool verbose = false;
};

/// A line of a file; without a number the file.
struct place {
    std::string file;
    unsigned line = 0;

    friend bool operator==(const place&, const place&) = default;
};

/// A finding, and the lines that lead to it; the first of them is where it is reported.
struct placed_finding {
    judged what;
    std::vector<place> places;
};

struct placed_problem {
    closeside::host::config_problem what;
    /// The rule of the host check that speaks of such problems.
    std::string code;
    bool suppressed = false;
};

/// A line that sets a key which the host check knows, and what comes of it.
struct lint_line {
    place where;
    closeside::host::key key;
    std::string value;
    /// What the kernel shows then; empty if the line does not decide.
    std::string shown;
    /// Of that kernel; nothing if it has no such key.
    std::optional<std::string> by_default;
    bool changes = false;
    std::string verdict;
};

struct lint_report {
    lint_options asked;
    std::string kernel;
    closeside::host::config_view view;
    closeside::host::snapshot seen;
    std::vector<placed_finding> findings;
    std::vector<placed_problem> problems;
    /// In the order of the files.
    std::vector<lint_line> lines;
};

/// What a file to be linted holds, "-" being standard input; or in `problem` why nothing.
struct lint_text {
    closeside::host::detail::sysctl_d::settings_text settings;
    std::string problem{};
};
lint_text read_lint_file(const std::string& path);

/// The release that a dump of `sysctl -a` tells of itself; empty if the text tells none.
std::string release_told_by(const closeside::host::detail::sysctl_d::settings_text& text);

lint_report lint(lint_options asked, const std::vector<closeside::host::detail::sysctl_d::settings_text>& texts,
                 const std::string& kernel);

/// What to do about it in the file; empty if the problem says so itself.
std::string fix_of(closeside::host::config_problem_kind kind);

void print_lint_text(std::ostream& out, const lint_report& r, const terminal& on);
void print_lint_json(std::ostream& out, const lint_report& r);
void print_lint_sarif(std::ostream& out, const lint_report& r);

} // namespace check

#endif
