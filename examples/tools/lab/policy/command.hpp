// SPDX-License-Identifier: BSL-1.0
#ifndef CLOSESIDE_LAB_POLICY_COMMAND_HPP
#define CLOSESIDE_LAB_POLICY_COMMAND_HPP

#include <CLI/CLI.hpp>

#include <functional>

namespace lab::policy {

/// Adds `closeside-lab policy`, which has options, a table and a JSON of its own.
/** The function that is returned runs it once the options are parsed, and gives the exit status. */
std::function<int()> add_command(CLI::App& app);

} // namespace lab::policy

#endif
