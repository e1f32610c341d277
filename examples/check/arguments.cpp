// SPDX-License-Identifier: BSL-1.0
#include "arguments.hpp"

#include <closeside/host/rule_table.hpp>
#include <closeside/policy.hpp>
#include <closeside/version.hpp>

#include <CLI/CLI.hpp>

#include <algorithm>
#include <array>
#include <cstddef>
#include <string_view>
#include <utility>

namespace check {

namespace {

namespace host = closeside::host;

template <class Value, std::size_t N>
using choices = std::array<std::pair<std::string_view, Value>, N>;

constexpr choices<output_format, 3> formats{
    {{"text", output_format::text}, {"json", output_format::json}, {"prometheus", output_format::prometheus}}};

constexpr choices<host::exposure, 3> exposures{
    {{"nat", host::exposure::nat}, {"direct", host::exposure::direct}, {"loopback", host::exposure::loopback}}};

constexpr choices<closeside::close_policy, 3> assumptions{{{"local", closeside::policies::graceful},
                                                           {"peer", closeside::policies::peer_first},
                                                           {"abort", closeside::policies::abortive}}};

[[noreturn]] void refuse(const std::string& option, const std::string& value, const std::string& cure) {
    throw CLI::ValidationError(option, "'" + value + "' " + cure);
}

template <class Value, std::size_t N>
Value choose(const choices<Value, N>& among, const std::string& option, const std::string& name) {
    std::string names;
    for (const auto& [known, value] : among) {
        if (known == name) return value;
        names += (names.empty() ? "" : known == among.back().first ? " or " : ", ") + std::string(known);
    }
    refuse(option, name, "is not known; give " + names);
}

void require_known(const std::string& code) {
    if (host::find_rule(code)) return;
    std::string codes;
    for (const host::rule& r : host::rule_table) codes += " " + std::string(r.code);
    refuse("--ignore", code, "is not the code of a rule; the codes are" + codes);
}

std::string version_text() {
    return "closeside-check " + std::to_string(CLOSESIDE_VERSION / 100000) + "." +
           std::to_string(CLOSESIDE_VERSION / 100 % 1000) + "." + std::to_string(CLOSESIDE_VERSION % 100);
}

std::string rules_text() {
    std::string text = "Rules:\n";
    for (const host::rule& r : host::rule_table)
        text += "  " + std::string(r.code) + "  " + std::string(r.title) + "\n";
    return text + "\nExit status: 0 nothing worse than a note, 1 warnings, 2 critical, 64 usage, 70 could not look.";
}

} // namespace

std::string one_line(std::string text) {
    const auto is_control = [](unsigned char c) { return c < ' ' || c == 0x7f; };
    std::ranges::replace_if(text, is_control, ' ');
    return text;
}

std::variant<arguments, early_end> parse(int argc, const char* const* argv) {
    arguments given;
    std::string format = "text";
    std::string exposure = "nat";

    CLI::App app("Judges the TCP settings of this host by how a program closes its connections.", "closeside-check");
    app.set_version_flag("--version", version_text());
    app.footer(rules_text());
    app.add_option("--root", given.root, "Directory that holds proc/ (default: /)")->type_name("DIR");
    app.add_option("--format", format, "text (default), json or prometheus")->type_name("FORMAT");
    app.add_option("--assume", given.assumed,
                   "How the program closes: local (default; it closes first), peer (its peers do) or abort; repeatable")
        ->type_name("POLICY")
        ->allow_extra_args(false);
    app.add_option("--exposure", exposure,
                   "How peers reach it: nat (default; many behind few addresses), direct or loopback")
        ->type_name("EXPOSURE");
    app.add_option("--ignore", given.ignored, "Code of a rule whose finding does not count; repeatable")
        ->type_name("CODE")
        ->allow_extra_args(false);

    try {
        app.parse(argc, argv);
        if (given.root.empty()) refuse("--root", given.root, "is not a directory; give one that holds proc/");
        given.format = choose(formats, "--format", format);
        given.exposure = choose(exposures, "--exposure", exposure);
        if (given.assumed.empty()) given.assumed = {"local"};
        for (const std::string& name : given.assumed) given.policies.push_back(choose(assumptions, "--assume", name));
        for (const std::string& code : given.ignored) require_known(code);
    } catch (const CLI::CallForHelp&) {
        return early_end{app.help(), 0};
    } catch (const CLI::CallForVersion&) {
        return early_end{version_text() + "\n", 0};
    } catch (const CLI::ParseError& e) {
        return early_end{"closeside-check: " + one_line(e.what()) + " (closeside-check --help tells more)\n",
                         status_usage};
    }
    return given;
}

} // namespace check
