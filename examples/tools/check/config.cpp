// SPDX-License-Identifier: BSL-1.0
#include "config.hpp"

#include "command.hpp"
#include "fail_on.hpp"
#include "fill.hpp"
#include "output.hpp"

#include <CLI/CLI.hpp>

#include <algorithm>
#include <memory>
#include <optional>
#include <sstream>
#include <string>
#include <system_error>
#include <utility>

namespace check {

namespace {

namespace host = closeside::host;

struct command {
    host::config_options what;
    bool verbose = false;
    fail_on least;
    output to;
};

int exit_status(const host::config_view& view, fail_on least) {
    std::optional<host::severity> worst;
    for (const host::config_problem& p : view.problems) worst = std::max(worst, std::optional(p.severity));
    return status_of(worst, least);
}

int run(const command& c) {
    const host::config_view view = host::read_config(c.what);
    if (view.error != 0)
        return give_up("cannot look below '" + c.what.root + "': " + std::generic_category().message(view.error) +
                       "; --root takes a directory that holds etc/ and proc/");
    std::ostringstream out;
    if (c.to.format == output_format::json) {
        print_config_json(out, view);
        return deliver(c.to, std::move(out).str(), exit_status(view, c.least));
    }
    if (c.to.format == output_format::sarif) {
        print_config_sarif(out, view);
        return deliver(c.to, std::move(out).str(), exit_status(view, c.least));
    }
    const terminal on = look_at_terminal(c.to);
    print_config_text(out, view, c.verbose, on);
    return deliver(c.to, refilled(std::move(out).str(), on.width), exit_status(view, c.least));
}

} // namespace

void add_config(CLI::App& app, action& chosen) {
    const auto given = std::make_shared<command>();
    CLI::App& config = *app.add_subcommand(
        "config", "Tells what the sysctl configuration files set at boot, by which line, and what differs from now");
    config.add_option("--root", given->what.root, "Directory that holds etc/, usr/ and proc/ (default: /)")
        ->type_name("DIR");
    config
        .add_option_function<std::string>(
            "--loader",
            [given](const std::string& name) {
                if (name == "systemd")
                    given->what.loader = host::sysctl_loader::systemd;
                else if (name == "procps")
                    given->what.loader = host::sysctl_loader::procps;
                else if (name == "busybox")
                    given->what.loader = host::sysctl_loader::busybox;
                else
                    refuse("--loader", name, "is none of " + alternatives({"systemd", "procps", "busybox"}));
            },
            "What applies the files at boot: systemd (systemd-sysctl), procps (sysctl --system) or busybox (Alpine's "
            "start "
            "script) (default: found out)")
        ->type_name("NAME");
    config.add_flag("--verbose", given->verbose, "Also lists lines that lost, files, and keys that no file sets");
    add_output_options(config, given->to, {output_format::text, output_format::json, output_format::sarif});
    add_fail_on_option(config, given->least);
    config.footer("Exit status: 0 no problem worse than a note, 1 warnings, 2 critical, 64 usage, 70 could not look.");
    config.callback([&chosen, given] {
        if (given->what.root.empty())
            refuse("--root", given->what.root, "is not a directory; give one that holds etc/ and proc/");
        chosen = [given] { return run(*given); };
    });
}

} // namespace check
