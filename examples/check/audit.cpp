// SPDX-License-Identifier: BSL-1.0
#include "audit_options.hpp"
#include "command.hpp"
#include "report.hpp"

#include <closeside/host.hpp>

#include <CLI/CLI.hpp>

#include <algorithm>
#include <memory>
#include <sstream>
#include <system_error>
#include <utility>

namespace check {

namespace {

namespace host = closeside::host;

struct command {
    audit_options what;
    output to;
};

int exit_status(const report& r) {
    int status = 0;
    for (const judged& j : r.findings)
        if (!j.suppressed) status = std::max(status, static_cast<int>(j.finding.severity));
    return status;
}

report look_and_judge(const audit_options& given) {
    report r{host::take_snapshot({.root = given.root}), given.exposure, given.assumed, {}};
    for (host::finding& f : host::audit(r.seen, given.exposure, given.policies)) {
        const bool suppressed = std::ranges::find(given.ignored, f.code) != given.ignored.end();
        r.findings.push_back({std::move(f), suppressed});
    }
    return r;
}

std::string rendered(const report& r, const output& to) {
    std::ostringstream out;
    switch (to.format) {
    case output_format::text: print_text(out, r, look_at_terminal(to)); break;
    case output_format::json: print_json(out, r); break;
    case output_format::prometheus: print_prometheus(out, r); break;
    }
    return std::move(out).str();
}

int run(const command& c) {
    const report r = look_and_judge(c.what);
    if (r.seen.error != 0)
        return give_up("cannot look below '" + c.what.root + "': proc/sys/net: " +
                       std::generic_category().message(r.seen.error) + "; --root takes a directory that holds proc/");
    return deliver(c.to, rendered(r, c.to), exit_status(r));
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
    add_output_options(app, given->to, {output_format::text, output_format::json, output_format::prometheus});
    app.callback([&app, &chosen, given] {
        if (const auto subcommands = app.get_subcommands(); !subcommands.empty())
            return refuse_given_options(app, *subcommands.front());
        complete(given->what);
        chosen = [given] { return run(*given); };
    });
}

} // namespace check
