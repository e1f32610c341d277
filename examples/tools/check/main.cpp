// SPDX-License-Identifier: BSL-1.0
// closeside-check: the host check of closeside as a command. Exit status: 0 nothing worse than a note, 1 warnings,
// 2 critical, 64 wrong arguments, 70 nothing could be looked at or printed.
#include "command.hpp"
#include "fill.hpp"
#include "note.hpp"
#include "output.hpp"
#include "report.hpp"

#include <CLI/CLI.hpp>

#include <algorithm>
#include <cstddef>
#include <exception>
#include <iostream>
#include <string>

namespace {

std::string version_text() { return "closeside-check " + check::version_name(); }

constexpr const char* footer =
    "`closeside-check explain` lists the rules, and tells about each.\n\n"
    "Exit status: 0 nothing worse than a note, 1 warnings, 2 critical, 64 usage, 70 could not look.";

/// The help of the command that was asked about, and of no other.
std::string help_text(const CLI::App& app) {
    constexpr std::size_t widest = 80;
    std::string text = app.help();
    text.erase(text.find_last_not_of('\n') + 1);
    return check::refilled(text, std::min(widest, check::look_at_terminal({}).width));
}

/// Its paragraphs on a line each, as help_text() breaks them anew.
std::string unbroken(std::string text) {
    for (std::size_t end = 0; (end = text.find('\n', end)) != text.npos; ++end) {
        if (text.substr(end, 2) == "\n\n")
            ++end;
        else
            text[end] = ' ';
    }
    return text;
}

int parse_and_run(int argc, const char* const* argv) {
    CLI::App app("Judges the TCP settings of this host by how a program closes its connections.", "closeside-check");
    app.set_version_flag("--version", version_text());
    app.require_subcommand(0, 1);

    check::action chosen;
    check::add_commands(app, chosen);
    check::add_audit(app, chosen);
    // Set last: a subcommand takes over the footer that its parent has when it is made.
    app.footer(footer);
    for (CLI::App* const command : app.get_subcommands({})) command->footer(unbroken(command->get_footer()));

    try {
        app.parse(argc, argv);
    } catch (const CLI::CallForHelp&) {
        std::cout << help_text(app);
        return 0;
    } catch (const CLI::CallForVersion&) {
        std::cout << version_text() << "\n";
        return 0;
    } catch (const CLI::ParseError& e) {
        check::say_note(std::string(e.what()) + " (closeside-check --help tells more)");
        return check::status_usage;
    }
    return chosen();
}

} // namespace

int main(int argc, char** argv) try { return parse_and_run(argc, argv); } catch (const std::exception& e) {
    return check::give_up(e.what());
}
