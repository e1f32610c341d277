// SPDX-License-Identifier: BSL-1.0
#include "audit_options.hpp"
#include "command.hpp"
#include "compare.hpp"
#include "fail_on.hpp"
#include "html.hpp"
#include "replace_file.hpp"
#include "report.hpp"
#include "saved.hpp"

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
    /// Where the look is kept, and with which it is compared; empty: nowhere, with none.
    std::string save, against;
    /// Of --format html; empty: none.
    std::string endings;
};

/// Of the findings that count.
std::optional<host::severity> worst(const report& r) {
    std::optional<host::severity> worst;
    for (const judged& j : r.findings)
        if (!j.suppressed) worst = std::max(worst, std::optional(j.finding.severity));
    return worst;
}

std::string rendered(const report& r, const ending_list& endings, const command& c) {
    std::ostringstream out;
    switch (c.to.format) {
    case output_format::json: print_json(out, r); break;
    case output_format::prometheus: print_prometheus(out, r); break;
    case output_format::html: print_html(out, r, endings); break;
    default: print_text(out, r, look_at_terminal(c.to), c.text); break;
    }
    return std::move(out).str();
}

std::string compared(const saved_look& before, const report& r, const command& c) {
    const saved_look now = as_saved(r);
    const comparison found = compare(before, now);
    std::ostringstream out;
    if (c.to.format == output_format::json)
        print_comparison_json(out, before, now, found);
    else
        print_comparison_text(out, before, found, look_at_terminal(c.to));
    return std::move(out).str();
}

int run(const command& c) {
    // Read before the wait of --watch, and before --save writes to the same file.
    std::optional<saved_look> before;
    std::string problem;
    if (!c.against.empty() && !(before = read_saved(c.against, problem))) return give_up(problem);
    const ending_list endings = c.endings.empty() ? ending_list{} : read_endings(c.endings, problem);
    if (!problem.empty()) return give_up(problem);
    std::optional<report> r = look(c.what);
    if (!r) return status_blind;
    if (!c.save.empty())
        if (problem = replace_file(c.save, saved_text(*r)); !problem.empty())
            return give_up("cannot write '" + c.save + "': " + problem);
    if (before) return deliver(c.to, compared(*before, *r, c), status_of(worst(*r), c.least));
    if (c.to.format == output_format::prometheus || c.to.format == output_format::html)
        r->states = host::count_states({.root = c.what.root});
    return deliver(c.to, rendered(*r, endings, c), status_of(worst(*r), c.least));
}

void add_file_option(CLI::App& app, const char* name, std::string& file, const char* help) {
    app.add_option_function<std::string>(
           name,
           [name, &file](const std::string& given) {
               if (given.empty()) refuse(name, given, "is not a file; give one");
               file = given;
           },
           help)
        ->type_name("FILE");
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
    add_output_options(app, given->to,
                       {output_format::text, output_format::json, output_format::prometheus, output_format::html});
    add_fail_on_option(app, given->least);
    app.add_flag("-v,--verbose", given->text.verbose,
                 "In text: also the values, what users will see, the fix and the source");
    app.add_flag("-a,--all", given->text.all,
                 "In text: also the notes that hold on any host with the kernel's defaults");
    add_file_option(app, "--save", given->save, "Keeps the look in this file, for --against");
    add_file_option(app, "--against", given->against,
                    "Tells what differs from the look in this file, in text or JSON; the exit status stays that of the "
                    "present one");
    add_file_option(app, "--endings", given->endings,
                    "With --format html: also what `follow --format json` wrote into this file");
    app.callback([&app, &chosen, given] {
        if (const auto subcommands = app.get_subcommands(); !subcommands.empty())
            return refuse_given_options(app, *subcommands.front());
        if (!given->against.empty() && given->to.format != output_format::text &&
            given->to.format != output_format::json)
            refuse("--against", given->against, "is compared in text and JSON only; give another --format");
        if (!given->endings.empty() && given->to.format != output_format::html)
            refuse("--endings", given->endings, "is shown in a page only; give --format html too");
        complete(given->what);
        chosen = [given] { return run(*given); };
    });
}

} // namespace check
