// SPDX-License-Identifier: BSL-1.0
#include "lint.hpp"

#include "command.hpp"
#include "fail_on.hpp"
#include "fill.hpp"

#include <closeside/host/detail/kernel_defaults.hpp>

#include <CLI/CLI.hpp>

#include <algorithm>
#include <memory>
#include <optional>
#include <sstream>
#include <utility>

namespace check {

namespace {

namespace host = closeside::host;

struct command {
    lint_options what;
    fail_on least;
    output to;
};

/// Of what counts.
std::optional<host::severity> worst(const lint_report& r) {
    std::optional<host::severity> worst;
    const auto count = [&](host::severity s, bool suppressed) {
        if (!suppressed) worst = std::max(worst, std::optional(s));
    };
    for (const placed_finding& f : r.findings) count(f.what.finding.severity, f.what.suppressed);
    for (const placed_problem& p : r.problems) count(p.what.severity, p.suppressed);
    return worst;
}

std::string rendered(const lint_report& r, const output& to) {
    std::ostringstream out;
    switch (to.format) {
    case output_format::json: print_lint_json(out, r); break;
    case output_format::sarif: print_lint_sarif(out, r); break;
    default: {
        const terminal on = look_at_terminal(to);
        print_lint_text(out, r, on);
        return refilled(std::move(out).str(), on.width);
    }
    }
    return std::move(out).str();
}

int run(const command& c) {
    std::vector<host::detail::sysctl_d::settings_text> texts;
    std::string kernel = c.what.kernel;
    for (const std::string& file : c.what.files) {
        lint_text read = read_lint_file(file);
        if (!read.problem.empty()) return give_up("cannot read '" + file + "': " + read.problem);
        if (kernel.empty()) kernel = release_told_by(read.settings);
        texts.push_back(std::move(read.settings));
    }
    if (kernel.empty()) {
        give_up(
            "for which kernel? --kernel takes the release that `uname -r` prints there, as in --kernel 5.10 (a dump "
            "of `sysctl -a` tells its own)");
        return status_usage;
    }
    const lint_report r = lint(c.what, texts, kernel);
    return deliver(c.to, rendered(r, c.to), status_of(worst(r), c.least));
}

void use_kernel(lint_options& what, const std::string& release) {
    const auto version = host::detail::parse_kernel_version(release);
    if (!version) refuse("--kernel", release, "is no release; give what `uname -r` prints there, as in 5.10");
    if (*version < host::detail::oldest_known)
        refuse("--kernel", release, "is older than 3.10, the oldest whose keys are known here");
    what.kernel = release;
}

} // namespace

void add_lint(CLI::App& app, action& chosen) {
    const auto given = std::make_shared<command>();
    CLI::App& lint = *app.add_subcommand(
        "lint", "Tells what sysctl files of another host, an image or a repository would make of a kernel");
    lint.add_option("FILE", given->what.files,
                    "Files of settings in the order in which they are read, dumps of `sysctl -a`, shell scripts that "
                    "call sysctl; - is standard input")
        ->required();
    lint.add_option_function<std::string>(
            "--kernel", [given](const std::string& release) { use_kernel(given->what, release); },
            "Release of that host's kernel, as `uname -r` prints it: 3.10 or later")
        ->type_name("RELEASE");
    add_judging_options(lint, given->what.judged);
    add_fail_on_option(lint, given->least);
    lint.add_flag("-v,--verbose", given->what.verbose, "In text: also the lines of long files that change nothing");
    add_output_options(lint, given->to, {output_format::text, output_format::json, output_format::sarif});
    lint.footer(
        "Exit status: 0 nothing worse than a note, 1 warnings, 2 critical, 64 usage, 70 could not read or print.");
    lint.callback([&chosen, given] {
        complete(given->what.judged);
        chosen = [given] { return run(*given); };
    });
}

} // namespace check
