// SPDX-License-Identifier: BSL-1.0
#include "command.hpp"

namespace check {

// One line a command; its sources are in CMakeLists.txt.
void add_commands(CLI::App& app, action& chosen) {
    add_capacity(app, chosen);
    add_config(app, chosen);
    add_explain(app, chosen);
    add_follow(app, chosen);
    add_lint(app, chosen);
    add_states(app, chosen);
    add_suggest(app, chosen);
    add_top(app, chosen);
}

} // namespace check
