// SPDX-License-Identifier: BSL-1.0
#ifndef CLOSESIDE_CHECK_ARGUMENTS_HPP
#define CLOSESIDE_CHECK_ARGUMENTS_HPP

#include <closeside/close_policy.hpp>
#include <closeside/host/finding.hpp>

#include <string>
#include <variant>
#include <vector>

namespace check {

enum class output_format { text, json, prometheus };

struct arguments {
    std::string root = "/";
    output_format format = output_format::text;
    closeside::host::exposure exposure = closeside::host::exposure::nat;
    /// The names given with --assume, and the policies they stand for.
    std::vector<std::string> assumed;
    std::vector<closeside::close_policy> policies;
    /// Codes of rules; each is known.
    std::vector<std::string> ignored;
};

/// The program is to print this and end.
struct early_end {
    std::string text;
    int status;
};

/// `text` for an error message: on one line, and without control characters for the terminal.
std::string one_line(std::string text);

/// sysexits.h: the command line is wrong.
inline constexpr int status_usage = 64;

/// What the command line asks for; --help, --version and errors end early.
std::variant<arguments, early_end> parse(int argc, const char* const* argv);

} // namespace check

#endif
