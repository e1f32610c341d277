// SPDX-License-Identifier: BSL-1.0
#ifndef CLOSESIDE_LAB_RESTART_PATIENCE_HPP
#define CLOSESIDE_LAB_RESTART_PATIENCE_HPP

#include "scene.hpp"

#include <chrono>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace lab::restart {

/// How long a server must wait for its port after a stop.
struct wait_case {
    std::string name; ///< what is left on the port
    sharing old;
    amounts left;
};

struct waited {
    wait_case what;
    std::optional<double> seconds; ///< until bind(2) with SO_REUSEADDR succeeded; nothing: not within the limit
    std::vector<std::pair<double, double>> counted; ///< connections on the port after so many seconds
};

const std::vector<wait_case>& wait_cases();

/// All at the same time. Blocks for up to `limit`.
std::vector<waited> wait_for_port(std::chrono::seconds limit);

} // namespace lab::restart

#endif
