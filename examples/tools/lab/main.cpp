// SPDX-License-Identifier: BSL-1.0
//
// The failures that this library is about, reproduced on real kernels' TCP between hosts that are network namespaces,
// and shown gone.
#include "labs.hpp"
#include "policy/command.hpp"

#include "observation/own_network.hpp"
#include "observation/watchdog.hpp"

#include <closeside/version.hpp>

#include <CLI/CLI.hpp>

#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <exception>
#include <filesystem>
#include <fstream>
#include <functional>
#include <iostream>
#include <stdexcept>

#include <sys/utsname.h>
#include <unistd.h>

namespace {

enum exit_status : int { claims_hold = 0, claim_broken = 1, usage_error = 64, could_not_run = 70, skipped = 77 };

struct options {
    lab::settings lab;
    bool json = false;
    std::string svg;                    ///< file for the picture
    std::string directory;              ///< `pictures DIR`
    const lab::laboratory* chosen = {}; ///< null: `pictures`, or what runs by itself
    std::function<int()> by_itself;     ///< a subcommand that is not in the list of labs
};

void add_common_options(CLI::App& app, options& chosen) {
    app.add_flag("--quick", chosen.lab.quick, "The short form that tests run: 15 s at most");
    app.add_option("--check", chosen.lab.check, "closeside-check, if it is not beside this program")
        ->check(CLI::ExistingFile);
}

std::string version_text() {
    return std::to_string(CLOSESIDE_VERSION / 100000) + '.' + std::to_string(CLOSESIDE_VERSION / 100 % 1000) + '.' +
           std::to_string(CLOSESIDE_VERSION % 100);
}

/// Returns an exit status if the program is to end here.
std::optional<int> parse(int argc, char** argv, options& chosen) {
    CLI::App app(
        "Failures that operators know, reproduced between network namespaces, and their cures.\n"
        "Exit status: 0 every claim holds, 1 one does not, 64 usage, 70 could not run, 77 skipped: no right to\n"
        "make network namespaces (root has it, and users if user namespaces are permitted).",
        "closeside-lab");
    for (const lab::laboratory& one : lab::laboratories) {
        const std::string missing = one.run ? "" : "; not built here";
        CLI::App* const command = app.add_subcommand(one.name, one.summary + missing);
        add_common_options(*command, chosen);
        command->add_flag("--json", chosen.json, "JSON instead of the tables");
        command->add_option("--svg", chosen.svg, "Write the lab's picture to this file");
        command->callback([&] { chosen.chosen = &one; });
    }
    const std::function<int()> run_policy = lab::policy::add_command(app);
    CLI::App* const pictures =
        app.add_subcommand("pictures", "run every lab that draws, and write DIR/<lab>.svg and DIR/<lab>.md");
    add_common_options(*pictures, chosen);
    pictures->add_option("DIR", chosen.directory, "Where pictures and tables go")
        ->required()
        ->check(CLI::ExistingDirectory);
    app.require_subcommand(1);
    app.set_version_flag("--version", version_text());
    try {
        app.parse(argc, argv);
    } catch (const CLI::ParseError& e) {
        return app.exit(e) == 0 ? claims_hold : usage_error;
    }
    if (app.got_subcommand("policy")) chosen.by_itself = run_policy;
    if (chosen.lab.check.empty()) {
        std::error_code none;
        const auto beside = std::filesystem::read_symlink("/proc/self/exe", none).parent_path() / "closeside-check";
        if (std::filesystem::exists(beside, none)) chosen.lab.check = beside.string();
    }
    return std::nullopt;
}

/// Whoever reads the file sees the old text or the new one, whole.
void write_file(const std::filesystem::path& file, const std::string& text) {
    std::filesystem::path unfinished = file;
    unfinished += ".new";
    std::ofstream out(unfinished, std::ios::binary);
    out << text;
    out.close();
    if (!out) throw std::runtime_error("could not write " + unfinished.string());
    std::filesystem::rename(unfinished, file);
}

void write_picture(const std::filesystem::path& file, const lab::report& found) {
    write_file(file, lab::svg::document(found.picture, found.picture_title, found.picture_description));
}

lab::surroundings surroundings_of_this_run(observation::network network, bool quick) {
    lab::surroundings where;
    where.network = observation::to_string(network);
    where.quick = quick;
    utsname system{};
    if (::uname(&system) == 0) where.kernel = system.release;
    const std::time_t now = std::time(nullptr);
    char date[16];
    std::tm utc{};
    if (std::strftime(date, sizeof date, "%Y-%m-%d", ::gmtime_r(&now, &utc)) > 0) where.date = date;
    return where;
}

int run_one(const lab::laboratory& one, const options& chosen, const lab::surroundings& where) {
    const observation::watchdog bound("closeside-lab", one.bound);
    bound.now_at(one.name);
    const lab::report found = one.run(chosen.lab);
    const char* const no_colour = std::getenv("NO_COLOR");
    const bool colour = ::isatty(STDOUT_FILENO) == 1 && !(no_colour && *no_colour);
    if (chosen.json)
        std::cout << lab::as_json(one.name, found, where).dump(2) << '\n';
    else
        std::cout << lab::as_text(one.name, found, where, colour);
    if (!std::cout.flush()) throw std::runtime_error("standard output could not be written");
    if (!chosen.svg.empty()) write_picture(chosen.svg, found);
    if (!chosen.directory.empty()) {
        const std::filesystem::path file = std::filesystem::path(chosen.directory) / one.name;
        write_picture(std::filesystem::path(file) += ".svg", found);
        write_file(std::filesystem::path(file) += ".md", lab::as_markdown(one.name, found, where));
    }
    return found.good() ? claims_hold : claim_broken;
}

int run(const options& chosen) {
    if (chosen.by_itself) return chosen.by_itself();
    if (chosen.chosen && !chosen.chosen->run)
        throw lab::skipped(std::string("the lab ") + chosen.chosen->name +
                           " is not built here: " + chosen.chosen->summary);
    const observation::network network = observation::enter_own_network();
    if (network == observation::network::shared)
        throw lab::skipped("no right to make network namespaces: neither root nor user namespaces give it here");
    const lab::surroundings where = surroundings_of_this_run(network, chosen.lab.quick);
    if (chosen.chosen) return run_one(*chosen.chosen, chosen, where);
    int worst = claims_hold;
    for (const lab::laboratory& one : lab::laboratories)
        if (one.run) worst = std::max(worst, run_one(one, chosen, where));
    return worst;
}

} // namespace

// SIGINT keeps its default action: hosts are namespaces that end with this process, and so do its child processes.
int main(int argc, char** argv) try {
    options chosen;
    if (const std::optional<int> status = parse(argc, argv, chosen)) return *status;
    return run(chosen);
} catch (const lab::skipped& e) {
    std::fprintf(stderr, "closeside-lab: SKIPPED: %s\n", e.what());
    return skipped;
} catch (const std::exception& e) {
    std::fprintf(stderr, "closeside-lab: %s\n", e.what());
    return could_not_run;
}
