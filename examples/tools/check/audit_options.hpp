// SPDX-License-Identifier: BSL-1.0
#ifndef CLOSESIDE_CHECK_AUDIT_OPTIONS_HPP
#define CLOSESIDE_CHECK_AUDIT_OPTIONS_HPP

#include "output.hpp"

#include <closeside/close_policy.hpp>
#include <closeside/host/program.hpp>
#include <closeside/host/suppression.hpp>

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace check {

/// What is looked at, for which program, and what is known about it already.
struct audit_options {
    std::string root = "/";
    /// Without its policies, which would refer to the member below.
    closeside::host::program program{};
    /// The names given with --assume, and the policies they stand for.
    std::vector<std::string> assumed{};
    std::vector<closeside::close_policy> policies{};
    std::vector<closeside::host::suppression> suppressions{};
    std::vector<std::string> suppression_files{};
    /// How long to wait for a second look; 0: one look.
    std::chrono::seconds watch{0};
};

/// Adds the options but --watch; `given` must outlive the parsing.
void add_audit_options(CLI::App& app, audit_options& given);

/// Those among them that say what is judged and by what, not where.
void add_judging_options(CLI::App& app, audit_options& given);

/// To be called once the command line has been parsed: fills in what follows from the options, and from those that were
/// not given.
void complete(audit_options& given);

/// The value of an option that is a whole number from `low` to `high`; otherwise refuses it.
std::int64_t whole_number(const std::string& option, const std::string& text, std::int64_t low, std::int64_t high);

/// The value of an option that is a number of connections per second; otherwise refuses it.
double rate(const std::string& option, const std::string& text);

/// A number with or without a point, and nothing else: no exponent, but possibly a sign.
std::optional<double> decimal(const std::string& text);

/// The policies by which what --assume calls `name` closes: first those of connections that it accepts, last of those that it
/// opens. Refuses a name that is not known.
std::vector<closeside::close_policy> assumed_policies(const std::string& option, const std::string& name);

} // namespace check

#endif
