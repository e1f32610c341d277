// SPDX-License-Identifier: BSL-1.0
#include "audit_options.hpp"
#include "command.hpp"
#include "fail_on.hpp"
#include "report.hpp"

#include <CLI/CLI.hpp>

#include <algorithm>
#include <memory>
#include <sstream>
#include <utility>

namespace check {

namespace {

namespace host = closeside::host;

struct command {
    audit_options what;
    output to;
    text_choice text;
    fail_on least;
};

/// Of the findings that count.
std::optional<host::severity> worst(const report& r) {
    std::optional<host::severity> worst;
    for (const judged& j : r.findings)
        if (!j.suppressed) worst = std::max(worst, std::optional(j.finding.severity));
    return worst;
}

std::string rendered(const report& r, const command& c) {
    std::ostringstream out;
    switch (c.to.format) {
    case output_format::text: print_text(out, r, look_at_terminal(c.to), c.text); break;
    case output_format::json: print_json(out, r); break;
    case output_format::prometheus: print_prometheus(out, r); break;
    }
    return std::move(out).str();
}

int run(const command& c) {
    std::optional<report> r = look(c.what);
    if (!r) return status_blind;
    if (c.to.format == output_format::prometheus) r->states = host::count_states({.root = c.what.root});
    return deliver(c.to, rendered(*r, c), status_of(worst(*r), c.least));
}

/// An option of the check that stands before the name of a subcommand would be ignored: the user meant it otherwise.
void refuse_given_options(const CLI::App& app, const CLI::App& subcommand) {
    for (const CLI::Option* o : app.get_options())
        if (o->count() != 0)
            refuse(o->get_name(), o->results().empty() ? "" : o->results().front(),
                   "stands before '" + subcommand.get_name() + "', which has options of its own: put it behind");
}

} // namespace

void add_audit(CLI::App& app, action& chosen) {
    const auto given = std::make_shared<command>();
    add_audit_options(app, given->what);
    app.add_option_function<std::string>(
           "--watch",
           [given](const std::string& text) {
               given->what.watch = std::chrono::seconds(whole_number("--watch", text, 1, 3600));
           },
           "Looks twice, so far apart (1 to 3600), and tells what is happening meanwhile; Ctrl-C ends the wait")
        ->type_name("SECONDS");
    add_output_options(app, given->to, {output_format::text, output_format::json, output_format::prometheus});
    add_fail_on_option(app, given->least);
    app.add_flag("-v,--verbose", given->text.verbose,
                 "In text: also the values, what users will see, the fix and the source");
    app.add_flag("-a,--all", given->text.all,
                 "In text: also the notes that hold on any host with the kernel's defaults");
    app.callback([&app, &chosen, given] {
        if (const auto subcommands = app.get_subcommands(); !subcommands.empty())
            return refuse_given_options(app, *subcommands.front());
        complete(given->what);
        chosen = [given] { return run(*given); };
    });
}

} // namespace check
