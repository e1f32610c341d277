// SPDX-License-Identifier: BSL-1.0
#ifndef CLOSESIDE_CHECK_FOLLOW_OPTIONS_HPP
#define CLOSESIDE_CHECK_FOLLOW_OPTIONS_HPP

#include "follow_watch.hpp"

#include <memory>

namespace CLI {
class App;
}

namespace check::follow {

/// --port, --peer and --for; `given` must outlive the parsing.
void add_follow_options(CLI::App& app, follow_options& given);

/// Begins to watch, and says on standard error what cannot be told; null, when that has been said, if nothing can.
std::unique_ptr<watch> open_watch(const follow_options& options);

} // namespace check::follow

#endif
