// SPDX-License-Identifier: BSL-1.0
#ifndef CLOSESIDE_CHECK_COMMAND_HPP
#define CLOSESIDE_CHECK_COMMAND_HPP

#include <functional>

namespace CLI {
class App;
}

namespace check {

/// What main() is to do once the command line has been understood; gives the exit status.
using action = std::function<int()>;

// Each adds its options, and in its callback, when the options are known to be right, sets `chosen`. A value that is
// wrong throws CLI::ValidationError (refuse() in output.hpp), which main() answers with one line and status_usage.

/// The check itself: the program without a subcommand. To be called last, since it looks at whether one was chosen.
void add_audit(CLI::App& app, action& chosen);

void add_capacity(CLI::App& app, action& chosen);
void add_config(CLI::App& app, action& chosen);
void add_explain(CLI::App& app, action& chosen);
void add_follow(CLI::App& app, action& chosen);
void add_lint(CLI::App& app, action& chosen);
void add_states(CLI::App& app, action& chosen);
void add_suggest(CLI::App& app, action& chosen);
void add_top(CLI::App& app, action& chosen);

/// Every subcommand, in the order of --help.
void add_commands(CLI::App& app, action& chosen);

} // namespace check

#endif
