// SPDX-License-Identifier: BSL-1.0
#include "output.hpp"

#include "fill.hpp"
#include "note.hpp"

#include "replace_file.hpp"

#include <closeside/detail/kernel/printable_text.hpp>

#include <CLI/CLI.hpp>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <cstdlib>
#include <iostream>
#include <optional>
#include <system_error>
#include <utility>

#include <sys/ioctl.h>
#include <unistd.h>

namespace check {

namespace {

const char* name_of(output_format format) {
    switch (format) {
    case output_format::text: return "text";
    case output_format::json: return "json";
    case output_format::prometheus: return "prometheus";
    case output_format::sarif: return "sarif";
    case output_format::html: return "html";
    }
    return "?";
}

std::vector<std::string> names_of(const std::vector<output_format>& formats) {
    std::vector<std::string> names;
    for (const output_format f : formats) names.emplace_back(name_of(f));
    return names;
}

/// NO_COLOR: no-color.org.
bool wants_colour() {
    const char* const refused = std::getenv("NO_COLOR");
    const char* const name = std::getenv("TERM");
    return !(refused && *refused) && name && std::string_view(name) != "dumb";
}

/// What COLUMNS says, which shells set and scripts may.
std::optional<std::size_t> stated_columns() {
    const char* const text = std::getenv("COLUMNS");
    if (!text) return std::nullopt;
    const std::string_view digits = text;
    std::size_t columns = 0;
    const auto read = std::from_chars(digits.data(), digits.data() + digits.size(), columns);
    const bool is_number = read.ec == std::errc{} && read.ptr == digits.data() + digits.size() && columns != 0;
    return is_number ? std::optional(columns) : std::nullopt;
}

} // namespace

void add_output_options(CLI::App& app, output& to, std::vector<output_format> offered) {
    const std::string names = alternatives(names_of(offered));
    const auto choose = [&to, offered, names](const std::string& name) {
        const auto chosen = std::ranges::find(offered, name, name_of);
        if (chosen == offered.end()) refuse("--format", name, "is not known; give " + names);
        to.format = *chosen;
    };
    if (offered.size() > 1)
        app.add_option_function<std::string>("--format", choose, names + " (default: text)")->type_name("FORMAT");
    app.add_option_function<std::string>(
           "--output",
           [&to](const std::string& file) {
               if (file.empty()) refuse("--output", file, "is not a file; give one to be written");
               to.file = file;
           },
           "File to write instead of standard output; readers see it whole or not at all")
        ->type_name("FILE");
}

namespace {

terminal look_at(int file, bool is_terminal) {
    constexpr std::size_t least = 40;
    terminal seen;
    seen.interactive = is_terminal;
    seen.colour = seen.interactive && wants_colour();
    ::winsize size{};
    if (seen.interactive && ::ioctl(file, TIOCGWINSZ, &size) == 0 && size.ws_col != 0)
        seen.width = size.ws_col;
    else
        seen.width = stated_columns().value_or(seen.width);
    seen.width = std::max(seen.width, least);
    return seen;
}

} // namespace

terminal look_at_terminal(const output& to) {
    return look_at(STDOUT_FILENO, to.file.empty() && ::isatty(STDOUT_FILENO) == 1);
}

terminal look_at_terminal_of_notes() { return look_at(STDERR_FILENO, ::isatty(STDERR_FILENO) == 1); }

void say_note(const std::string& what) {
    const terminal on = look_at_terminal_of_notes();
    const std::string text = "closeside-check: " + one_line(what);
    std::string lines;
    fill(lines, "", 2, text, on.interactive ? on.width : text.size());
    std::cerr << lines;
}

int deliver(const output& to, std::string_view text, int status) {
    if (!to.file.empty()) {
        const std::string problem = replace_file(to.file, text);
        return problem.empty() ? status : give_up("cannot write '" + to.file + "': " + problem);
    }
    std::cout << text;
    if (std::cout.flush()) return status;
    return give_up("cannot write to standard output: " + std::generic_category().message(errno));
}

int give_up(const std::string& why) {
    say_note(why);
    return status_blind;
}

void refuse(const std::string& option, const std::string& value, const std::string& cure) {
    throw CLI::ValidationError(option, "'" + value + "' " + cure);
}

std::string alternatives(const std::vector<std::string>& names) {
    std::string text;
    for (std::size_t i = 0; i != names.size(); ++i)
        text += (i == 0 ? "" : i + 1 == names.size() ? " or " : ", ") + names[i];
    return text;
}

std::string one_line(std::string text) {
    const auto is_control = [](unsigned char c) { return c < ' ' || c == 0x7f; };
    std::ranges::replace_if(text, is_control, ' ');
    return closeside::detail::terminal_text(text);
}

std::string quoted_label(std::string_view text) {
    std::string out = "\"";
    for (const char c : text) {
        if (c == '\\' || c == '"') out += '\\';
        if (c == '\n')
            out += "\\n";
        else
            out += c;
    }
    return out + '"';
}

} // namespace check
