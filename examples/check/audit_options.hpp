// SPDX-License-Identifier: BSL-1.0
#ifndef CLOSESIDE_CHECK_AUDIT_OPTIONS_HPP
#define CLOSESIDE_CHECK_AUDIT_OPTIONS_HPP

#include "output.hpp"

#include <closeside/close_policy.hpp>
#include <closeside/host/finding.hpp>

#include <string>
#include <vector>

namespace check {

/// What is looked at, and for which program.
struct audit_options {
    std::string root = "/";
    closeside::host::exposure exposure = closeside::host::exposure::nat;
    /// The names given with --assume, and the policies they stand for.
    std::vector<std::string> assumed;
    std::vector<closeside::close_policy> policies;
    /// Codes of rules; each is known.
    std::vector<std::string> ignored;
};

/// Adds the options; `given` must outlive the parsing.
void add_audit_options(CLI::App& app, audit_options& given);

/// To be called once the command line has been parsed: fills in what follows from the options that were not given.
void complete(audit_options& given);

} // namespace check

#endif
