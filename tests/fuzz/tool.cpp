// SPDX-License-Identifier: BSL-1.0
#include "printable_view.hpp"
#include "target.hpp"

#include "check/audit_options.hpp"
#include "check/command.hpp"
#include "check/compare.hpp"
#include "check/fill.hpp"
#include "check/lint.hpp"
#include "check/output.hpp"
#include "check/saved.hpp"

#include <CLI/CLI.hpp>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <cstdio>
#include <sstream>
#include <string>
#include <vector>

#include <sys/mman.h>
#include <unistd.h>

// What closeside-check alone reads: its command line, what --save has kept, files to be linted; and what it prints.
namespace fuzz {

/// Lines for a terminal without colours.
inline void is_printable_page(std::string_view page) {
    while (!page.empty()) {
        const std::string_view line = page.substr(0, page.find('\n'));
        require(!has_control_byte(line), "a page is of printable lines");
        page.remove_prefix(std::min(line.size() + 1, page.size()));
    }
}

namespace command_line {

/// One argument a line. Nothing is run but the parsing, and no file is opened by it.
void run(input in) {
    CLI::App app("fuzz", "closeside-check");
    app.require_subcommand(0, 1);
    check::action chosen;
    check::add_commands(app, chosen);
    CLI::App alone("fuzz", "closeside-check");
    check::audit_options given;
    check::add_audit_options(alone, given);

    constexpr std::size_t most = 12;
    std::vector<std::string> arguments;
    while (!in.empty() && arguments.size() != most) arguments.emplace_back(in.take_line());
    std::erase_if(arguments, [](const std::string& a) { return a.find("--suppressions") != a.npos; });
    std::ranges::reverse(arguments);
    for (CLI::App* const parser : {&app, &alone}) try {
            auto copy = arguments;
            parser->parse(std::move(copy));
        } catch (const CLI::ParseError& e) {
            require(!has_control_byte(check::one_line(e.what())), "a message is one printable line");
        }
    for (const std::uint16_t port : given.program.listening_ports) require(port != 0, "a port is not 0");
    for (const auto& rate : {given.program.accepts_per_second, given.program.connects_per_second})
        require(!rate || (*rate > 0 && *rate <= 1e9), "a rate is in its range");
    require(given.program.backlog.value_or(0) >= 0, "a backlog is not negative");
    require(given.assumed.size() <= given.policies.size(), "an assumption is of a policy at least");
}

const target here("command_line", run);

} // namespace command_line

namespace saved_look {

/// A file without a name.
class file_of {
public:
    explicit file_of(std::string_view bytes) : descriptor_(::memfd_create("saved", MFD_CLOEXEC)) {
        require(::write(descriptor_, bytes.data(), bytes.size()) == static_cast<ssize_t>(bytes.size()),
                "a file is written");
    }
    file_of(const file_of&) = delete;
    file_of& operator=(const file_of&) = delete;
    ~file_of() { ::close(descriptor_); }
    std::string path() const { return "/proc/self/fd/" + std::to_string(descriptor_); }

private:
    int descriptor_;
};

void print(const check::saved_look& before, const check::saved_look& after) {
    const check::comparison c = check::compare(before, after);
    std::ostringstream text, json;
    check::print_comparison_text(text, before, c, {});
    is_printable_page(text.str());
    check::print_comparison_json(json, before, after, c);
    require(nlohmann::json::accept(json.str()), "what is printed as JSON is JSON");
}

void run(input in) {
    const file_of file(in.rest());
    std::string problem;
    const auto look = check::read_saved(file.path(), problem);
    require(look.has_value() == problem.empty(), "a refusal has a reason");
    require(!has_control_byte(check::one_line(problem)), "a problem is one printable line");
    if (!look) return;
    const check::comparison same = check::compare(*look, *look);
    require(same.came.empty() && same.went.empty() && same.values.empty() && same.circumstances.empty(),
            "a look does not differ from itself");
    print(*look, {});
    print({}, *look);
}

const target here("saved_look", run);

} // namespace saved_look

namespace linted_file {

void run(input in) {
    const std::string_view bytes = in.rest();
    const closeside::host::detail::sysctl_d::settings_text text{"a\x1b file", std::string(bytes),
                                                                bytes.starts_with("#!")};
    const std::string told = check::release_told_by(text);
    require(!has_control_byte(told), "a release is printable");
    const check::lint_report r = check::lint({}, {text}, told.empty() ? "6.18" : told);
    is_printable(r.view);
    std::ostringstream page, json, sarif;
    check::print_lint_text(page, r, {});
    is_printable_page(check::refilled(page.str(), 80));
    check::print_lint_json(json, r);
    check::print_lint_sarif(sarif, r);
    require(nlohmann::json::accept(json.str()) && nlohmann::json::accept(sarif.str()),
            "what is printed as JSON is JSON");
}

const target here("linted_file", run);

} // namespace linted_file

namespace filled_text {

std::string without_blanks(std::string_view text) {
    std::string kept;
    for (const char c : text)
        if (c != ' ' && c != '\n') kept += c;
    return kept;
}

void run(input in) {
    const std::size_t width = 40 + in.below(100);
    const std::string_view text = in.rest();
    const std::string filled = check::refilled(text, width);
    require(without_blanks(filled) == without_blanks(text), "a text that is laid out anew has the same words");
    require(check::columns_of(text) <= text.size(), "a text has no more columns than characters");
    require(!has_control_byte(check::one_line(std::string(text))), "one line steers no terminal");
}

const target here("filled_text", run);

} // namespace filled_text

} // namespace fuzz
