// SPDX-License-Identifier: BSL-1.0
#ifndef CLOSESIDE_CHECK_OUTPUT_HPP
#define CLOSESIDE_CHECK_OUTPUT_HPP

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace CLI {
class App;
}

namespace check {

/// sysexits.h: EX_USAGE, the command line is wrong; EX_SOFTWARE, nothing could be looked at or printed.
inline constexpr int status_usage = 64;
inline constexpr int status_blind = 70;

enum class output_format { text, json, prometheus, sarif, html };

/// What a command prints, and where to.
struct output {
    output_format format = output_format::text;
    /// Empty: standard output.
    std::string file{};
};

/// Adds --format, with these to choose from, and --output; `to` must outlive the parsing.
void add_output_options(CLI::App& app, output& to, std::vector<output_format> offered);

/// What text for a person is laid out for.
struct terminal {
    bool colour = false;
    /// Somebody reads it as it comes.
    bool interactive = false;
    /// In columns, no less than 40: the terminal's, else what COLUMNS says, else 80.
    std::size_t width = 80;
};
terminal look_at_terminal(const output& to);

/// Prints `text` where it is to go; a file is there whole or, after a failure, as it was before. A failure is said on
/// standard error.
/** @return `status`, or status_blind after a failure. */
int deliver(const output& to, std::string_view text, int status);

/// Says on standard error that the command could do nothing: `closeside-check: <why>`, as say_note() does.
/** @return status_blind. */
int give_up(const std::string& why);

/// Throws a CLI::ValidationError that reads `<option>: '<value>' <cure>`.
[[noreturn]] void refuse(const std::string& option, const std::string& value, const std::string& cure);

/// `a, b or c`.
std::string alternatives(const std::vector<std::string>& names);

/// `text` for a message: on one line, and without control characters for the terminal.
std::string one_line(std::string text);

/// The value of a label in the Prometheus text format, with its quotes.
std::string quoted_label(std::string_view text);

} // namespace check

#endif
